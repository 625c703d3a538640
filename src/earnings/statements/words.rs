//! The texts of a statement, in English and in Japanese.

use crate::{
    participation::programs::{Lever, LeverScale, LeverTier, Method},
    platform::values::{Locale, Month, Rate},
};
use std::collections::BTreeMap;

pub(super) use crate::notifications::month;

/// The texts of the page: the name in the template, the English and the Japanese text.
const WORDS: &[(&str, &str, &str)] = &[
    ("title", "Incentive statement", "インセンティブ明細書"),
    ("partner", "Partner", "パートナー"),
    ("mpn_id", "MPN ID", "MPN ID"),
    ("country", "Country", "国"),
    ("month", "Month", "対象月"),
    ("state", "State", "状態"),
    ("open", "Open: figures may still change", "未締め（金額は今後変わることがあります）"),
    ("closed", "Closed on", "締め日"),
    ("as_of", "Figures as of", "集計時点"),
    ("no_figures", "not calculated yet", "未集計"),
    ("summary", "Summary", "合計"),
    ("program_year", "Program year", "プログラム年度"),
    ("currency", "Currency", "通貨"),
    ("earned", "Earned", "獲得額"),
    ("rebate", "Rebate", "リベート"),
    ("coop", "Co-op", "Co-op"),
    ("adjusted", "Adjusted", "調整額"),
    ("owed", "Rebate owed", "支払対象額"),
    ("total", "Total", "計"),
    ("earnings", "Earnings of the month", "当月の獲得額"),
    ("corrections", "Corrections of earlier months", "過去月分の訂正"),
    ("lever", "Lever", "区分"),
    ("terms", "Terms", "条件"),
    ("applies_to", "Applies to", "対象月"),
    ("count", "Number", "件数"),
    ("base", "Base", "対象額"),
    ("amount", "Amount", "金額"),
    ("slice", "of which at", "うち料率"),
    ("adjustments", "Adjustments", "個別調整"),
    ("converted", "Co-op below the threshold, now rebate", "基準額未満のためリベートに振り替えた Co-op"),
    ("reason", "Reason", "理由"),
    ("sales_correction", "Sales corrected", "販売実績の訂正"),
    ("calculation_correction", "Calculation corrected", "計算の訂正"),
    ("dispute", "Objection upheld", "異議の認容"),
    ("goodwill", "Goodwill", "特別措置"),
    ("compliance", "Programme rules", "プログラム規約"),
    ("migration", "Owed from before", "移行前の債務"),
    ("ineligible", "What did not earn", "対象外となったもの"),
    ("records", "Records", "件数"),
    ("cured", "Mended since", "解消済み"),
    ("billed", "Billed", "請求額"),
    ("capped", "Cut off by a cap", "上限超過額"),
    ("payment", "Payment", "お支払い"),
    ("balance", "Carried in, new, paid, carried out", "繰越・当月・支払・次月繰越"),
    ("carried_in", "Carried in", "前月繰越"),
    ("new", "New", "当月分"),
    ("paid_since", "Paid", "支払額"),
    ("forfeited_since", "Lost", "失効額"),
    ("carried_out", "Carried out", "次月繰越"),
    ("under_way", "Of it in payment", "うち支払手続中"),
    ("held", "Of it on hold", "うち保留"),
    ("missing", "Missing to the threshold", "最低支払額までの不足額"),
    ("payments", "Paid to the bank account", "口座への支払"),
    ("reference", "Reference on the bank statement", "照会番号（入金明細に表示）"),
    ("day", "Day", "日付"),
    ("coop_funds", "Co-op funds", "Co-op 資金"),
    ("half_year", "Half-year from", "対象半期（開始月）"),
    ("claims_until", "Claims until", "申請期限"),
    ("fund_planned", "Planned", "計画分"),
    ("fund_committed", "Claimed", "申請分"),
    ("fund_remaining", "Remaining", "残額"),
    ("fund_estimated", "estimated", "見込み"),
    ("fund_claimable", "claimable", "申請可能"),
    ("fund_ended", "ended", "終了"),
    ("to_be_lost", "About to be lost (from)", "失効予定額（失効日）"),
    ("accruing", "Accruing: payable once the month is closed", "積算中（月の締め後に支払対象となります）"),
    ("payable", "Payable with the next payment", "次回支払対象"),
    ("on_hold", "On hold", "保留中"),
    ("in_payment", "In payment", "支払手続中"),
    ("paid", "Paid", "支払済み"),
    ("failed", "The payment failed", "支払不成立"),
    ("forfeited", "Forfeited", "失効"),
    ("offset", "Set off against another month", "他の月と相殺"),
    ("chart", "Earnings by month and lever", "月別・区分別の獲得額"),
    (
        "chart_desc",
        "Stacked bars, one for each month it is paid with; the table below has the figures.",
        "支払月ごとの積み上げ棒グラフ。数値は下の表のとおりです。",
    ),
    ("nothing", "Nothing was posted in this month.", "この月に計上されたものはありません。"),
    ("no_programs", "There is no enrollment for this month.", "この月に該当するプログラムはありません。"),
    ("other", "Other levers", "その他"),
    (
        "rounding",
        "Each earning is rounded by itself; totals are sums of rounded amounts. Rebates are paid by month and currency; co-op funds are claimed.",
        "各獲得額は個別に端数処理され、合計は処理後の金額の和です。リベートは月・通貨ごとに支払われ、Co-op は請求により支払われます。",
    ),
];

