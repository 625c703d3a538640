//! Random partners and programs, for the properties of the engine.

use super::{
    EligibilityOutcome, Facts, Held, Lent, OptOut, ProgramTerms, Sale, Verdict, VersionTerms, evaluate,
    samples::{agreement, attainment, day, id, purchase, standing, terms, usd},
};
use crate::{
    identity::users::{UserCount, UserCounts},
    network::{
        agreements::{Agreement, Kind},
        competencies::{Attainment, Level},
        partners::{PartnerPeriod, PartnerStatus, PartnerType},
    },
    participation::programs::Requirement,
    platform::values::{CalendarDate, Period},
    sales::transactions::TransactionKind,
};
use proptest::{collection::vec, option, prelude::*, sample::select};

pub(super) const DAYS: i32 = 1100;
pub(super) const CODES: [&str; 3] = ["cloud-crm", "cloud-platform", "erp"];

pub(super) fn start() -> CalendarDate {
    day("2018-07-01")
}

pub(super) fn some_day() -> impl Strategy<Value = CalendarDate> {
    (0..DAYS).prop_map(|days| start().plus_days(days))
}

prop_compose! {
    pub(super) fn some_agreement()(
        kind in select(Kind::ALL),
        from in some_day(),
        length in option::weighted(0.8, 0..500_i32),
        ended_after in option::weighted(0.2, -20..400_i32),
        grace_days in select(vec![0, 5, 30]),
        authorized: bool,
    ) -> Agreement {
        Agreement {
            effective_on: from,
            expires_on: length.map(|days| from.plus_days(days)),
            terminated_on: ended_after.map(|days| from.plus_days(days)),
            grace_days,
            distributor_authorization: Some(authorized),
            ..agreement(0, kind, "2018-01-01", "")
        }
    }
}

prop_compose! {
    pub(super) fn some_attainment()(
        code in select(&CODES[..]),
        level in select(Level::ALL),
        from in some_day(),
        length in 0..500_i32,
        revoked_after in option::weighted(0.2, 0..400_i32),
        doubted_after in option::weighted(0.2, 0..400_i32),
    ) -> Attainment {
        Attainment {
            attained_on: from,
            expires_on: from.plus_days(length),
            revoked_on: revoked_after.map(|days| from.plus_days(days)),
            at_risk_since: doubted_after.map(|days| from.plus_days(days)),
            ..attainment(0, code, level, "2018-01-01", "2018-01-01")
        }
    }
}

/// Periods one after another: the days each begins after the last regular day of the one before, and its
/// length. Renewals within the grace, on its edges and past it.
pub(super) fn some_periods() -> impl Strategy<Value = Vec<(CalendarDate, i32)>> {
    let gap = prop_oneof![Just(1), Just(30), Just(31), Just(32), -10..60_i32];
    (0..300_i32, vec((gap, 20..300_i32), 0..5)).prop_map(|(first, steps)| {
        let mut last = start().plus_days(first);
        let period = |(gap, length): (i32, i32)| {
            let from = last.plus_days(gap);
            last = from.plus_days(length);
            (from, length)
        };
        steps.into_iter().map(period).collect()
    })
}

pub(super) fn some_agreements() -> impl Strategy<Value = Vec<Agreement>> {
    let renewals =
        (some_periods(), select(Kind::ALL), any::<bool>()).prop_map(|(periods, kind, authorized)| {
            let renewal = |(from, length): (CalendarDate, i32)| Agreement {
                effective_on: from,
                expires_on: Some(from.plus_days(length)),
                distributor_authorization: Some(authorized),
                ..agreement(0, kind, "2018-01-01", "")
            };
            periods.into_iter().map(renewal).collect::<Vec<_>>()
        });
    let parts = (vec(renewals, 1..4), vec(some_agreement(), 0..3));
    parts.prop_map(|(renewals, others)| {
        let mut all: Vec<Agreement> = renewals.into_iter().flatten().chain(others).collect();
        (1..).zip(&mut all).for_each(|(number, agreement)| agreement.id = id(number));
        all
    })
}

pub(super) fn some_attainments() -> impl Strategy<Value = Vec<Attainment>> {
    let renewals =
        (some_periods(), select(&CODES[..]), select(Level::ALL)).prop_map(|(periods, code, level)| {
            let renewal = |(from, length): (CalendarDate, i32)| Attainment {
                attained_on: from,
                expires_on: from.plus_days(length),
                ..attainment(0, code, level, "2018-01-01", "2018-01-01")
            };
            periods.into_iter().map(renewal).collect::<Vec<_>>()
        });
    let parts = (vec(renewals, 0..4), vec(some_attainment(), 0..3));
    parts.prop_map(|(renewals, others)| {
        let mut all: Vec<Attainment> = renewals.into_iter().flatten().chain(others).collect();
        (50..).zip(&mut all).for_each(|(number, attainment)| attainment.id = id(number));
        all
    })
}

