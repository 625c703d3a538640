use super::*;
use crate::{
    platform::values::{Currency, Id, Period},
    text,
};
use std::fmt::Write;

fn id(n: u128) -> Id {
    Id(uuid::Uuid::from_u128(0x0193_6f2e_4b00_7000_8000_0000_0000_0000 + n))
}

/// One message of every kind; names hold characters that must be escaped.
#[expect(clippy::too_many_lines, reason = "a list of every kind")]
fn messages() -> Vec<Message> {
    let (partner, program) = (String::from("Müller & Söhne <GmbH>"), String::from("CSP Direct Bill"));
    let day = CalendarDate::new(2026, 7, 31).unwrap();
    let at: Timestamp = "2026-07-31T09:05:59Z".parse().unwrap();
    let sentence = text!(
        "Renew the reseller agreement before 2026-07-31.",
        "2026-07-31 までにリセラー契約を更新してください。"
    );
    let at_risk = |in_grace| Message::EligibilityAtRisk {
        partner: partner.clone(),
        program: program.clone(),
        lapsing: vec![
            sentence.clone(),
            text!("Attain \"Cloud Platform\".", "「Cloud Platform」を取得してください。"),
        ],
        lapses_on: day,
        in_grace,
        enrollment: id(1),
    };
    let new_account = |waits_until| Message::BankAccountChanged {
        partner: partner.clone(),
        partner_id: id(2),
        account: "****3000".into(),
        at,
        waits_until,
    };
    let paid = |amount: &str, currency: &str| Message::PaymentSent {
        partner: partner.clone(),
        amount: Money::parse(amount, currency.parse().unwrap()).unwrap(),
        reference: "PI-2026-000123".into(),
        on: day,
    };
    let loss = |cause: &str| {
        let amount = Money::parse("150.00", Currency::USD).unwrap();
        (partner.clone(), program.clone(), amount, day, cause.to_owned(), id(2))
    };
    let announced = |cause: &str| {
        let (partner, program, amount, on, cause, partner_id) = loss(cause);
        Message::ForfeitureAnnounced { partner, program, amount, on, cause, partner_id }
    };
    let forfeited = |cause: &str| {
        let (partner, program, amount, on, cause, partner_id) = loss(cause);
        Message::RebateForfeited { partner, program, amount, on, cause, partner_id }
    };
    let failed = |end| Message::PaymentFailed {
        partner: partner.clone(),
        amount: Money::parse("1234.50", Currency::USD).unwrap(),
        reference: "PI-2026-000123".into(),
        end,
        remedy: sentence.clone(),
        partner_id: id(2),
    };
    let held = |comment| Message::RebateHeld {
        partner: partner.clone(),
        amounts: vec![
            Money::parse("1234.50", Currency::USD).unwrap(),
            Money::parse("1234567", "JPY".parse().unwrap()).unwrap(),
        ],
        reason: sentence.clone(),
        comment,
        partner_id: id(2),
    };
    let answered = |state: &str, granted| Message::DisputeAnswered {
        partner: partner.clone(),
        state: state.into(),
        expected: Money::parse("60.00", Currency::USD).unwrap(),
        granted,
        reason: "Compared with the tiers".into(),
        dispute: id(4),
    };
    let seminar = || Text::new("Customer seminar", "顧客向けセミナー");
    let decided = |state: &str, approved| Message::CoopClaimDecided {
        partner: partner.clone(),
        state: state.into(),
        activity: seminar(),
        approved,
        reason: Some("The invoice of the caterer lacks".into()),
        claim: id(4),
    };
    let planned = |set_aside| Message::CoopPlanDecided {
        partner: partner.clone(),
        set_aside,
        reason: Some("The seminar fits the campaign of the spring".into()),
        plan: id(4),
    };
    let audited = |recovered: Option<Money>| Message::CoopAuditDecided {
        partner: partner.clone(),
        activity: seminar(),
        paid: Money::parse("1800.00", Currency::USD).unwrap(),
        recovered,
        reason: recovered.map(|_| "The invoice of the caterer is a copy".into()),
        audit: id(4),
    };
    let closed = |claims| Message::CoopFundClosed {
        partner: partner.clone(),
        fund: id(4),
        from: "2025-07".parse().unwrap(),
        to: "2025-12".parse().unwrap(),
        earned: Money::parse("12000.00", Currency::USD).unwrap(),
        threshold: Money::parse("10000.00", Currency::USD).unwrap(),
        claims,
    };
    vec![
        planned(Some(Money::parse("1200.00", Currency::USD).unwrap())),
        planned(None),
        Message::EnrollmentInvited {
            partner: partner.clone(),
            program: program.clone(),
            until: day,
            enrollment: id(1),
        },
        Message::EnrollmentActionRequired {
            partner: partner.clone(),
            program: program.clone(),
            partner_id: id(2),
        },
        Message::EnrollmentStateChanged {
            partner: partner.clone(),
            program: program.clone(),
            program_year: 2027,
            state: "opted_out".into(),
            enrollment: id(1),
        },
        at_risk(false),
        at_risk(true),
        Message::EligibilityLost {
            partner: partner.clone(),
            program: program.clone(),
            missing: vec![sentence.clone()],
            evaluation: id(3),
        },
        Message::UserList {
            partner: partner.clone(),
            partner_id: id(2),
            users: vec![
                ListedUser {
                    name: "Anna Müller".into(),
                    email: "anna@partner.example".into(),
                    role: "incentive_admin".into(),
                },
                ListedUser {
                    name: "Bo <b>".into(),
                    email: "bo@partner.example".into(),
                    role: "viewer".into(),
                },
            ],
        },
        Message::TemporaryPassword { password: "aaaaa-bbbbb-ccccc-ddddd".into(), expires_at: at },
        Message::PasswordReset { token: "aaaaa-bbbbb-token".into(), expires_at: at },
        Message::PasswordChanged { at },
        Message::UserNameChanged {
            before: "mia@partner.example".into(),
            after: "mia.m@partner.example".into(),
            at,
        },
        Message::NewSignIn { at, address: "203.0.113.7".into(), user_agent: Some("curl/8.5 <x>".into()) },
        Message::NewSignIn { at, address: "2001:db8::7".into(), user_agent: None },
        new_account(Some(day)),
        new_account(None),
        paid("1234567.50", "USD"),
        paid("1234567", "JPY"),
        paid("123.450", "KWD"),
        Message::PaymentSettled {
            partner: partner.clone(),
            amount: Money::parse("1234.50", Currency::USD).unwrap(),
            reference: "PI-2026-000123".into(),
            on: day,
            payment: id(5),
        },
        failed(PaymentEnd::Rejected),
        failed(PaymentEnd::CameBack),
        failed(PaymentEnd::Stopped),
        held(None),
        held(Some("Sales figures are being clarified".into())),
        announced("held_too_long"),
        announced("below_threshold"),
        forfeited("held_too_long"),
        forfeited("below_threshold"),
        Message::DisputeMoved {
            partner: partner.clone(),
            state: "open".into(),
            figure: Money::parse("48.00", Currency::USD).unwrap(),
            expected: Money::parse("60.00", Currency::USD).unwrap(),
            words: "The second tier was reached <b>".into(),
            due_on: Some(day),
            dispute: id(4),
        },
        Message::DisputeQuestion {
            partner: partner.clone(),
            question: "Which invoice is it?".into(),
            dispute: id(4),
        },
        answered("upheld", Some(Money::parse("12.00", Currency::USD).unwrap())),
        answered("rejected_finally", None),
        closed(None),
        closed(Some(Period { from: day.plus_days(1), to: day.plus_days(60) })),
        Message::CoopFundExpiring {
            partner: partner.clone(),
            fund: id(4),
            amount: Money::parse("1234567.50", Currency::USD).unwrap(),
            until: day,
        },
        Message::CoopFundForfeited {
            partner: partner.clone(),
            fund: id(4),
            amount: Money::parse("1234567.50", Currency::USD).unwrap(),
            on: day,
        },
        decided("partially_approved", Some(Money::parse("800.00", Currency::USD).unwrap())),
        decided("rejected", None),
        Message::CoopClaimQuestion {
            partner: partner.clone(),
            activity: seminar(),
            question: "Which invoice is for the room?".into(),
            due_on: day,
            claim: id(4),
        },
        Message::CoopClaimExpired {
            partner: partner.clone(),
            activity: seminar(),
            given_back: Money::parse("0.00", Currency::USD).unwrap(),
            claim: id(4),
        },
        Message::CoopClaimHeld {
            partner: partner.clone(),
            amount: Money::parse("1800.00", Currency::USD).unwrap(),
            reason: "The supplier has called in doubt that the seminar took place".into(),
            claim: id(4),
        },
        Message::CoopAuditRequested {
            partner: partner.clone(),
            activity: seminar(),
            paid: Money::parse("1800.00", Currency::USD).unwrap(),
            due_on: day,
            claim: id(5),
            audit: id(4),
        },
        audited(None),
        audited(Some(Money::parse("800.00", Currency::USD).unwrap())),
        Message::StatementReady {
            partner: partner.clone(),
            partner_id: id(2),
            month: "2026-07".parse().unwrap(),
        },
    ]
}

