//! Commands on agreements: record, renew, terminate, correct.

use super::{
    Agreement, AgreementStatus, AgreementTransition, Correction, Kind, NewAgreement, Renewal, Termination,
    store, view::AgreementView,
};
use crate::{
    access::Tx,
    audit,
    network::partners::{self, Partner, PartnerStatus},
    platform::{
        Error, FieldError, Result, codes,
        values::{Id, Text, Words},
    },
    text,
};

crate::problem_codes! {
    AGREEMENT_OVERLAPS = "agreement_overlaps" 409 ["Another agreement covers some of these days", "契約期間が別の契約と重複しています"],
        ["Periods of one kind and partner never overlap. `agreement_id` is the other one, `effective_on` and `expires_on` its period: begin after it, or terminate it first.", "同じパートナーの同じ種類の契約期間は重複できません。`agreement_id` が重複する契約、`effective_on` と `expires_on` がその期間です。その期間の後に開始するか、先にその契約を解約してください。"];
    AGREEMENT_KIND_DOES_NOT_FIT = "agreement_kind_does_not_fit" 409 ["A partner of this type does not sign this kind of agreement", "この種別のパートナーはこの種類の契約を締結できません"],
        ["A distributor agreement is for an indirect provider, a reseller agreement for a direct bill partner; a headquarters also signs what fits one of its locations.", "ディストリビューター契約は間接プロバイダー、リセラー契約は直接請求パートナーが対象です。本社は、所属する拠点のいずれかに該当する契約も締結できます。"];
    AGREEMENT_NUMBER_TAKEN = "agreement_number_taken" 409 ["Another agreement of this kind has this number", "この契約番号は同じ種類の別の契約で使用されています"],
        ["Each paper has its own number; a renewal is a new paper. `agreement_id` is the other one.", "契約ごとに固有の番号が必要です。更新後の契約は新しい契約です。該当する契約は `agreement_id` に示されます。"];
}

/// Records a signed agreement.
pub fn create(tx: &mut Tx<'_>, id: Id, new: NewAgreement) -> Result<Agreement> {
    let agreement = Agreement::new(id, tx.now, new);
    record(tx, agreement)
}

/// Records the period that continues an agreement.
pub fn renew(tx: &mut Tx<'_>, before: &Agreement, id: Id, renewal: Renewal) -> Result<Agreement> {
    refuse_unless_admitted(tx, before, AgreementTransition::Renewal)?;
    let renewed = before.renewed(id, tx.now, renewal).ok_or_else(|| not_allowed(tx, before))?;
    record(tx, renewed)
}

/// Ends an agreement early.
pub fn terminate(tx: &mut Tx<'_>, before: &Agreement, termination: Termination) -> Result<Agreement> {
    refuse_unless_admitted(tx, before, AgreementTransition::Termination)?;
    let end = termination.terminated_on.unwrap_or(tx.today().max(before.signed_on));
    let refused = |message: Text| Err(Error::invalid_field("/terminated_on", "order", message));
    if end < before.signed_on {
        return refused(text!(
            "it was signed on {}; it cannot end before that",
            "署名日は {} です。終了日をそれより前にすることはできません。",
            before.signed_on
        ));
    }
    if before.first_day_without() <= end {
        return refused(text!(
            "it does not count from {} on anyway",
            "この契約は {} 以降すでに無効です。",
            before.first_day_without()
        ));
    }
    let agreement = Agreement {
        terminated_on: Some(end),
        termination_reason: Some(termination.reason),
        ..before.clone()
    };
    save(tx, before, agreement)
}

/// Corrects the record of an agreement.
pub(super) fn correct(tx: &mut Tx<'_>, before: &Agreement, correction: Correction) -> Result<Agreement> {
    let agreement = before.clone().corrected(correction);
    refuse_any(agreement.out_of_order())?;
    refuse_taken(tx, &agreement)?;
    refuse_overlap(tx, &agreement)?;
    save(tx, before, agreement)
}

/// The agreement, with its partner locked.
pub(super) fn to_change(tx: &mut Tx<'_>, kind: Kind, id: Id) -> Result<Agreement> {
    let agreement = store::get(tx, kind, id)?;
    let stale = tx.lock_partner(agreement.partner_id)?.may_be_stale();
    if stale { store::get(tx, kind, id) } else { Ok(agreement) }
}

fn record(tx: &mut Tx<'_>, agreement: Agreement) -> Result<Agreement> {
    tx.lock_partner(agreement.partner_id)?;
    let mut faults = agreement.out_of_order();
    let signatory = match partners::get(tx, agreement.partner_id) {
        Ok(partner) => Some(partner),
        Err(error) if *error.code == codes::NOT_FOUND => {
            faults.push(FieldError::new(
                "/partner_id",
                "unknown",
                text!(
                    "there is no such partner; name an existing one",
                    "該当するパートナーが存在しません。登録済みのパートナーを指定してください。"
                ),
            ));
            None
        }
        Err(error) => return Err(error),
    };
    refuse_any(faults)?;
    if let Some(partner) = signatory {
        refuse_signatory(tx, &agreement, &partner)?;
    }
    refuse_taken(tx, &agreement)?;
    refuse_overlap(tx, &agreement)?;
    store::insert(tx, &agreement)?;
    event(&agreement).after(&AgreementView::today(tx, agreement.clone())).record(tx)?;
    tx.facts_changed(agreement.partner_id);
    Ok(agreement)
}

