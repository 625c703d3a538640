//! What the engine is told and what it answers; no I/O, no clock, no HTTP.

use super::words::{CheckStatus, CheckWarning, EligibilityCode, EligibilityOutcome, EligibilityRule};
use crate::{
    network::{
        agreements::{Agreement, AgreementStatus, Kind},
        competencies::{Attainment, Level},
        partners::{PartnerStatus, PartnerType},
    },
    participation::programs::{ProgramStatus, Requirement},
    platform::values::{CalendarDate, Country, Id, Money},
    sales::transactions::TransactionKind,
};

/// Records that count for a partner: its own and those of its headquarters. Two runs, so that a batch lends
/// out the slices it loaded, and a headquarters' records serve all its locations without a copy.
#[derive(Debug)]
pub struct Held<'a, T> {
    /// The partner's own, in any order; or all of them, where they were loaded together.
    pub own: &'a [T],
    /// Those of its headquarters, in any order.
    pub headquarters: &'a [T],
}

impl<'a, T> Held<'a, T> {
    /// Every record that counts.
    pub fn iter(&self) -> impl Iterator<Item = &'a T> + Clone + use<'a, T> {
        self.own.iter().chain(self.headquarters)
    }
}

// Derived, both would ask for `T: Copy`.
impl<T> Clone for Held<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Held<'_, T> {}

impl<'a, T> From<&'a [T]> for Held<'a, T> {
    fn from(own: &'a [T]) -> Self {
        Self { own, headquarters: &[] }
    }
}

/// What is known of a partner. Nothing in it depends on the day that is asked about, and the order of
/// records never matters.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The partner.
    pub partner_id: Id,
    /// Its channel.
    pub partner_type: PartnerType,
    /// Where it stands.
    pub status: PartnerStatus,
    /// Where it is registered.
    pub country: Country,
    /// Whether other partners name it as their headquarters.
    pub is_headquarters: bool,
    /// Its agreements and its headquarters', of every kind and period.
    pub agreements: Held<'a, Agreement>,
    /// Its attainments and its headquarters'.
    pub attainments: Held<'a, Attainment>,
    /// Its sales: everything for a trailing revenue rule, from `days` before the day asked about; for the
    /// first-transaction rule alone any purchases with all their refunds will do.
    pub sales: &'a [Sale],
    /// Whether it is enrolled in the program now; a kept revenue rule asks.
    pub enrolled: bool,
    /// Its opting out of the program in the version's program year.
    pub opt_out: Option<OptOut>,
}

/// A partner's decision to stay out for the rest of a program year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptOut {
    /// The enrollment it ended.
    pub enrollment_id: Id,
    /// The first day it counts.
    pub on: CalendarDate,
}

/// A transaction, as far as eligibility looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sale {
    /// The transaction.
    pub id: Id,
    /// Made or taken back.
    pub kind: TransactionKind,
    /// The purchase a refund takes back.
    pub original_id: Option<Id>,
    /// The day it counts on.
    pub occurred_on: CalendarDate,
    /// Its amount; negative for a refund.
    pub amount: Money,
}

/// What the engine needs of a program and one of its versions.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// The types of partner the program is for.
    pub partner_types: &'a [PartnerType],
    /// Whether the program takes part at all.
    pub status: ProgramStatus,
    /// The version's first day.
    pub effective_from: CalendarDate,
    /// The version's last day.
    pub effective_to: CalendarDate,
    /// What the version asks.
    pub requirements: &'a [Requirement],
}

/// Whether a partner is eligible on a day, and why. Borrows from the facts and terms it was made from.
#[derive(Clone, Debug)]
pub struct Verdict<'a> {
    /// The day asked about.
    pub as_of: CalendarDate,
    /// Eligible where nothing is unmet.
    pub outcome: EligibilityOutcome,
    /// The first day the partner is no longer eligible if nothing changes; none where it is not eligible,
    /// or where nothing known ends it.
    pub eligible_until: Option<CalendarDate>,
    /// Every rule's check: the built-in ones, then the version's requirements in their order.
    pub checks: Vec<Check<'a>>,
}

impl Verdict<'_> {
    /// Whether nothing is unmet.
    #[must_use]
    pub fn is_eligible(&self) -> bool {
        self.outcome == EligibilityOutcome::Eligible
    }

    /// Every reason against, in the order of the checks; an unmet alternative gives those of its parts.
    #[must_use]
    pub fn codes(&self) -> Vec<EligibilityCode> {
        self.checks.iter().flat_map(Check::codes).collect()
    }
}

