//! The closed sets of words a verdict is written in.

use crate::{network::agreements::Kind, platform::values::text_enum};

text_enum! {
    /// Whether a partner meets everything a program version asks.
    pub enum EligibilityOutcome {
        /// Every rule is met, or not asked of the partner.
        Eligible = "eligible",
        /// At least one rule is unmet.
        Ineligible = "ineligible",
    }
}

text_enum! {
    /// How one rule came out.
    pub enum CheckStatus {
        /// The rule holds.
        Met = "met",
        /// The rule does not hold; the partner is not eligible.
        Unmet = "unmet",
        /// The rule is not asked of this type of partner.
        NotApplicable = "not_applicable",
    }
}

text_enum! {
    /// Why a rule that holds may soon not hold.
    pub enum CheckWarning {
        /// A record has expired and counts only until its renewal window ends.
        InGrace = "in_grace",
        /// The renewal of a record is in doubt.
        AtRisk = "at_risk",
    }
}

text_enum! {
    /// The rule a check is about.
    pub enum EligibilityRule {
        /// The program is open and the version in effect; built in.
        ProgramOpen = "program_open",
        /// The partner has not opted out this program year; built in.
        NotOptedOut = "not_opted_out",
        /// The partner is active and no headquarters of others.
        PartnerActive = "partner_active",
        /// The partner's type is one of the program's.
        PartnerType = "partner_type",
        /// An MPN agreement counts.
        MpnAgreement = "mpn_agreement",
        /// A distributor agreement counts.
        DistributorAgreement = "distributor_agreement",
        /// A reseller agreement counts.
        ResellerAgreement = "reseller_agreement",
        /// Enough competencies count.
        Competency = "competency",
        /// A purchase that is not wholly refunded.
        FirstTransaction = "first_transaction",
        /// Enough revenue in a trailing window.
        TrailingRevenue = "trailing_revenue",
        /// The partner's country is covered.
        Country = "country",
        /// Enough users of the partner are active.
        MinimumUsers = "minimum_users",
        /// At least one of several alternatives holds.
        AnyOf = "any_of",
    }
}

text_enum! {
    /// Stable reason why a rule is unmet; clients branch on it.
    pub enum EligibilityCode {
        /// The program is closed, or the version not in effect on the day.
        ProgramNotOpen = "program_not_open",
        /// The program has been ended for good.
        ProgramDiscontinued = "program_discontinued",
        /// The partner opted out for the rest of the program year.
        OptedOutThisYear = "opted_out_this_year",
        /// The partner is pending, suspended or closed.
        PartnerNotActive = "partner_not_active",
        /// A headquarters groups locations and never enrolls itself.
        HeadquartersCannotEnroll = "headquarters_cannot_enroll",
        /// The program is for other types of partner.
        WrongPartnerType = "wrong_partner_type",
        /// No MPN agreement is on record.
        MpnAgreementMissing = "mpn_agreement_missing",
        /// The MPN agreement begins later.
        MpnAgreementNotEffective = "mpn_agreement_not_effective",
        /// The MPN agreement and its renewal window have run out.
        MpnAgreementExpired = "mpn_agreement_expired",
        /// The MPN agreement was ended early.
        MpnAgreementTerminated = "mpn_agreement_terminated",
        /// No distributor agreement is on record.
        DistributorAgreementMissing = "distributor_agreement_missing",
        /// The distributor agreement begins later.
        DistributorAgreementNotEffective = "distributor_agreement_not_effective",
        /// The distributor agreement has run out.
        DistributorAgreementExpired = "distributor_agreement_expired",
        /// The distributor agreement was ended early.
        DistributorAgreementTerminated = "distributor_agreement_terminated",
        /// The distributor agreement does not carry the authorization.
        DistributorAuthorizationMissing = "distributor_authorization_missing",
        /// No reseller agreement is on record.
        ResellerAgreementMissing = "reseller_agreement_missing",
        /// The reseller agreement begins later.
        ResellerAgreementNotEffective = "reseller_agreement_not_effective",
        /// The reseller agreement has run out.
        ResellerAgreementExpired = "reseller_agreement_expired",
        /// The reseller agreement was ended early.
        ResellerAgreementTerminated = "reseller_agreement_terminated",
        /// Too few competencies were ever attained.
        CompetencyMissing = "competency_missing",
        /// A competency that qualified no longer counts.
        CompetencyExpired = "competency_expired",
        /// The competencies held have the wrong level or are not listed.
        CompetencyNotQualifying = "competency_not_qualifying",
        /// No purchase, or only wholly refunded ones.
        FirstTransactionMissing = "first_transaction_missing",
        /// The revenue of the window is below the threshold.
        RevenueThresholdNotMet = "revenue_threshold_not_met",
        /// The program does not cover the partner's country.
        CountryNotCovered = "country_not_covered",
        /// The partner has too few active users.
        TooFewUsers = "too_few_users",
    }
}

text_enum! {
    /// The kind of record a check rests on.
    pub enum EvidenceKind {
        /// A partner.
        Partner = "partner",
        /// An MPN agreement.
        MpnAgreement = "mpn_agreement",
        /// A distributor agreement.
        DistributorAgreement = "distributor_agreement",
        /// A reseller agreement.
        ResellerAgreement = "reseller_agreement",
        /// An attainment of a competency.
        Attainment = "attainment",
        /// A transaction.
        Transaction = "transaction",
        /// An enrollment.
        Enrollment = "enrollment",
    }
}

impl From<Kind> for EvidenceKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Mpn => Self::MpnAgreement,
            Kind::Distributor => Self::DistributorAgreement,
            Kind::Reseller => Self::ResellerAgreement,
        }
    }
}