fn save(tx: &mut Tx<'_>, before: &Agreement, agreement: Agreement) -> Result<Agreement> {
    let agreement = Agreement { updated_at: tx.now, revision: before.revision + 1, ..agreement };
    store::update(tx, before, &agreement)?;
    let reason = agreement.termination_reason.as_deref().filter(|_| before.terminated_on.is_none());
    event(&agreement)
        .before(&AgreementView::today(tx, before.clone()))
        .after(&AgreementView::today(tx, agreement.clone()))
        .because(reason)
        .record(tx)?;
    tx.facts_changed(agreement.partner_id);
    Ok(agreement)
}

fn event(agreement: &Agreement) -> audit::Event {
    audit::Event::on(agreement.kind.resource_type(), agreement.id).of_partner(agreement.partner_id)
}

fn refuse_any(faults: Vec<FieldError>) -> Result<()> {
    if faults.is_empty() { Ok(()) } else { Err(Error::invalid(faults)) }
}

/// A closed partner signs nothing; a headquarters signs for itself and for its locations.
fn refuse_signatory(tx: &mut Tx<'_>, agreement: &Agreement, partner: &Partner) -> Result<()> {
    let kind = agreement.kind;
    if partner.status == PartnerStatus::Closed {
        let (id, Words { en, ja }) = (partner.id, kind.title());
        let detail = text!(
            "partner {id} is closed and signs no {en}",
            "パートナー {id} は閉鎖されているため、{ja}を締結できません。"
        );
        return Err(Error::new(&partners::PARTNER_CLOSED, detail));
    }
    let fits = |partner: &Partner| kind.fits(partner.partner_type);
    if fits(partner) || partners::family(tx, &[partner.id])?.iter().any(fits) {
        return Ok(());
    }
    let (partner_type, Words { en, ja }) = (partner.partner_type, kind.title());
    let detail = text!(
        "a partner that is {partner_type} does not sign a {en}",
        "種別が {partner_type} のパートナーは{ja}を締結できません。"
    );
    Err(Error::new(&AGREEMENT_KIND_DOES_NOT_FIT, detail).with("partner_type", partner.partner_type))
}

fn refuse_taken(tx: &mut Tx<'_>, agreement: &Agreement) -> Result<()> {
    match store::find_by_number(tx, agreement.kind, &agreement.agreement_number)? {
        Some(other) if other != agreement.id => {
            let (number, Words { en, ja }) = (&agreement.agreement_number, agreement.kind.title());
            let detail = text!(
                "{en} {other} has the number {number}",
                "契約番号 {number} は別の{ja}（{other}）で使用されています。"
            );
            Err(Error::new(&AGREEMENT_NUMBER_TAKEN, detail).with("agreement_id", other))
        }
        _ => Ok(()),
    }
}

fn refuse_overlap(tx: &mut Tx<'_>, agreement: &Agreement) -> Result<()> {
    let Some(period) = agreement.period() else { return Ok(()) };
    let others = store::other_periods(tx, agreement)?;
    match others.iter().find(|other| other.period().is_some_and(|others| others.overlaps(period))) {
        None => Ok(()),
        Some(other) => {
            let Words { en, ja } = other.kind.title();
            let (id, number, from) = (other.id, &other.agreement_number, other.effective_on);
            let detail = match other.expires_on {
                Some(last) => text!(
                    "{en} {id} (number {number}) covers {from} to {last}",
                    "{ja} {id}（番号 {number}）の期間（{from} から {last} まで）と重複しています。"
                ),
                None => text!(
                    "{en} {id} (number {number}) covers {from} without end",
                    "{ja} {id}（番号 {number}）の期間（{from} から期限なし）と重複しています。"
                ),
            };
            Err(Error::new(&AGREEMENT_OVERLAPS, detail)
                .with("agreement_id", other.id)
                .with("agreement_number", &other.agreement_number)
                .with("effective_on", other.effective_on)
                .with("expires_on", other.expires_on)
                .with("terminated_on", other.terminated_on))
        }
    }
}

fn refuse_unless_admitted(tx: &Tx<'_>, before: &Agreement, transition: AgreementTransition) -> Result<()> {
    if before.admits(transition, tx.today()) { Ok(()) } else { Err(not_allowed(tx, before)) }
}

fn not_allowed(tx: &Tx<'_>, before: &Agreement) -> Error {
    let allowed = before.allowed(tx.today());
    // A termination on a later day bars further changes already today.
    let ended = before.terminated_on.map(|_| AgreementStatus::Terminated);
    let from = ended.unwrap_or_else(|| before.status_on(tx.today()));
    let detail = match (before.terminated_on, before.expires_on) {
        (Some(end), _) => text!(
            "it was terminated as of {end}; record a new agreement instead",
            "契約は {end} に解約されています。新しい契約を登録してください。"
        ),
        (None, None) => text!(
            "it has no end, so it needs no renewal; terminate it first",
            "この契約には期限がないため、更新は不要です。先に解約してください。"
        ),
        (None, Some(last)) => text!(
            "it ran out on {last}; it can be renewed",
            "契約は {last} に満了しています。更新が可能です。"
        ),
    };
    Error::new(&partners::TRANSITION_NOT_ALLOWED, detail).with("from", from).with("allowed", allowed)
}
