//! Commands on profiles of both kinds: file, approve, reject; and the standings that other slices ask for.

use super::{
    model::{Decision, PayoutTerms, Profile, ProfileState, ProfileTerms, Standing, Standings, TaxTerms},
    store::{self, StoredTerms},
    view::ShownTerms,
};
use crate::{
    access::{Tx, Unaudited},
    audit,
    network::partners,
    platform::{
        Error, Result,
        values::{CalendarDate, Id, Words},
    },
    text,
};
use std::collections::BTreeMap;

crate::problem_codes! {
    OWN_FILING = "own_filing" 403 ["Another person approves it", "承認は別の方が行う必要があります"],
        ["Nobody approves a profile of their own filing. An operator who has not filed it approves it; `filed_by` is who filed it.", "自分が登録した情報を自分で承認することはできません。登録者以外の運営担当者が承認してください。登録者は `filed_by` に示されます。"];
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
    let filed = Profile {
        id: before.as_ref().map_or_else(|| tx.new_id(), |before| before.id),
        partner_id,
        terms,
        state: ProfileState::Pending,
        rejection_reason: None,
        created_at: before.as_ref().map_or(tx.now, |before| before.created_at),
        updated_at: tx.now,
        revision: 1,
    };
    match before {
        None => {
            T::insert(tx, &filed)?;
            audit::Event::on(T::RECORD, filed.id)
                .of_partner(partner_id)
                .after(&T::shown(filed.clone(), tx.today()))
                .record(tx)?;
            tx.facts_changed(partner_id);
            Ok(filed)
        }
        Some(before) if before.terms == filed.terms && before.state != ProfileState::ActionRequired => {
            tx.exempt_from_audit(Unaudited::NothingWritten);
            Ok(before)
        }
        Some(before) => save(tx, &before, filed, None),
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

/// Approves or rejects a profile.
pub(super) fn decide<T: StoredTerms + ShownTerms>(
    tx: &mut Tx<'_>,
    before: &Profile<T>,
    decision: Decision<'_>,
) -> Result<Profile<T>> {
    let from = before.state_on(tx.today());
    let state = from.after(decision).ok_or_else(|| {
        let (allowed, Words { en, ja }) = (from.allowed(), T::NAME);
        let detail = match allowed.as_slice() {
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
        Error::new(&partners::TRANSITION_NOT_ALLOWED, detail).with("from", from).with("allowed", allowed)
    })?;
    let rejection_reason = match decision {
        Decision::Approval(_) => {
            refuse_own_filing(tx, before)?;
            None
        }
        Decision::Rejection(reason) => Some(reason.to_owned()),
    };
    let decided = Profile { state, rejection_reason, ..before.clone() };
    let decided = save(tx, before, decided, decision.words())?;
    if standing(tx, decided.partner_id, tx.today())? == Standing::Approved {
        store::note_approval(tx, decided.partner_id)?;
    }
    Ok(decided)
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
        .before(&T::shown(before.clone(), today))
        .after(&T::shown(profile.clone(), today))
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
    let payout = store::payout_states(tx, partners)?;
    let tax = store::tax_states(tx, partners, day)?;
    let each = |id: &Id| Standings {
        payout: Standing::of(payout.get(id).copied()),
        tax: Standing::of(tax.get(id).copied()),
    };
    Ok(partners.iter().map(|id| (*id, each(id))).collect())
}

/// The partner's profile; not found where the unit may not see the partner.
pub(super) fn get<T: StoredTerms>(tx: &mut Tx<'_>, partner: Id) -> Result<Profile<T>> {
    partners::get(tx, partner)?;
    store::find(tx, partner)?.ok_or(Error::not_found(T::NAME.en, T::NAME.ja))
}

/// Files both profiles of a partner for the first time.
pub fn file_both(tx: &mut Tx<'_>, partner: Id, payout: PayoutTerms, tax: TaxTerms) -> Result<()> {
    tx.lock_partner(partner)?;
    file(tx, partner, None, payout)?;
    file(tx, partner, None, tax).map(drop)
}

/// Decides on a partner's payout profile.
pub fn decide_payout(tx: &mut Tx<'_>, partner: Id, decision: Decision<'_>) -> Result<()> {
    tx.lock_partner(partner)?;
    let before = get::<PayoutTerms>(tx, partner)?;
    decide(tx, &before, decision).map(drop)
}

/// Decides on a partner's tax profile.
pub fn decide_tax(tx: &mut Tx<'_>, partner: Id, decision: Decision<'_>) -> Result<()> {
    tx.lock_partner(partner)?;
    let before = get::<TaxTerms>(tx, partner)?;
    decide(tx, &before, decision).map(drop)
}
