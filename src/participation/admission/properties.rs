//! However facts are told, and whenever somebody looks, an enrollment comes to stand where one look at everything known
//! puts it.

use super::settling::{Due, Position, YearBefore};
use crate::{
    network::{
        agreements::{Agreement, Kind},
        partners::{PartnerPeriod, PartnerStatus, PartnerType},
        profiles::Standing,
    },
    participation::{
        eligibility::{
            Days, Facts, ProgramTerms, VersionTerms,
            samples::{Sample, agreement, day, id, standing, terms},
        },
        enrollments::{Cause, Enrollment, EnrollmentEvent, State, StateChange, earning_windows},
        programs::Requirement,
    },
    platform::values::{CalendarDate, Period, Timestamp},
};
use proptest::{collection::vec, prelude::*, sample, sample::Index};

/// The last day that is looked at, counted from the start: the year is over by then.
const LAST: i32 = 400;

/// The last day of the program year.
fn last_of_year() -> CalendarDate {
    day("2019-06-30")
}

/// The day on which the partner asked for the enrollment.
fn start() -> CalendarDate {
    day("2018-07-10")
}

/// Something that is told or done.
#[derive(Clone, Debug)]
enum Told {
    /// An agreement that begins so many days after the start, for so many days.
    Signed(i32, i32),
    /// The end of an agreement after so many of its days.
    Ended(Index, i32),
    /// The partner is barred from today on.
    Suspended,
    /// The partner is let back in from today on.
    Reinstated,
    /// A version for the days that had none.
    Published,
    /// Nothing; somebody looks.
    Looked,
    /// Whoever is invited accepts.
    Accepted,
    /// A profile is filed anew.
    Filed,
    /// What was filed is approved.
    Approved,
    /// What was filed is refused.
    Refused,
}

/// What is told, each so many days after the one before.
fn some_telling() -> impl Strategy<Value = Vec<(i32, Told)>> {
    let told = prop_oneof![
        5 => (-20..LAST, 1..200_i32).prop_map(|(from, length)| Told::Signed(from, length)),
        2 => (any::<Index>(), 0..200_i32).prop_map(|(of, after)| Told::Ended(of, after)),
        1 => Just(Told::Suspended),
        2 => Just(Told::Reinstated),
        1 => Just(Told::Published),
        3 => Just(Told::Looked),
        3 => Just(Told::Accepted),
        2 => Just(Told::Filed),
        3 => Just(Told::Approved),
        1 => Just(Told::Refused),
    ];
    vec((prop_oneof![Just(0), 0..60_i32], told), 1..16)
}

/// One partner, its enrollment, and all that is known by a day.
#[derive(Clone, Debug)]
struct Scene {
    today: CalendarDate,
    agreements: Vec<Agreement>,
    before: Vec<PartnerPeriod>,
    status: PartnerStatus,
    published: bool,
    profiles: Standing,
    approvals: Vec<Timestamp>,
    enrollment: Enrollment,
    history: Vec<StateChange>,
    /// How long an invitation is good.
    invitation_days: i32,
    /// How much has happened.
    happened: i64,
}

/// How long invitations are good, and whether the profiles are approved at the start.
fn some_start() -> impl Strategy<Value = (i32, Standing)> {
    (sample::select(vec![20, 400]), sample::select(vec![Standing::Approved, Standing::Pending]))
}

impl Scene {
    /// The partner has asked for the enrollment.
    fn new((invitation_days, profiles): (i32, Standing)) -> Self {
        let at = Timestamp::from_micros(0);
        let enrollment = Enrollment {
            id: id(5),
            partner_id: id(1),
            program_id: id(6),
            version: 1,
            program_year: 2019,
            state: State::by(profiles),
            invited_on: None,
            invitation_expires_on: None,
            accepted_by: None,
            earnings_start_on: (profiles == Standing::Approved).then(|| start().first_of_month()),
            ineligible_since: None,
            let_in_on: Some(start()),
            ended_on: None,
            evaluation_id: id(7),
            created_at: at,
            updated_at: at,
            revision: 1,
        };
        let mut scene = Self {
            today: start(),
            agreements: vec![paper(0, -40, 100)],
            before: Vec::new(),
            status: PartnerStatus::Active,
            published: false,
            profiles,
            approvals: Vec::new(),
            enrollment,
            history: Vec::new(),
            invitation_days,
            happened: 0,
        };
        scene.trace(None, Cause::Requested);
        scene
    }

