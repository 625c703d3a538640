//! Proofs on the wire.

use crate::{
    participation::programs::CoopProofKind,
    payouts::coop_claims::{Proof, ProofMedia},
    platform::values::{Id, Timestamp},
};
use serde::Serialize;
use utoipa::ToSchema;

/// A file that proves a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = CoopProof, example = json!({
    "id": "01936f2e-4b00-7000-8000-000000000001", "partner_id": "01936f2e-4b00-7000-8000-000000000002",
    "claim_id": "01936f2e-4b00-7000-8000-000000000003", "expense_id": null, "kind": "photo", "name": "seminar.jpg",
    "media_type": "image/jpeg", "bytes": 183_402,
    "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    "uploaded_by": "01936f2e-4b00-7000-8000-000000000004", "created_at": "2019-04-20T09:30:00Z"
}))]
pub struct CoopProofView {
    id: Id,
    /// The partner that claims.
    partner_id: Id,
    /// The claim.
    claim_id: Id,
    /// The expense that the file belongs to; null of a proof of the activity.
    expense_id: Option<Id>,
    /// What the file proves.
    kind: CoopProofKind,
    /// The name of the file, made safe.
    #[schema(min_length = 5, max_length = 255, examples("seminar.jpg"))]
    name: String,
    /// The media type, as the content has it.
    media_type: ProofMedia,
    /// The bytes of the file.
    #[schema(minimum = 1, maximum = 26_214_400, examples(183_402))]
    bytes: i64,
    /// The SHA-256 of the file; the entity tag of the download.
    #[schema(
        min_length = 64,
        max_length = 64,
        pattern = "^[0-9a-f]{64}$",
        examples("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    )]
    sha256: String,
    /// The user or API client who has sent the file.
    uploaded_by: Option<Id>,
    /// When the file was kept.
    created_at: Timestamp,
}

impl From<Proof> for CoopProofView {
    fn from(proof: Proof) -> Self {
        let Proof { id, partner_id, claim_id, expense_id, kind, name, media_type, bytes, sha256, .. } = proof;
        let Proof { uploaded_by, created_at, .. } = proof;
        Self {
            id,
            partner_id,
            claim_id,
            expense_id,
            kind,
            name,
            media_type,
            bytes,
            sha256,
            uploaded_by,
            created_at,
        }
    }
}
