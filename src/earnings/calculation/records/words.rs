//! Why something does not earn, and what to do about it, in words.

use crate::{earnings::engine::Reason, platform::values::Money};

/// What is the matter.
#[must_use]
pub fn message(reason: &Reason, capped: Option<Money>) -> String {
    match (reason, capped) {
        (Reason::CapPartiallyApplied | Reason::CapReached, Some(capped)) if capped.minor < 0 => {
            format!(
                "A refund takes back {} of what the cap had cut off.",
                Money { minor: -capped.minor, ..capped }
            )
        }
        (Reason::CapPartiallyApplied | Reason::CapReached, Some(capped)) => {
            format!("The lever's cap cuts off {capped}.")
        }
        _ => said(reason).0.to_owned(),
    }
}

/// What to do about it; none where nothing can be done.
#[must_use]
pub fn remedy(reason: &Reason) -> Option<&'static str> {
    said(reason).1
}

fn said(reason: &Reason) -> (&'static str, Option<&'static str>) {
    match reason {
        Reason::Rule(code) => of_rule(code),
        Reason::OutsideEnrollment => (
            "The partner was not enrolled on the day of the sale.",
            Some(
                "Complete the enrollment: what its start covers is judged again. Later sales earn from then on.",
            ),
        ),
        Reason::CustomerIsPartner => {
            ("The customer is a partner itself, and the lever leaves those out.", None)
        }
        Reason::CustomerPublicSector => {
            ("The customer belongs to the public sector, and the lever leaves that out.", None)
        }
        Reason::CustomerCountry => ("The lever does not cover the customer's country.", None),
        Reason::ProductNotEligible => ("The product is not one of those the lever earns on.", None),
        Reason::CustomerNotNew => {
            ("The customer has bought from the partner before, too recently to be new.", None)
        }
        Reason::NoGrowth => {
            ("The month has not grown over its baseline.", Some("More sales of the month may still lift it."))
        }
        Reason::AmountTooSmall => ("What it gives rounds to nothing.", None),
        Reason::CapPartiallyApplied => ("The lever's cap took a part.", None),
        Reason::CapReached => ("The lever's cap is used up.", None),
        Reason::ExchangeRateMissing => (
            "An exchange rate of the month or of one it is compared with is not published yet.",
            Some("Programme staff publish the rate; what waits for it is judged again then."),
        ),
    }
}

fn of_rule(code: &str) -> (&'static str, Option<&'static str>) {
    let renewed =
        Some("Have an agreement registered that covers the day of the sale; it is judged again then.");
    match code {
        code if code.starts_with("mpn_agreement") => {
            ("No MPN agreement was in force on the day of the sale.", renewed)
        }
        code if code.starts_with("distributor_a") => {
            ("No distributor agreement that counts was in force on the day of the sale.", renewed)
        }
        code if code.starts_with("reseller_agreement") => {
            ("No reseller agreement was in force on the day of the sale.", renewed)
        }
        code if code.starts_with("competency") => (
            "The competencies the program asks for were not held on the day of the sale.",
            Some("Have a competency registered that covers the day of the sale; it is judged again then."),
        ),
        "first_transaction_missing" => {
            ("On the day of the sale there was no purchase that is kept.", Some("Report the first purchase."))
        }
        "revenue_threshold_not_met" => (
            "The revenue before the sale did not reach the program's threshold.",
            Some("Report sales that are missing; the sale is judged again then."),
        ),
        _ => (
            "A rule of the program was not met on the day of the sale.",
            Some("Mend the rule for that day; the sale is judged again then."),
        ),
    }
}
