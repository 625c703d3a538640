//! Mails against a real SMTP server: they arrive, once the server takes them, and nobody else learns what is secret.

use super::metrics::{number, scraped};
use crate::support::{MailServer, World, wait_for};
use diesel::prelude::*;
use partner_incentives::{
    app, audit,
    notifications::{self, About, Message, Recipient},
    platform::values::{CalendarDate, Id, Locale},
    schema::deliveries,
};
use serde_json::Value;

const PASSWORD: &str = "aaaaa-bbbbb-ccccc-ddddd";

pub fn world(server: &MailServer) -> World {
    World::with(|settings| {
        settings.smtp_url = Some(server.url().parse().unwrap());
        settings.smtp_ca_file = Some(server.certificate());
        settings.mail_from = Some("Partner Incentives <incentives@vendor.example>".parse().unwrap());
        settings.public_url = Some("https://pi.vendor.example".into());
    })
}

/// Tells the operator something, as a slice would.
fn tell(world: &World, locale: Locale, message: Message) {
    let user_id: Id = world.operator().get("/v1/me").send().ok().id().parse().unwrap();
    let email = "hanako@vendor.example".into();
    let reader = Recipient { user_id, email, name: "佐藤 花子".into(), locale };
    let told = world.service.app.write_as_system("Tell", move |tx| {
        notifications::notify(
            tx,
            std::slice::from_ref(&reader),
            None,
            About::new("user", user_id),
            &message,
        )?;
        audit::Event::on("user", user_id).record(tx)
    });
    told.unwrap();
}

pub fn tell_password(world: &World) {
    let expires_at = world.clock.now().plus_seconds(3600);
    tell(world, Locale::En, Message::TemporaryPassword { password: PASSWORD.into(), expires_at });
}

/// The newest notification, as soon as its delivery is as asked.
#[track_caller]
fn delivery(world: &World, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    wait_for(what, || {
        let page = world.auditor().get("/v1/notifications").query("limit", 1).send().ok();
        let newest = page["items"][0].clone();
        if is(&newest["delivery"]) { Ok(newest) } else { Err(newest["delivery"].to_string()) }
    })
}

fn in_state(state: &'static str) -> impl Fn(&Value) -> bool {
    move |delivery| delivery["state"] == state
}

/// What the database knows of the newest mail's secret.
fn sealed(world: &World) -> Option<Vec<u8>> {
    let newest = deliveries::table.order(deliveries::notification_id.desc()).select(deliveries::secret);
    world.service.app.read_as_system(|tx| Ok(newest.first(tx.conn)?)).unwrap()
}

#[test]
fn mails_arrive_encrypted_as_text_and_html_in_the_reader_s_language() {
    let Some(server) = MailServer::running() else { return };
    let world = world(&server);
    let on = CalendarDate::new(2018, 7, 31).unwrap();
    let invited = || Message::EnrollmentInvited {
        partner: "Contoso & Söhne".into(),
        program: "CSP".into(),
        until: on,
        enrollment: Id(uuid::Uuid::nil()),
    };
    tell(&world, Locale::Ja, invited());
    let shown = delivery(&world, "sent", in_state("sent"));
    tell(&world, Locale::En, invited());
    delivery(&world, "sent", in_state("sent"));
    let mails = server.wait_for(2);
    let text = |mail: &Value, part: &str| mail[part].as_str().unwrap().to_owned();

    let (japanese, english) = (&mails[0], &mails[1]);
    assert_eq!(japanese["encrypted"], true);
    assert_eq!(japanese["to"], serde_json::json!(["hanako@vendor.example"]));
    assert_eq!(japanese["from"], "Partner Incentives <incentives@vendor.example>");
    assert_eq!(japanese["auto_submitted"], "auto-generated");
    assert_eq!(japanese["message_id"], shown["delivery"]["message_id"]);
    assert_eq!(japanese["message_id"], format!("<{}@vendor.example>", shown["id"].as_str().unwrap()));
    assert_eq!(japanese["subject"], shown["subject"]);
    assert_eq!(text(japanese, "text").replace("\r\n", "\n").trim(), shown["body"].as_str().unwrap().trim());
    assert!(
        text(japanese, "text").contains("佐藤 花子 様") && text(japanese, "html").contains("2018年7月31日")
    );
    assert!(
        text(japanese, "html").contains("<html lang=\"ja\">")
            && text(japanese, "html").contains("Contoso &amp; Söhne")
    );
    assert!(
        text(english, "text").contains("31 July 2018")
            && text(english, "html").contains("<html lang=\"en\">")
    );
    assert!(text(english, "text").contains("https://pi.vendor.example/docs/#/enrollments/acceptEnrollment"));
    assert_eq!(
        (shown["delivery"]["attempts"].as_i64(), &shown["delivery"]["sent_at"]),
        (Some(1), &shown["created_at"])
    );
}