/// Purchases, some in another currency, each with up to two refunds of any size within it.
pub(super) fn some_sales() -> impl Strategy<Value = Vec<Sale>> {
    let refund = || option::weighted(0.4, (0..300_i32, 0..=100_i64));
    let one = (some_day(), 1..1_000_i64, prop::bool::weighted(0.2), refund(), refund());
    vec(one, 0..6).prop_map(|purchases| {
        let mut sales = Vec::new();
        for (number, (on, minor, yen, first, second)) in (100_u128..).step_by(10).zip(purchases) {
            let mut amount = usd(minor);
            if yen {
                amount.currency = "JPY".parse().unwrap();
            }
            let bought = Sale { occurred_on: on, amount, ..purchase(number, "2018-07-01", 0) };
            let mut left = minor;
            sales.push(bought);
            for (id_offset, (after, percent)) in (1_u128..).zip([first, second].into_iter().flatten()) {
                let back = left.min(minor * percent / 60);
                left -= back;
                amount.minor = -back;
                let taken = on.plus_days(after);
                sales.push(Sale {
                    id: id(number + id_offset),
                    kind: TransactionKind::Refund,
                    original_id: Some(bought.id),
                    occurred_on: taken,
                    amount,
                });
            }
        }
        sales
    })
}

pub(super) fn some_rule() -> impl Strategy<Value = Requirement> {
    let competency = (1..3_u32, select(Level::ALL), option::of(vec(select(&CODES[..]), 1..3))).prop_map(
        |(min_count, min_level, codes)| Requirement::Competency {
            min_count,
            min_level,
            any_of: codes.map(|codes| codes.into_iter().map(str::to_owned).collect()),
        },
    );
    let revenue = (1..400_u32, 1..1_500_i64, any::<bool>()).prop_map(|(days, minor, keep_once_enrolled)| {
        Requirement::TrailingRevenue { days, amount: usd(minor), keep_once_enrolled }
    });
    let leaf = prop_oneof![
        Just(Requirement::PartnerActive {}),
        Just(Requirement::PartnerType {}),
        Just(Requirement::MpnAgreement {}),
        any::<bool>()
            .prop_map(|authorization_required| Requirement::DistributorAgreement { authorization_required }),
        Just(Requirement::ResellerAgreement {}),
        competency.clone(),
        competency,
        Just(Requirement::FirstTransaction {}),
        revenue,
        (1..3_u32).prop_map(|min_count| Requirement::MinimumUsers { min_count }),
        Just(Requirement::Country { countries: vec!["DE".parse().unwrap()] }),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        vec(inner, 1..4).prop_map(|requirements| Requirement::AnyOf { requirements })
    })
}

/// The versions of a program: the days each begins after the one before has ended, its length, and what it asks.
#[derive(Clone, Debug)]
pub(super) struct Versions(Vec<(i32, i32, Vec<Requirement>)>);

/// Versions one after the other, at times with days between them that none covers.
pub(super) fn some_versions() -> impl Strategy<Value = Versions> {
    let gap = prop_oneof![4 => Just(1), 1 => 2..40_i32];
    vec((gap, 20..500_i32, vec(some_rule(), 1..3)), 1..4).prop_map(Versions)
}

impl Versions {
    pub(super) fn terms(&self) -> ProgramTerms<'_> {
        let mut last = start().plus_days(-1);
        let version = |(gap, length, requirements): &'_ (i32, i32, Vec<Requirement>)| {
            let from = last.plus_days(*gap);
            last = from.plus_days(*length);
            (Period { from, to: last }, requirements.len())
        };
        let days: Vec<_> = self.0.iter().map(version).collect();
        let versions = days.into_iter().zip(&self.0).map(|((days, _), (.., requirements))| VersionTerms {
            program_year: 2019,
            days,
            requirements,
        });
        ProgramTerms { versions: versions.collect(), ..terms(&[]) }
    }
}

/// Facts that own their records.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) partner_type: PartnerType,
    pub(super) before: Vec<PartnerPeriod>,
    pub(super) as_headquarters: Vec<Period>,
    pub(super) belongs: Period,
    pub(super) agreements: Vec<Agreement>,
    pub(super) attainments: Vec<Attainment>,
    pub(super) sales: Vec<Sale>,
    pub(super) enrolled: Vec<Period>,
    pub(super) opted_out_on: Option<CalendarDate>,
    pub(super) users: UserCounts,
}

