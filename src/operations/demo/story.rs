//! The story of the demo: the scenes that lead each partner along its plot, day by day.

use super::{
    DemoUser, USERS,
    accounts::{approve_profiles, file_profiles, our_accounts_are_recorded},
    cast::{CAST, Player, Plot, mpn_id, partner_id},
    coop::{self, CoopRecords, CoopScene},
    first_day, offers,
    papers::{self, terminate},
    payments::{self, Step},
    people::{as_admin, parsed},
    sales::sell,
    year,
};
use crate::{
    access::{AppState, Role, Tx, password},
    config::DatabaseKind,
    earnings::calculation,
    identity::users::{self, NewUser},
    network::{
        agreements::{self, Kind},
        partners::{self, NewPartner, Partner, PartnerTransition, PartnerType},
        profiles::{self, Decision},
    },
    participation::{
        admission::{self, Occasion},
        programs::{self, ProgramKey},
    },
    platform::{
        Error, Result,
        values::{CalendarDate, Clock, Id, Locale, Timestamp},
    },
};
use std::ops::ControlFlow;

/// The instant at which the story begins and the demo's clock starts: more than a year ago, in the program year before
/// the present one. So the founding programs have versions for both years.
#[must_use]
pub fn begins(today: CalendarDate) -> Timestamp {
    noon(first_day(today))
}

fn first_day(today: CalendarDate) -> CalendarDate {
    let last_year = programs::program_year(programs::program_year_of(today) - 1);
    last_year.map_or(today, |year| year.from).max(today.plus_days(-400))
}

/// Fills an empty database with the story up to an instant, and moves the clock along. Does nothing where the database
/// holds the story.
pub fn fill(app: &AppState, clock: &Clock, until: Timestamp) -> Result<()> {
    let today = until.date();
    if app.kind()? != DatabaseKind::Sandbox {
        return Err(Error::internal("the demo fills sandboxes alone"));
    }
    let is_filled = app.read_as_system(|tx| Ok(partners::get(tx, partner_id(1)).is_ok()))?;
    if is_filled {
        return Ok(());
    }
    let hashes = USERS.iter().map(|user| app.passwords().hash(user.password)).collect::<Result<Vec<_>>>()?;
    let password = password::temporary()?;
    let hash = app.passwords().hash(&password)?;
    let setting = Setting { today, temporary: TemporaryPassword { password, hash }, hashes };
    let mut records = CoopRecords::default();
    for (nth, (day, scene)) in (0..).zip(scenes(today)) {
        // Scenes of the same day follow each other at some seconds' distance.
        clock.set(noon(day).plus_seconds(20 * nth).min(until));
        if matches!(scene, StoryScene::Year(year::Episode::Closing(_))) {
            calculation::calculate(app, None, |_| ControlFlow::Continue(()))?;
        }
        if let StoryScene::Year(year::Episode::Payment(step @ (Step::Statement | Step::Return))) = scene {
            payments::receive(app, step, day)?;
            continue;
        }
        if let StoryScene::Coop(scene) = scene {
            coop::perform(app, &mut records, scene)?;
            continue;
        }
        let setting = setting.clone();
        app.write_as_system("Demo", move |tx| {
            // A scene crosses partners. No other writer is at work yet, so the unit locks all partners.
            let known = partners::after(tx, None, i64::MAX)?;
            tx.lock_partners(&known.iter().map(|partner| partner.id).collect::<Vec<_>>())?;
            match scene {
                StoryScene::Plot(work) => work(tx, &setting),
                StoryScene::Year(episode) => year::perform(tx, episode),
                StoryScene::Coop(_) => Err(Error::internal("a scene of co-op has units of its own")),
            }
        })?;
    }
    calculation::calculate(app, None, |_| ControlFlow::Continue(())).map(drop)
}