#[test]
fn a_temporary_password_arrives_in_the_mail_and_stands_nowhere_else() {
    let Some(mut server) = MailServer::down() else { return };
    let world = world(&server);
    tell_password(&world);
    delivery(&world, "a first try", |delivery| delivery["attempts"] == 1);
    let secret = sealed(&world).expect("it waits for the mail");
    assert!(!secret.windows(PASSWORD.len()).any(|bytes| bytes == PASSWORD.as_bytes()), "it is sealed");

    server.start();
    world.clock.set(world.clock.now().plus_seconds(600));
    let mail = server.wait_for(1).remove(0);
    for part in ["text", "html"] {
        assert!(mail[part].as_str().unwrap().contains(PASSWORD), "{mail:#}");
    }
    let shown = delivery(&world, "sent", in_state("sent"));
    assert!(!shown.to_string().contains(PASSWORD), "{shown:#}");
    assert_eq!(sealed(&world), None, "once sent, nobody needs it");
    let html: Vec<String> = world
        .service
        .app
        .read_as_system(|tx| Ok(deliveries::table.select(deliveries::html).load(tx.conn)?))
        .unwrap();
    assert!(html.iter().all(|html| !html.contains(PASSWORD)));
}

#[test]
fn a_mail_waits_for_a_server_that_is_down() {
    let Some(mut server) = MailServer::down() else { return };
    let world = world(&server);
    tell_password(&world);
    let waiting = delivery(&world, "a first try", |delivery| !delivery["last_error"].is_null());
    assert_eq!(
        (&waiting["delivery"]["state"], &waiting["delivery"]["attempts"]),
        (&"queued".into(), &1.into())
    );
    // It is not tried before its time, and then less and less often.
    world.clock.set(world.clock.now().plus_seconds(40));
    delivery(&world, "a second try", |delivery| delivery["attempts"] == 2);
    server.start();
    world.clock.set(world.clock.now().plus_seconds(80));
    let sent = delivery(&world, "sent", in_state("sent"));
    assert_eq!((sent["delivery"]["attempts"].as_i64(), server.mails().len()), (Some(3), 1));
}

#[test]
fn a_refusal_for_now_is_tried_again_and_one_for_good_is_not() {
    let Some(server) = MailServer::running() else { return };
    server.answer(Some("451 4.7.1 grey-listed, come back later"));
    let world = world(&server);
    tell_password(&world);
    let waiting = delivery(&world, "refused", |delivery| !delivery["last_error"].is_null());
    assert_eq!(waiting["delivery"]["state"], "queued");
    assert!(waiting["delivery"]["last_error"].as_str().unwrap().contains("grey-listed"), "{waiting:#}");
    server.answer(None);
    world.clock.set(world.clock.now().plus_seconds(40));
    delivery(&world, "sent", in_state("sent"));

    server.answer(Some("550 5.1.1 nobody of that name"));
    tell_password(&world);
    let failed = delivery(&world, "failed", in_state("failed"));
    assert_eq!(failed["delivery"]["attempts"], 1);
    assert_eq!(sealed(&world), None, "nobody will read it any more");
    let count = |state: &str| {
        let ask = world.operator().get("/v1/notifications").query("delivery_state", state);
        ask.query("include_total", true).send().ok()["total"].as_i64().unwrap()
    };
    assert_eq!((count("failed"), count("sent"), count("queued")), (1, 1, 0));
    let id = failed["id"].as_str().unwrap();
    let traced = world.auditor().get("/v1/audit-events").query("resource_id", id).send().ok();
    assert_eq!(traced["items"][0]["operation"], "giveUpDelivery");
    assert!(traced["items"][0]["after"]["error"].as_str().unwrap().contains("nobody of that name"));
    assert_eq!(number(&scraped(&world), "mails_failed"), Some(1));
}

#[test]
fn a_server_with_a_certificate_of_somebody_else_gets_no_mail() {
    let Some(server) = MailServer::running() else { return };
    let world = World::with(|settings| {
        settings.smtp_url = Some(server.url().parse().unwrap());
        settings.mail_from = Some("incentives@vendor.example".parse().unwrap());
    });
    tell_password(&world);
    let waiting = delivery(&world, "a try", |delivery| !delivery["last_error"].is_null());
    assert_eq!((&waiting["delivery"]["state"], server.mails().len()), (&"queued".into(), 0));
}

#[test]
fn without_a_server_mails_are_kept_and_read_here() {
    let world = World::new();
    tell_password(&world);
    let kept = delivery(&world, "kept", in_state("kept"));
    assert_eq!((&kept["delivery"]["attempts"], &kept["delivery"]["sent_at"]), (&0.into(), &Value::Null));
    assert_eq!(sealed(&world), None);
    assert!(!kept.to_string().contains(PASSWORD));
}

#[test]
fn what_a_mail_leads_to_is_in_the_contract() {
    let document = app::document();
    let known: Vec<String> = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|path| path.as_object().unwrap().values())
        .filter_map(|it| Some(format!("{}/{}", it["tags"][0].as_str()?, it["operationId"].as_str()?)))
        .collect();
    let templates = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/notifications/templates");
    let mut seen = 0;
    for language in ["en", "ja"] {
        for file in std::fs::read_dir(templates.join(language)).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            for link in text.split("base, \"").skip(1).filter_map(|rest| rest.split('"').next()) {
                assert!(known.iter().any(|operation| operation == link), "{link} is no operation");
                seen += 1;
            }
        }
    }
    assert!(seen >= 20, "{seen} links");
}
