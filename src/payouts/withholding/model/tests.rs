use super::*;
use crate::network::profiles::{Secret, TaxNotes};

fn day(text: &str) -> CalendarDate {
    text.parse().unwrap()
}

fn id(n: u128) -> Id {
    Id(uuid::Uuid::from_u128(n))
}

fn rate(n: u128, key: WithholdingKey, from: &str, to: Option<&str>) -> WithholdingRate {
    WithholdingRate {
        id: id(n),
        payee_country: key.payee_country,
        form_state: key.form_state,
        earning: key.earning,
        kind: WithholdingKind::None,
        rate: Rate::ZERO,
        valid_from: day(from),
        valid_to: to.map(day),
        created_at: Timestamp::from_micros(0),
        created_by: None,
    }
}

#[test]
fn of_every_combination_the_row_of_the_country_is_chosen_then_that_of_every_country() {
    let countries = ["US", "JP", "DE"].map(|code| code.parse::<Country>().unwrap());
    let keys: Vec<WithholdingKey> = FormState::ALL
        .iter()
        .flat_map(|form_state| EarningKind::ALL.iter().map(move |earning| (*form_state, *earning)))
        .flat_map(|(form_state, earning)| {
            let of = move |payee_country| WithholdingKey { payee_country, form_state, earning };
            [None, Some(countries[0]), Some(countries[1])].map(of)
        })
        .collect();
    // Every key has a row for 2026 and one from 2027 on; each row is found by its id.
    let rates: Vec<WithholdingRate> = keys
        .iter()
        .zip((0..).step_by(2))
        .flat_map(|(key, n)| {
            [rate(n, *key, "2026-01-01", Some("2026-12-31")), rate(n + 1, *key, "2027-01-01", None)]
        })
        .collect();
    let mut chosen = 0;
    for country in countries {
        for form_state in FormState::ALL {
            for earning in EarningKind::ALL {
                let asked = WithholdingKey {
                    payee_country: Some(country),
                    form_state: *form_state,
                    earning: *earning,
                };
                let own = if country == countries[2] { None } else { Some(country) };
                let place =
                    keys.iter().position(|key| *key == WithholdingKey { payee_country: own, ..asked });
                let place = u128::try_from(place.unwrap()).unwrap();
                for (on, expected) in [
                    ("2025-12-31", None),
                    ("2026-01-01", Some(2 * place)),
                    ("2026-12-31", Some(2 * place)),
                    ("2027-01-01", Some(2 * place + 1)),
                    ("2050-01-01", Some(2 * place + 1)),
                ] {
                    let found = WithholdingRate::choose(&rates, asked, day(on)).map(|rate| rate.id);
                    assert_eq!(found, expected.map(id), "{asked:?} {on}");
                    chosen += 1;
                }
            }
        }
    }
    assert_eq!(chosen, 3 * 6 * 2 * 5);
}

#[test]
fn a_country_whose_own_row_has_not_begun_has_that_of_every_country() {
    let us = "US".parse().unwrap();
    let any = WithholdingKey { payee_country: None, form_state: FormState::W8, earning: EarningKind::CoOp };
    let own = WithholdingKey { payee_country: Some(us), ..any };
    let rates = [rate(1, any, "1900-01-01", None), rate(2, own, "2027-01-01", None)];
    let chosen = |on: &str| WithholdingRate::choose(&rates, own, day(on)).map(|rate| rate.id);
    assert_eq!((chosen("2026-12-31"), chosen("2027-01-01")), (Some(id(1)), Some(id(2))));
}

#[test]
fn a_form_counts_where_it_is_approved_and_holds() {
    let profile = |form, state, tin_status, expires_on: Option<&str>| Profile {
        id: id(1),
        partner_id: id(2),
        terms: TaxTerms {
            form,
            tax_country: "US".parse().unwrap(),
            tax_id: Secret::new("12-3456789"),
            signed_on: day("2026-01-01"),
            expires_on: expires_on.map(day),
        },
        notes: TaxNotes { tin_status },
        state,
        rejection_reason: None,
        approved_by: None,
        created_at: Timestamp::from_micros(0),
        updated_at: Timestamp::from_micros(0),
        revision: 1,
    };
    let today = day("2026-07-01");
    assert_eq!(FormState::of(None, today), FormState::None);
    for form in TaxForm::ALL {
        for tin_status in TinStatus::ALL {
            for state in ProfileState::ALL {
                for expires_on in [None, Some("2026-07-01"), Some("2026-06-30")] {
                    let holds = *state == ProfileState::Approved && expires_on != Some("2026-06-30");
                    let expected = match (form, tin_status) {
                        _ if !holds => FormState::None,
                        (TaxForm::W9, TinStatus::Matched) => FormState::W9Matched,
                        (TaxForm::W9, _) => FormState::W9Unmatched,
                        (TaxForm::W8BenE, _) => FormState::W8,
                        (TaxForm::Vat, _) => FormState::Vat,
                        (TaxForm::Other, _) => FormState::Other,
                    };
                    let profile = profile(*form, *state, *tin_status, expires_on);
                    assert_eq!(FormState::of(Some(&profile), today), expected, "{profile:?}");
                }
            }
        }
    }
}
