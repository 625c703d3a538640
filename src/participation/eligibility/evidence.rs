//! The records a check rests on, as references that can be followed.

use super::{facts::Sale, model::Case, view::EligibilityEvidence, words::EvidenceKind};
use crate::{
    network::{
        agreements::{Agreement, Kind},
        competencies::Attainment,
    },
    platform::values::Id,
};

/// The partner itself.
pub(super) fn partner(case: Case<'_>) -> EligibilityEvidence {
    record(EvidenceKind::Partner, case.facts.partner_id, "partners")
}

/// An enrollment.
pub(super) fn enrollment(id: Id) -> EligibilityEvidence {
    record(EvidenceKind::Enrollment, id, "enrollments")
}

fn record(kind: EvidenceKind, id: Id, collection: &str) -> EligibilityEvidence {
    EligibilityEvidence { kind, id, href: format!("/v1/{collection}/{id}") }
}

/// The collection an agreement of the kind is found in.
pub(super) const fn collection(kind: Kind) -> &'static str {
    match kind {
        Kind::Mpn => "mpn-agreements",
        Kind::Distributor => "distributor-agreements",
        Kind::Reseller => "reseller-agreements",
    }
}

impl From<&Agreement> for EligibilityEvidence {
    fn from(agreement: &Agreement) -> Self {
        record(agreement.kind.into(), agreement.id, collection(agreement.kind))
    }
}

impl From<&Attainment> for EligibilityEvidence {
    fn from(attainment: &Attainment) -> Self {
        let href = format!("/v1/partners/{}/competencies", attainment.partner_id);
        Self { kind: EvidenceKind::Attainment, id: attainment.id, href }
    }
}

impl From<&Sale> for EligibilityEvidence {
    fn from(sale: &Sale) -> Self {
        record(EvidenceKind::Transaction, sale.id, "transactions")
    }
}
