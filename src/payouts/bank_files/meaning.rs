//! What the codes of banks mean for a payment, and whose task comes next.

use super::reason::{BankReason, Task};
use crate::platform::values::Words;

/// What a status means for a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The bank has taken the payment, or passed it on; nothing is paid yet.
    Accepted,
    /// The payment is settled.
    Settled,
    /// The payment waits at the bank.
    PendingAtBank,
    /// The payment was rejected, and somebody has to mend what caused it.
    Failed(Task),
    /// The payment was held or rejected for a regulation: no automatic retry.
    OnHoldRegulatory,
    /// The name of the payee was compared with the account's; neither acceptance nor rejection.
    NameCheck(NameCheck),
    /// Some of the payments were taken and others not; each has a line of its own.
    InParts,
    /// The code is none that is known: a person decides.
    Unknown,
}

/// What comparing the payee's name with the account's gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameCheck {
    /// The names agree.
    Match,
    /// The names nearly agree; the bank tells the account holder's real name.
    CloseMatch,
    /// The names differ.
    NoMatch,
    /// The names could not be compared.
    NotPossible,
}

impl NameCheck {
    /// The result, and what a person decides.
    #[must_use]
    pub const fn words(self) -> Words<'static> {
        match self {
            Self::Match => Words::new(
                "The payee's name agrees with the account.",
                "受取人名は口座名義と一致しています。",
            ),
            Self::CloseMatch => Words::new(
                "The payee's name nearly agrees with the account: compare it with the name the bank tells, then release or stop the payment.",
                "受取人名が口座名義とほぼ一致しています。銀行から通知された名義と照合し、支払の続行または停止を判断してください。",
            ),
            Self::NoMatch => Words::new(
                "The payee's name is not the account's: ask the partner before the payment is released.",
                "受取人名が口座名義と一致しません。支払を続行する前にパートナーに確認してください。",
            ),
            Self::NotPossible => Words::new(
                "The bank could not compare the payee's name: release or stop the payment by hand.",
                "銀行で受取人名を照合できませんでした。支払の続行または停止を個別に判断してください。",
            ),
        }
    }
}

impl Meaning {
    /// The meaning of a status with its reasons. Of several reasons a regulation counts first, then what lies with the
    /// partner, since the profile must be mended before the payment is made again.
    #[must_use]
    pub fn of<'r>(status: &str, reasons: impl IntoIterator<Item = &'r str>) -> Self {
        match status {
            "ACCP" | "ACFC" | "ACSP" | "ACTC" | "ACWC" | "ACWP" | "RCVD" => Self::Accepted,
            "ACCC" | "ACSC" => Self::Settled,
            "PATC" | "PDNG" => Self::PendingAtBank,
            "RJCT" => Self::rejected(reasons),
            "CANC" => Self::Failed(Task::Operator),
            "BLCK" => Self::OnHoldRegulatory,
            "PART" => Self::InParts,
            "RCVC" => Self::NameCheck(NameCheck::Match),
            "RVMC" => Self::NameCheck(NameCheck::CloseMatch),
            "RVNM" => Self::NameCheck(NameCheck::NoMatch),
            "RVNA" => Self::NameCheck(NameCheck::NotPossible),
            _ => Self::Unknown,
        }
    }

    fn rejected<'r>(reasons: impl IntoIterator<Item = &'r str>) -> Self {
        let tasks = reasons.into_iter().filter_map(BankReason::of).map(|reason| reason.task);
        // The order of the tasks is the order in which they count.
        match tasks.min() {
            Some(Task::Compliance) => Self::OnHoldRegulatory,
            Some(task) => Self::Failed(task),
            None => Self::Failed(Task::Operator),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_means_what_banks_say_it_means() {
        let accepted = ["ACTC", "ACCP", "ACSP"].map(|code| (code, "", Meaning::Accepted));
        let settled = ["ACSC", "ACCC"].map(|code| (code, "", Meaning::Settled));
        let of_partner = ["AC01", "AC04", "AC06", "AG01", "BE04", "RC01", "RR03", "CNOR"]
            .map(|reason| ("RJCT", reason, Meaning::Failed(Task::Partner)));
        let of_operator = ["AM04", "AM05", "DUPL", "FF01", "TM01", "MS03", "XYZ1", ""]
            .map(|reason| ("RJCT", reason, Meaning::Failed(Task::Operator)));
        let others = [
            ("PDNG", "", Meaning::PendingAtBank),
            ("RJCT", "RR04", Meaning::OnHoldRegulatory),
            ("RCVC", "", Meaning::NameCheck(NameCheck::Match)),
            ("RVMC", "", Meaning::NameCheck(NameCheck::CloseMatch)),
            ("RVNM", "", Meaning::NameCheck(NameCheck::NoMatch)),
            ("RVNA", "", Meaning::NameCheck(NameCheck::NotPossible)),
            ("PART", "", Meaning::InParts),
            ("ACSP", "RR04", Meaning::Accepted),
            ("acsc", "", Meaning::Unknown),
            ("", "", Meaning::Unknown),
        ];
        let all = accepted.into_iter().chain(settled).chain(of_partner).chain(of_operator).chain(others);
        for (status, reason, expected) in all {
            assert_eq!(Meaning::of(status, [reason]), expected, "{status} {reason}");
        }
    }

    #[test]
    fn of_several_reasons_a_regulation_counts_first_and_the_profile_next() {
        let of = |reasons: &[&str]| Meaning::of("RJCT", reasons.iter().copied());
        assert_eq!(of(&["AM05", "AC01", "RR04"]), Meaning::OnHoldRegulatory);
        assert_eq!(of(&["AM05", "AC01"]), Meaning::Failed(Task::Partner));
        assert_eq!(of(&["AM05", "ZZZZ"]), Meaning::Failed(Task::Operator));
        assert_eq!(of(&[]), Meaning::Failed(Task::Operator));
    }
}
