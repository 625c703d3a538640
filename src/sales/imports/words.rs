//! How to mend a row that was left out, in words.

use super::ImportError;
use crate::platform::values::{Locale, Words};

/// What to do about an error, in a language.
#[must_use]
pub fn remedy(error: &ImportError, language: Locale) -> &'static str {
    language.of(of(&error.code, &error.pointer))
}

const fn words(en: &'static str, ja: &'static str) -> Words<'static> {
    Words::new(en, ja)
}

fn of(code: &str, pointer: &str) -> Words<'static> {
    match code {
        "unknown" => of_unknown(pointer),
        "unexpected" | "unknown_member" => words("Leave the value out.", "この値を削除してください。"),
        "required" | "too_short" => words("Fill in the value.", "値を入力してください。"),
        "too_long" if pointer.is_empty() => words(
            "Look for a quotation mark that is missing in this row or above, or shorten the row to 64 KiB.",
            "この行またはそれ以前の行の引用符の欠落を確認するか、行を 64 KiB 以内にしてください。",
        ),
        "too_long" => words("Shorten the text.", "文字列を短くしてください。"),
        "columns" => words(
            "Give the row as many cells as the first line has; put a text that holds the separator in quotation marks.",
            "セルの数を先頭行に合わせ、区切り文字を含む文字列は引用符で囲んでください。",
        ),
        "utf8" => {
            words("Save the file as UTF-8, then send it again.", "UTF-8 で保存し直して再送してください。")
        }
        "malformed" => words(
            "Write the row as one JSON object on one line.",
            "行を 1 行の JSON オブジェクトとして記述してください。",
        ),
        "control_character" => {
            words("Remove control characters from the text.", "文字列から制御文字を取り除いてください。")
        }
        "pattern" if pointer.starts_with("/amount") => of_amount(),
        "value" | "type" | "format" => of_value(pointer),
        "pattern" if matches!(pointer, "/partner_id" | "/provider_id") => of_value(pointer),
        "not_listed" => words(
            "Write one of the words that the message lists.",
            "メッセージに示された値のいずれかを記入してください。",
        ),
        "too_small" | "too_large" => words(
            "Write a number within the bounds that the message names.",
            "メッセージに示された範囲内の数値を記入してください。",
        ),
        "pattern" => {
            words("Write a text without spaces at its ends.", "前後に空白のない文字列を記入してください。")
        }
        code => of_rule(code),
    }
}

/// What to do about a row that can be read, and breaks a rule.
fn of_rule(code: &str) -> Words<'static> {
    match code {
        "transaction_conflict" => words(
            "Leave the row out where the record is right; else report a refund and a new purchase, each with an external_id of its own.",
            "記録が正しい場合は行を削除してください。そうでない場合は、それぞれ新しい external_id で返品と新しい購入を報告してください。",
        ),
        "refund_exceeds_purchase" => words(
            "Lower the refund to what can still be taken back, or leave it out.",
            "返品額を取消可能な残額以下にするか、行を削除してください。",
        ),
        "sign" => words(
            "Give a purchase an amount above zero, and a refund one below.",
            "購入の金額は正の値、返品の金額は負の値にしてください。",
        ),
        "in_the_future" => words(
            "Send the row on the day of the sale or later, or mend the day.",
            "販売日以降に送信するか、日付を修正してください。",
        ),
        "before_purchase" => words(
            "Give the refund the day of its purchase or a later one.",
            "返品の日付を購入日以降にしてください。",
        ),
        "not_a_provider" => words(
            "Name an indirect provider, or leave provider_id empty.",
            "間接プロバイダーを指定するか、provider_id を空にしてください。",
        ),
        "not_a_purchase" => words(
            "Name the purchase itself, not one of its refunds.",
            "返品ではなく、元の購入を指定してください。",
        ),
        "other_partner" => words(
            "Name a purchase of the same partner, or mend partner_id.",
            "同じパートナーの購入を指定するか、partner_id を修正してください。",
        ),
        "other_currency" => words(
            "Give the refund the currency of its purchase.",
            "返品の通貨を購入の通貨に合わせてください。",
        ),
        _ => words(
            "Mend the value as the message says, then send the row again.",
            "メッセージに従って値を修正し、行を再送してください。",
        ),
    }
}

