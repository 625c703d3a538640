//! The rows of proofs. The bytes lie in the store of objects, under the id of the partner and that of the proof; the slice
//! of proofs takes and gives them.

use super::model::Claim;
use crate::{
    access::{Scope, Tx},
    network::partners::in_scope,
    participation::programs::CoopProofKind,
    platform::{
        Error, Result,
        db::MultiBackend,
        http::{NoFilter, PageRequest, keyset},
        objects::ObjectKey,
        values::{Id, Timestamp, text_enum},
    },
    schema::coop_proofs,
};
use diesel::prelude::*;

text_enum! {
    /// The media type of a proof.
    pub enum ProofMedia {
        /// A document.
        Pdf = "application/pdf",
        /// An image without loss.
        Png = "image/png",
        /// A photo.
        Jpeg = "image/jpeg",
    }
}

impl ProofMedia {
    /// The ending of a file's name.
    #[must_use]
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Png => "png",
            Self::Jpeg => "jpg",
        }
    }
}

/// A file that proves a claim, as it was received.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = coop_proofs)]
pub struct Proof {
    /// UUID of version 7; the name of the object too.
    pub id: Id,
    /// The partner that claims.
    pub partner_id: Id,
    /// The claim.
    pub claim_id: Id,
    /// The expense that the proof belongs to; none of a proof of the activity.
    pub expense_id: Option<Id>,
    /// What the file proves.
    pub kind: CoopProofKind,
    /// The name of the file, made safe.
    pub name: String,
    /// The media type, as the content has it.
    pub media_type: ProofMedia,
    /// The bytes of the file.
    pub bytes: i64,
    /// The SHA-256 of the file, 64 hexadecimal digits.
    pub sha256: String,
    /// The user or API client who has sent the file.
    pub uploaded_by: Option<Id>,
    /// When the file was kept.
    pub created_at: Timestamp,
}

impl Proof {
    /// The name of the object with the bytes.
    #[must_use]
    pub const fn object(&self) -> ObjectKey {
        ObjectKey { folder: self.partner_id, id: self.id }
    }
}

fn visible(scope: Scope) -> coop_proofs::BoxedQuery<'static, MultiBackend> {
    in_scope!(coop_proofs::table.into_boxed(), coop_proofs::partner_id, scope)
}

/// A proof that the unit may see.
pub fn get(tx: &mut Tx<'_>, id: Id) -> Result<Proof> {
    let query = visible(tx.scope()).filter(coop_proofs::id.eq(id)).select(Proof::as_select());
    query.get_result(tx.conn).optional()?.ok_or(Error::not_found("proof", "証憑"))
}

/// The proofs of a claim, the oldest first.
pub fn of_claim(tx: &mut Tx<'_>, claim: &Claim) -> Result<Vec<Proof>> {
    let query = coop_proofs::table
        .filter(coop_proofs::partner_id.eq(claim.partner_id))
        .filter(coop_proofs::claim_id.eq(claim.id));
    Ok(query.order(coop_proofs::id).select(Proof::as_select()).load(tx.conn)?)
}

/// The partners that have proofs, by id.
pub fn partners(tx: &mut Tx<'_>) -> Result<Vec<Id>> {
    let query = coop_proofs::table.select(coop_proofs::partner_id).distinct();
    Ok(query.order(coop_proofs::partner_id).load(tx.conn)?)
}

/// The proofs of a partner, the oldest first.
pub fn of_partner(tx: &mut Tx<'_>, partner: Id) -> Result<Vec<Proof>> {
    let query = coop_proofs::table.filter(coop_proofs::partner_id.eq(partner));
    Ok(query.order(coop_proofs::id).select(Proof::as_select()).load(tx.conn)?)
}

/// A page of the proofs of a claim, the oldest first.
pub fn list(tx: &mut Tx<'_>, claim: &Claim, page: &PageRequest<NoFilter>) -> Result<Vec<Proof>> {
    let query = coop_proofs::table
        .filter(coop_proofs::partner_id.eq(claim.partner_id))
        .filter(coop_proofs::claim_id.eq(claim.id))
        .select(Proof::as_select())
        .into_boxed();
    Ok(keyset!(query, page, coop_proofs, oldest).load(tx.conn)?)
}

/// The number of a claim's proofs.
pub fn count(tx: &mut Tx<'_>, claim: &Claim) -> Result<i64> {
    let query = coop_proofs::table
        .filter(coop_proofs::partner_id.eq(claim.partner_id))
        .filter(coop_proofs::claim_id.eq(claim.id));
    Ok(query.count().get_result(tx.conn)?)
}

/// Adds a proof.
pub fn insert(tx: &mut Tx<'_>, proof: &Proof) -> Result<()> {
    diesel::insert_into(coop_proofs::table).values(proof).execute(tx.conn)?;
    Ok(())
}

/// Removes the row of a proof; its object is loose from then on.
pub fn remove(tx: &mut Tx<'_>, proof: &Proof) -> Result<()> {
    diesel::delete(coop_proofs::table.find((proof.partner_id, proof.id))).execute(tx.conn)?;
    Ok(())
}