/// The scenes of the story in the order of their days, each with its day.
fn scenes(today: CalendarDate) -> Vec<(CalendarDate, StoryScene)> {
    // Scenes that belong to the present program year happen in that year, however young the year is.
    let in_year = programs::program_year(programs::program_year_of(today))
        .map_or(0, |year| year.from.days_until(today));
    let days = first_day(today).days_until(today);
    let plot: Vec<(i32, PlotWork)> = vec![
        (days, everybody_joins),
        (days, |tx, _| offers::install(tx)),
        (days, first_day::most_are_set_up),
        (days, year::the_first_take_part),
        (days, year::their_profiles_are_filed),
        (days, year::their_profiles_are_approved),
        (days, |tx, _| our_accounts_are_recorded(tx)),
        (days, |tx, _| payments::the_retention_of_kuwait(tx)),
        (290, papers::are_signed),
        (280, papers::and_competencies_attained),
        (200, some_are_barred_and_some_go),
        (in_year.min(120), many_ask_to_take_part),
        (in_year.min(118), profiles_are_filed),
        (in_year.min(115), profiles_are_decided),
        (in_year.min(100), early_sales),
        (60, sales_that_invite_and_are_not_answered),
        (in_year.min(20), some_leave_and_some_are_ended),
        (in_year.min(12), first_day::the_admin_is_made),
        (in_year.min(12), first_day::the_admin_chooses_a_password),
        (in_year.min(12), first_day::the_list_is_sent),
        (in_year.min(12), first_day::the_set_up_is_completed),
        (in_year.min(10), sales_that_invite),
        (0, today_s_refresh),
    ];
    let mut scenes: Vec<(CalendarDate, StoryScene)> = plot
        .into_iter()
        .map(|(days_ago, work)| (today.plus_days(-days_ago), StoryScene::Plot(work)))
        .collect();
    let of_the_year = year::episodes(first_day(today), today);
    scenes.extend(of_the_year.into_iter().map(|(day, episode)| (day, StoryScene::Year(episode))));
    let of_coop = coop::scenes(first_day(today), today);
    scenes.extend(of_coop.into_iter().map(|(day, scene)| (day, StoryScene::Coop(scene))));
    scenes.sort_by_key(|(day, _)| *day);
    scenes
}

/// The operators' e-mail addresses: one operator proposes an adjustment, the other decides on it.
pub(super) const OPERATORS: [&str; 2] = [USERS[0].email, "oscar@programme.example"];

/// A scene: the work of one unit on one day.
#[derive(Clone, Copy)]
enum StoryScene {
    /// Leads the partners of some plots on.
    Plot(PlotWork),
    /// An episode of the partners that have taken part since the story begins.
    Year(year::Episode),
    /// A scene of the co-op of partners that have taken part since the story begins, in units of its own.
    Coop(CoopScene),
}

