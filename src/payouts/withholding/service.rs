//! Rates of withheld tax: added, never changed; and which of them holds for a partner.

use super::{
    EarningKind, FormState, NewWithholdingRate, WithholdingKey, WithholdingRate, api::WithholdingRateView,
    store,
};
use crate::{
    access::Tx,
    audit,
    network::{partners, profiles},
    platform::{
        Error, Result,
        values::{CalendarDate, Id},
    },
    text,
};
use std::collections::BTreeMap;

crate::problem_codes! {
    WITHHOLDING_RATE_EARLIER = "withholding_rate_earlier" 409 ["A rate begins after the one before", "税率の適用開始日は、登録済みの税率より後である必要があります"],
        ["Rates are never changed: a new one begins after the rate of the same country, form and earning on record, `valid_from`, and ends it the day before.", "登録済みの税率は変更できません。新しい税率は、同じ国、書類および支払区分の登録済みの税率の適用開始日（`valid_from`）より後に開始し、登録済みの税率はその前日に終了します。"];
}

/// The rates of withheld tax for a partner, by what is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Withholding {
    /// For rebates.
    pub rebate: WithholdingRate,
    /// For co-op.
    pub co_op: WithholdingRate,
}

/// The rates of withheld tax for these partners on a day. Three statements, however many there are.
pub fn of(tx: &mut Tx<'_>, partners: &[Id], day: CalendarDate) -> Result<BTreeMap<Id, Withholding>> {
    let rates = store::on(tx, day)?;
    let profiles = profiles::tax_profiles(tx, partners)?;
    let mut of_each = BTreeMap::new();
    for partner in partners::many(tx, partners)? {
        let profile = profiles.get(&partner.id);
        let form_state = FormState::of(profile, day);
        // A document that does not hold does not say which country taxes the partner.
        let stated =
            profile.filter(|_| form_state != FormState::None).map(|profile| profile.terms.tax_country);
        let payee_country = Some(stated.unwrap_or(partner.country));
        let rate = |earning: EarningKind| {
            let key = WithholdingKey { payee_country, form_state, earning };
            let rate = WithholdingRate::choose(&rates, key, day).copied();
            rate.ok_or_else(|| Error::internal(format!("no withholding rate on {day} for {key:?}")))
        };
        let withholding = Withholding { rebate: rate(EarningKind::Rebate)?, co_op: rate(EarningKind::CoOp)? };
        of_each.insert(partner.id, withholding);
    }
    Ok(of_each)
}

/// Adds a rate, and ends the one before on the day before.
pub fn add(tx: &mut Tx<'_>, id: Id, new: NewWithholdingRate) -> Result<WithholdingRate> {
    let faults = new.faults(tx.today());
    if !faults.is_empty() {
        return Err(Error::invalid(faults));
    }
    if let Some(before) = store::open_rate(tx, new.key)? {
        let earlier = || {
            let begins = before.valid_from;
            let detail = text!(
                "the rate on record begins on {begins}",
                "登録済みの税率の適用開始日は {begins} です。"
            );
            Error::new(&WITHHOLDING_RATE_EARLIER, detail).with("valid_from", begins)
        };
        if new.valid_from <= before.valid_from {
            return Err(earlier());
        }
        let last = new.valid_from.plus_days(-1);
        if !store::end(tx, before.id, last)? {
            return Err(earlier());
        }
        let ended = WithholdingRate { valid_to: Some(last), ..before };
        audit::Event::on("withholding_rate", before.id)
            .before(&WithholdingRateView::from(before))
            .after(&WithholdingRateView::from(ended))
            .record(tx)?;
    }
    let WithholdingKey { payee_country, form_state, earning } = new.key;
    let rate = WithholdingRate {
        id,
        payee_country,
        form_state,
        earning,
        kind: new.kind,
        rate: new.rate,
        valid_from: new.valid_from,
        valid_to: None,
        created_at: tx.now,
        created_by: tx.actor.id(),
    };
    store::insert(tx, &rate)?;
    audit::Event::on("withholding_rate", id).after(&WithholdingRateView::from(rate)).record(tx)?;
    Ok(rate)
}
