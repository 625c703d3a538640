//! The secrets in the database: sealed, each for its row; those from before are sealed at the next start.

use super::partners::partner;
use crate::{
    suite,
    support::{Client, World, secrets::kept, statements::behind_the_service},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use diesel::{
    QueryableByName, RunQueryDsl,
    connection::SimpleConnection,
    sql_query,
    sql_types::{BigInt, Binary},
};
use partner_incentives::{
    access::Unaudited,
    app::{self, Service},
    config::Settings,
    identity::sessions::keys,
    network::profiles::{self, Standing},
    payouts::sealed_files,
    platform::{Vault, db::Conn, values::Id},
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const ACCOUNT: &str = "DE89370400440532013000";
const TAX: &str = "DE-123456789";

fn file_both(admin: &Client, partner: &str) {
    let payout = suite::profiles::payout_to("Contoso", ACCOUNT);
    admin.put(&format!("/v1/partners/{partner}/payout-profile"), payout).send().ok();
    let tax = suite::profiles::vat(TAX);
    admin.put(&format!("/v1/partners/{partner}/tax-profile"), tax).send().ok();
}

/// A partner with both profiles, and its admin.
fn filed(world: &World, n: u32) -> (String, Client) {
    let id = world.operator().post("/v1/partners", partner(n, "direct_bill")).send().ok().id();
    let admin = world.admin_of(&id);
    file_both(&admin, &id);
    (id, admin)
}

fn key(byte: u8) -> String {
    BASE64_STANDARD.encode([byte; 32])
}

/// Every column of bytes is known to hold no secret, or is declared as sealed.
#[test]
fn every_column_that_could_hold_a_secret_is_sealed_or_known() {
    const NO_SECRETS: &[(&str, &str)] = &[
        ("signing_keys", "public_key"),
        ("idempotency_keys", "fingerprint"),
        ("idempotency_keys", "body"),
        ("transaction_import_pieces", "bytes"),
        ("audit_events", "hash"),
        ("audit_chain", "hash"),
        ("refresh_tokens", "digest"),
        ("password_resets", "digest"),
        ("sign_in_throttles", "digest"),
        ("recovery_codes", "digest"),
        ("api_client_secrets", "digest"),
    ];
    let (mut table, mut found) = ("", BTreeSet::new());
    for line in include_str!("../../src/schema.rs").lines().map(str::trim) {
        if let Some((name, _)) = line.split_once(" (").filter(|_| line.ends_with(") {")) {
            table = name;
        } else if let Some((column, kind)) = line.split_once(" -> ")
            && kind.contains("Binary")
        {
            found.insert((table, column));
        }
    }
    let sealed: BTreeSet<(&str, &str)> = app::sealed().map(|it| (it.at.table, it.at.column)).collect();
    assert!(sealed.len() >= 5 && sealed.is_subset(&found), "{sealed:?}");
    let unknown: Vec<_> = found.difference(&sealed).filter(|it| !NO_SECRETS.contains(it)).collect();
    assert!(unknown.is_empty(), "seal it and declare it in `Slice::sealed`, or name it here: {unknown:?}");
}

#[test]
fn a_sealed_number_opens_in_the_row_of_its_partner_alone() {
    let world = World::new();
    let ((one, admin), (other, _)) = (filed(&world, 1), filed(&world, 2));
    let (from, to): (Id, Id) = (one.parse().unwrap(), other.parse().unwrap());
    let mut conn = world.service.db.target().open().unwrap();
    behind_the_service(|| {
        let moved = "UPDATE payout_profiles SET account = \
             (SELECT account FROM payout_profiles WHERE partner_id = {from}) WHERE partner_id = {to}";
        let id = |id: Id| match &conn {
            Conn::Sqlite(_) => format!("x'{}'", id.to_string().replace('-', "")),
            Conn::Postgres(_) => format!("'{id}'"),
        };
        let moved = moved.replace("{from}", &id(from)).replace("{to}", &id(to));
        conn.batch_execute(&moved).unwrap();
    });
    world.operator().get(&format!("/v1/partners/{other}/payout-profile")).send().refused(500, "internal");
    assert_eq!(
        admin.get(&format!("/v1/partners/{one}/payout-profile")).send().ok()["account_masked"],
        "****3000"
    );
    // Whoever needs no number is not held up: how far all partners are, for one.
    let day = world.clock.now().date();
    let standings = world.service.app.read_as_system(|tx| profiles::standings(tx, &[from, to], day)).unwrap();
    assert_eq!((standings[&from], standings[&to]), (Standing::Pending, Standing::Pending));
}

#[test]
fn a_new_encryption_key_seals_every_secret_there_is() {
    let world = World::with(|settings| {
        // Nobody listens there: the mail with the password stays in the queue.
        settings.smtp_url = Some("smtp://127.0.0.1:9".parse().unwrap());
        settings.mail_from = Some("Partner Incentives <incentives@vendor.example>".parse().unwrap());
    });
    let (partner, admin) = filed(&world, 1);
    // A bank without IBANs knows the account by a number of its own.
    let (elsewhere, other_admin) = filed(&world, 2);
    let path = format!("/v1/partners/{elsewhere}/payout-profile");
    other_admin.put(&path, suite::profiles::payout_in_japan()).send().ok();
    for payer in [suite::payer_accounts::payer(), suite::payer_accounts::payer_in_america()] {
        world.operator().post("/v1/payer-accounts", payer).send().ok();
    }
    super::mail::tell_password(&world);
    let (id, keep) = (world.ids.next(world.clock.now()), |id| {
        move |tx: &mut partner_incentives::access::Tx<'_>| {
            tx.exempt_from_audit(Unaudited::NotPublished);
            sealed_files::keep(tx, id, 0, b"<Document/>")
        }
    });
    world.service.app.write_as_system("Test", keep(id)).unwrap();
    admin.post("/v1/me/second-factor", json!({"current_password": crate::support::PASSWORD})).send().ok();
    let settings =
        |keys: &[String]| Settings { encryption_key: Some(keys.join(",")), ..world.service.settings.clone() };
    let both = Service::open(settings(&[key(1), key(0)])).unwrap();
    let sealed = keys::reseal(&both.app).unwrap();
    both.close();
    // The start itself has sealed the signing key.
    assert_eq!(sealed, 9, "four accounts, two tax numbers, a second factor, a mail and a piece of a file");
    let new = Vault::from_text(&key(1)).unwrap();
    let mut conn = world.service.db.target().open().unwrap();
    for column in app::sealed() {
        let secrets = secrets_of(&mut conn, column.at.table, column.at.column);
        assert!(!secrets.is_empty(), "{}", column.at.table);
        assert!(secrets.iter().all(|secret| new.is_current(secret)), "{}", column.at.table);
    }
    let alone = Service::open(settings(&[key(1)])).unwrap();
    let of: Id = partner.parse().unwrap();
    let day = world.clock.now().date();
    alone.app.read_as_system(|tx| profiles::standing(tx, of, day)).unwrap();
    alone.close();
    assert!(Service::open(settings(&[key(0)])).is_err());
}

/// A key that is left out too early is missed at the start, not at somebody's sign-in: the signing keys alone are sealed
/// anew by each start.
#[test]
fn a_key_that_still_seals_something_is_missed_at_the_start() {
    let world = World::new();
    filed(&world, 1);
    let open = |keys: &str| {
        Service::open(Settings { encryption_key: Some(keys.into()), ..world.service.settings.clone() })
    };
    open(&format!("{},{}", key(1), key(0))).unwrap().close();
    let refusal = open(&key(1)).err().expect("profiles are sealed with the old key").to_string();
    assert!(refusal.contains("payout_profiles") && refusal.contains("ENCRYPTION_KEY"), "{refusal}");
}

#[test]
fn numbers_that_an_earlier_version_kept_in_the_clear_are_sealed_at_the_start_and_forgotten() {
    let world = World::new();
    let (id, _) = filed(&world, 1);
    let settings = world.service.settings.clone();
    let database = world.leave();
    let mut conn = database.target.open().unwrap();
    behind_the_service(|| {
        as_before(&mut conn);
        let partner = match &conn {
            Conn::Sqlite(_) => format!("x'{}'", id.replace('-', "")),
            Conn::Postgres(_) => format!("'{id}'"),
        };
        let now = match &conn {
            Conn::Sqlite(_) => "0",
            Conn::Postgres(_) => "now()",
        };
        conn.batch_execute(&format!(
            "INSERT INTO payout_profiles VALUES ({partner}, {partner}, 'Contoso', '{ACCOUNT}', 'DE', 'EUR', 'pending', \
                 NULL, {now}, {now}, 1); \
             INSERT INTO tax_profiles VALUES ({partner}, {partner}, 'vat', 'DE', '{TAX}', NULL, 'pending', NULL, {now}, \
                 {now}, 1);"
        ))
        .unwrap();
    });
    drop(conn);
    let holds = |number: &str| {
        let numbers = crate::support::secrets::Numbers::default();
        numbers.add(number);
        kept(&database.target).iter().any(|(_, bytes)| !numbers.within(bytes).is_empty())
    };
    assert!(holds(ACCOUNT) && holds(TAX), "the story begins with numbers in the clear");

    let service = Service::open(settings.clone()).unwrap();
    service.close();
    assert!(!holds(ACCOUNT) && !holds(TAX));
    let mut conn = database.target.open().unwrap();
    for (table, column) in [("payout_profiles", "account_number"), ("tax_profiles", "tax_id")] {
        assert!(
            secrets_of(&mut conn, table, column).iter().all(|secret| Vault::is_sealed(secret)),
            "{table}"
        );
    }
    let again = Service::open(settings).unwrap();
    assert_eq!(again.app.seal_what_is_clear().unwrap(), 0);
    again.close();
}

/// Takes the database back to the version before numbers were sealed.
fn as_before(conn: &mut Conn) {
    let folder = match conn {
        Conn::Sqlite(_) => "sqlite",
        Conn::Postgres(_) => "postgres",
    };
    let migrations = format!("{}/migrations/{folder}", env!("CARGO_MANIFEST_DIR"));
    let mut later: Vec<String> = std::fs::read_dir(&migrations)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.as_str() >= "0014")
        .collect();
    later.sort();
    for name in later.iter().rev() {
        conn.batch_execute(&std::fs::read_to_string(format!("{migrations}/{name}/down.sql")).unwrap())
            .unwrap();
        let version = name.split('_').next().unwrap();
        conn.batch_execute(&format!("DELETE FROM __diesel_schema_migrations WHERE version = '{version}'"))
            .unwrap();
    }
}

