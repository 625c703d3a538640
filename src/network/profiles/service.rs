//! Commands on profiles of both kinds: file, approve, reject; and the standings that other slices ask for.

use super::{
    BankAccount, PayoutNotes, TaxNotes, TaxTerms, TinStatus,
    model::{Decision, Profile, ProfileState, ProfileTerms, Standing, Standings},
    store::{self, StoredTerms},
    view::ShownTerms,
};
use crate::{
    access::{Tx, Unaudited},
    audit,
    network::partners,
    platform::{
        Error, Result,
        values::{CalendarDate, Id, Locale, Text, Words},
    },
    text,
};
use std::collections::BTreeMap;

crate::problem_codes! {
    OWN_FILING = "own_filing" 403 ["Another person approves it", "承認は別の方が行う必要があります"],
        ["Nobody approves a profile of their own filing. An operator who has not filed it approves it; `filed_by` is who filed it.", "自分が登録した情報を自分で承認することはできません。登録者以外の運営担当者が承認してください。登録者は `filed_by` に示されます。"];
    OWN_APPROVAL = "own_approval" 403 ["Another person ends the wait", "待機期間の解除は別の方が行う必要があります"],
        ["Money waits after a change of the bank account so that two people look at the change: the wait is ended by another operator than the one who approved the account.", "振込先口座の変更後は、二名で変更内容を確認するため、支払いが保留されます。待機期間の解除は、口座を承認した方以外の運営担当者が行ってください。"];
}

/// Files a profile, in place of the one on record; an operator has to decide on the filed profile. The data on record
/// filed again changes nothing, unless the profile was rejected.
pub(super) fn file<T: StoredTerms + ShownTerms>(
    tx: &mut Tx<'_>,
    partner_id: Id,
    before: Option<Profile<T>>,
    terms: T,
) -> Result<Profile<T>> {
    let faults = terms.faults(tx.today());
    if !faults.is_empty() {
        return Err(Error::invalid(faults));
    }
    let days = tx.schedules().cooling_off_days;
    let cooling_off_until = (days > 0).then(|| tx.today().plus_business_days(days));
    let notes = before.as_ref().map(|before| terms.notes_after(before, cooling_off_until));
    let filed = Profile {
        id: before.as_ref().map_or_else(|| tx.new_id(), |before| before.id),
        partner_id,
        terms,
        notes: notes.unwrap_or_default(),
        state: ProfileState::Pending,
        rejection_reason: None,
        approved_by: None,
        created_at: before.as_ref().map_or(tx.now, |before| before.created_at),
        updated_at: tx.now,
        revision: 1,
    };
    match before {
        None => {
            T::insert(tx, &filed)?;
            audit::Event::on(T::RECORD, filed.id)
                .of_partner(partner_id)
                .after(&T::shown(filed.clone(), tx.today(), Locale::En))
                .record(tx)?;
            tx.facts_changed(partner_id);
            Ok(filed)
        }
        Some(before) if before.terms == filed.terms && before.state != ProfileState::ActionRequired => {
            tx.exempt_from_audit(Unaudited::NothingWritten);
            Ok(before)
        }
        Some(before) => {
            if filed.terms.leads_elsewhere_than(&before.terms) {
                tx.account_changed(partner_id);
            }
            save(tx, &before, filed, None)
        }
    }
}

/// Refuses that whoever filed a profile approves it, by the same account or by another one.
fn refuse_own_filing<T: ProfileTerms>(tx: &mut Tx<'_>, profile: &Profile<T>) -> Result<()> {
    let Some(filer) = audit::last_actor(tx, T::FILING, profile.id)? else { return Ok(()) };
    if tx.acts_as(filer)? {
        let Words { en, ja } = T::NAME;
        let detail = text!(
            "you filed this {en} yourself, by this account or by another account of yours",
            "この{ja}は、このアカウントまたはご自身の別のアカウントで登録されたものです。"
        );
        return Err(Error::new(&OWN_FILING, detail).with("filed_by", filer));
    }
    Ok(())
}

