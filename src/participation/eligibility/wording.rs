//! What a finding says and what to do about it: one sentence each, for whoever is on call.

use super::{
    evidence::{collection, counting_attainments},
    model::{AgreementFault, Asked, Case, Check, CompetencyFault, Finding, Gap, Ground, Turnover},
    words::{CheckStatus, CheckWarning, EligibilityCode},
};
use crate::{
    network::{
        agreements::{Agreement, AgreementStatus, Kind},
        competencies::{Attainment, Level},
        partners::{PartnerStatus, PartnerType},
    },
    participation::programs::ProgramStatus,
    platform::values::Money,
};
use std::borrow::Cow;

type Text = Cow<'static, str>;

/// How many items of a list a sentence names.
const NAMED: usize = 10;

impl Check<'_> {
    /// What was found.
    #[must_use]
    pub fn message(&self) -> Text {
        match self.finding {
            Finding::NotApplicable => "Not asked of this type of partner.".into(),
            Finding::Met(Ground::AnyOf) => {
                let met: Vec<&str> =
                    self.nested.iter().filter(|c| c.is(CheckStatus::Met)).map(|c| c.rule.as_str()).collect();
                format!("Met by {} of {} alternatives: {}.", met.len(), self.nested.len(), listed(&met))
                    .into()
            }
            Finding::Unmet(Gap::AnyOf) => {
                let codes: Vec<&str> = self.codes().into_iter().map(EligibilityCode::as_str).collect();
                format!("None of the {} alternatives is met: {}.", self.nested.len(), listed(&codes)).into()
            }
            Finding::Met(ground) => met(self.case, ground),
            Finding::Unmet(gap) => unmet(self.case, gap),
        }
    }

    /// What to do about it, and where; none where there is nothing to do.
    #[must_use]
    pub fn remedy(&self) -> Option<Text> {
        let warned = self.warning().is_some();
        match self.finding {
            Finding::Unmet(gap) => Some(remedy(self.case, gap)),
            Finding::Met(Ground::Agreement(agreement, AgreementStatus::Grace)) => Some(renew(agreement)),
            Finding::Met(Ground::Competencies(..)) if warned => {
                Some("Renew the competencies in doubt before the rule lapses.".into())
            }
            Finding::Met(Ground::AnyOf) if warned => {
                Some("Follow the remedy of one of the alternatives.".into())
            }
            _ => None,
        }
    }
}

fn met(case: Case<'_>, ground: Ground<'_>) -> Text {
    match ground {
        Ground::ProgramOpen => {
            format!("The program is open and the version in effect until {}.", case.terms.effective_to).into()
        }
        Ground::NotOptedOut => "The partner has not opted out this program year.".into(),
        Ground::PartnerActive => "The partner is active and no headquarters of others.".into(),
        Ground::PartnerType => {
            format!("The program is for {} partners.", channel(case.facts.partner_type)).into()
        }
        Ground::Agreement(agreement, status) => counting_agreement(agreement, status),
        Ground::Competencies(asked, warning) => counting_competencies(case, asked, warning),
        Ground::Purchase(sale) => {
            format!("The purchase of {} on {} counts.", sale.amount, sale.occurred_on).into()
        }
        Ground::Revenue(t) => {
            let Turnover { days, reached, needed } = t;
            format!("{reached} in the {days} days to {} reach the {needed} asked.", case.as_of).into()
        }
        Ground::RevenueKept => "An enrolled partner keeps the revenue it was enrolled with.".into(),
        Ground::Country => format!("The program covers {}.", case.facts.country).into(),
        Ground::AnyOf => "One of the alternatives is met.".into(),
    }
}

fn counting_agreement(agreement: &Agreement, status: AgreementStatus) -> Text {
    let (paper, number) = (paper(agreement.kind), &agreement.agreement_number);
    match (agreement.expires_on, status) {
        (Some(last), AgreementStatus::Grace) => {
            let end = agreement.first_day_without().plus_days(-1);
            format!("{paper} {number} expired on {last}; its renewal window ends on {end}.").into()
        }
        (Some(last), _) => format!("{paper} {number} is active until {last}.").into(),
        (None, _) => format!("{paper} {number} is active since {}.", agreement.effective_on).into(),
    }
}

fn counting_competencies(case: Case<'_>, asked: Asked<'_>, warning: Option<CheckWarning>) -> Text {
    let attainments = counting_attainments(case, asked);
    let each: Vec<String> = attainments.iter().map(|a| named(a)).collect();
    let doubt = match warning {
        Some(CheckWarning::InGrace) => " Without those past their expiry it would be too few.",
        Some(CheckWarning::AtRisk) => " Without those at risk it would be too few.",
        None => "",
    };
    format!("Counting on {}: {}.{doubt}", case.as_of, listed(&each)).into()
}

