use super::*;
use crate::{
    ledger::accounting::coop_funds::CoopFundState,
    participation::programs::shipped_activities,
    payouts::coop_claims::model::ClaimState,
    platform::{
        db::types::Json,
        values::{Currency, Timestamp},
    },
};
use proptest::prelude::*;

pub fn id(n: u128) -> Id {
    Id(uuid::Uuid::from_u128(n))
}

pub fn fund(claimable: i64, remaining: i64) -> CoopFund {
    let at = Timestamp::from_micros(0);
    CoopFund {
        id: id(1),
        partner_id: id(2),
        enrollment_id: id(3),
        half_year: "2018-07".parse().unwrap(),
        last_month: "2018-12".parse().unwrap(),
        currency: Currency::USD,
        state: CoopFundState::Claimable,
        earned: claimable,
        converted: 0,
        claimable,
        planned: 0,
        committed: claimable - remaining,
        paid: 0,
        forfeited: 0,
        remaining,
        converted_in: None,
        reminded_days: None,
        as_of: at,
        created_at: at,
        updated_at: at,
        revision: 1,
        plan_id: None,
        planned_for: Json(Vec::new()),
    }
}

pub fn claim(activity: &str, people: Option<i32>, amounts: &[i64]) -> Claim {
    let at = Timestamp::from_micros(0);
    let day: CalendarDate = "2019-02-11".parse().unwrap();
    let expense = |(net, n): (&i64, u128)| Expense {
        id: id(100 + n),
        description: "Room".into(),
        on: day,
        source: ExpenseSource::OwnService,
        net: Money { minor: *net, currency: Currency::USD },
        tax: Money { minor: 0, currency: Currency::USD },
        recovers_tax: true,
        asked: None,
        decision: None,
    };
    Claim {
        id: id(9),
        partner_id: id(2),
        fund_id: id(1),
        enrollment_id: id(3),
        activity: activity.into(),
        activity_from: day,
        activity_to: day,
        description: "Backup".into(),
        web_address: None,
        metric: None,
        people,
        expenses: Json(amounts.iter().zip(0..).map(expense).collect()),
        currency: Currency::USD,
        state: ClaimState::Draft,
        committed: 0,
        approved: None,
        due_on: None,
        review_due_on: None,
        submitted_at: None,
        decided_at: None,
        reviewer_id: None,
        proposer_id: None,
        is_risky: false,
        risks: Json(Vec::new()),
        history: Json(Vec::new()),
        created_at: at,
        updated_at: at,
        revision: 1,
        payment_id: None,
        held_because: None,
        plan_id: None,
        from_plan: 0,
    }
}

fn assessed(claim: &Claim, fund: &CoopFund, used: i64) -> Assessment {
    let activities = shipped_activities();
    let rates = ExchangeRates::default();
    Assessment::of(
        claim,
        ClaimFacts {
            fund,
            own: claim.committed,
            activity: activities.iter().find(|one| one.code == claim.activity),
            used,
            rates: &rates,
            proofs: &[],
            today: "2019-03-01".parse().unwrap(),
        },
    )
}

#[test]
fn the_first_expenses_are_paid_before_the_last_ones() {
    let assessment =
        assessed(&claim("customer-offer", None, &[150_000, 90_000, 20_000]), &fund(1_000_000, 1_000_000), 0);
    let parts: Vec<_> = assessment.expenses.iter().filter_map(|one| one.asked).collect();
    assert_eq!(parts.iter().map(|one| one.reimbursable).collect::<Vec<_>>(), [150_000, 90_000, 10_000]);
    assert_eq!(
        parts.iter().map(|one| one.cut_by).collect::<Vec<_>>(),
        [None, None, Some(CutReason::ActivityLimit)]
    );
    assert_eq!(assessment.reimbursable, 250_000);
}