/// Some days in a row; for every other one they go on for ever.
pub(super) fn some_stretch() -> impl Strategy<Value = Period> {
    (some_day(), 0..600_i32, any::<bool>()).prop_map(|(from, length, ends)| {
        let to = if ends { from.plus_days(length) } else { CalendarDate::MAX };
        Period { from, to }
    })
}

/// How many active users the partner has, and had.
pub(super) fn some_users() -> impl Strategy<Value = UserCounts> {
    (0..3_i32, vec((some_day(), 0..3_i32), 0..4)).prop_map(|(now, mut before)| {
        before.sort_unstable_by_key(|(last_day, _)| *last_day);
        before.dedup_by_key(|(last_day, _)| *last_day);
        let count = |(last_day, active_users)| UserCount { partner_id: id(1), last_day, active_users };
        UserCounts { now, before: before.into_iter().map(count).collect() }
    })
}

/// How the partner stood before, at times suspended or abroad.
pub(super) fn some_past() -> impl Strategy<Value = Vec<PartnerPeriod>> {
    let period = (some_day(), prop::bool::weighted(0.8), prop::bool::weighted(0.8));
    vec(period, 0..4).prop_map(|mut periods| {
        periods.sort_unstable_by_key(|(last_day, ..)| *last_day);
        periods.dedup_by_key(|(last_day, ..)| *last_day);
        let past = |(last_day, active, at_home)| {
            let status = if active { PartnerStatus::Active } else { PartnerStatus::Suspended };
            PartnerPeriod { last_day, ..standing(status, if at_home { "DE" } else { "JP" }) }
        };
        periods.into_iter().map(past).collect()
    })
}

prop_compose! {
    pub(super) fn some_world()(
        partner_type in select(PartnerType::ALL),
        before in some_past(),
        as_headquarters in prop_oneof![4 => Just(Vec::new()), 1 => vec(some_stretch(), 1..3)],
        belongs in some_stretch(),
        agreements in some_agreements(),
        attainments in some_attainments(),
        sales in some_sales(),
        enrolled in vec(some_stretch(), 0..3),
        opted_out_on in option::weighted(0.1, some_day()),
        users in some_users(),
    ) -> World {
        World {
            partner_type, before, as_headquarters, belongs, agreements, attainments, sales, enrolled,
            opted_out_on, users,
        }
    }
}

impl World {
    /// The partner's facts; a part of the records is the headquarters'.
    pub(super) fn facts(&self) -> Facts<'_> {
        let (own, lent) = self.agreements.split_at(self.agreements.len() / 2);
        let lent = vec![Lent { days: self.belongs, records: lent }];
        Facts {
            partner_id: id(1),
            partner_type: self.partner_type,
            standing: standing(PartnerStatus::Active, "DE"),
            before: &self.before,
            as_headquarters: &self.as_headquarters,
            agreements: Held { own, lent },
            attainments: Held::from(self.attainments.as_slice()),
            sales: &self.sales,
            enrolled: self.enrolled.clone(),
            opt_outs: self.opt_outs(),
            users: self.users.clone(),
        }
    }

    fn opt_outs(&self) -> Vec<OptOut> {
        let out = |on| OptOut { enrollment_id: id(2), program_year: 2019, on };
        self.opted_out_on.map(out).into_iter().collect()
    }

    pub(super) fn judged<T>(
        &self,
        rules: &[Requirement],
        on: CalendarDate,
        look: impl FnOnce(&Verdict<'_>) -> T,
    ) -> T {
        look(&evaluate(&self.facts(), &terms(rules), on))
    }

    pub(super) fn eligible(&self, rules: &[Requirement], on: CalendarDate) -> bool {
        self.judged(rules, on, |verdict| verdict.outcome == EligibilityOutcome::Eligible)
    }
}

/// The answer as it is sent, with what is stored beside it.
pub(super) fn answer(verdict: &Verdict<'_>) -> (EligibilityOutcome, Option<CalendarDate>, String) {
    (verdict.outcome, verdict.eligible_until(), serde_json::to_string(&verdict.view()).unwrap())
}

pub(super) fn with_a_shuffled_copy() -> impl Strategy<Value = (World, World)> {
    some_world().prop_flat_map(|world| {
        let shuffled = (
            Just(world.agreements.clone()).prop_shuffle(),
            Just(world.attainments.clone()).prop_shuffle(),
            Just(world.sales.clone()).prop_shuffle(),
        );
        (Just(world), shuffled).prop_map(|(world, (mut agreements, attainments, sales))| {
            // Each half stays whose it is: the partner's own, and what its headquarters lends.
            let half = world.agreements.len() / 2;
            agreements.sort_by_key(|a| world.agreements[half..].iter().any(|lent| lent.id == a.id));
            let copy = World { agreements, attainments, sales, ..world.clone() };
            (world, copy)
        })
    })
}