/// Approves or rejects a profile, and stores the notes of the decision.
pub(super) fn decide<T: StoredTerms + ShownTerms>(
    tx: &mut Tx<'_>,
    before: &Profile<T>,
    notes: T::Notes,
    decision: Decision<'_>,
) -> Result<Profile<T>> {
    let from = before.state_on(tx.today());
    let state = from.after(decision).ok_or_else(|| {
        let Words { en, ja } = T::NAME;
        let detail = match from.allowed().as_slice() {
            [] => text!(
                "a {en} that is {from} has to be filed again by the partner first",
                "{ja}の状態が {from} のため、先にパートナーが再度登録する必要があります。"
            ),
            some => {
                let can = some.join(", ");
                text!(
                    "a {en} that is {from} allows: {can}",
                    "{ja}の状態が {from} のため、実行できる操作は次のとおりです：{can}"
                )
            }
        };
        not_allowed(detail, from)
    })?;
    let (rejection_reason, approved_by) = match decision {
        Decision::Approval(_) => {
            refuse_own_filing(tx, before)?;
            (None, tx.actor.id())
        }
        Decision::Rejection(reason) => (Some(Text::new(reason.to_owned(), reason.to_owned())), None),
        Decision::BankRejection(reason) => (Some(reason.clone()), None),
    };
    let decided = Profile { notes, state, rejection_reason, approved_by, ..before.clone() };
    let decided = save(tx, before, decided, decision.words())?;
    if standing(tx, decided.partner_id, tx.today())?.is_approved() {
        store::note_approval(tx, decided.partner_id)?;
    }
    Ok(decided)
}

fn not_allowed(detail: Text, from: ProfileState) -> Error {
    let error = Error::new(&partners::TRANSITION_NOT_ALLOWED, detail);
    error.with("from", from).with("allowed", from.allowed())
}

/// Ends the wait after a change of the bank account, by another operator than the one who approved the account.
pub(super) fn release_cooling_off(
    tx: &mut Tx<'_>,
    before: &Profile<BankAccount>,
    reason: &str,
) -> Result<Profile<BankAccount>> {
    let from = before.state_on(tx.today());
    if from != ProfileState::Approved {
        let detail = text!(
            "a payout profile that is {from} is approved first; then another operator ends the wait",
            "支払先情報の状態が {from} のため、先に承認が必要です。承認後、別の運営担当者が待機期間を解除します。"
        );
        return Err(not_allowed(detail, from));
    }
    if !before.notes.cools_off_on(tx.today()) {
        let detail = text!(
            "no money waits because of a change of the bank account",
            "振込先口座の変更により保留されている支払いはありません。"
        );
        return Err(not_allowed(detail, from));
    }
    if before.approved_by.map_or(Ok(false), |approver| tx.acts_as(approver))? {
        let detail = text!(
            "you approved this account yourself, by this account or by another account of yours",
            "この口座は、このアカウントまたはご自身の別のアカウントで承認されたものです。"
        );
        return Err(Error::new(&OWN_APPROVAL, detail));
    }
    let notes = PayoutNotes { cooling_off_until: None, ..before.notes };
    save(tx, before, Profile { notes, ..before.clone() }, Some(reason))
}

/// Notes what the tax authority says about a tax number.
pub(super) fn note_tin_status(
    tx: &mut Tx<'_>,
    before: Profile<TaxTerms>,
    tin_status: TinStatus,
    comment: Option<&str>,
) -> Result<Profile<TaxTerms>> {
    if before.notes.tin_status == tin_status {
        tx.exempt_from_audit(Unaudited::NothingWritten);
        return Ok(before);
    }
    save(tx, &before, Profile { notes: TaxNotes { tin_status }, ..before.clone() }, comment)
}

fn save<T: StoredTerms + ShownTerms>(
    tx: &mut Tx<'_>,
    before: &Profile<T>,
    profile: Profile<T>,
    reason: Option<&str>,
) -> Result<Profile<T>> {
    let profile = Profile { updated_at: tx.now, revision: before.revision + 1, ..profile };
    T::update(tx, &profile)?;
    let today = tx.today();
    audit::Event::on(T::RECORD, profile.id)
        .of_partner(profile.partner_id)
        .before(&T::shown(before.clone(), today, Locale::En))
        .after(&T::shown(profile.clone(), today, Locale::En))
        .because(reason)
        .record(tx)?;
    tx.facts_changed(profile.partner_id);
    Ok(profile)
}

/// The worse standing of a partner's two profiles on a day.
pub fn standing(tx: &mut Tx<'_>, partner: Id, day: CalendarDate) -> Result<Standing> {
    let standings = standings(tx, &[partner], day)?;
    Ok(standings.get(&partner).copied().unwrap_or(Standing::Missing))
}