fn secrets_of(conn: &mut Conn, table: &str, column: &str) -> Vec<Vec<u8>> {
    #[derive(QueryableByName)]
    struct Kept {
        #[diesel(sql_type = Binary)]
        secret: Vec<u8>,
    }
    let all = format!("SELECT {column} AS secret FROM {table} WHERE {column} IS NOT NULL");
    sql_query(all).load::<Kept>(conn).unwrap().into_iter().map(|kept| kept.secret).collect()
}

/// The bare digest of a body would give a tax number away to whoever tries all of them.
#[test]
fn a_stored_fingerprint_says_nothing_to_who_has_no_key() {
    let world = World::new();
    let (partner, admin) = filed(&world, 1);
    let path = format!("/v1/partners/{partner}/tax-profile");
    let body = suite::profiles::vat("DE-998877665");
    let first = admin.put(&path, body.clone()).key("once").send().ok();
    let mut conn = world.service.db.target().open().unwrap();
    let stored = secrets_of(&mut conn, "idempotency_keys", "fingerprint").pop().unwrap();
    let asked = format!("PUT\n{path}\n\n{body}");
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, asked.as_bytes());
    assert_ne!(stored, digest.as_ref());
    let again = admin.put(&path, body.clone()).key("once").send().ok();
    assert_eq!(again.etag(), first.etag());
    let other = suite::profiles::vat("DE-998877664");
    admin.put(&path, other).key("once").send().refused(422, "idempotency_key_reused");
    // A repeat is known by any of the keys there are.
    let settings =
        Settings { encryption_key: Some(format!("{},{}", key(1), key(0))), ..world.service.settings.clone() };
    let next = Service::open(settings).unwrap();
    assert!(next.app.vault().recognises(&stored, digest.as_ref()));
    next.close();
}