fn named(attainment: &Attainment) -> String {
    format!("{} {} to {}", attainment.level, attainment.competency_code, attainment.expires_on)
}

fn unmet(case: Case<'_>, gap: Gap<'_>) -> Text {
    let Case { facts, terms, as_of } = case;
    match gap {
        Gap::ProgramNotOpen if terms.status == ProgramStatus::Closed => "The program is closed.".into(),
        Gap::ProgramNotOpen => {
            let (from, to) = (terms.effective_from, terms.effective_to);
            format!("The version is in effect from {from} to {to}, not on {as_of}.").into()
        }
        Gap::ProgramDiscontinued => "The program has been discontinued.".into(),
        Gap::OptedOut(out) => {
            format!("The partner opted out on {} for the rest of the program year.", out.on).into()
        }
        Gap::PartnerNotActive => format!("The partner is {}, not active.", facts.status).into(),
        Gap::Headquarters => {
            "The partner is a headquarters: it groups locations and never enrolls itself.".into()
        }
        Gap::WrongPartnerType => {
            let wanted: Vec<&str> = terms.partner_types.iter().map(|t| channel(*t)).collect();
            let given = channel(facts.partner_type);
            format!("The program is for {} partners; this one is {given}.", listed(&wanted)).into()
        }
        Gap::Agreement(kind, fault) => agreement_fault(kind, fault),
        Gap::Competencies(asked, held, fault) => competency_fault(case, asked, held, fault),
        Gap::NoPurchase => format!("No purchase up to {as_of} that is not wholly refunded.").into(),
        Gap::Revenue(turnover) => {
            let Turnover { days, reached, needed } = turnover;
            let missing = turnover.missing();
            format!("{reached} of {needed} reached in the {days} days to {as_of}; {missing} missing.").into()
        }
        Gap::Country => format!("The program does not cover {}.", facts.country).into(),
        Gap::AnyOf => "None of the alternatives is met.".into(),
    }
}

fn agreement_fault(kind: Kind, fault: AgreementFault<'_>) -> Text {
    let paper = paper(kind);
    match fault {
        AgreementFault::Missing => format!("No {} is on record.", within(kind)).into(),
        AgreementFault::NotEffective(a) => {
            format!("{paper} {} begins on {}.", a.agreement_number, a.effective_on).into()
        }
        AgreementFault::Expired(a, next) => {
            let (number, counted) = (&a.agreement_number, a.first_day_without().plus_days(-1));
            let last = a.expires_on.unwrap_or(counted);
            let window = if last < counted {
                format!("; its renewal window ended on {counted}")
            } else {
                String::new()
            };
            format!("{paper} {number} expired on {last}{window}.{}", to_come(next)).into()
        }
        AgreementFault::Terminated(a, next) => {
            let end = a.terminated_on.unwrap_or_else(|| a.first_day_without());
            format!("{paper} {} was terminated as of {end}.{}", a.agreement_number, to_come(next)).into()
        }
        AgreementFault::Unauthorized(a) => {
            format!("{paper} {} is active but carries no distributor authorization.", a.agreement_number)
                .into()
        }
    }
}

fn to_come(next: Option<&Agreement>) -> String {
    next.map_or_else(String::new, |a| {
        format!(" The next, {}, begins on {}.", a.agreement_number, a.effective_on)
    })
}

fn competency_fault(case: Case<'_>, asked: Asked<'_>, held: u32, fault: CompetencyFault<'_>) -> Text {
    let (needed, day) = (asked.min_count, case.as_of);
    let level = if asked.min_level == Level::Gold { "gold" } else { "silver or gold" };
    let from = asked.any_of.map_or_else(String::new, |codes| format!(" from {}", listed(codes)));
    let count = format!("{held} of {needed} competencies ({level}{from}) count on {day}");
    match fault {
        CompetencyFault::Missing => format!("{count}.").into(),
        CompetencyFault::Expired(a) => {
            let (code, end) = (&a.competency_code, a.first_day_without());
            format!("{count}: {code} has not counted since {end}.").into()
        }
        CompetencyFault::NotQualifying(a) => format!("{count}: {} does not qualify.", named(a)).into(),
    }
}