/// The worse standing of two profiles for each of these partners, in two statements. Every partner is in the answer.
pub fn standings(tx: &mut Tx<'_>, partners: &[Id], day: CalendarDate) -> Result<BTreeMap<Id, Standing>> {
    let each = standings_of_each(tx, partners, day)?;
    Ok(each.into_iter().map(|(partner, standings)| (partner, standings.worse())).collect())
}

/// The standings of payout and tax profile for each of these partners, in two statements. Every partner is in the
/// answer.
pub fn standings_of_each(
    tx: &mut Tx<'_>,
    partners: &[Id],
    day: CalendarDate,
) -> Result<BTreeMap<Id, Standings>> {
    let payout = store::payout_standings(tx, partners, day)?;
    let tax = store::tax_states(tx, partners, day)?;
    let each = |id: &Id| Standings {
        payout: payout.get(id).copied().unwrap_or(Standing::Missing),
        tax: Standing::of(tax.get(id).copied()),
    };
    Ok(partners.iter().map(|id| (*id, each(id))).collect())
}

/// The partner's profile; not found where the unit may not see the partner.
pub(super) fn get<T: StoredTerms>(tx: &mut Tx<'_>, partner: Id) -> Result<Profile<T>> {
    partners::get(tx, partner)?;
    store::find(tx, partner)?.ok_or(Error::not_found(T::NAME.en, T::NAME.ja))
}

/// The bank accounts of these partners, each with the partner's id; of a partner that has filed none there is none.
pub fn bank_accounts(tx: &mut Tx<'_>, partners: &[Id]) -> Result<BTreeMap<Id, BankAccount>> {
    Ok(payout_profiles(tx, partners)?.into_iter().map(|(id, profile)| (id, profile.terms)).collect())
}

/// The payout profiles of these partners, each with the partner's id; of a partner that has filed none there is none.
pub fn payout_profiles(tx: &mut Tx<'_>, partners: &[Id]) -> Result<BTreeMap<Id, Profile<BankAccount>>> {
    let profiles = BankAccount::of(tx, partners)?;
    Ok(profiles.into_iter().map(|profile| (profile.partner_id, profile)).collect())
}

/// The tax profiles of these partners, each with the partner's id; of a partner that has filed none there is none.
pub fn tax_profiles(tx: &mut Tx<'_>, partners: &[Id]) -> Result<BTreeMap<Id, Profile<TaxTerms>>> {
    let profiles = TaxTerms::of(tx, partners)?;
    Ok(profiles.into_iter().map(|profile| (profile.partner_id, profile)).collect())
}

/// The payout profile of a partner, if the partner has filed one.
pub fn payout_profile(tx: &mut Tx<'_>, partner: Id) -> Result<Option<Profile<BankAccount>>> {
    store::find(tx, partner)
}

/// Files both profiles of a partner for the first time.
pub fn file_both(tx: &mut Tx<'_>, partner: Id, payout: BankAccount, tax: TaxTerms) -> Result<()> {
    tx.lock_partner(partner)?;
    file(tx, partner, None, payout)?;
    file(tx, partner, None, tax).map(drop)
}

/// Files another payout profile of a partner.
pub fn file_payout(tx: &mut Tx<'_>, partner: Id, payout: BankAccount) -> Result<()> {
    tx.lock_partner(partner)?;
    let before = store::find(tx, partner)?;
    file(tx, partner, before, payout).map(drop)
}

/// Decides on a partner's payout profile.
pub fn decide_payout(tx: &mut Tx<'_>, partner: Id, decision: Decision<'_>) -> Result<()> {
    tx.lock_partner(partner)?;
    let before = get::<BankAccount>(tx, partner)?;
    decide(tx, &before, before.notes, decision).map(drop)
}

/// Decides on a partner's tax profile, and notes what the tax authority says about the tax number.
pub fn decide_tax(tx: &mut Tx<'_>, partner: Id, tin_status: TinStatus, decision: Decision<'_>) -> Result<()> {
    tx.lock_partner(partner)?;
    let before = get::<TaxTerms>(tx, partner)?;
    decide(tx, &before, TaxNotes { tin_status }, decision).map(drop)
}