fn wordings(locale: Locale) -> Vec<(Message, Wording)> {
    let name = match locale {
        Locale::En => "Anna <Müller>",
        Locale::Ja => "佐藤 花子",
    };
    let reader =
        Recipient { user_id: id(9), email: "anna@partner.example".into(), name: name.into(), locale };
    messages()
        .into_iter()
        .map(|message| (message.clone(), put(&message, &reader, "https://pi.example").unwrap()))
        .collect()
}

fn shown(locale: Locale, part: impl Fn(&Wording) -> &str) -> String {
    wordings(locale).iter().fold(String::new(), |mut all, (message, wording)| {
        // Writing into a `String` cannot fail.
        let _ = writeln!(all, "=== {}\n{}\n\n{}", message.kind(), wording.subject, part(wording));
        all
    })
}

#[test]
fn every_message_reads_well_as_text() {
    insta::assert_snapshot!("text_en", shown(Locale::En, |wording| &wording.text));
    insta::assert_snapshot!("text_ja", shown(Locale::Ja, |wording| &wording.text));
}

#[test]
fn every_message_is_a_document_in_html() {
    insta::assert_snapshot!("html_en", shown(Locale::En, |wording| &wording.html));
    insta::assert_snapshot!("html_ja", shown(Locale::Ja, |wording| &wording.html));
}