/// The most that each activity is paid from a fund of 100,000.00 and from one of 10,000.00, with three people where people count.
const MOST: [(&str, i64, i64); 18] = [
    ("print-advertising", 10_000_000, 1_000_000),
    ("digital-advertising", 10_000_000, 1_000_000),
    ("direct-mail-email-sms", 10_000_000, 1_000_000),
    ("website-search", 10_000_000, 1_000_000),
    // 18,750.00 a period.
    ("syndicated-content", 1_875_000, 1_000_000),
    ("multi-touch-campaign", 10_000_000, 1_000_000),
    ("telemarketing", 10_000_000, 1_000_000),
    ("customer-seminar", 10_000_000, 1_000_000),
    ("tradeshow", 10_000_000, 1_000_000),
    // A quarter and a half of the fund.
    ("customer-offer", 2_500_000, 250_000),
    ("internal-incentive", 2_500_000, 250_000),
    ("on-site-champ", 5_000_000, 500_000),
    ("proof-of-concept", 10_000_000, 1_000_000),
    ("program-membership", 10_000_000, 1_000_000),
    ("exams-tuition", 10_000_000, 1_000_000),
    ("internal-training", 10_000_000, 1_000_000),
    // 5,000.00 for each of three people.
    ("hosted-conference", 1_500_000, 1_000_000),
    // A tenth of the fund, and 3,000.00 at least.
    ("demo-units", 1_000_000, 300_000),
];

#[test]
fn every_activity_is_paid_up_to_its_limit_and_not_a_cent_more() {
    let known: Vec<String> = shipped_activities().into_iter().map(|activity| activity.code).collect();
    assert_eq!(MOST.map(|(code, ..)| code).to_vec(), known, "the table has every activity, in order");
    for (code, of_large, of_small) in MOST {
        for (held, most) in [(10_000_000, of_large), (1_000_000, of_small)] {
            let paid = |net| assessed(&claim(code, Some(3), &[net]), &fund(held, held), 0);
            for (net, expected) in [(1, 1), (most - 1, most - 1), (most, most), (most + 1, most)] {
                let assessment = paid(net);
                assert_eq!(assessment.reimbursable, expected, "{net} for {code} of {held}");
                let cut = assessment.expenses[0].asked.unwrap().cut_by;
                assert_eq!(cut.is_some(), net > most, "{net} for {code} of {held}: {cut:?}");
            }
        }
    }
}

#[test]
fn the_limits_of_a_period_and_of_people_hold_at_their_edges() {
    // 45,000.00 a period and 5,000.00 for each of three people, of a fund that holds more.
    let conference = |people, used| {
        assessed(&claim("hosted-conference", Some(people), &[9_000_000]), &fund(9_000_000, 9_000_000), used)
            .reimbursable
    };
    assert_eq!([1, 2, 3, 4].map(|people| conference(people, 0)), [500_000, 1_000_000, 1_500_000, 1_500_000]);
    assert_eq!(
        [3_000_000, 3_000_001, 4_499_999, 4_500_000, 4_500_001].map(|used| conference(3, used)),
        [1_500_000, 1_499_999, 1, 0, 0]
    );
    let content = |used| {
        assessed(&claim("syndicated-content", None, &[9_000_000]), &fund(9_000_000, 9_000_000), used)
            .reimbursable
    };
    assert_eq!([0, 1_874_999, 1_875_000].map(content), [1_875_000, 1, 0]);
}

proptest! {
    #[test]
    fn nothing_above_a_limit_and_nothing_below_zero_is_paid(
        activity in prop::sample::select(vec!["print-advertising", "customer-offer", "demo-units", "hosted-conference"]),
        people in 1..9_i32,
        amounts in prop::collection::vec(1..2_000_000_i64, 0..8),
        claimable in 0..2_000_000_i64,
        committed in 0..2_000_000_i64,
        used in 0..2_000_000_i64,
    ) {
        let fund = fund(claimable, (claimable - committed).max(0));
        let assessment = assessed(&claim(activity, Some(people), &amounts), &fund, used);
        let asked: Vec<AskedExpense> = assessment.expenses.iter().filter_map(|one| one.asked).collect();
        let sum: i64 = asked.iter().map(|one| one.reimbursable).sum();
        prop_assert_eq!(sum, assessment.reimbursable);
        for limit in &assessment.limits {
            prop_assert!(sum <= limit.left && limit.left >= 0);
        }
        // As much as the tightest limit allows, and each cut is told.
        let least = assessment.limits.iter().map(|limit| limit.left).min().unwrap_or_default();
        prop_assert_eq!(sum, least.min(amounts.iter().sum()));
        for one in asked {
            prop_assert!((0..=one.amount).contains(&one.reimbursable));
            prop_assert_eq!(one.cut_by.is_some(), one.reimbursable < one.amount);
        }
    }
}