fn remedy(case: Case<'_>, gap: Gap<'_>) -> Text {
    let Case { facts, terms, as_of } = case;
    match gap {
        Gap::ProgramNotOpen if terms.status == ProgramStatus::Open && as_of < terms.effective_from => {
            format!("Ask again from {} on.", terms.effective_from).into()
        }
        Gap::ProgramNotOpen | Gap::ProgramDiscontinued => {
            "Choose a program and version in effect: GET /v1/programs".into()
        }
        Gap::OptedOut(_) => "Ask again in the next program year.".into(),
        Gap::PartnerNotActive if facts.status == PartnerStatus::Closed => {
            "A closed partner stays closed; ask for another partner of the group.".into()
        }
        Gap::PartnerNotActive => {
            format!("Let an operator activate it: POST /v1/partners/{}/reinstatement", facts.partner_id)
                .into()
        }
        Gap::Headquarters => {
            format!("Enroll its locations: GET /v1/partners?headquarters_id={}", facts.partner_id).into()
        }
        Gap::WrongPartnerType => {
            let channel = channel(facts.partner_type);
            format!("Choose a program for {channel} partners: GET /v1/programs").into()
        }
        Gap::Agreement(kind, fault) => agreement_remedy(kind, fault),
        Gap::Competencies(_, _, fault) => competency_remedy(case, fault),
        Gap::NoPurchase => "Complete a first sale; it counts from its day on: POST /v1/transactions".into(),
        Gap::Revenue(turnover) => {
            let (missing, days) = (turnover.missing(), turnover.days);
            format!("Reach {missing} more within {days} days: POST /v1/transactions").into()
        }
        Gap::Country => format!("Choose a program that covers {}: GET /v1/programs", facts.country).into(),
        Gap::AnyOf => "Follow the remedy of one of the alternatives.".into(),
    }
}

fn agreement_remedy(kind: Kind, fault: AgreementFault<'_>) -> Text {
    let (paper, collection) = (within(kind), collection(kind));
    match fault {
        AgreementFault::Missing => format!("Sign and record the {paper}: POST /v1/{collection}").into(),
        AgreementFault::NotEffective(next)
        | AgreementFault::Expired(_, Some(next))
        | AgreementFault::Terminated(_, Some(next)) => {
            format!("Ask again from {} on.", next.effective_on).into()
        }
        AgreementFault::Expired(last, None) => renew(last),
        AgreementFault::Terminated(..) => {
            format!("Sign and record a new {paper}: POST /v1/{collection}").into()
        }
        AgreementFault::Unauthorized(bare) => {
            format!("Have the authorization granted and record it: PATCH /v1/{collection}/{}", bare.id).into()
        }
    }
}

fn renew(agreement: &Agreement) -> Text {
    let (paper, collection) = (within(agreement.kind), collection(agreement.kind));
    format!("Renew the {paper}: POST /v1/{collection}/{}/renewal", agreement.id).into()
}

fn competency_remedy(case: Case<'_>, fault: CompetencyFault<'_>) -> Text {
    match fault {
        CompetencyFault::Expired(Attainment { partner_id, competency_code, .. }) => {
            format!("Renew {competency_code}: PUT /v1/partners/{partner_id}/competencies/{competency_code}")
                .into()
        }
        CompetencyFault::Missing | CompetencyFault::NotQualifying(_) => {
            let partner = case.facts.partner_id;
            format!("Attain a qualifying competency: PUT /v1/partners/{partner}/competencies/{{code}}").into()
        }
    }
}

impl Turnover {
    /// What is missing to the threshold.
    #[must_use]
    pub const fn missing(&self) -> Money {
        Money { minor: self.needed.minor.saturating_sub(self.reached.minor), currency: self.needed.currency }
    }
}

/// The paper's name inside a sentence.
const fn within(kind: Kind) -> &'static str {
    match kind {
        Kind::Mpn => "MPN agreement",
        Kind::Distributor => "distributor agreement",
        Kind::Reseller => "reseller agreement",
    }
}

/// The paper's name at the head of a sentence.
const fn paper(kind: Kind) -> &'static str {
    match kind {
        Kind::Mpn => "MPN agreement",
        Kind::Distributor => "Distributor agreement",
        Kind::Reseller => "Reseller agreement",
    }
}

const fn channel(partner_type: PartnerType) -> &'static str {
    match partner_type {
        PartnerType::DirectBill => "direct bill",
        PartnerType::IndirectProvider => "indirect provider",
        PartnerType::IndirectReseller => "indirect reseller",
    }
}

/// The first items, and how many more there are: a sentence stays a sentence.
fn listed(items: &[impl AsRef<str>]) -> String {
    let named: Vec<&str> = items.iter().take(NAMED).map(AsRef::as_ref).collect();
    match items.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}
