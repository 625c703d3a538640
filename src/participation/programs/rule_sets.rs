//! The two rule sets in the wild. They give different answers for the same partner.

use super::Requirement;
use crate::network::{competencies::Level, partners::PartnerType};

/// The competencies the guide counts, of which a reseller needs one.
pub const GUIDE_COMPETENCIES: [&str; 10] = [
    "cloud-business-applications",
    "cloud-crm",
    "cloud-platform",
    "cloud-productivity",
    "data-analytics",
    "data-platform",
    "enterprise-mobility-management",
    "small-and-midmarket-cloud-solutions",
    "windows-and-devices",
    "isv",
];

/// The founding rules, the same for every type of partner: any one competency, and a first transaction of
/// an indirect reseller.
#[must_use]
pub fn founding() -> Vec<Requirement> {
    vec![
        Requirement::PartnerActive {},
        Requirement::PartnerType {},
        Requirement::MpnAgreement {},
        Requirement::DistributorAgreement { authorization_required: false },
        Requirement::ResellerAgreement {},
        Requirement::Competency { min_count: 1, min_level: Level::Silver, any_of: None },
        Requirement::FirstTransaction {},
    ]
}

/// The guide's rules: an indirect provider needs the distributor authorization and no competency; the
/// resellers need one of ten competencies.
#[must_use]
pub fn guide(partner_type: PartnerType) -> Vec<Requirement> {
    let any_of = Some(GUIDE_COMPETENCIES.map(str::to_owned).to_vec());
    let one_of_ten = Requirement::Competency { min_count: 1, min_level: Level::Silver, any_of };
    let own = match partner_type {
        PartnerType::IndirectProvider => {
            vec![Requirement::DistributorAgreement { authorization_required: true }]
        }
        PartnerType::DirectBill => vec![Requirement::ResellerAgreement {}, one_of_ten],
        PartnerType::IndirectReseller => vec![one_of_ten, Requirement::FirstTransaction {}],
    };
    let everyone = [Requirement::PartnerActive {}, Requirement::PartnerType {}, Requirement::MpnAgreement {}];
    everyone.into_iter().chain(own).collect()
}