#[test]
fn what_people_are_called_is_no_markup_and_nothing_is_fetched() {
    for locale in Locale::ALL {
        for (message, wording) in wordings(*locale) {
            let html = &wording.html;
            assert!(
                !html.contains("<GmbH>") && !html.contains("<Müller>") && !html.contains("<x>"),
                "{html}"
            );
            assert!(
                !html.contains("&amp;amp;") && !html.contains("src=") && !html.contains("url("),
                "{html}"
            );
            assert!(html.contains(&format!("<html lang=\"{locale}\">")), "{html}");
            assert!(!wording.subject.contains('\n') && !wording.subject.is_empty(), "{message:?}");
        }
    }
}

#[test]
fn the_secret_is_in_no_wording_until_it_is_revealed() {
    for locale in Locale::ALL {
        let all = wordings(*locale);
        let secret = all.iter().filter(|(message, _)| message.secret().is_some());
        let secret: Vec<_> = secret.flat_map(|(_, wording)| [&wording.text, &wording.html]).collect();
        assert_eq!(secret.len(), 4);
        for words in secret {
            assert!(!words.contains("aaaaa-bbbbb"), "{words}");
            assert_eq!(reveal(words, "aaaaa-bbbbb").matches("aaaaa-bbbbb").count(), 1, "{words}");
        }
    }
}

#[test]
fn a_subject_is_one_line_whatever_a_name_holds() {
    assert_eq!(one_line("a\r\nBcc: everybody@x.example \t b"), "a Bcc: everybody@x.example b");
}
