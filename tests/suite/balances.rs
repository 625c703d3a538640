//! Balances: whatever becomes of rebates and payments, what is carried in and new, less what is paid and lost, is carried out.

use crate::{
    suite::{
        calculation::{flat, text, version},
        payments::Payer,
        profiles,
    },
    support::World,
};
use partner_incentives::{
    operations::jobs::{JobRunState, refresh},
    platform::values::CalendarDate,
};
use proptest::{
    collection::vec,
    sample::select,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};

/// A currency with the digits of its amounts.
#[derive(Clone, Copy, Debug)]
struct Coin {
    code: &'static str,
    digits: usize,
}

const COINS: [Coin; 3] =
    [Coin { code: "JPY", digits: 0 }, Coin { code: "USD", digits: 2 }, Coin { code: "KWD", digits: 3 }];

impl Coin {
    fn amount(self, whole: i64) -> String {
        if self.digits == 0 { whole.to_string() } else { format!("{whole}.{}", "0".repeat(self.digits)) }
    }

    fn money(self, whole: i64) -> Value {
        json!({"amount": self.amount(whole), "currency": self.code})
    }

    /// A version in the currency whose sales give a tenth as rebate, paid from 200 on.
    fn version(self) -> Value {
        let mut version = version(&json!([flat("core", "0.10")]));
        version["split"]["rebate_rate"] = json!("1");
        version["payment_threshold"] = self.money(200);
        version["coop_threshold"] = self.money(10_000);
        version
    }
}

/// What becomes of a month's run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Cancelled,
    Stopped,
    Failed,
    Paid,
    Returned,
    Reversed,
    OnItsWay,
    LeftOpen,
}

const FATES: [Fate; 8] = [
    Fate::Cancelled,
    Fate::Stopped,
    Fate::Failed,
    Fate::Paid,
    Fate::Returned,
    Fate::Reversed,
    Fate::OnItsWay,
    Fate::LeftOpen,
];

/// How the story ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The tax profile is rejected, and not mended for 181 days.
    ProfileLost,
    /// The tax profile is mended after the notice.
    ProfileMended,
    /// The program year ends.
    YearOver,
}

const ENDS: [End; 3] = [End::ProfileLost, End::ProfileMended, End::YearOver];

/// A month: its sale and its correction, whether its rebate is held by hand over the run, and what becomes of the run.
type Plan = (i64, i64, bool, Fate);

struct Books<'w> {
    payer: Payer<'w>,
    coin: Coin,
    carried: i64,
    plans: String,
}

fn month_of(n: usize) -> String {
    format!("{}-{:02}", 2018 + (n + 6) / 12, (n + 6) % 12 + 1)
}

fn because() -> Value {
    json!({"reason": "For the story"})
}

