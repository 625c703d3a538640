//! Why banks reject or return payments: the codes of ISO 20022 (external code sets of status and return reasons).

use crate::platform::values::Words;

/// Whose task a reason is; of several reasons the first of these counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Task {
    /// A person looks at a regulation; the payment is not made again by itself.
    Compliance,
    /// The partner mends its payout profile.
    Partner,
    /// An operator mends the file, the payer account or the payment.
    Operator,
}

/// A reason of a bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BankReason {
    /// The code.
    pub code: &'static str,
    /// Whose task it is.
    pub task: Task,
    /// What happened and what mends it, in the words of whose task it is.
    pub remedy: Words<'static>,
}

impl BankReason {
    /// The reason of a code; none of a code that is not known.
    #[must_use]
    pub fn of(code: &str) -> Option<&'static Self> {
        REASONS.iter().find(|reason| reason.code == code)
    }

    /// Every reason that is known.
    #[must_use]
    pub const fn all() -> &'static [Self] {
        REASONS
    }
}

const NUMBER: Words<'static> = Words::new(
    "The bank does not know the account: check the account number or IBAN of your payout profile.",
    "銀行で口座が見つかりません。支払先情報の口座番号またはIBANを確認してください。",
);
const CLOSED: Words<'static> = Words::new(
    "The account is closed: give another account in your payout profile.",
    "口座が解約されています。支払先情報に別の口座を登録してください。",
);
const BLOCKED: Words<'static> = Words::new(
    "The account is blocked: ask your bank, or give another account in your payout profile.",
    "口座が凍結されています。銀行に確認するか、支払先情報に別の口座を登録してください。",
);
const FORBIDDEN: Words<'static> = Words::new(
    "The account does not take transfers of this kind: give another account in your payout profile.",
    "この口座ではこの種類の振込を受け取れません。支払先情報に別の口座を登録してください。",
);
const ADDRESS: Words<'static> = Words::new(
    "The bank asks for name and address: complete the town, street and country in your payout profile.",
    "銀行が名義と住所を求めています。支払先情報の市区町村、番地、国を入力してください。",
);
const NAME: Words<'static> = Words::new(
    "The name is not the account holder's: write it in your payout profile as your bank does.",
    "名義が口座名義人と一致しません。支払先情報の名義を銀行の表記どおりに修正してください。",
);
const BANK: Words<'static> = Words::new(
    "The bank's code is wrong: check the BIC or bank code of your payout profile.",
    "銀行コードが正しくありません。支払先情報のBICまたは銀行コードを確認してください。",
);
const UNREACHED: Words<'static> = Words::new(
    "The bank takes no such transfers: give an account at another bank in your payout profile.",
    "この銀行はこの種類の振込に対応していません。支払先情報に別の銀行の口座を登録してください。",
);
const CURRENCY: Words<'static> = Words::new(
    "The account does not take the currency of the payment: give an account that does in your payout profile.",
    "口座が支払通貨に対応していません。支払先情報に対応する口座を登録してください。",
);
const FUNDS: Words<'static> = Words::new(
    "The payer account has too little money: fund it, then pay again.",
    "支払元口座の残高が不足しています。入金後に再度支払ってください。",
);
const TWICE: Words<'static> = Words::new(
    "The bank takes the payment for one it has: look whether it was paid, and pay again only if not.",
    "銀行で重複と判断されました。支払済みかどうかを確認し、未払いの場合のみ再度支払ってください。",
);
const FORM: Words<'static> = Words::new(
    "The bank cannot read the file: compare the file with the rules of the bank.",
    "銀行がファイルを処理できません。銀行の仕様とファイルを照合してください。",
);
const LATE: Words<'static> = Words::new(
    "The file came after the bank's cut-off time: pay again with a later execution date.",
    "銀行の締切時刻を過ぎています。後の実行日で再度支払ってください。",
);
const UNSAID: Words<'static> = Words::new(
    "The bank gives no reason: ask the bank.",
    "銀行から理由が示されていません。銀行に問い合わせてください。",
);
const DATE: Words<'static> = Words::new(
    "The bank does not take the execution date: pay again on the next banking day.",
    "実行日が銀行で受け付けられません。次の銀行営業日で再度支払ってください。",
);
const AMOUNT: Words<'static> = Words::new(
    "The bank does not take the amount: check limits and totals with the bank.",
    "金額が銀行で受け付けられません。限度額と合計額を銀行に確認してください。",
);
const PAYER: Words<'static> = Words::new(
    "The bank refuses the payer account or its holder: check the payer account with the bank.",
    "支払元口座または名義が銀行で拒否されました。支払元口座を銀行に確認してください。",
);
const RECALLED: Words<'static> = Words::new(
    "The payment was recalled: decide whether it is made again.",
    "支払が取り消されました。再度支払うかどうかを判断してください。",
);
const REFUSED: Words<'static> = Words::new(
    "The payee or its bank sent the money back: ask the partner, then pay again.",
    "受取人またはその銀行から返金されました。パートナーに確認してから再度支払ってください。",
);
const REGULATION: Words<'static> = Words::new(
    "The bank stopped the payment for a regulation: nothing is paid again before compliance has decided.",
    "規制上の理由で銀行が支払を停止しました。コンプライアンスの判断があるまで再度の支払は行われません。",
);

