//! The activities that a program version has where its author names none.

use super::coop_activity::{
    CoopActivity, CoopActivityName, CoopLimit, CoopMetric as Metric, CoopProofKind as Proof, WantedProof,
};
use crate::platform::values::{Currency, Money, Rate};

/// One line of the catalogue: the kinds of proof stand in groups of which one kind is enough.
struct Line {
    code: &'static str,
    name: [&'static str; 2],
    proofs: &'static [&'static [Proof]],
    metric: Option<Metric>,
}

const fn line(
    code: &'static str,
    name: [&'static str; 2],
    proofs: &'static [&'static [Proof]],
    metric: Option<Metric>,
) -> Line {
    Line { code, name, proofs, metric }
}

const ON_THE_WEB: &[&[Proof]] = &[&[Proof::WebAddress, Proof::Screenshot]];

const LINES: [Line; 18] = [
    line(
        "print-advertising",
        ["Print advertising", "印刷広告"],
        &[&[Proof::FinalPiece]],
        Some(Metric::Recipients),
    ),
    line(
        "digital-advertising",
        ["Digital advertising", "デジタル広告"],
        &[&[Proof::Screenshot], &[Proof::WebAddress]],
        Some(Metric::Views),
    ),
    line(
        "direct-mail-email-sms",
        ["Direct mail, e-mail and text messages", "ダイレクトメール、メール、SMS"],
        &[&[Proof::FinalPiece], &[Proof::ProofOfDistribution]],
        Some(Metric::Recipients),
    ),
    line("website-search", ["Website and search", "ウェブサイトと検索広告"], ON_THE_WEB, Some(Metric::Views)),
    line("syndicated-content", ["Syndicated content", "配信コンテンツ"], ON_THE_WEB, Some(Metric::Views)),
    line(
        "multi-touch-campaign",
        ["Multi-touch campaign", "複合キャンペーン"],
        &[&[Proof::CampaignProofs]],
        Some(Metric::Leads),
    ),
    line("telemarketing", ["Telemarketing", "テレマーケティング"], &[&[Proof::Script]], Some(Metric::Leads)),
    line(
        "customer-seminar",
        ["Customer seminar", "顧客向けセミナー"],
        &[&[Proof::Invitation], &[Proof::Agenda], &[Proof::Photo]],
        Some(Metric::Attendees),
    ),
    line(
        "tradeshow",
        ["Trade show", "展示会"],
        &[&[Proof::Invitation, Proof::Agenda], &[Proof::Photo]],
        Some(Metric::Attendees),
    ),
    line("customer-offer", ["Customer offer", "顧客向け特典"], &[&[Proof::Offer]], Some(Metric::Units)),
    line("internal-incentive", ["Internal incentive", "社内インセンティブ"], &[&[Proof::Offer]], None),
    line("on-site-champ", ["On-site champion", "常駐推進担当者"], &[&[Proof::SampleDeliverable]], None),
    line("proof-of-concept", ["Proof of concept", "概念実証"], &[&[Proof::Material]], None),
    line("program-membership", ["Program membership", "プログラム会費"], &[&[Proof::Invoice]], None),
    line("exams-tuition", ["Exams and tuition", "試験と受講料"], &[&[Proof::Invoice]], None),
    line(
        "internal-training",
        ["Internal training", "社内研修"],
        &[&[Proof::Agenda], &[Proof::Slides]],
        Some(Metric::Attendees),
    ),
    line(
        "hosted-conference",
        ["Hosted conference", "主催カンファレンス"],
        &[&[Proof::Registration], &[Proof::Itinerary]],
        Some(Metric::Attendees),
    ),
    line(
        "demo-units",
        ["Demonstration units", "デモ機"],
        &[&[Proof::Specification], &[Proof::ProofOfDelivery]],
        Some(Metric::Units),
    ),
];

