//! The remittance advice as a page, to read in a browser and to print on A4. The page loads nothing from elsewhere.

use super::{model::PaymentState, remittance::Remittance};
use crate::{
    earnings::statements::{STYLE, figure},
    notifications::{day, month},
    platform::{
        Error, Result,
        values::{Locale, Month},
    },
};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context, syntax::SyntaxConfig, value::Serde};
use std::{collections::BTreeMap, sync::LazyLock};

static PAGE: LazyLock<Result<Environment<'static>, minijinja::Error>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.add_filter("figure", figure);
    environment.add_template("remittance", include_str!("templates/remittance.html"))?;
    Ok(environment)
});

/// The texts of the page: the name in the template, the English and the Japanese text.
const WORDS: &[(&str, &str, &str)] = &[
    ("title", "Remittance advice", "支払通知書"),
    ("partner", "Partner", "パートナー"),
    ("mpn_id", "MPN ID", "MPN ID"),
    ("document", "Document", "文書"),
    ("credit_note", "Credit note", "貸方票"),
    ("self_billed_invoice", "Self-billed invoice", "仕入明細書"),
    ("no_document", "Not approved yet", "未承認"),
    ("reference", "Reference on the bank statement", "照会番号（入金明細に表示）"),
    ("state", "State", "状態"),
    ("sent_on", "Sent to the bank on", "送金日"),
    ("settled_on", "Arrived on", "着金日"),
    ("lines", "What the payment pays", "お支払いの内訳"),
    ("program", "Program", "プログラム"),
    ("source", "For", "内容"),
    ("earning", "Earned by the lever", "獲得（レバー）"),
    ("adjustment", "Adjustment by hand", "手動調整"),
    (
        "coop_conversion",
        "Co-op below the threshold, now rebate",
        "基準額未満のためリベートに振り替えた Co-op",
    ),
    ("coop_expense", "Approved expenses of a co-op claim", "承認された Co-op 申請の費用"),
    ("posted_in", "Paid with", "支払対象月"),
    ("earned_in", "Earned in", "獲得月"),
    ("currency", "Currency", "通貨"),
    ("amount", "Amount", "金額"),
    ("withheld", "Tax withheld", "源泉徴収税額"),
    ("net", "Paid", "お支払い額"),
    ("gross", "Sum of the lines", "内訳の合計"),
    (
        "note",
        "Amounts below zero are set off against the others. The lines sum to the gross amount; the amount paid is the gross amount less tax. The earnings behind a line are found by program, lever, month of earning and month of payment.",
        "マイナスの金額は他の金額と相殺されます。内訳の合計が総額となり、総額から税額を差し引いた金額をお支払いします。各行の獲得額は、プログラム、レバー、獲得月、支払対象月で確認できます。",
    ),
    ("created", "Waits for approval", "承認待ち"),
    ("approved", "Approved", "承認済み"),
    ("in_file", "In a file for the bank", "銀行ファイル作成済み"),
    ("sent", "Sent to the bank", "送金手続き済み"),
    ("pending_at_bank", "Waits at the bank", "銀行で処理中"),
    ("settled", "Arrived", "着金済み"),
    ("stopped", "Stopped", "支払中止"),
    ("failed", "Failed", "支払不成立"),
    ("returned", "Came back", "返金"),
    ("reversed", "Taken back", "取消"),
];

fn words(language: Locale) -> BTreeMap<&'static str, &'static str> {
    let text = |(name, english, japanese): &(&'static str, &'static str, &'static str)| match language {
        Locale::En => (*name, *english),
        Locale::Ja => (*name, *japanese),
    };
    WORDS.iter().map(text).collect()
}

/// The remittance advice as HTML.
pub(super) fn page(remittance: &Remittance, state: PaymentState, language: Locale) -> Result<String> {
    let words = words(language);
    let months: BTreeMap<String, String> =
        remittance.months().map(|of: Month| (of.to_string(), month(of, language))).collect();
    let facts = context! {
        lang => language.as_str(),
        style => STYLE,
        state => words.get(state.as_str()).copied(),
        sent_on => remittance.sent_on.map(|on| day(on, language)),
        settled_on => remittance.settled_on.map(|on| day(on, language)),
        t => words,
        it => Serde(remittance),
        months,
    };
    let environment = PAGE.as_ref().map_err(|error| Error::internal(error.to_string()))?;
    let template = environment.get_template("remittance").map_err(Error::internal)?;
    template.render(facts).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_and_text_has_words_in_each_language() {
        for language in Locale::ALL {
            let known = words(*language);
            assert!(PaymentState::ALL.iter().all(|state| known.contains_key(state.as_str())));
        }
        for (name, english, japanese) in WORDS {
            assert!(english.is_ascii() && (*name == "mpn_id" || !japanese.is_ascii()), "{name}");
        }
    }
}
