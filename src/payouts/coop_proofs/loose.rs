//! Objects that no proof has, in the database: an object is loose before its first byte is written, until its proof is recorded,
//! and again from the removal of the proof. Other objects of the store are somebody else's, and are never touched.

use crate::{
    access::Tx,
    platform::{
        Result,
        objects::ObjectKey,
        values::{Id, Timestamp},
    },
    schema::coop_loose_objects,
};
use diesel::prelude::*;

/// Notes that no proof has an object.
pub(super) fn loosen(tx: &mut Tx<'_>, key: ObjectKey) -> Result<()> {
    let row = (
        coop_loose_objects::partner_id.eq(key.folder),
        coop_loose_objects::id.eq(key.id),
        coop_loose_objects::since.eq(tx.now),
    );
    diesel::insert_into(coop_loose_objects::table).values(row).execute(tx.conn)?;
    Ok(())
}

/// Notes that an object is loose no longer: its proof is recorded, or the object is gone.
pub(super) fn bind(tx: &mut Tx<'_>, key: ObjectKey) -> Result<()> {
    diesel::delete(coop_loose_objects::table.find((key.folder, key.id))).execute(tx.conn)?;
    Ok(())
}

/// Up to `most` objects that have been loose since before an instant, the longest first.
pub(super) fn before(tx: &mut Tx<'_>, instant: Timestamp, most: i64) -> Result<Vec<ObjectKey>> {
    let query = coop_loose_objects::table
        .filter(coop_loose_objects::since.lt(instant))
        .order(coop_loose_objects::since)
        .limit(most)
        .select((coop_loose_objects::partner_id, coop_loose_objects::id));
    let found: Vec<(Id, Id)> = query.load(tx.conn)?;
    Ok(found.into_iter().map(|(folder, id)| ObjectKey { folder, id }).collect())
}