type PlotWork = fn(&mut Tx<'_>, &Setting) -> Result<()>;

/// The facts that every scene knows.
#[derive(Clone)]
pub(super) struct Setting {
    /// The day the story ends.
    pub(super) today: CalendarDate,
    pub(super) temporary: TemporaryPassword,
    /// The password hashes of [`USERS`].
    hashes: Vec<String>,
}

/// The temporary password of a new user.
#[derive(Clone)]
pub(super) struct TemporaryPassword {
    pub(super) password: String,
    pub(super) hash: String,
}

impl Setting {
    /// The password hash of the users with a role.
    pub(super) fn hash_of(&self, role: Role) -> String {
        let known = USERS.iter().zip(&self.hashes);
        known.filter(|(user, _)| user.role == role.as_str()).map(|(_, hash)| hash.clone()).collect()
    }
}

fn noon(day: CalendarDate) -> Timestamp {
    format!("{day}T12:00:00Z").parse().unwrap_or(Timestamp::from_micros(0))
}

/// The players with their numbers, counted from one.
pub(super) fn players() -> impl Iterator<Item = (usize, &'static Player)> {
    CAST.iter().enumerate().map(|(index, player)| (index + 1, player))
}

/// The players with one of these plots, with their numbers.
pub(super) fn players_with(plots: &'static [Plot]) -> impl Iterator<Item = (usize, &'static Player)> {
    players().filter(|(_, player)| plots.contains(&player.plot))
}

pub(super) fn program_of(player: &Player) -> ProgramKey {
    let code = match player.partner_type {
        PartnerType::DirectBill => "csp-direct-bill",
        PartnerType::IndirectProvider => "csp-indirect-provider",
        PartnerType::IndirectReseller => "csp-indirect-reseller",
    };
    ProgramKey::Code(code.into())
}

fn everybody_joins(tx: &mut Tx<'_>, setting: &Setting) -> Result<()> {
    for (DemoUser { role, email, .. }, hash) in USERS.iter().zip(&setting.hashes).take(2) {
        let name = if *role == Role::Operator.as_str() { "Olivia Okafor" } else { "Arno Adler" };
        hire(tx, email, name, role.parse().unwrap_or(Role::Auditor), None, hash)?;
    }
    hire(tx, OPERATORS[1], "Oscar Osei", Role::Operator, None, &setting.hash_of(Role::Operator))?;
    let mut headquarters = None;
    for (n, player) in players() {
        let id = partner_id(n);
        let new = NewPartner {
            mpn_id: mpn_id(n),
            legal_name: player.name.into(),
            country: parsed(player.country)?,
            currency: parsed(player.currency)?,
            partner_type: player.partner_type,
            headquarters_id: headquarters.filter(|_| player.plot == Plot::Location),
            headquarters_since: None,
            contact_email: format!("partners-{n}@partner.example"),
            active: player.plot != Plot::Pending,
        };
        partners::create(tx, id, new)?;
        if player.plot == Plot::Headquarters {
            headquarters = Some(id);
        }
        if player.plot == Plot::FirstDay {
            continue;
        }
        for (DemoUser { role, .. }, hash) in USERS.iter().zip(&setting.hashes).skip(2) {
            let (who, name) =
                if *role == Role::Viewer.as_str() { ("viewer", "Vera") } else { ("admin", "Adam") };
            let role = role.parse().unwrap_or(Role::Viewer);
            hire(
                tx,
                &format!("{who}-{n}@partner.example"),
                &format!("{name} of {}", player.name),
                role,
                Some(id),
                hash,
            )?;
        }
    }
    Ok(())
}

fn hire(
    tx: &mut Tx<'_>,
    email: &str,
    name: &str,
    role: Role,
    partner_id: Option<Id>,
    hash: &str,
) -> Result<()> {
    let name = name.chars().take(200).collect();
    let password_hash = hash.to_owned();
    users::create(
        tx,
        NewUser {
            email: email.into(),
            name,
            role,
            partner_id,
            password_hash,
            must_change_password: false,
            issuer: None,
            locale: Locale::En,
        },
    )
    .map(drop)
}

fn some_are_barred_and_some_go(tx: &mut Tx<'_>, _: &Setting) -> Result<()> {
    for (n, player) in players_with(&[Plot::Suspended, Plot::Closed]) {
        let partner = partners::get(tx, partner_id(n))?;
        let (transition, reason) = match player.plot {
            Plot::Closed => (PartnerTransition::Closure, "merged into another partner"),
            _ => (PartnerTransition::Suspension, "fees unpaid since spring"),
        };
        partners::apply(tx, partner, transition, reason)?;
    }
    Ok(())
}

/// The plots about an enrollment. An indirect reseller sells first, and is invited by the sale.
const TAKE_PART: &[Plot] = &[
    Plot::Enrolled,
    Plot::ActionRequired,
    Plot::ProfileRefused,
    Plot::Validating,
    Plot::LostMpn,
    Plot::OptedOut,
    Plot::Discontinued,
];

fn many_ask_to_take_part(tx: &mut Tx<'_>, _: &Setting) -> Result<()> {
    for (n, player) in players_with(TAKE_PART) {
        if player.partner_type == PartnerType::IndirectReseller {
            sell(tx, n, 1, None)?;
        }
        as_admin(tx, n, |tx| admission::request(tx, partner_id(n), &program_of(player), None).map(drop))?;
    }
    Ok(())
}

/// The plots with both profiles filed. A partner without sales files the profiles ahead of the first sale.
const FILE_PROFILES: &[Plot] = &[
    Plot::Enrolled,
    Plot::ProfileRefused,
    Plot::Validating,
    Plot::LostMpn,
    Plot::OptedOut,
    Plot::Discontinued,
    Plot::NoSale,
];

fn profiles_are_filed(tx: &mut Tx<'_>, _: &Setting) -> Result<()> {
    players_with(FILE_PROFILES).try_for_each(|(n, player)| file_profiles(tx, n, player))
}

fn profiles_are_decided(tx: &mut Tx<'_>, _: &Setting) -> Result<()> {
    for (n, player) in players_with(TAKE_PART) {
        match player.plot {
            Plot::ActionRequired | Plot::Validating => {}
            Plot::ProfileRefused => {
                let refusal = Decision::Rejection("the account's holder is not the partner");
                profiles::decide_payout(tx, partner_id(n), refusal)?;
            }
            _ => approve_profiles(tx, n)?,
        }
    }
    Ok(())
}

fn early_sales(tx: &mut Tx<'_>, _: &Setting) -> Result<()> {
    for (n, _) in players_with(&[Plot::Enrolled, Plot::LostMpn, Plot::OptedOut]) {
        for sale in 10..14 {
            sell(tx, n, sale, None)?;
        }
    }
    Ok(())
}

fn sales_that_invite_and_are_not_answered(tx: &mut Tx<'_>, _: &Setting) -> Result<()> {
    for (n, _) in players_with(&[Plot::InvitationExpired]) {
        sell(tx, n, 1, None)?;
    }
    Ok(())
}

fn some_leave_and_some_are_ended(tx: &mut Tx<'_>, _: &Setting) -> Result<()> {
    for (n, player) in players_with(&[Plot::OptedOut, Plot::Discontinued, Plot::LostMpn]) {
        let id = partner_id(n);
        let enrollment = admission::open_of(tx, id, &program_of(player))?;
        match player.plot {
            Plot::OptedOut => as_admin(tx, n, |tx| admission::opt_out(tx, enrollment, None).map(drop))?,
            Plot::Discontinued => {
                admission::discontinue(tx, enrollment, "sales reported twice on purpose, case 88")?;
            }
            _ => {
                let papers = agreements::held_by(tx, &[id])?;
                let mpn = papers
                    .iter()
                    .find(|paper| paper.kind == Kind::Mpn)
                    .ok_or(Error::not_found("agreement", "契約"))?;
                let today = tx.today();
                terminate(tx, mpn, today)?;
            }
        }
    }
    Ok(())
}

fn sales_that_invite(tx: &mut Tx<'_>, _: &Setting) -> Result<()> {
    for (n, player) in players_with(&[Plot::Invited, Plot::Refunded, Plot::MpnInGrace]) {
        let purchase = sell(tx, n, 1, None)?;
        if player.plot == Plot::Refunded {
            sell(tx, n, 2, Some(purchase))?;
        }
    }
    Ok(())
}

fn today_s_refresh(tx: &mut Tx<'_>, _: &Setting) -> Result<()> {
    let ids: Vec<Id> = players().filter(|(_, p)| p.plot != Plot::Ready).map(|(n, _)| partner_id(n)).collect();
    let everybody: Vec<Partner> = partners::family(tx, &ids)?;
    let moved = admission::reassess(tx, &everybody, Occasion::ChangedFacts)?;
    crate::audit::Event::on("demo", tx.new_id())
        .after(&serde_json::json!({ "enrollments_moved": moved }))
        .record(tx)
}