fn of_unknown(pointer: &str) -> Words<'static> {
    match pointer {
        "/original_external_id" | "/original_transaction_id" => words(
            "Send the purchase in the same file or before, or mend its number and its source.",
            "購入を同じファイルまたは事前に送信するか、番号とソースを修正してください。",
        ),
        _ => words(
            "Register the partner first, or mend the partner's id or MPN id.",
            "先にパートナーを登録するか、パートナーの ID または MPN ID を修正してください。",
        ),
    }
}

fn of_amount() -> Words<'static> {
    words(
        "Write the amount with a decimal point, no grouping, and exactly the digits of its currency, such as 1234.50.",
        "金額は小数点を使用し、桁区切りなし、通貨の桁数どおりに記入してください (例: 1234.50)。",
    )
}

fn of_value(pointer: &str) -> Words<'static> {
    match pointer {
        pointer if pointer.starts_with("/amount") && pointer != "/amount/currency" => of_amount(),
        "/amount/currency" => words(
            "Write an ISO 4217 currency such as USD, EUR or JPY.",
            "ISO 4217 の通貨コードを記入してください (例: USD、EUR、JPY)。",
        ),
        "/customer/country" => words(
            "Write an ISO 3166-1 country of two letters, such as US, DE or JP.",
            "ISO 3166-1 の 2 文字の国コードを記入してください (例: US、DE、JP)。",
        ),
        "/occurred_on" => {
            words("Write the day as in 2026-07-01.", "日付は 2026-07-01 の形式で記入してください。")
        }
        "/partner_id" | "/provider_id" => words(
            "Write the partner's id or its MPN id of 6 to 10 digits.",
            "パートナーの ID または 6～10 桁の MPN ID を記入してください。",
        ),
        "/kind" => words("Write purchase or refund.", "purchase または refund を記入してください。"),
        "/units" => words("Write a whole number.", "整数を記入してください。"),
        "/customer/public_sector" => words("Write true or false.", "true または false を記入してください。"),
        _ => words(
            "Mend the value as the message says, then send the row again.",
            "メッセージに従って値を修正し、行を再送してください。",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_remedy_is_said_in_each_language() {
        let codes = [
            "unknown",
            "transaction_conflict",
            "refund_exceeds_purchase",
            "sign",
            "in_the_future",
            "before_purchase",
            "not_a_provider",
            "not_a_purchase",
            "other_partner",
            "other_currency",
            "unexpected",
            "required",
            "too_long",
            "columns",
            "utf8",
            "malformed",
            "control_character",
            "pattern",
            "value",
            "type",
            "format",
            "not_listed",
            "too_small",
            "anything else",
        ];
        let pointers = [
            "",
            "/partner_id",
            "/original_external_id",
            "/amount",
            "/amount/currency",
            "/customer/country",
            "/occurred_on",
            "/kind",
            "/units",
            "/customer/public_sector",
        ];
        for (code, pointer) in codes.iter().flat_map(|code| pointers.map(|pointer| (code, pointer))) {
            let Words { en, ja } = of(code, pointer);
            assert!(en.is_ascii() && !ja.is_ascii() && en.len() < 400, "{code} {pointer}");
        }
    }

    #[test]
    fn an_amount_with_a_comma_is_told_to_have_a_point() {
        assert!(of("value", "/amount").en.contains("decimal point"));
        assert!(of("pattern", "/amount/amount").en.contains("decimal point"));
        assert!(of("pattern", "/partner_id").en.contains("MPN id"));
    }
}