/// The texts of the page in one language, by their name in the template.
pub(super) fn of_page(language: Locale) -> BTreeMap<&'static str, &'static str> {
    let text = |(name, english, japanese): &(&'static str, &'static str, &'static str)| match language {
        Locale::En => (*name, *english),
        Locale::Ja => (*name, *japanese),
    };
    WORDS.iter().map(text).collect()
}

/// A month where there is little room: Jul, 7月.
pub(super) fn short_month(of: Month, language: Locale) -> String {
    match language {
        Locale::En => month(of, language).chars().take(3).collect(),
        Locale::Ja => format!("{}月", of.first_day().month()),
    }
}

/// The rate at which a lever earns, in words.
pub(super) fn terms(lever: &Lever, language: Locale) -> String {
    let japanese = language == Locale::Ja;
    match lever.method() {
        Method::Rate { scale, .. } => match scale {
            LeverScale::Flat { rate } => percent(*rate),
            LeverScale::Marginal { tiers, .. } if japanese => format!("{}（段階別）", span(tiers)),
            LeverScale::Marginal { tiers, .. } => format!("{}, each slice of the volume", span(tiers)),
            LeverScale::Retroactive { tiers, .. } if japanese => format!("{}（到達段階）", span(tiers)),
            LeverScale::Retroactive { tiers, .. } => format!("{}, by the volume reached", span(tiers)),
        },
        Method::Growth { rate, .. } if japanese => format!("増加額の{}", percent(rate)),
        Method::Growth { rate, .. } => format!("{} of the growth", percent(rate)),
        Method::NewCustomer { amount, .. } if japanese => {
            format!("新規顧客ごとに {} {}", amount.currency, amount.grouped())
        }
        Method::NewCustomer { amount, .. } => {
            format!("{} {} for each new customer", amount.currency, amount.grouped())
        }
        Method::Activity { amount } if japanese => {
            format!("取得したコンピテンシーごとに {} {}", amount.currency, amount.grouped())
        }
        Method::Activity { amount } => {
            format!("{} {} for each competency attained", amount.currency, amount.grouped())
        }
    }
}

fn span(tiers: &[LeverTier]) -> String {
    let rates = || tiers.iter().map(|tier| tier.rate);
    match (rates().min(), rates().max()) {
        (Some(least), Some(most)) if least != most => format!("{}–{}", percent(least), percent(most)),
        (Some(rate), _) => percent(rate),
        _ => String::new(),
    }
}

/// A rate in percent: `0.08` is 8 %.
pub(super) fn percent(rate: Rate) -> String {
    let (whole, fraction) = (rate.millionths() / 10_000, format!("{:04}", rate.millionths() % 10_000));
    match fraction.trim_end_matches('0') {
        "" => format!("{whole} %"),
        fraction => format!("{whole}.{fraction} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{
        accounting::{RebateState, coop_funds::CoopFundState},
        adjustments::AdjustmentReason,
    };

    #[test]
    fn a_rate_is_said_in_percent() {
        for (rate, said) in [("0.08", "8 %"), ("0.0125", "1.25 %"), ("1", "100 %"), ("0.000001", "0.0001 %")]
        {
            assert_eq!(percent(rate.parse().unwrap()), said);
        }
    }

    #[test]
    fn every_code_on_the_page_has_words_in_each_language() {
        let states = RebateState::ALL.iter().map(|state| state.as_str());
        let codes: Vec<&str> =
            states.chain(AdjustmentReason::ALL.iter().map(|reason| reason.as_str())).collect();
        let funds = CoopFundState::ALL.iter().filter(|state| **state != CoopFundState::Converted);
        let funds: Vec<String> = funds.map(|state| format!("fund_{state}")).collect();
        let codes: Vec<&str> = codes.into_iter().chain(funds.iter().map(String::as_str)).collect();
        for language in Locale::ALL {
            let words = of_page(*language);
            let missing: Vec<_> = codes.iter().filter(|code| !words.contains_key(*code)).collect();
            assert!(missing.is_empty(), "{language}: {missing:?}");
        }
        for (name, english, japanese) in WORDS {
            assert!(english.is_ascii() && !english.is_empty(), "{name}: {english}");
            let is_name = ["mpn_id", "coop"].contains(name);
            assert!(is_name || !japanese.is_ascii(), "{name}: {japanese}");
        }
    }

    #[test]
    fn a_month_is_said_in_both_languages() {
        let july = "2018-07".parse().unwrap();
        assert_eq!([month(july, Locale::En), month(july, Locale::Ja)], ["July 2018", "2018年7月"]);
        assert_eq!([short_month(july, Locale::En), short_month(july, Locale::Ja)], ["Jul", "7月"]);
    }
}
