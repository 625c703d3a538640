use super::*;
use crate::platform::values::Month;

fn day(text: &str) -> CalendarDate {
    text.parse().unwrap()
}

fn id(n: u128) -> Id {
    Id(uuid::Uuid::from_u128(n))
}

/// A rebate of enrollment 7 in its `n`th month.
fn rebate(n: u128, amount: i64, state: RebateState) -> Rebate {
    let month: Month = "2018-07".parse().unwrap();
    let at = Timestamp::from_micros(0);
    Rebate {
        id: id(n),
        enrollment_id: id(7),
        partner_id: id(8),
        posted_in: month.plus(i32::try_from(n).unwrap()),
        currency: Currency::USD,
        earned: amount,
        adjusted: 0,
        coop: 0,
        converted: 0,
        state,
        state_reason: None,
        state_comment: None,
        state_since: None,
        as_of: at,
        created_at: at,
        updated_at: at,
        revision: 1,
    }
}

fn held(n: u128, amount: i64, reason: RebateReason, since: &str) -> Rebate {
    let (state_reason, state_since) = (Some(reason), Some(day(since)));
    Rebate { state_reason, state_since, ..rebate(n, amount, RebateState::OnHold) }
}

fn found(rebates: &[Rebate], today: &str, is_closed: bool) -> Vec<(ForfeitureCause, i64, bool, String)> {
    let year_end = |_| Some(YearEnd { last_day: day("2019-06-30"), is_closed });
    let threshold = |_, currency| Some(PaymentThreshold::Known(Money { minor: 20_000, currency }));
    let told =
        |it: &Candidate| (it.key.cause, it.amount(), it.is_ripe, it.forfeits_on(day(today)).to_string());
    candidates(rebates, day(today), year_end, threshold).iter().map(told).collect()
}

#[test]
fn what_waits_for_the_partner_is_announced_after_150_days_and_lost_after_180() {
    use ForfeitureCause::HeldTooLong;
    let waits = |reason| [held(1, 50_000, reason, "2018-09-01"), held(2, -10_000, reason, "2018-09-01")];
    let missing = waits(RebateReason::ProfileMissing);
    // 1 September and 150 days is 29 January.
    assert_eq!(found(&missing, "2019-01-29", false), []);
    let told = |is_ripe, on: &str| vec![(HeldTooLong, 40_000, is_ripe, on.to_owned())];
    assert_eq!(found(&missing, "2019-01-30", false), told(false, "2019-03-01"));
    assert_eq!(found(&missing, "2019-02-28", false), told(false, "2019-03-30"));
    assert_eq!(found(&missing, "2019-03-01", false), told(true, "2019-03-31"));
    assert_eq!(found(&waits(RebateReason::ProfileActionRequired), "2019-03-01", false).len(), 1);
    for reason in [
        RebateReason::ProfilePending,
        RebateReason::CoolingOff,
        RebateReason::HeldByOperator,
        RebateReason::Disputed,
    ] {
        assert_eq!(found(&waits(reason), "2019-03-01", false), [], "{reason}");
    }
    // A partner that owes more than is held loses nothing.
    let owes = held(3, -40_000, RebateReason::ProfileMissing, "2018-09-01");
    assert_eq!(found(&[missing.to_vec(), vec![owes]].concat(), "2019-03-01", false), []);
}

#[test]
fn what_is_below_the_threshold_is_lost_once_the_year_is_over_and_closed() {
    use ForfeitureCause::BelowThreshold;
    let below = [rebate(1, 12_000, RebateState::Payable), rebate(2, 7_999, RebateState::Payable)];
    assert_eq!(found(&below, "2019-05-30", false), []);
    let told = |amount, is_ripe, on: &str| vec![(BelowThreshold, amount, is_ripe, on.to_owned())];
    assert_eq!(found(&below, "2019-05-31", false), told(19_999, false, "2019-07-01"));
    assert_eq!(found(&below, "2019-07-01", false), told(19_999, false, "2019-07-31"));
    assert_eq!(found(&below, "2019-07-01", true), told(19_999, true, "2019-07-31"));
    // One cent more meets the threshold.
    let with = |more: Rebate| [below.to_vec(), vec![more]].concat();
    assert_eq!(found(&with(rebate(3, 1, RebateState::Payable)), "2019-07-01", true), []);
    // What accrues may still come to it; what is held by hand may be released.
    let accrues = with(rebate(3, 5, RebateState::Accruing));
    assert_eq!(found(&accrues, "2019-07-01", true), told(19_999, false, "2019-07-31"));
    let by_hand = held(3, 5, RebateReason::HeldByOperator, "2019-06-01");
    assert_eq!(found(&with(by_hand), "2019-07-01", true), []);
    assert_eq!(found(&[rebate(1, -5, RebateState::Payable)], "2019-07-01", true), []);
}
