//! The statements of the measured operations, by hand: what the floor serves, and what is looped in-process.

use diesel::prelude::*;
use partner_incentives::{
    access::Role,
    network::partners::{Partner, PartnerStatus, PartnerType},
    platform::{
        db::{Conn, Target},
        values::Id,
    },
    schema::{partner_numbers, partners, users},
};

/// Compiles an expression for each database's own connection.
macro_rules! native {
    ($conn:expr, $native:ident => $body:expr) => {
        match $conn {
            partner_incentives::platform::db::Conn::Postgres($native) => $body,
            partner_incentives::platform::db::Conn::Sqlite($native) => $body,
        }
    };
}
pub(crate) use native;

/// A connection for one thread.
pub fn connect(target: &Target) -> Conn {
    target.open().unwrap()
}

/// Whether the user of a token may still act.
pub fn check_user(conn: &mut Conn, user: Id) {
    let columns =
        (users::status, users::role, users::partner_id, users::token_epoch, users::must_change_password);
    let found: (String, Role, Option<Id>, i64, bool) =
        native!(conn, conn => users::table.find(user).select(columns).get_result(conn).unwrap());
    assert!(found.0 != "disabled");
}

/// One partner.
pub fn read(conn: &mut Conn, id: Id) -> Partner {
    native!(conn, conn => partners::table.find(id).select(Partner::as_select()).get_result(conn).unwrap())
}

/// The active direct bill partners before one of them, newest first, one more than a page of 50.
pub fn list(conn: &mut Conn, before: Id) -> Vec<Partner> {
    native!(conn, conn => partners::table
        .filter(partners::status.eq(PartnerStatus::Active))
        .filter(partners::partner_type.eq(PartnerType::DirectBill))
        .filter(partners::id.lt(before))
        .order(partners::id.desc())
        .limit(51)
        .select(Partner::as_select())
        .load(conn)
        .unwrap())
}

/// Adds a partner, and claims its number; the key of the numbers sees to it that it is new.
pub fn create(conn: &mut Conn, partner: &Partner) {
    let number = (partner_numbers::mpn_id.eq(&partner.mpn_id), partner_numbers::partner_id.eq(partner.id));
    native!(conn, conn => diesel::insert_into(partner_numbers::table).values(number).execute(conn).unwrap());
    native!(conn, conn => diesel::insert_into(partners::table).values(partner).execute(conn).unwrap());
}
