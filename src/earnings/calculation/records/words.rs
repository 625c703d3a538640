//! Why something does not earn, and what to do about it, in words.

use crate::{
    earnings::engine::Reason,
    platform::values::{Locale, Money, Words},
};

/// What is the matter.
#[must_use]
pub fn message(reason: &Reason, capped: Option<Money>, language: Locale) -> String {
    let is_of_cap = matches!(reason, Reason::CapPartiallyApplied | Reason::CapReached);
    match (capped.filter(|_| is_of_cap), language) {
        (Some(capped), language) if capped.minor < 0 => {
            let back = Money { minor: -capped.minor, ..capped };
            match language {
                Locale::En => format!("A refund takes back {back} of what the cap had cut off."),
                Locale::Ja => format!("返品により、上限で削られていた額のうち {back} が取り消されました。"),
            }
        }
        (Some(capped), Locale::En) => format!("The lever's cap cuts off {capped}."),
        (Some(capped), Locale::Ja) => format!("上限により {capped} が対象外となりました。"),
        (None, _) => language.of(said(reason).message).to_owned(),
    }
}

/// What to do about it; none where nothing can be done.
#[must_use]
pub fn remedy(reason: &Reason, language: Locale) -> Option<&'static str> {
    said(reason).remedy.map(|remedy| language.of(remedy))
}

/// What is said of a reason.
struct Said {
    message: Words<'static>,
    remedy: Option<Words<'static>>,
}

impl Said {
    const fn of(en: &'static str, ja: &'static str) -> Self {
        Self { message: Words::new(en, ja), remedy: None }
    }

    const fn mended(self, en: &'static str, ja: &'static str) -> Self {
        Self { remedy: Some(Words::new(en, ja)), ..self }
    }
}

fn said(reason: &Reason) -> Said {
    match reason {
        Reason::Rule(code) => of_rule(code),
        Reason::OutsideEnrollment => Said::of(
            "The partner was not enrolled on the day of the sale.",
            "販売日にパートナーはプログラムに参加していませんでした。",
        )
        .mended(
            "Complete the enrollment: what its start covers is judged again. Later sales earn from then on.",
            "参加手続きを完了してください。参加開始日以降の販売は再判定され、その後の販売も対象となります。",
        ),
        Reason::CustomerIsPartner => Said::of(
            "The customer is a partner itself, and the lever leaves those out.",
            "顧客自身がパートナーのため、この区分の対象外です。",
        ),
        Reason::CustomerPublicSector => Said::of(
            "The customer belongs to the public sector, and the lever leaves that out.",
            "顧客が公共部門のため、この区分の対象外です。",
        ),
        Reason::CustomerCountry => {
            Said::of("The lever does not cover the customer's country.", "顧客の国はこの区分の対象外です。")
        }
        Reason::ProductNotEligible => Said::of(
            "The product is not one of those the lever earns on.",
            "この製品はこの区分の対象外です。",
        ),
        Reason::CustomerNotNew => Said::of(
            "The customer has bought from the partner before, too recently to be new.",
            "顧客は最近パートナーから購入しているため、新規顧客に該当しません。",
        ),
        Reason::NoGrowth => {
            Said::of("The month has not grown over its baseline.", "この月は基準額を上回っていません。")
                .mended(
                    "More sales of the month may still lift it.",
                    "この月の販売が増えれば上回ることがあります。",
                )
        }
        Reason::AmountTooSmall => {
            Said::of("What it gives rounds to nothing.", "端数処理の結果、金額がゼロになりました。")
        }
        Reason::CapPartiallyApplied => {
            Said::of("The lever's cap took a part.", "上限により一部が対象外となりました。")
        }
        Reason::CapReached => Said::of("The lever's cap is used up.", "上限に達しています。"),
        Reason::ExchangeRateMissing => Said::of(
            "An exchange rate of the month or of one it is compared with is not published yet.",
            "この月または比較対象月の為替レートがまだ公表されていません。",
        )
        .mended(
            "Programme staff publish the rate; what waits for it is judged again then.",
            "運営担当者がレートを公表すると再判定されます。",
        ),
    }
}

fn of_rule(code: &str) -> Said {
    let renewed = |said: Said| {
        said.mended(
            "Have an agreement registered that covers the day of the sale; it is judged again then.",
            "販売日に有効な契約を登録してください。登録後に再判定されます。",
        )
    };
    match code {
        code if code.starts_with("mpn_agreement") => renewed(Said::of(
            "No MPN agreement was in force on the day of the sale.",
            "販売日に有効な MPN 契約がありませんでした。",
        )),
        code if code.starts_with("distributor_a") => renewed(Said::of(
            "No distributor agreement that counts was in force on the day of the sale.",
            "販売日に有効なディストリビューター契約がありませんでした。",
        )),
        code if code.starts_with("reseller_agreement") => renewed(Said::of(
            "No reseller agreement was in force on the day of the sale.",
            "販売日に有効なリセラー契約がありませんでした。",
        )),
        code if code.starts_with("competency") => Said::of(
            "The competencies the program asks for were not held on the day of the sale.",
            "プログラムが求めるコンピテンシーを販売日に保有していませんでした。",
        )
        .mended(
            "Have a competency registered that covers the day of the sale; it is judged again then.",
            "販売日に有効なコンピテンシーを登録してください。登録後に再判定されます。",
        ),
        "first_transaction_missing" => Said::of(
            "On the day of the sale there was no purchase that is kept.",
            "販売日の時点で、返品されていない購入がありませんでした。",
        )
        .mended("Report the first purchase.", "最初の購入を報告してください。"),
        "revenue_threshold_not_met" => Said::of(
            "The revenue before the sale did not reach the program's threshold.",
            "販売前の売上がプログラムの基準額に達していませんでした。",
        )
        .mended(
            "Report sales that are missing; the sale is judged again then.",
            "未報告の販売を報告してください。報告後に再判定されます。",
        ),
        _ => Said::of(
            "A rule of the program was not met on the day of the sale.",
            "販売日にプログラムの条件を満たしていませんでした。",
        )
        .mended(
            "Mend the rule for that day; the sale is judged again then.",
            "その日について条件を満たすよう是正してください。是正後に再判定されます。",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::values::Currency;

    /// Codes of rules, one of each wording, and one that has none of its own.
    const RULES: [&str; 8] = [
        "mpn_agreement_expired",
        "distributor_agreement_missing",
        "distributor_authorization_missing",
        "reseller_agreement_missing",
        "competency_expired",
        "first_transaction_missing",
        "revenue_threshold_not_met",
        "partner_not_active",
    ];

    #[test]
    fn every_reason_and_remedy_is_said_in_each_language() {
        let rules = RULES.map(|code| Reason::Rule(code.to_owned()));
        for reason in Reason::OWN.into_iter().chain(rules) {
            for minor in [None, Some(500), Some(-500)] {
                let capped = minor.map(|minor| Money { minor, currency: Currency::USD });
                let [english, japanese] =
                    [Locale::En, Locale::Ja].map(|locale| message(&reason, capped, locale));
                assert!(english.is_ascii() && !japanese.is_ascii(), "{english} {japanese}");
            }
            let [english, japanese] = [Locale::En, Locale::Ja].map(|locale| remedy(&reason, locale));
            assert_eq!(english.is_some(), japanese.is_some());
            assert!(
                english.is_none_or(str::is_ascii) && !japanese.is_some_and(str::is_ascii),
                "{japanese:?}"
            );
        }
    }
}
