//! Downloads and removals of proofs, and the end of loose objects.

use super::{loose, view::CoopProofView};
use crate::{
    access::{AppState, Scope, Tx, Unaudited},
    audit,
    payouts::coop_claims::{self, Proof, Step, proofs},
    platform::{
        Error, Result,
        http::Pieces,
        objects::{Objects, hexadecimal},
        values::Id,
    },
    slice::VerifyFinding,
    work::{End, Turn},
};
use aws_lc_rs::digest::{Context, SHA256};

/// How long an object stays loose, in seconds: its row comes within minutes.
const STAY: i64 = 86_400;
/// The most loose objects that are removed together.
const AT_ONCE: i64 = 500;

/// Notes that somebody downloads a proof, which changes nothing. What programme staff reads is for programme staff to know.
pub(super) fn note_download(tx: &mut Tx<'_>, id: Id) -> Result<()> {
    let proof = proofs::get(tx, id)?;
    let seen_by = match tx.scope() {
        Scope::All => None,
        Scope::Partner(_) => Some(proof.partner_id),
    };
    let view = CoopProofView::from(proof);
    audit::Event::on("coop_proof", id).seen_by(seen_by).before(&view).after(&view).record(tx)
}

/// Sends the bytes of a proof. The last piece goes once everything is known to be as it came.
pub(super) fn send(objects: &Objects, proof: &Proof, pieces: &Pieces) -> Result<()> {
    let (mut context, mut last) = (Context::new(&SHA256), Vec::new());
    objects.read(proof.object(), |piece| {
        context.update(&piece);
        let before = std::mem::replace(&mut last, piece.to_vec());
        if before.is_empty() { Ok(()) } else { pieces.write(before) }
    })?;
    if hexadecimal(context) != proof.sha256 {
        return Err(Error::internal(format!("the object of the proof {} was changed", proof.id)));
    }
    pieces.write(last)
}

/// Reads the file of every proof again, and compares the file with what was received, partner by partner.
pub fn verify(app: &AppState) -> Result<VerifyFinding> {
    let mut read = 0;
    for partner in app.read_as_system(proofs::partners)? {
        for proof in app.read_as_system(|tx| proofs::of_partner(tx, partner))? {
            let difference = match app.objects().look_at(proof.object())? {
                Some(found) if (found.bytes, &found.sha256) == (proof.bytes, &proof.sha256) => None,
                Some(_) => Some("is not the one received"),
                None => Some("is missing"),
            };
            if let Some(difference) = difference {
                // The partner's people may have removed the proof meanwhile.
                if app.read_as_system(|tx| Ok(proofs::get(tx, proof.id).is_err()))? {
                    continue;
                }
                let words =
                    format!("the file of proof {} {difference}, in {}", proof.id, app.objects().address());
                return Ok(VerifyFinding::Broken(words));
            }
            read += 1;
        }
    }
    Ok(VerifyFinding::Sound(format!("{read} files read again")))
}

/// Removes a proof while its claim is written. The object stays until it is swept.
pub(super) fn remove(tx: &mut Tx<'_>, id: Id) -> Result<()> {
    let found = proofs::get(tx, id)?;
    let claim = coop_claims::to_change(tx, found.claim_id)?;
    // Another unit may have removed it before the lock.
    let proof = proofs::get(tx, id)?;
    coop_claims::refuse_unwritten(&claim)?;
    proofs::remove(tx, &proof)?;
    loose::loosen(tx, proof.object())?;
    audit::Event::on("coop_proof", proof.id)
        .of_partner(proof.partner_id)
        .before(&CoopProofView::from(proof.clone()))
        .record(tx)?;
    coop_claims::note(tx, &claim, Step { words: Some(&proof.name), ..Step::named("proof-removal") })?;
    Ok(())
}

/// Removes objects that have been loose for a day: of proofs that were removed, and of uploads that were broken off.
pub(super) fn sweep(turn: &Turn) -> Result<End> {
    let app = turn.app();
    let objects = app.objects();
    let before = app.clock().now().plus_seconds(-STAY);
    let mut removed = objects.remove_broken_off()?;
    let end = loop {
        let page = app.query_as_system(|tx| loose::before(tx, before, AT_ONCE))?;
        if page.is_empty() {
            break End::Done;
        }
        if turn.is_ending() {
            break End::Interrupted;
        }
        for key in page {
            objects.delete(key)?;
            app.write_as_system("SweepCoopProofs", move |tx| {
                // The removal of the proof has its event; an upload that was broken off has changed nothing.
                tx.exempt_from_audit(Unaudited::NothingWritten);
                loose::bind(tx, key)
            })?;
            removed += 1;
        }
    };
    if removed > 0 {
        log::info!("{removed} files that belong to no proof were removed from {}", objects.address());
    }
    Ok(end)
}
