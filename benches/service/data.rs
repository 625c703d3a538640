//! The databases the servers work on.

use crate::{postgres, statements::native};
use diesel::{
    connection::{SimpleConnection, TransactionManager},
    prelude::*,
};
use partner_incentives::{
    access::Role,
    app::Service,
    audit::AuditEvent,
    config::Settings,
    identity::users,
    network::{
        agreements::{Agreement, Kind, MembershipLevel},
        partners::{Partner, PartnerStatus, PartnerType},
    },
    platform::{
        db::{Conn, Target},
        values::{Clock, Id, Ids, Locale},
    },
    schema::{agreements, audit_events, partners},
};

type Transactions = <Conn as Connection>::TransactionManager;

/// Partners loaded.
const PARTNERS: usize = 10_000;
/// Audit events of the record with a short history; the other one has 100 times as many.
const EVENTS: usize = 200;

/// A database for the servers, filled.
pub struct Database {
    /// Where it is.
    pub target: Target,
    /// The operator who asks.
    pub operator: Id,
    /// The partners loaded, the oldest first.
    pub partners: Vec<Partner>,
    /// Two records: with a short and with a long history.
    pub histories: [Id; 2],
    #[expect(dead_code, reason = "held for its drop")]
    hold: Hold,
}

#[expect(dead_code, reason = "held for their drop")]
enum Hold {
    Folder(tempfile::TempDir),
    Lease(postgres::Lease),
}

/// Settings as in production, but for limits that would be in the way.
pub fn settings(target: Target) -> Settings {
    Settings {
        requests_per_minute: u32::MAX,
        database_connections: 16,
        ..Settings::for_tests(target, Clock::System, Ids::random())
    }
}

impl Database {
    /// A new one on SQLite, on a disk.
    pub fn sqlite() -> Self {
        let folder =
            tempfile::Builder::new().prefix("service-").tempdir_in(crate::database::scratch()).unwrap();
        let target = Target::Sqlite(folder.path().join("bench.db"));
        Self::filled(target, Hold::Folder(folder))
    }

    /// A new one on PostgreSQL.
    pub fn postgres() -> Self {
        let lease = postgres::empty();
        Self::filled(lease.target(), Hold::Lease(lease))
    }

    fn filled(target: Target, hold: Hold) -> Self {
        let service = Service::open(settings(target.clone())).unwrap();
        let operator = users::NewUser {
            email: "operator@vendor.example".into(),
            name: "Olga Operator".into(),
            role: Role::Operator,
            partner_id: None,
            password_hash: "none".into(),
            must_change_password: false,
            issuer: None,
            locale: Locale::En,
        };
        let operator = users::provision(&service.app, operator).unwrap();
        service.close();
        let mut conn = target.open().unwrap();
        let (now, ids) = (Clock::System.now(), Ids::random());
        let partners: Vec<_> = (0..PARTNERS).map(|number| partner(number, ids.next(now))).collect();
        let agreements: Vec<_> =
            partners.iter().enumerate().flat_map(|(n, p)| agreements_of(n, p, &ids)).collect();
        let histories = [0, 1].map(|_| ids.next(now));
        let events: Vec<_> = (0..101 * EVENTS)
            .map(|number| event(histories[usize::from(number % 101 > 0)], ids.next(now)))
            .collect();
        Transactions::begin_transaction(&mut conn).unwrap();
        partners.chunks(1000).for_each(|rows| insert(&mut conn, rows));
        native!(&mut conn, conn => {
            for rows in agreements.chunks(500) {
                diesel::insert_into(agreements::table).values(rows).execute(conn).unwrap();
            }
            for rows in events.chunks(500) {
                diesel::insert_into(audit_events::table).values(rows).execute(conn).unwrap();
            }
        });
        Transactions::commit_transaction(&mut conn).unwrap();
        conn.batch_execute(if matches!(conn, Conn::Postgres(_)) { "VACUUM ANALYZE" } else { "ANALYZE" })
            .unwrap();
        Self { target, operator, partners, histories, hold }
    }
}

/// Adds partners.
pub fn insert(conn: &mut Conn, rows: &[Partner]) {
    native!(conn, conn => diesel::insert_into(partners::table).values(rows).execute(conn).unwrap());
}

/// A partner of this number; one in three is a direct bill partner, seven in ten are active.
pub fn partner(number: usize, id: Id) -> Partner {
    let now = Clock::System.now();
    Partner {
        id,
        mpn_id: format!("{:07}", 1_000_000 + number),
        legal_name: format!("Contoso Cloud {number} GmbH"),
        country: ["DE", "GB", "US", "JP"][number % 4].parse().unwrap(),
        currency: ["EUR", "GBP", "USD", "JPY"][number % 4].parse().unwrap(),
        partner_type: PartnerType::ALL[number % 3],
        headquarters_id: None,
        headquarters_since: None,
        contact_email: format!("partner{number}@contoso.example"),
        status: match number % 10 {
            0 => PartnerStatus::Pending,
            1 => PartnerStatus::Suspended,
            2 => PartnerStatus::Closed,
            _ => PartnerStatus::Active,
        },
        created_at: now,
        updated_at: now,
        revision: 1,
    }
}

fn agreements_of(number: usize, partner: &Partner, ids: &Ids) -> Vec<Agreement> {
    let own = Kind::ALL.iter().filter(|kind| kind.fits(partner.partner_type));
    own.map(|&kind| Agreement {
        id: ids.next(partner.created_at),
        kind,
        partner_id: partner.id,
        agreement_number: format!("{kind}-{number}"),
        signed_by: "Ada Lovelace".into(),
        signed_on: "2020-01-01".parse().unwrap(),
        effective_on: "2020-01-01".parse().unwrap(),
        expires_on: None,
        terminated_on: None,
        termination_reason: None,
        membership_level: (kind == Kind::Mpn).then_some(MembershipLevel::Gold),
        grace_days: 0,
        region: (kind != Kind::Mpn).then(|| "EU".into()),
        distributor_authorization: (kind == Kind::Distributor).then_some(true),
        created_at: partner.created_at,
        updated_at: partner.created_at,
        revision: 1,
    })
    .collect()
}

fn event(resource_id: Id, id: Id) -> AuditEvent {
    AuditEvent {
        id,
        occurred_at: Clock::System.now(),
        actor_id: None,
        actor_role: "system".into(),
        operation: "UpdatePartner".into(),
        resource_type: "partner".into(),
        resource_id,
        partner_id: None,
        before: None,
        after: None,
        reason: Some("history".into()),
        request_id: "bench".into(),
        sequence: None,
        hash: None,
    }
}