fn limit_of(code: &str) -> Option<CoopLimit> {
    let dollars = |whole: i64| Money { minor: whole * 100, currency: Currency::USD };
    match code {
        "syndicated-content" => Some(CoopLimit::Amount { amount: dollars(18_750) }),
        "customer-offer" | "internal-incentive" => Some(CoopLimit::Share { rate: Rate::percent(25) }),
        "on-site-champ" => Some(CoopLimit::Share { rate: Rate::percent(50) }),
        "hosted-conference" => {
            Some(CoopLimit::People { people: 3, each: dollars(5000), amount: dollars(45_000) })
        }
        "demo-units" => Some(CoopLimit::ShareOrAmount { rate: Rate::percent(10), amount: dollars(3000) }),
        _ => None,
    }
}

/// The activities that the service ships.
#[must_use]
pub fn shipped_activities() -> Vec<CoopActivity> {
    let wanted = |any_of: &&[Proof]| WantedProof { any_of: any_of.to_vec() };
    let activity = |Line { code, name: [english, japanese], proofs, metric }: Line| CoopActivity {
        code: code.to_owned(),
        name: CoopActivityName { en: english.to_owned(), ja: japanese.to_owned() },
        limit: limit_of(code),
        proofs: proofs.iter().map(wanted).collect(),
        metric,
    };
    LINES.into_iter().map(activity).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::participation::programs::validate_activities;

    #[test]
    fn the_shipped_catalogue_is_sound_and_said_in_both_languages() {
        let shipped = shipped_activities();
        assert_eq!(validate_activities(&shipped, ""), []);
        assert_eq!(shipped.len(), 18);
        for CoopActivity { code, name, proofs, .. } in &shipped {
            assert!(name.en.is_ascii() && !name.ja.is_ascii() && !proofs.is_empty(), "{code}");
        }
    }

    #[test]
    fn versions_from_before_have_what_is_shipped_now() {
        let shipped = serde_json::to_string(&shipped_activities()).unwrap();
        for migration in [
            include_str!("../../../migrations/sqlite/0031_coop_activities/up.sql"),
            include_str!("../../../migrations/postgres/0031_coop_activities/up.sql"),
        ] {
            assert!(migration.contains(&format!("'{shipped}'")), "{shipped}");
        }
    }

    #[test]
    fn limits_hold_at_their_edges() {
        let dollars = |minor: i64| Money { minor, currency: Currency::USD };
        let most = |code: &str, fund: i64| {
            let limit = limit_of(code)?;
            limit.most(dollars(fund), Some).map(|most| most.minor)
        };
        // Funds in cents, limits in cents.
        let table = [
            ("print-advertising", 1_000_000, None),
            ("syndicated-content", 1_000_000, Some(1_875_000)),
            ("syndicated-content", 9_000_000, Some(1_875_000)),
            ("customer-offer", 1_000_000, Some(250_000)),
            ("customer-offer", 1_000_003, Some(250_000)),
            ("customer-offer", 1_000_004, Some(250_001)),
            ("internal-incentive", 1_200_000, Some(300_000)),
            ("on-site-champ", 1_000_001, Some(500_000)),
            ("hosted-conference", 9_000_000, Some(4_500_000)),
            ("demo-units", 1_000_000, Some(300_000)),
            ("demo-units", 2_999_999, Some(300_000)),
            ("demo-units", 3_000_010, Some(300_001)),
        ];
        for (code, fund, limit) in table {
            assert_eq!(most(code, fund), limit, "{code} of {fund}");
        }
        let conference = limit_of("hosted-conference").unwrap();
        let of_event = |people| conference.most_of_event(people).map(|most| most.minor);
        assert_eq!([1, 3, 4].map(of_event), [Some(500_000), Some(1_500_000), Some(1_500_000)]);
        assert_eq!(limit_of("demo-units").unwrap().most_of_event(1), None);
        // Without a rate nobody knows a limit in another currency; a share needs none.
        let yen = Money { minor: 1_000_000, currency: "JPY".parse().unwrap() };
        assert_eq!(limit_of("demo-units").unwrap().most(yen, |_| None), None);
        assert!(limit_of("customer-offer").unwrap().most(yen, |_| None).is_some());
    }
}
