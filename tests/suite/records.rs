//! Records that stories start from, put into the database as they are: what a story is not about need not be
//! asked for over HTTP.

use crate::support::World;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl};
use partner_incentives::{
    network::{
        agreements::{Agreement, Kind},
        competencies::{Attainment, Competency},
        partners::{self, NewPartner},
    },
    platform::values::{CalendarDate, Id},
    schema::{agreements, attainments, competencies, transaction_records},
};

pub(super) fn day(text: &str) -> CalendarDate {
    text.parse().unwrap()
}

/// An active partner.
pub(super) fn partner(world: &World, n: u32, partner_type: &str, headquarters: Option<Id>) -> Id {
    let new = NewPartner {
        mpn_id: format!("{:07}", 5_000_000 + n),
        legal_name: format!("Partner {n}"),
        country: "DE".parse().unwrap(),
        currency: "EUR".parse().unwrap(),
        partner_type: partner_type.parse().unwrap(),
        headquarters_id: headquarters,
        headquarters_since: None,
        contact_email: "partner@partner.example".into(),
        active: true,
    };
    let create = move |tx: &mut partner_incentives::access::Tx<'_>| {
        let id = tx.new_id();
        partners::create(tx, id, new.clone()).map(|partner| partner.id)
    };
    world.service.app.write_as_system("CreatePartner", create).unwrap()
}

/// An agreement of 30 days' grace where it is an MPN agreement; open where `to` is empty.
pub(super) fn agreement(
    world: &World,
    partner: Id,
    kind: Kind,
    from: &str,
    to: &str,
    authorized: bool,
) -> Id {
    let now = world.clock.now();
    let id = world.ids.next(now);
    let agreement = Agreement {
        id,
        kind,
        partner_id: partner,
        agreement_number: format!("A-{id}"),
        signed_by: "Ada".into(),
        signed_on: day(from),
        effective_on: day(from),
        expires_on: (!to.is_empty()).then(|| day(to)),
        terminated_on: None,
        termination_reason: None,
        membership_level: (kind == Kind::Mpn).then(|| "silver".parse().unwrap()),
        grace_days: if kind == Kind::Mpn { 30 } else { 0 },
        region: (kind != Kind::Mpn).then(|| "EMEA".into()),
        distributor_authorization: (kind == Kind::Distributor).then_some(authorized),
        created_at: now,
        updated_at: now,
        revision: 1,
    };
    let insert =
        move |conn: &mut _| Ok(diesel::insert_into(agreements::table).values(&agreement).execute(conn)?);
    world.service.db.write(insert).unwrap();
    id
}

/// Puts a competency into the catalogue, where it is not there.
pub(super) fn competency(world: &World, code: &str) {
    let now = world.clock.now();
    let (id, code) = (world.ids.next(now), code.to_owned());
    let competency = Competency {
        id,
        name: code.clone(),
        code,
        retired_on: None,
        created_at: now,
        updated_at: now,
        revision: 1,
    };
    let insert = move |conn: &mut _| {
        let there =
            competencies::table.filter(competencies::code.eq(&competency.code)).select(competencies::id);
        if there.get_result::<Id>(conn).optional()?.is_none() {
            diesel::insert_into(competencies::table).values(&competency).execute(conn)?;
        }
        Ok(())
    };
    world.service.db.write(insert).unwrap();
}

pub(super) fn attainment(world: &World, partner: Id, code: &str, level: &str, from: &str, to: &str) -> Id {
    competency(world, code);
    let now = world.clock.now();
    let id = world.ids.next(now);
    let attainment = Attainment {
        id,
        partner_id: partner,
        competency_code: code.into(),
        level: level.parse().unwrap(),
        attained_on: day(from),
        expires_on: day(to),
        grace_days: 30,
        at_risk_since: None,
        revoked_on: None,
        created_at: now,
        updated_at: now,
        revision: 1,
    };
    let insert =
        move |conn: &mut _| Ok(diesel::insert_into(attainments::table).values(&attainment).execute(conn)?);
    world.service.db.write(insert).unwrap();
    id
}

/// A sale in cents of a US dollar; a refund names the purchase it takes back.
pub(super) fn sale(world: &World, partner: Id, on: &str, minor: i64, original: Option<Id>) -> Id {
    let now = world.clock.now();
    let id = world.ids.next(now);
    let on = day(on);
    let insert = move |conn: &mut _| {
        Ok(diesel::insert_into(transaction_records::table)
            .values((
                (
                    transaction_records::id.eq(id),
                    transaction_records::source.eq("test"),
                    transaction_records::external_id.eq(id.to_string()),
                    transaction_records::partner_id.eq(partner),
                    transaction_records::customer_id.eq("customer"),
                    transaction_records::customer_country.eq("DE"),
                    transaction_records::customer_public_sector.eq(false),
                    transaction_records::product.eq("sku-1"),
                    transaction_records::product_family.eq("azure"),
                ),
                (
                    transaction_records::kind.eq(if original.is_some() { "refund" } else { "purchase" }),
                    transaction_records::original_transaction_id.eq(original),
                    transaction_records::occurred_on.eq(on),
                    transaction_records::amount.eq(minor),
                    transaction_records::currency.eq("USD"),
                    transaction_records::created_at.eq(now),
                ),
            ))
            .execute(conn)?)
    };
    world.service.db.write(insert).unwrap();
    id
}
