//! A proof from its first byte to its row: the object is noted as loose, written, and looked at on the way; then one unit looks at the
//! claim again and adds the row. Of a file that does not arrive, or is refused, nothing stays.

use super::{
    content::{ContentFault, Inspector},
    loose,
    name::safe_name,
    view::CoopProofView,
};
use crate::{
    access::{BackgroundContext, Tx, Unaudited},
    audit,
    participation::programs::CoopProofKind,
    payouts::coop_claims::{self, Claim, Proof, ProofMedia, Step, proofs},
    platform::{
        Error, Result,
        objects::{ObjectKey, Stored},
        values::Id,
    },
    text,
};
use std::{
    io::{self, Read},
    sync::Arc,
};

crate::problem_codes! {
    COOP_PROOF_REFUSED = "coop_proof_refused" 422 ["The file is not taken as a proof", "このファイルは証憑として受け付けられません"],
        ["Proofs are PDF, PNG and JPEG files without scripts, actions, other files in them, or a password. `reason` is `other_media`, `damaged`, `active`, `encrypted`, `uncheckable` or `too_many_pixels`; `detail` says what to do.", "証憑は PDF、PNG、JPEG のファイルです。スクリプト、アクション、別のファイルを含むものや、パスワード付きのものは受け付けられません。`reason` は `other_media`、`damaged`、`active`、`encrypted`、`uncheckable`、`too_many_pixels` のいずれかです。対処方法は `detail` に示されます。"];
    COOP_PROOF_KNOWN = "coop_proof_known" 409 ["The claim has this proof already", "この証憑はすでに申請に添付されています"],
        ["A file is sent once for a kind and an expense. `proof_id` is the proof on record.", "同じ種類、同じ費用について、同じファイルは一度だけ送信できます。既存の証憑は `proof_id` に示されます。"];
    TOO_MANY_COOP_PROOFS = "too_many_coop_proofs" 409 ["The claim has as many proofs as it may have", "証憑の件数が上限に達しています"],
        ["A claim has at most 20 proofs. Remove one, or put several pages into one PDF.", "一つの申請に添付できる証憑は 20 件までです。いずれかを削除するか、複数のページを一つの PDF にまとめてください。"];
}

/// The most bytes of a proof: 25 MiB.
pub(super) const MOST_BYTES: u64 = 25 * 1024 * 1024;
/// The most proofs of a claim.
const MOST_PROOFS: usize = 20;

/// A proof that is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewProof {
    /// The claim.
    pub claim_id: Id,
    /// The expense that the file belongs to; none of a proof of the activity.
    pub expense_id: Option<Id>,
    /// What the file proves.
    pub kind: CoopProofKind,
    /// The name as it was told.
    pub name: String,
    /// The media type as it was declared.
    pub media: ProofMedia,
}

/// Receives the bytes of a proof and adds its row.
pub fn receive(background: &BackgroundContext, new: NewProof, bytes: impl Read) -> Result<Proof> {
    background.check_room()?;
    let asked = new.clone();
    let key = background.write(move |tx| {
        let claim = expected(tx, &asked)?;
        let key = ObjectKey { folder: claim.partner_id, id: tx.new_id() };
        // Nothing is recorded but that the object may have to be swept.
        tx.exempt_from_audit(Unaudited::NothingWritten);
        loose::loosen(tx, key).map(|()| key)
    })?;
    let app = background.app();
    let inspected = Inspected { bytes, inspector: Inspector::of(new.media) };
    let stored = Arc::new(app.objects().put(key, inspected, MOST_BYTES)?);
    let new = Arc::new(new);
    let made = background.write(move |tx| record(tx, &new, key, &stored));
    // Where nobody knows whether the row is there, the object is swept later if it is loose.
    if made.as_ref().is_err_and(|error| error.code.status < 500)
        && let Err(error) = app.objects().delete(key)
    {
        log::warn!("the object of a proof that was refused was not removed: {error}");
    }
    made
}

/// The claim, where it takes this proof.
pub(super) fn expected(tx: &mut Tx<'_>, new: &NewProof) -> Result<Claim> {
    let claim = coop_claims::get(tx, new.claim_id)?;
    let known = proofs::of_claim(tx, &claim)?;
    refuse(&claim, new, &known)?;
    Ok(claim)
}

fn refuse(claim: &Claim, new: &NewProof, known: &[Proof]) -> Result<()> {
    coop_claims::refuse_unwritten(claim)?;
    if new.kind == CoopProofKind::WebAddress {
        let message = text!(
            "an address is no file: write it into web_address of the claim",
            "アドレスはファイルではありません。申請の web_address に指定してください。"
        );
        return Err(Error::invalid_field("kind", "kind", message));
    }
    if new.expense_id.is_some_and(|id| claim.expenses.0.iter().all(|expense| expense.id != id)) {
        let message = text!("the claim has no such expense", "申請に該当する費用がありません。");
        return Err(Error::invalid_field("expense_id", "unknown", message));
    }
    if known.len() >= MOST_PROOFS {
        let detail = text!(
            "a claim has at most {MOST_PROOFS} proofs",
            "一つの申請に添付できる証憑は {MOST_PROOFS} 件までです。"
        );
        return Err(Error::new(&TOO_MANY_COOP_PROOFS, detail));
    }
    Ok(())
}

/// Adds the row of an object that was put.
fn record(tx: &mut Tx<'_>, new: &NewProof, key: ObjectKey, stored: &Stored) -> Result<Proof> {
    let claim = coop_claims::to_change(tx, new.claim_id)?;
    let known = proofs::of_claim(tx, &claim)?;
    refuse(&claim, new, &known)?;
    let same = |proof: &&Proof| {
        (&proof.sha256, proof.kind, proof.expense_id) == (&stored.sha256, new.kind, new.expense_id)
    };
    if let Some(proof) = known.iter().find(same) {
        let detail = text!("the claim has this file already", "このファイルはすでに申請に添付されています。");
        return Err(Error::new(&COOP_PROOF_KNOWN, detail).with("proof_id", proof.id));
    }
    let proof = Proof {
        id: key.id,
        partner_id: key.folder,
        claim_id: claim.id,
        expense_id: new.expense_id,
        kind: new.kind,
        name: safe_name(&new.name, new.media),
        media_type: new.media,
        bytes: stored.bytes,
        sha256: stored.sha256.clone(),
        uploaded_by: tx.actor.id(),
        created_at: tx.now,
    };
    proofs::insert(tx, &proof)?;
    loose::bind(tx, key)?;
    audit::Event::on("coop_proof", proof.id)
        .of_partner(proof.partner_id)
        .after(&CoopProofView::from(proof.clone()))
        .record(tx)?;
    coop_claims::note(tx, &claim, Step { words: Some(&proof.name), ..Step::named("proof") })?;
    Ok(proof)
}

/// Bytes that are looked at while they are read. An I/O error carries an [`Error`].
struct Inspected<R> {
    bytes: R,
    inspector: Inspector,
}

impl<R: Read> Read for Inspected<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(buffer)?;
        let looked = match buffer.get(..count) {
            Some(piece) if !piece.is_empty() => self.inspector.feed(piece),
            // Nothing is the end, but for a reader that has no room.
            _ if buffer.is_empty() => Ok(()),
            _ => self.inspector.finish(),
        };
        looked.map_err(|fault| io::Error::other(refused(&fault)))?;
        Ok(count)
    }
}

fn refused(fault: &ContentFault) -> Error {
    Error::new(&COOP_PROOF_REFUSED, fault.words()).with("reason", fault.kind())
}