impl Books<'_> {
    /// Carried in, new, paid, lost and carried out, in minor units; nothing where there is no statement.
    fn balance(&self, month: &str) -> [i64; 5] {
        let path = format!("/v1/partners/{}/statements/{month}", self.payer.story.partner);
        let statement = self.payer.maker.get(&path).send();
        let program = &statement["programs"][0];
        let balance = &program["balances"][0];
        let part = |name: &str| balance[name]["amount"].as_str().map_or(0, minor);
        let parts = ["carried_in", "new", "paid", "forfeited", "carried_out"].map(part);
        let [carried_in, new, paid, forfeited, carried_out] = parts;
        assert_eq!(carried_in + new - paid - forfeited, carried_out, "{month}: {balance} {}", self.plans);
        // No tax is withheld, and what is set off is nothing in all: what is paid went to the bank.
        let payments = program["payments"].as_array().map_or(&[][..], Vec::as_slice);
        let to_bank: i64 =
            payments.iter().map(|payment| minor(payment["amount"]["amount"].as_str().unwrap())).sum();
        assert_eq!(to_bank, paid, "{month}: {program} {}", self.plans);
        parts
    }

    /// What is owed by the states of the rebates of closed months.
    fn owed(&self) -> i64 {
        let owed = ["payable", "on_hold", "in_payment"];
        let states = self.payer.states().into_iter().filter(|(.., state)| owed.contains(&state.as_str()));
        states.map(|(_, amount, _)| minor(&amount)).sum()
    }

    fn close(&mut self, month: &str) {
        self.payer.story.close(month).ok();
        let closed = self.balance(month);
        assert_eq!(
            closed[0], self.carried,
            "{month} carries in what the month before carried out: {}",
            self.plans
        );
        self.carried = closed[4];
    }

    /// The month after the closed ones, as the statement has it now.
    fn look_at_open(&self, month: &str) {
        let open = self.balance(month);
        assert_eq!((open[0], open[4]), (self.carried, self.owed()), "{month}: {}", self.plans);
    }

    fn month(&mut self, n: usize, (sold, corrected, held, fate): Plan) {
        let (month, next) = (month_of(n), month_of(n + 1));
        let story = &self.payer.story;
        story.world.on(&format!("{month}-20"));
        if sold > 0 {
            story.sale(
                &month,
                &format!("{month}-10"),
                &format!("{} {}", self.coin.amount(sold), self.coin.code),
            );
        }
        story.calculate();
        if corrected != 0 {
            self.payer.adjust_by(&story.enrollment, &month, &self.coin.money(corrected));
        }
        story.calculate();
        story.world.on(&format!("{next}-03"));
        self.close(&month);
        let newest = self.payer.story.list("/v1/rebates?state=payable");
        let by_hand = newest.first().filter(|_| held).map(|rebate| text(&rebate["id"]));
        let by_operator = |what: &str| {
            if let Some(rebate) = &by_hand {
                self.payer.maker.post(&format!("/v1/rebates/{rebate}/{what}"), because()).send().ok();
            }
        };
        by_operator("hold");
        self.run(&month, fate);
        self.look_at_open(&next);
        by_operator("release");
        self.look_at_open(&next);
    }

    fn run(&self, month: &str, fate: Fate) {
        let payer = &self.payer;
        let run = payer.run(month);
        let payments = payer.payments(&run);
        match fate {
            Fate::LeftOpen => {}
            Fate::Cancelled => {
                payer
                    .maker
                    .post(&format!("/v1/payment-runs/{}/cancellation", run.id()), because())
                    .send()
                    .ok();
            }
            _ => _ = payer.approve(&run).ok(),
        }
        if !matches!(fate, Fate::LeftOpen | Fate::Cancelled | Fate::Stopped) {
            payer.dispatch(&run).ok();
        }
        for payment in &payments {
            match fate {
                Fate::Stopped => _ = payer.tell(payment, "stop", because()).ok(),
                Fate::Failed => _ = payer.tell(payment, "failure", because()).ok(),
                Fate::Paid | Fate::Returned | Fate::Reversed => {
                    payer.tell(payment, "confirmation", json!({})).ok();
                }
                Fate::Cancelled | Fate::OnItsWay | Fate::LeftOpen => {}
            }
            match fate {
                Fate::Returned => _ = payer.tell(payment, "return", because()).ok(),
                Fate::Reversed => _ = payer.tell(payment, "reversal", because()).ok(),
                _ => {}
            }
        }
    }

    fn refresh(&self, day: CalendarDate) {
        self.payer.story.world.on(&day.to_string());
        let run = refresh::run_now(&self.payer.story.world.service.app, |_| ()).unwrap();
        assert_eq!(run.state, JobRunState::Succeeded, "{:?}", run.error);
    }

    /// The end, after so many months.
    fn end(&mut self, months: usize, end: End) {
        let open = month_of(months);
        let today: CalendarDate = format!("{open}-03").parse().unwrap();
        let profile = format!("/v1/partners/{}/tax-profile", self.payer.story.partner);
        match end {
            End::ProfileLost | End::ProfileMended => {
                self.payer.maker.post(&format!("{profile}/rejection"), because()).send().ok();
                self.refresh(today.plus_days(151));
                self.look_at_open(&open);
                if end == End::ProfileMended {
                    profiles::are_filed(
                        &self.payer.story.world.admin_of(&self.payer.story.partner),
                        &self.payer.story.partner,
                    );
                    self.payer.maker.post(&format!("{profile}/approval"), json!({})).send().ok();
                }
                self.refresh(today.plus_days(181));
                let lost = self.balance(&open)[3];
                assert!(end == End::ProfileLost || lost == 0, "{}", self.plans);
                self.look_at_open(&open);
            }
            End::YearOver => {
                self.refresh("2019-05-31".parse().unwrap());
                self.look_at_open(&open);
                self.payer.story.calculate();
                self.payer.story.world.on("2019-07-03");
                for n in months..12 {
                    self.close(&month_of(n));
                }
                self.refresh("2019-07-03".parse().unwrap());
                self.look_at_open("2019-07");
            }
        }
    }
}

fn minor(amount: &str) -> i64 {
    amount.replace('.', "").parse().unwrap()
}

/// Goes through months and an end, and holds each statement against the one before and against the rebates.
fn go_through(coin: Coin, plans: &[Plan], end: End) {
    let world = World::new();
    let payer = Payer::by(&world, &coin.version());
    let mut books = Books { payer, coin, carried: 0, plans: format!("{coin:?} {plans:?} {end:?}") };
    for (n, plan) in plans.iter().enumerate() {
        books.month(n, *plan);
    }
    books.end(plans.len(), end);
    books.payer.story.verify();
}

#[test]
fn whatever_becomes_of_rebates_and_payments_carried_in_and_new_less_paid_and_lost_is_carried_out() {
    for (n, fate) in FATES.into_iter().enumerate() {
        let (coin, end) = (COINS[n % 3], ENDS[n / 3]);
        go_through(
            coin,
            &[(5000, 0, false, fate), (0, -250, n % 2 == 0, Fate::Paid), (1500, 0, true, fate)],
            end,
        );
    }
    let config = Config { cases: 4, failure_persistence: None, ..Config::default() };
    let plan = (0_i64..6000, -400_i64..100, proptest::bool::ANY, select(&FATES[..]));
    let story = (select(&COINS[..]), vec(plan, 2..6), select(&ENDS[..]));
    let done = TestRunner::new(config).run(&story, |(coin, plans, end)| {
        go_through(coin, &plans, end);
        Ok(())
    });
    done.unwrap();
}
