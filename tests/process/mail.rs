//! A mail survives the end of the process that was sending it.

use crate::{
    running::{Running, command},
    smtp::{MailServer, wait_for},
};
use diesel::prelude::*;
use partner_incentives::{
    app::Service,
    audit,
    config::Settings,
    notifications::{self, About, Message, Recipient},
    platform::values::{Clock, Id, Ids, Locale, Timestamp},
    schema::{deliveries, jobs},
    work::JobName,
};

#[test]
fn a_mail_that_was_sent_as_the_process_died_is_sent_again_under_the_same_id() {
    let Some(server) = MailServer::running() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let url = format!("sqlite://{}", path.display());
    let mut settings = Settings::for_tests(url.parse().unwrap(), Clock::System, Ids::random());
    settings.smtp_url = Some(server.url().parse().unwrap());
    settings.mail_from = Some("incentives@vendor.example".parse().unwrap());
    let key = settings.encryption_key.clone().unwrap();
    write_a_mail(&url, settings.clone());

    let (smtp, ca) = (server.url(), server.certificate().display().to_string());
    let start = || {
        let from = ["--mail-from", "incentives@vendor.example", "--encryption-key", &key];
        Running::start_on(&url, &[&["--smtp-url", &smtp, "--smtp-ca-file", &ca][..], &from].concat())
    };
    server.hang(true);
    let mut first = start();
    server.wait_for(1);
    // The server has it; the service does not know yet, and never will.
    first.signal("KILL");
    first.wait();
    server.hang(false);
    let (state, attempts) = let_the_lease_run_out(settings);
    assert_eq!((state.as_str(), attempts), ("queued", 0), "nobody knows what became of it");

    let second = start();
    let mails = server.wait_for(2);
    assert_eq!(mails[0]["message_id"], mails[1]["message_id"]);
    drop(second);
}

fn write_a_mail(url: &str, settings: Settings) {
    let key = settings.encryption_key.clone().unwrap();
    let (email, role) = (["--email", "olga@vendor.example"], ["--name", "Olga", "--role", "operator"]);
    let made = command(url)
        .args(["user", "create", "--encryption-key", &key])
        .args(email.iter().chain(&role))
        .output();
    let said = String::from_utf8(made.unwrap().stdout).unwrap();
    let user_id: Id = said.trim_start_matches("User ").lines().next().unwrap().parse().unwrap();
    let service = Service::open(settings).unwrap();
    let reader =
        Recipient { user_id, email: "olga@vendor.example".into(), name: "Olga".into(), locale: Locale::En };
    let told = service.app.write_as_system("Tell", move |tx| {
        let message = Message::PasswordChanged { at: tx.now };
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
    service.close();
}

/// Makes time pass for the lease of the process that died; how the mail stood until then.
fn let_the_lease_run_out(settings: Settings) -> (String, i64) {
    let service = Service::open(settings).unwrap();
    let stood = deliveries::table.select((deliveries::state, deliveries::attempts));
    let stood = wait_for("the mail", || {
        service.app.read_as_system(|tx| Ok(stood.first(tx.conn)?)).map_err(|error| error.to_string())
    });
    let passed = service.app.write_unaudited(|conn, now| {
        let mail = jobs::table.find(JobName::Mail);
        let leased = mail.select(jobs::leased_until).first::<Option<Timestamp>>(conn)?;
        assert!(leased.is_some_and(|until| until > now), "whoever died still holds the job");
        diesel::update(mail).set(jobs::leased_until.eq(Some(now))).execute(conn)?;
        Ok(())
    });
    passed.unwrap();
    service.close();
    stood
}
