//! What holds for any facts: found by trying many, with every day of three years looked at.

use super::{
    EligibilityOutcome, Facts, Held, Lent, OptOut, ProgramStanding, ProgramTerms, Sale, Verdict,
    VersionTerms, evaluate,
    samples::{agreement, attainment, day, id, purchase, standing, terms, usd},
};
use crate::{
    identity::users::{UserCount, UserCounts},
    network::{
        agreements::{Agreement, Kind},
        competencies::{Attainment, Level},
        partners::{PartnerPeriod, PartnerStatus, PartnerType},
    },
    participation::programs::{ProgramStatus, Requirement, rule_sets},
    platform::values::{CalendarDate, Period},
    sales::transactions::TransactionKind,
};
use proptest::{collection::vec, option, prelude::*, sample::select};

const DAYS: i32 = 1100;
const CODES: [&str; 3] = ["cloud-crm", "cloud-platform", "erp"];

fn start() -> CalendarDate {
    day("2018-07-01")
}

fn some_day() -> impl Strategy<Value = CalendarDate> {
    (0..DAYS).prop_map(|days| start().plus_days(days))
}

prop_compose! {
    fn some_agreement()(
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
    fn some_attainment()(
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
fn some_periods() -> impl Strategy<Value = Vec<(CalendarDate, i32)>> {
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

fn some_agreements() -> impl Strategy<Value = Vec<Agreement>> {
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

fn some_attainments() -> impl Strategy<Value = Vec<Attainment>> {
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
fn some_sales() -> impl Strategy<Value = Vec<Sale>> {
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

fn some_rule() -> impl Strategy<Value = Requirement> {
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
struct Versions(Vec<(i32, i32, Vec<Requirement>)>);

/// Versions one after the other, at times with days between them that none covers.
fn some_versions() -> impl Strategy<Value = Versions> {
    let gap = prop_oneof![4 => Just(1), 1 => 2..40_i32];
    vec((gap, 20..500_i32, vec(some_rule(), 1..3)), 1..4).prop_map(Versions)
}

impl Versions {
    fn terms(&self) -> ProgramTerms<'_> {
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
struct World {
    partner_type: PartnerType,
    before: Vec<PartnerPeriod>,
    as_headquarters: Vec<Period>,
    belongs: Period,
    agreements: Vec<Agreement>,
    attainments: Vec<Attainment>,
    sales: Vec<Sale>,
    enrolled: Vec<Period>,
    opted_out_on: Option<CalendarDate>,
    users: UserCounts,
}

/// Some days in a row; for every other one they go on for ever.
fn some_stretch() -> impl Strategy<Value = Period> {
    (some_day(), 0..600_i32, any::<bool>()).prop_map(|(from, length, ends)| {
        let to = if ends { from.plus_days(length) } else { CalendarDate::MAX };
        Period { from, to }
    })
}

/// How many active users the partner has, and had.
fn some_users() -> impl Strategy<Value = UserCounts> {
    (0..3_i32, vec((some_day(), 0..3_i32), 0..4)).prop_map(|(now, mut before)| {
        before.sort_unstable_by_key(|(last_day, _)| *last_day);
        before.dedup_by_key(|(last_day, _)| *last_day);
        let count = |(last_day, active_users)| UserCount { partner_id: id(1), last_day, active_users };
        UserCounts { now, before: before.into_iter().map(count).collect() }
    })
}

/// How the partner stood before, at times suspended or abroad.
fn some_past() -> impl Strategy<Value = Vec<PartnerPeriod>> {
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
    fn some_world()(
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
    fn facts(&self) -> Facts<'_> {
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

    fn judged<T>(&self, rules: &[Requirement], on: CalendarDate, look: impl FnOnce(&Verdict<'_>) -> T) -> T {
        look(&evaluate(&self.facts(), &terms(rules), on))
    }

    fn eligible(&self, rules: &[Requirement], on: CalendarDate) -> bool {
        self.judged(rules, on, |verdict| verdict.outcome == EligibilityOutcome::Eligible)
    }
}

/// The answer as it is sent, with what is stored beside it.
fn answer(verdict: &Verdict<'_>) -> (EligibilityOutcome, Option<CalendarDate>, String) {
    (verdict.outcome, verdict.eligible_until(), serde_json::to_string(&verdict.view()).unwrap())
}

fn with_a_shuffled_copy() -> impl Strategy<Value = (World, World)> {
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

proptest! {
    // Each looks at every day of three years.
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn an_eligible_partner_stays_so_exactly_until_the_day_that_was_named(
        world in some_world(),
        rules in some_versions(),
    ) {
        let facts = world.facts();
        let program = rules.terms();
        let judged = |on| evaluate(&facts, &program, on);
        let days = || (0..DAYS).map(|days| start().plus_days(days));
        let eligible: Vec<bool> = days().map(|on| judged(on).is_eligible()).collect();
        // From the back: the first day on or after each at which the partner is not eligible.
        let mut lost_on = None;
        for (on, eligible) in days().zip(eligible).collect::<Vec<_>>().into_iter().rev() {
            if !eligible {
                lost_on = Some(on);
            }
            let until = judged(on).eligible_until();
            let expected = if eligible { lost_on } else { None };
            // What lies beyond the days looked at is only known to lie beyond.
            let seen = until.filter(|until| *until < start().plus_days(DAYS));
            prop_assert_eq!(seen, expected, "as of {}", on);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_same_facts_in_any_order_give_the_same_verdict(
        (world, copy) in with_a_shuffled_copy(),
        rules in vec(some_rule(), 1..5),
        on in some_day(),
    ) {
        let first = world.judged(&rules, on, answer);
        prop_assert_eq!(&world.judged(&rules, on, answer), &first);
        prop_assert_eq!(&copy.judged(&rules, on, answer), &first);
    }

    #[test]
    fn each_rule_lapses_exactly_when_it_is_first_unmet(
        world in some_world(),
        rule in some_rule(),
        on in some_day(),
    ) {
        let rules = [rule];
        let met = |on| world.judged(&rules, on, |verdict| verdict.checks[2].code.is_none());
        let lapses_on = world.judged(&rules, on, |verdict| verdict.checks[2].lapses_on);
        if met(on) {
            let scanned = (1..2 * DAYS).map(|days| on.plus_days(days)).find(|on| !met(*on));
            prop_assert_eq!(lapses_on, scanned);
        } else {
            prop_assert_eq!(lapses_on, None);
        }
    }

    #[test]
    fn another_record_never_makes_a_met_rule_unmet(
        world in some_world(),
        rule in some_rule().prop_filter("money may also go back", |rule| !has_revenue(rule)),
        paper in some_agreement(),
        award in some_attainment(),
        on in some_day(),
    ) {
        let rules = [rule];
        let mut richer = world.clone();
        richer.agreements.push(Agreement { id: id(40), ..paper });
        richer.attainments.push(Attainment { id: id(90), ..award });
        richer.sales.push(purchase(900, "2018-07-01", 1));
        prop_assert!(!world.eligible(&rules, on) || richer.eligible(&rules, on));
        let until = |world: &World| {
            let end = world.judged(&rules, on, |verdict| verdict.eligible_until());
            end.unwrap_or(CalendarDate::MAX)
        };
        prop_assert!(!world.eligible(&rules, on) || until(&world) <= until(&richer));
    }

    #[test]
    fn another_alternative_never_hurts_and_another_rule_never_helps(
        world in some_world(),
        rules in vec(some_rule(), 1..4),
        more in some_rule(),
        on in some_day(),
    ) {
        let applies = |rule: &Requirement| {
            world.judged(std::slice::from_ref(rule), on, |v| v.checks[2].status != super::CheckStatus::NotApplicable)
        };
        let extended: Vec<_> = rules.iter().cloned().chain([more]).collect();
        prop_assert!(!world.eligible(&extended, on) || world.eligible(&rules, on));
        let one_of = |requirements: &[Requirement]| [Requirement::AnyOf { requirements: requirements.to_vec() }];
        // Alternatives of which none is asked are met by default; one that is asked may then fail.
        if rules.iter().any(applies) {
            prop_assert!(!world.eligible(&one_of(&rules), on) || world.eligible(&one_of(&extended), on));
        }
    }

    #[test]
    fn founding_asks_an_indirect_provider_for_a_competency_and_the_guide_does_not(
        mut world in some_world(),
        on in some_day(),
    ) {
        world.partner_type = PartnerType::IndirectProvider;
        world.attainments.clear();
        prop_assert!(!world.eligible(&rule_sets::founding(), on));
        let bare: Vec<_> = rule_sets::guide(PartnerType::IndirectProvider);
        let counts = |kind, authorized: bool| {
            let fits = |a: &&Agreement| a.kind == kind && (!authorized || a.distributor_authorization == Some(true));
            let facts = world.facts();
            facts.agreements.on(on).filter(fits).any(|a| a.counts_on(on))
        };
        let expected = counts(Kind::Mpn, false)
            && counts(Kind::Distributor, true)
            && world.facts().standing_on(on).status == PartnerStatus::Active
            && !world.as_headquarters.iter().any(|days| days.contains(on))
            && world.opted_out_on.is_none_or(|out| on < out)
            && on <= terms(&[]).versions[0].days.to;
        prop_assert_eq!(world.eligible(&bare, on), expected);
    }

    #[test]
    fn a_program_that_is_not_open_takes_nobody(world in some_world(), on in some_day()) {
        for status in [ProgramStatus::Closed, ProgramStatus::Discontinued] {
            let terms = terms(&[]);
            let standing = ProgramStanding { status, ..terms.standing };
            let (facts, terms) = (world.facts(), ProgramTerms { standing, ..terms });
            prop_assert!(!evaluate(&facts, &terms, on).is_eligible());
        }
    }
}

fn has_revenue(rule: &Requirement) -> bool {
    match rule {
        Requirement::TrailingRevenue { .. } => true,
        Requirement::AnyOf { requirements } => requirements.iter().any(has_revenue),
        _ => false,
    }
}