const fn partner(code: &'static str, remedy: Words<'static>) -> BankReason {
    BankReason { code, task: Task::Partner, remedy }
}

const fn operator(code: &'static str, remedy: Words<'static>) -> BankReason {
    BankReason { code, task: Task::Operator, remedy }
}

static REASONS: &[BankReason] = &[
    partner("AC01", NUMBER),
    partner("AC03", NUMBER),
    partner("AC04", CLOSED),
    partner("AC06", BLOCKED),
    partner("AC07", CLOSED),
    partner("AC14", FORBIDDEN),
    partner("AC16", BLOCKED),
    partner("AG01", FORBIDDEN),
    partner("AM03", CURRENCY),
    partner("BE01", NAME),
    partner("BE04", ADDRESS),
    partner("BE06", NAME),
    partner("BE22", ADDRESS),
    partner("CNOR", UNREACHED),
    partner("CURR", CURRENCY),
    partner("RC01", BANK),
    partner("RC04", BANK),
    partner("RC07", BANK),
    partner("RC08", BANK),
    partner("RC11", BANK),
    partner("RR03", ADDRESS),
    operator("AC02", PAYER),
    operator("AG02", FORM),
    operator("AG03", FORM),
    operator("AM01", AMOUNT),
    operator("AM02", AMOUNT),
    operator("AM04", FUNDS),
    operator("AM05", TWICE),
    operator("AM09", AMOUNT),
    operator("AM10", AMOUNT),
    operator("AM12", AMOUNT),
    operator("AM14", AMOUNT),
    operator("AM18", AMOUNT),
    operator("AM21", AMOUNT),
    operator("CUST", RECALLED),
    operator("DNOR", PAYER),
    operator("DT01", DATE),
    operator("DU01", TWICE),
    operator("DU02", TWICE),
    operator("DU03", TWICE),
    operator("DU04", TWICE),
    operator("DUPL", TWICE),
    operator("FF01", FORM),
    operator("FOCR", RECALLED),
    operator("MS02", REFUSED),
    operator("MS03", UNSAID),
    operator("NARR", UNSAID),
    operator("RR01", PAYER),
    operator("RR02", PAYER),
    operator("TM01", LATE),
    BankReason { code: "RR04", task: Task::Compliance, remedy: REGULATION },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_stands_once_with_a_remedy_in_both_languages() {
        let mut codes: Vec<&str> = REASONS.iter().map(|reason| reason.code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), REASONS.len());
        for BankReason { code, task, remedy } in REASONS {
            assert_eq!(code.len(), 4);
            assert!(!remedy.ja.is_ascii() && remedy.en.ends_with('.'), "{code}");
            let of_profile = remedy.en.contains("your payout profile");
            assert_eq!(of_profile, *task == Task::Partner, "{code} is told to whose task it is");
        }
    }
}
