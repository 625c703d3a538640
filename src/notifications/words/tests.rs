use super::*;
use crate::{platform::values::Id, text};
use std::fmt::Write;

fn id(n: u128) -> Id {
    Id(uuid::Uuid::from_u128(0x0193_6f2e_4b00_7000_8000_0000_0000_0000 + n))
}

/// One message of every kind; names hold characters that must be escaped.
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
    vec![
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
        Message::NewSignIn { at, address: "203.0.113.7".into(), user_agent: Some("curl/8.5 <x>".into()) },
        Message::NewSignIn { at, address: "2001:db8::7".into(), user_agent: None },
        new_account(Some(day)),
        new_account(None),
        paid("1234567.50", "USD"),
        paid("1234567", "JPY"),
        paid("123.450", "KWD"),
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
