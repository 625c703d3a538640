//! The facts of messages about co-op.

use super::{day, month, sum};
use crate::{notifications::Message, platform::values::Locale};
use minijinja::{Value, context};

/// The facts of a message about a fund, a plan or a claim; nothing of another message.
pub(super) fn facts(message: &Message, locale: Locale) -> Value {
    match message {
        Message::CoopFundClosed { partner, fund, from, to, earned, threshold, claims } => context! {
            partner,
            fund => fund.to_string(),
            from => month(*from, locale),
            to => month(*to, locale),
            earned => sum(*earned, locale),
            threshold => sum(*threshold, locale),
            claims_from => claims.map(|days| day(days.from, locale)),
            claims_until => claims.map(|days| day(days.to, locale)),
        },
        Message::CoopFundExpiring { partner, fund, amount, until } => {
            let (fund, amount) = (fund.to_string(), sum(*amount, locale));
            context! { partner, fund, amount, until => day(*until, locale) }
        }
        Message::CoopFundForfeited { partner, fund, amount, on } => {
            let (fund, amount) = (fund.to_string(), sum(*amount, locale));
            context! { partner, fund, amount, on => day(*on, locale) }
        }
        Message::CoopPlanDecided { partner, set_aside, reason, plan } => {
            let set_aside = set_aside.map(|amount| sum(amount, locale));
            context! { partner, set_aside, reason, plan => plan.to_string() }
        }
        Message::CoopClaimDecided { partner, state, activity, approved, reason, claim } => {
            let approved = approved.map(|amount| sum(amount, locale));
            let (state, claim) = (claim_in_words(state, locale), claim.to_string());
            context! { partner, state, activity => activity.in_language(locale), approved, reason, claim }
        }
        Message::CoopClaimQuestion { partner, activity, question, due_on, claim } => {
            let (due_on, claim) = (day(*due_on, locale), claim.to_string());
            context! { partner, activity => activity.in_language(locale), question, due_on, claim }
        }
        Message::CoopClaimExpired { partner, activity, given_back, claim } => {
            let (given_back, claim) = (sum(*given_back, locale), claim.to_string());
            context! { partner, activity => activity.in_language(locale), given_back, claim }
        }
        Message::CoopClaimHeld { partner, amount, reason, claim } => {
            let (amount, claim) = (sum(*amount, locale), claim.to_string());
            context! { partner, amount, reason, claim }
        }
        Message::CoopAuditRequested { partner, activity, paid, due_on, claim, audit } => {
            let (paid, due_on) = (sum(*paid, locale), day(*due_on, locale));
            let (claim, audit) = (claim.to_string(), audit.to_string());
            context! { partner, activity => activity.in_language(locale), paid, due_on, claim, audit }
        }
        Message::CoopAuditDecided { partner, activity, paid, recovered, reason, audit } => {
            let (paid, recovered) = (sum(*paid, locale), recovered.map(|amount| sum(amount, locale)));
            let (activity, audit) = (activity.in_language(locale), audit.to_string());
            context! { partner, activity, paid, recovered, reason, audit }
        }
        _ => Value::UNDEFINED,
    }
}

fn claim_in_words(state: &str, locale: Locale) -> &str {
    let (english, japanese) = match state {
        "approved" => ("approved", "承認"),
        "partially_approved" => ("approved in part", "一部承認"),
        "rejected" => ("rejected", "却下"),
        "rejected_final" => ("rejected, finally", "最終却下"),
        other => (other, other),
    };
    match locale {
        Locale::En => english,
        Locale::Ja => japanese,
    }
}