    /// An instant of today, after everything that has happened.
    fn now(&mut self) -> Timestamp {
        self.happened += 1;
        self.today.midnight().plus_seconds(self.happened)
    }

    fn trace(&mut self, from_state: Option<State>, cause: Cause) {
        let occurred_at = self.now();
        let Enrollment { state, earnings_start_on, ineligible_since, let_in_on, .. } = self.enrollment;
        self.history.push(StateChange {
            id: id(1000 + self.history.len() as u128),
            partner_id: id(1),
            enrollment_id: id(5),
            from_state,
            to_state: state,
            cause,
            actor_id: None,
            as_of: self.today,
            evaluation_id: id(7),
            reason: None,
            occurred_at,
            earnings_start_on,
            ineligible_since,
            let_in_on,
        });
    }

    /// Lends out the days of the partner by everything known.
    fn known<T>(&self, look: impl FnOnce(&Days<'_>) -> T) -> T {
        let rules = [Requirement::PartnerActive {}, Requirement::MpnAgreement {}];
        let program = self.program(&rules);
        let sample = Sample { agreements: self.agreements.clone(), ..Sample::sound(PartnerType::DirectBill) };
        let standing = standing(self.status, "DE");
        let facts = Facts { standing, before: &self.before, ..sample.facts() };
        look(&Days::of(facts, &program))
    }

    /// Two versions, and between them days that none covers until one is published.
    fn program<'a>(&self, rules: &'a [Requirement; 2]) -> ProgramTerms<'a> {
        let version = |from: &str, to: &str, requirements| VersionTerms {
            program_year: 2019,
            days: Period { from: day(from), to: day(to) },
            requirements,
        };
        let between = self.published.then(|| version("2019-01-01", "2019-01-03", &rules[..]));
        let versions = [version("2018-07-01", "2018-12-31", &rules[..1])].into_iter().chain(between);
        let versions = versions.chain([version("2019-01-04", "2019-06-30", &rules[..])]);
        ProgramTerms { versions: versions.collect(), ..terms(&[]) }
    }

    /// What is due, and where the enrollment stands then; of one that was ended, before its end.
    fn due(&self) -> (Vec<Due>, State) {
        let is_over = last_of_year() < self.today;
        self.known(|days| {
            let (enrollment, history) = (&self.enrollment, self.history.as_slice());
            let (profiles, approvals, year_before) =
                (self.profiles, self.approvals.as_slice(), YearBefore::NotLookedAt);
            let until = self.today.min(last_of_year());
            let position = Position { enrollment, history, days, profiles, approvals, year_before, until };
            let mut dues = position.dues();
            let end = position.end(&dues);
            if is_over && end.is_open() && (enrollment.state.is_open() || !dues.is_empty()) {
                dues.push(Due::new(EnrollmentEvent::YearOver, Cause::YearEnded));
            }
            (dues, end)
        })
    }

    /// Brings the enrollment to where everything known puts it.
    fn look(&mut self) {
        for _ in 0..3 {
            let (dues, _) = self.due();
            if dues.is_empty() {
                return;
            }
            for due in dues {
                self.happen(due);
            }
        }
        panic!("the enrollment does not come to rest: {self:#?}");
    }

    fn happen(&mut self, due: Due) {
        let from = self.enrollment.state;
        let to = State::after(Some(from), due.event).expect("what is due can happen");
        due.carry_into(&mut self.enrollment, to, self.today, self.invitation_days);
        self.trace(Some(from), due.cause);
    }

    fn tell(&mut self, told: &Told) {
        let yesterday = self.today.plus_days(-1);
        match told {
            Told::Signed(from, length) => {
                self.agreements.push(paper(self.agreements.len(), *from, *length));
            }
            Told::Ended(of, after) => {
                let at = of.index(self.agreements.len());
                let ended = self.agreements[at].effective_on.plus_days(*after);
                self.agreements[at].terminated_on = Some(ended);
            }
            Told::Suspended | Told::Reinstated => {
                let known = self.before.iter().any(|period| period.last_day == yesterday);
                if !known {
                    let period = PartnerPeriod { last_day: yesterday, ..standing(self.status, "DE") };
                    self.before.push(period);
                }
                let suspended = matches!(told, Told::Suspended);
                self.status = if suspended { PartnerStatus::Suspended } else { PartnerStatus::Active };
            }
            Told::Published => self.published = true,
            Told::Accepted => {
                let met = self.known(|days| days.on(self.today).is_eligible());
                if met && self.enrollment.state == State::Invited {
                    self.happen(Due::new(EnrollmentEvent::Acceptance(self.profiles), Cause::Accepted));
                }
            }
            Told::Filed => self.profiles = Standing::Pending,
            Told::Approved if self.profiles == Standing::Pending => {
                self.profiles = Standing::Approved;
                let now = self.now();
                self.approvals.push(now);
            }
            Told::Refused if self.profiles != Standing::Missing => self.profiles = Standing::ActionRequired,
            Told::Looked | Told::Approved | Told::Refused => {}
        }
    }

    /// What is known, and what people have done; nobody has looked yet.
    fn untold(&self) -> Self {
        let mut scene = self.clone();
        scene.history.retain(StateChange::lets_in);
        let latest = scene.history.last().expect("the partner has asked");
        let StateChange { to_state, earnings_start_on, let_in_on, .. } = *latest;
        let (ended_on, ineligible_since) = (None, None);
        let state = to_state;
        let enrollment = scene.enrollment;
        scene.enrollment =
            Enrollment { state, earnings_start_on, ineligible_since, let_in_on, ended_on, ..enrollment };
        scene
    }

    /// Where the enrollment stands, or stood before its year was over.
    fn stands(&self) -> (State, State, Option<CalendarDate>, Option<CalendarDate>) {
        let Enrollment { state, earnings_start_on, ineligible_since, .. } = self.enrollment;
        let before = self.due().1;
        if state.is_open() {
            return (state, before, earnings_start_on, ineligible_since);
        }
        // Of an enrollment that is over it matters whether the partner took part to the end, not what its profiles or an
        // invitation do then.
        match before {
            State::Ineligible | State::Invited => (state, State::Invited, None, None),
            _ => (state, State::Enrolled, earnings_start_on, None),
        }
    }

    /// The days on which the enrollment earns.
    fn earning(&self) -> Vec<CalendarDate> {
        let windows = earning_windows(&self.enrollment, &self.history);
        let first = start().first_of_month();
        let days = (0..LAST + 30).map(|days| first.plus_days(days));
        days.filter(|day| windows.iter().any(|window| window.contains(*day))).collect()
    }

    /// Whether an invitation has run out, which one look, after a gap, knows nothing of.
    fn has_let_the_invitation_pass(&self, at_once: &Self) -> bool {
        matches!(at_once.stands().1, State::Invited | State::Ineligible)
            && self.history.last().is_some_and(|end| end.cause == Cause::InvitationExpired)
    }
}