#[test]
fn no_row_of_a_world_with_profiles_holds_a_number_in_the_clear() {
    let world = World::new();
    let (partner, admin) = filed(&world, 1);
    let operator = world.operator();
    operator.post(&format!("/v1/partners/{partner}/payout-profile/approval"), json!({})).send().ok();
    for path in ["/v1/audit-events", "/v1/notifications"] {
        for format in ["text/csv", "application/x-ndjson"] {
            operator.get(path).header("accept", format).send();
        }
    }
    let long =
        json!({"form": "vat", "tax_country": "Germany", "tax_id": "DE-443322110", "unknown": "DE-443322110"});
    admin.put(&format!("/v1/partners/{partner}/tax-profile"), long).send().refused(422, "invalid");
    // The world's end looks everywhere; the look finds what is there.
    let mut conn = world.service.db.target().open().unwrap();
    assert_eq!(count(&mut conn, "payout_profiles"), 1);
    let seen = kept(world.service.db.target());
    assert!(
        seen.iter().any(|(_, bytes)| String::from_utf8_lossy(bytes).contains("****3000")),
        "nothing was read"
    );
    let other = json!({"holder": Value::Null});
    admin.put(&format!("/v1/partners/{partner}/payout-profile"), other).send().refused(422, "invalid");
}

fn count(conn: &mut Conn, table: &str) -> i64 {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        rows: i64,
    }
    sql_query(format!("SELECT count(*) AS rows FROM {table}")).get_result::<Count>(conn).unwrap().rows
}