/// How one rule came out. Its texts are rendered when asked for.
#[derive(Clone, Debug)]
pub struct Check<'a> {
    /// The rule.
    pub rule: EligibilityRule,
    /// What was found.
    pub finding: Finding<'a>,
    /// The first day the rule no longer holds if nothing changes; only where it holds now.
    pub lapses_on: Option<CalendarDate>,
    /// The checks of the alternatives, for `any_of`.
    pub nested: Vec<Check<'a>>,
    pub(super) case: Case<'a>,
}

/// One question: these facts, these terms, this day.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case<'a> {
    pub(super) facts: &'a Facts<'a>,
    pub(super) terms: &'a Terms<'a>,
    pub(super) as_of: CalendarDate,
}

/// What a rule found.
#[derive(Clone, Copy, Debug)]
pub enum Finding<'a> {
    /// The rule holds, on this ground.
    Met(Ground<'a>),
    /// The rule does not hold; this is missing.
    Unmet(Gap<'a>),
    /// The rule is not asked of this partner.
    NotApplicable,
}

/// Why a rule holds.
#[derive(Clone, Copy, Debug)]
pub enum Ground<'a> {
    /// The program is open and the version in effect.
    ProgramOpen,
    /// The partner has not opted out.
    NotOptedOut,
    /// The partner is active and no headquarters.
    PartnerActive,
    /// The partner's type is the program's.
    PartnerType,
    /// This agreement counts: active or in grace.
    Agreement(&'a Agreement, AgreementStatus),
    /// Enough competencies count; the warning where they would not without those in doubt.
    Competencies(Asked<'a>, Option<CheckWarning>),
    /// This purchase is kept.
    Purchase(&'a Sale),
    /// The revenue of the window reaches the threshold.
    Revenue(Turnover),
    /// An enrolled partner keeps the revenue rule.
    RevenueKept,
    /// The country is covered.
    Country,
    /// An alternative holds.
    AnyOf,
}

/// Why a rule does not hold.
#[derive(Clone, Copy, Debug)]
pub enum Gap<'a> {
    /// The program is closed, or the version not in effect.
    ProgramNotOpen,
    /// The program has ended for good.
    ProgramDiscontinued,
    /// The partner opted out.
    OptedOut(OptOut),
    /// The partner is not active.
    PartnerNotActive,
    /// The partner is a headquarters of others.
    Headquarters,
    /// The partner's type is not the program's.
    WrongPartnerType,
    /// No agreement of the kind counts.
    Agreement(Kind, AgreementFault<'a>),
    /// Too few competencies count: so many, for this reason.
    Competencies(Asked<'a>, u32, CompetencyFault<'a>),
    /// No purchase is kept.
    NoPurchase,
    /// The revenue of the window is below the threshold.
    Revenue(Turnover),
    /// The country is not covered.
    Country,
    /// No alternative holds.
    AnyOf,
}

/// What is wrong with the agreements of a kind.
#[derive(Clone, Copy, Debug)]
pub enum AgreementFault<'a> {
    /// There is none.
    Missing,
    /// The first begins later.
    NotEffective(&'a Agreement),
    /// The latest ran out; the next one to begin, where there is one.
    Expired(&'a Agreement, Option<&'a Agreement>),
    /// The latest was ended early; the next one to begin, where there is one.
    Terminated(&'a Agreement, Option<&'a Agreement>),
    /// One counts but carries no authorization to distribute.
    Unauthorized(&'a Agreement),
}

/// Which competencies a rule asks for.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// How many different ones.
    pub min_count: u32,
    /// At which level at least.
    pub min_level: Level,
    /// From which; none takes every competency.
    pub any_of: Option<&'a [String]>,
}

/// Why too few competencies count.
#[derive(Clone, Copy, Debug)]
pub enum CompetencyFault<'a> {
    /// No more were attained by the day.
    Missing,
    /// This one qualified but no longer counts.
    Expired(&'a Attainment),
    /// This one has the wrong level or is not listed.
    NotQualifying(&'a Attainment),
}

/// The revenue of a trailing window against its threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turnover {
    /// Length of the window in days, the day itself included.
    pub days: u32,
    /// Purchases minus refunds inside it.
    pub reached: Money,
    /// What is asked, in the same currency.
    pub needed: Money,
}

impl Check<'_> {
    /// How it came out.
    #[must_use]
    pub const fn status(&self) -> CheckStatus {
        match self.finding {
            Finding::Met(_) => CheckStatus::Met,
            Finding::Unmet(_) => CheckStatus::Unmet,
            Finding::NotApplicable => CheckStatus::NotApplicable,
        }
    }

    /// Why a rule that holds may soon not hold; an alternative warns where all that hold do.
    #[must_use]
    pub fn warning(&self) -> Option<CheckWarning> {
        match self.finding {
            Finding::Met(Ground::Agreement(_, AgreementStatus::Grace)) => Some(CheckWarning::InGrace),
            Finding::Met(Ground::Competencies(_, warning)) => warning,
            Finding::Met(Ground::AnyOf) => {
                let mut warnings = self.nested.iter().filter(|c| c.is(CheckStatus::Met)).map(Check::warning);
                let first = warnings.next().flatten();
                first.filter(|_| warnings.all(|warning| warning.is_some()))
            }
            _ => None,
        }
    }

    /// The stable reason where the rule is unmet; an alternative gives the first of its parts.
    #[must_use]
    pub fn code(&self) -> Option<EligibilityCode> {
        match self.finding {
            Finding::Unmet(Gap::AnyOf) => self.nested.iter().find_map(Check::code),
            Finding::Unmet(gap) => gap.code(),
            _ => None,
        }
    }

    /// Every reason where the rule is unmet: its own, or those of its alternatives.
    #[must_use]
    pub fn codes(&self) -> Vec<EligibilityCode> {
        match self.finding {
            Finding::Unmet(Gap::AnyOf) => self.nested.iter().flat_map(Check::codes).collect(),
            _ => self.code().into_iter().collect(),
        }
    }

    pub(super) fn is(&self, status: CheckStatus) -> bool {
        self.status() == status
    }
}

impl Gap<'_> {
    /// The stable reason; none for `any_of`, whose parts have theirs.
    #[must_use]
    pub const fn code(&self) -> Option<EligibilityCode> {
        Some(match self {
            Self::ProgramNotOpen => EligibilityCode::ProgramNotOpen,
            Self::ProgramDiscontinued => EligibilityCode::ProgramDiscontinued,
            Self::OptedOut(_) => EligibilityCode::OptedOutThisYear,
            Self::PartnerNotActive => EligibilityCode::PartnerNotActive,
            Self::Headquarters => EligibilityCode::HeadquartersCannotEnroll,
            Self::WrongPartnerType => EligibilityCode::WrongPartnerType,
            Self::Agreement(kind, fault) => fault.code(*kind),
            Self::Competencies(_, _, CompetencyFault::Missing) => EligibilityCode::CompetencyMissing,
            Self::Competencies(_, _, CompetencyFault::Expired(_)) => EligibilityCode::CompetencyExpired,
            Self::Competencies(_, _, CompetencyFault::NotQualifying(_)) => {
                EligibilityCode::CompetencyNotQualifying
            }
            Self::NoPurchase => EligibilityCode::FirstTransactionMissing,
            Self::Revenue(_) => EligibilityCode::RevenueThresholdNotMet,
            Self::Country => EligibilityCode::CountryNotCovered,
            Self::AnyOf => return None,
        })
    }
}

impl AgreementFault<'_> {
    const fn code(&self, kind: Kind) -> EligibilityCode {
        use EligibilityCode as Code;
        match (self, kind) {
            (Self::Missing, Kind::Mpn) => Code::MpnAgreementMissing,
            (Self::Missing, Kind::Distributor) => Code::DistributorAgreementMissing,
            (Self::Missing, Kind::Reseller) => Code::ResellerAgreementMissing,
            (Self::NotEffective(_), Kind::Mpn) => Code::MpnAgreementNotEffective,
            (Self::NotEffective(_), Kind::Distributor) => Code::DistributorAgreementNotEffective,
            (Self::NotEffective(_), Kind::Reseller) => Code::ResellerAgreementNotEffective,
            (Self::Expired(..), Kind::Mpn) => Code::MpnAgreementExpired,
            (Self::Expired(..), Kind::Distributor) => Code::DistributorAgreementExpired,
            (Self::Expired(..), Kind::Reseller) => Code::ResellerAgreementExpired,
            (Self::Terminated(..), Kind::Mpn) => Code::MpnAgreementTerminated,
            (Self::Terminated(..), Kind::Distributor) => Code::DistributorAgreementTerminated,
            (Self::Terminated(..), Kind::Reseller) => Code::ResellerAgreementTerminated,
            (Self::Unauthorized(_), _) => Code::DistributorAuthorizationMissing,
        }
    }
}