/// An agreement that begins so many days after the start, for so many days.
fn paper(number: usize, from: i32, length: i32) -> Agreement {
    let from = start().plus_days(from);
    Agreement {
        effective_on: from,
        expires_on: Some(from.plus_days(length)),
        grace_days: 0,
        ..agreement(100 + number as u128, Kind::Mpn, "2018-01-01", "")
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn facts_told_in_any_order_and_at_any_time_lead_to_where_one_look_leads(
        telling in some_telling(), begin in some_start(),
    ) {
        let mut scene = Scene::new(begin);
        for (later, told) in &telling {
            let today = scene.today.plus_days(*later);
            scene.today = today.min(start().plus_days(LAST));
            scene.look();
            scene.tell(told);
            scene.look();
        }
        let mut at_once = scene.untold();
        at_once.look();
        prop_assert_eq!(scene.earning(), at_once.earning(), "{:#?}", scene.history);
        if !scene.has_let_the_invitation_pass(&at_once) {
            prop_assert_eq!(scene.stands(), at_once.stands(), "{:#?}", scene.history);
        }
        // Whoever stands right is left in peace.
        let before = scene.history.len();
        scene.look();
        prop_assert_eq!(scene.history.len(), before);
    }

    #[test]
    fn a_day_that_earns_is_one_on_which_the_rules_were_met_or_had_not_been_looked_at(
        telling in some_telling(), begin in some_start(),
    ) {
        let mut scene = Scene::new(begin);
        for (later, told) in &telling {
            scene.today = scene.today.plus_days(*later).min(start().plus_days(LAST));
            scene.tell(told);
            scene.look();
        }
        let earning = scene.earning();
        let since = |day: &CalendarDate| {
            scene.history.iter().any(|change| {
                change.lets_in() && change.as_of.first_of_month() <= *day && *day < change.as_of
            })
        };
        let bad = scene.known(|days| {
            let judged = earning.iter().filter(|day| **day <= scene.today && !since(day));
            judged.copied().find(|day| !days.on(*day).is_eligible())
        });
        prop_assert_eq!(bad, None, "{:#?}", scene.history);
    }
}
