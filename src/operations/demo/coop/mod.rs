//! The co-op of the demo's year: two partners plan, claim what activities have cost, and operators decide. At the end of the story
//! every state of a claim is shown, and audits ask for originals. The fund of Magnolia Cloud is left to the reader.
//!
//! Claims of the earlier chapter go their whole way, up to the money or to the last day for an answer. Claims of the recent chapter
//! stand where people have to act. Each chapter lies in one window for claims, however the story's last day falls.

mod deeds;
mod files;

use super::story::OPERATORS;
use crate::{
    ledger::accounting::coop_funds::HalfYear,
    payouts::coop_claims::ClaimState,
    platform::values::{CalendarDate, Id, Month},
};
pub(super) use deeds::perform;
use std::collections::HashMap;

/// The first days of the chapters, in days before the last day of the story.
const EARLIER: i32 = 130;
const EARLIER_AT_LATEST: i32 = 100;
const RECENT: i32 = 9;
/// The day of the month on which the claims that were paid in the month before are drawn.
const DRAWN_ON: i32 = 2;

/// A part of the story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chapter {
    Earlier,
    Recent,
}

/// The half-year whose fund is claimed in a chapter, with the first day of the chapter.
#[derive(Clone, Copy, Debug)]
struct ChapterDays {
    half: HalfYear,
    begins: CalendarDate,
}

impl Chapter {
    fn days(self, today: CalendarDate) -> ChapterDays {
        let (latest, earliest) = match self {
            Self::Earlier => (today.plus_days(-EARLIER_AT_LATEST), today.plus_days(-EARLIER)),
            Self::Recent => (today, today.plus_days(-RECENT)),
        };
        let half = claimed_on(latest);
        ChapterDays { half, begins: earliest.max(half.claims().from) }
    }
}

/// The half-year whose fund is claimed on a day: the windows follow each other without a gap.
fn claimed_on(day: CalendarDate) -> HalfYear {
    let of = |months_before: i32| HalfYear::of(Month::of(day).plus(-months_before));
    [6, 12].map(of).into_iter().find(|half| half.claims().contains(day)).unwrap_or_else(|| of(8))
}

/// The activity of a claim, with the files that prove the activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Activity {
    TradeShow,
    Website,
    Membership,
    Mailing,
}

/// A claim of the demo, with the state that the story leads the claim to.
#[derive(Debug)]
struct ClaimPlot {
    /// The number of the partner.
    partner: usize,
    chapter: Chapter,
    activity: Activity,
    description: &'static str,
    supplier: &'static str,
    /// The net amount, in hundredths of the fund.
    share: i64,
    fate: ClaimState,
}

/// The numbers of the partners that claim.
const OF_JAPAN: usize = 69;
const OF_KUWAIT: usize = 70;

const fn plot(
    (partner, chapter): (usize, Chapter),
    (activity, description): (Activity, &'static str),
    supplier: &'static str,
    share: i64,
    fate: ClaimState,
) -> ClaimPlot {
    ClaimPlot { partner, chapter, activity, description, supplier, share, fate }
}

const EARLIER_IN_JAPAN: (usize, Chapter) = (OF_JAPAN, Chapter::Earlier);
const EARLIER_IN_KUWAIT: (usize, Chapter) = (OF_KUWAIT, Chapter::Earlier);
const RECENT_IN_JAPAN: (usize, Chapter) = (OF_JAPAN, Chapter::Recent);
const RECENT_IN_KUWAIT: (usize, Chapter) = (OF_KUWAIT, Chapter::Recent);

/// The claims. No two of a partner have the same share, so that no two have the same amount.
static CLAIMS: [ClaimPlot; 15] = {
    use Activity::{Mailing, Membership, TradeShow, Website};
    use ClaimState as To;
    [
        plot(EARLIER_IN_JAPAN, (Mailing, "Letters to customers in Osaka"), "Naniwa Post", 16, To::Paid),
        plot(EARLIER_IN_JAPAN, (Website, "Landing page for Azure"), "Kitahama Web", 15, To::Paid),
        plot(EARLIER_IN_JAPAN, (Membership, "Fee of the partner association"), "Partner Union", 14, To::Paid),
        plot(
            EARLIER_IN_KUWAIT,
            (Website, "Search advertising in spring"),
            "Gulf Search",
            5,
            To::RejectedFinal,
        ),
        plot(EARLIER_IN_KUWAIT, (Membership, "Fee of the chamber"), "Kuwait Chamber", 6, To::Expired),
        plot(EARLIER_IN_KUWAIT, (TradeShow, "Stand at the mall"), "Avenues Events", 7, To::Cancelled),
        plot(RECENT_IN_KUWAIT, (TradeShow, "Stand at Gulf Cloud Week"), "Gulf Fair Est.", 9, To::Approved),
        plot(RECENT_IN_KUWAIT, (Website, "Pages in Arabic"), "Salmiya Studio", 8, To::PartiallyApproved),
        plot(RECENT_IN_KUWAIT, (Membership, "Fee for the year"), "Kuwait Chamber", 4, To::Rejected),
        plot(RECENT_IN_JAPAN, (Website, "Search advertising in autumn"), "Kitahama Web", 3, To::Disputed),
        plot(RECENT_IN_JAPAN, (Membership, "Fee of a user group"), "Nihon User Group", 4, To::ActionRequired),
        // The photo is the one of the stand in Kuwait, so that two people decide.
        plot(RECENT_IN_JAPAN, (TradeShow, "Stand at Kansai Expo"), "Osaka Fair Co.", 9, To::Submitted),
        plot(RECENT_IN_JAPAN, (Website, "Customer stories"), "Kitahama Web", 5, To::UnderReview),
        plot(RECENT_IN_JAPAN, (Membership, "Fee of the association"), "Partner Union", 6, To::Draft),
        plot(RECENT_IN_KUWAIT, (TradeShow, "Stand at a job fair"), "Avenues Events", 3, To::Cancelled),
    ]
};

/// What somebody does with a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Draft,
    Submission,
    Cancellation,
    Review,
    Question,
    Approval,
    PartialApproval,
    Rejection,
    Dispute,
    FinalRejection,
}

/// The deeds that lead a claim to a state, each with its day of the chapter. Money, and the end of the time for an answer, come by
/// themselves.
const fn deeds_to(fate: ClaimState) -> &'static [(i32, Deed)] {
    use ClaimState as To;
    match fate {
        To::Draft => &[(0, Deed::Draft)],
        To::Cancelled => &[(0, Deed::Draft), (1, Deed::Cancellation)],
        // Sent once the decisions on the others are made.
        To::Submitted => &[(4, Deed::Draft), (7, Deed::Submission)],
        To::UnderReview => &[(0, Deed::Draft), (6, Deed::Submission), (8, Deed::Review)],
        To::ActionRequired | To::Expired => &[(0, Deed::Draft), (1, Deed::Submission), (3, Deed::Question)],
        To::Approved | To::Paid => &[(0, Deed::Draft), (1, Deed::Submission), (3, Deed::Approval)],
        To::PartiallyApproved => &[(0, Deed::Draft), (1, Deed::Submission), (3, Deed::PartialApproval)],
        To::Rejected => &[(0, Deed::Draft), (1, Deed::Submission), (3, Deed::Rejection)],
        To::Disputed => &[(0, Deed::Draft), (1, Deed::Submission), (3, Deed::Rejection), (5, Deed::Dispute)],
        To::RejectedFinal => &[
            (0, Deed::Draft),
            (1, Deed::Submission),
            (3, Deed::Rejection),
            (5, Deed::Dispute),
            (8, Deed::FinalRejection),
        ],
    }
}

/// What becomes of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PlanFate {
    Draft,
    Submitted,
    Approved,
    Cancelled,
}

/// An operator's decision on an audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Finding {
    Passed,
    Recovered,
}

/// A scene of the demo's co-op.
#[derive(Clone, Copy, Debug)]
pub(super) struct CoopScene(Scene);

#[derive(Clone, Copy, Debug)]
enum Scene {
    Claim {
        nth: usize,
        half: HalfYear,
        deed: Deed,
    },
    Plan {
        partner: usize,
        half: HalfYear,
        fate: PlanFate,
    },
    /// The claims that were paid in the month before are drawn.
    Draw,
    /// The other operator has looked at the originals of a claim.
    Audit {
        nth: usize,
        finding: Finding,
    },
}

/// The claims and plans that were made so far.
#[derive(Default)]
pub(super) struct CoopRecords {
    claims: HashMap<usize, Id>,
}

/// Who decides on claims, and who decides on disputes and audits.
const REVIEWERS: [&str; 2] = OPERATORS;

/// The scenes up to today, each with its day.
pub(super) fn scenes(from: CalendarDate, today: CalendarDate) -> Vec<(CalendarDate, CoopScene)> {
    let mut scenes = Vec::new();
    for chapter in [Chapter::Earlier, Chapter::Recent] {
        let ChapterDays { half, begins } = chapter.days(today);
        let of_chapter = CLAIMS.iter().enumerate().filter(|(_, plot)| plot.chapter == chapter);
        let mut deeds: Vec<(i32, Scene)> = of_chapter
            .flat_map(|(nth, plot)| deeds_to(plot.fate).iter().map(move |&(day, deed)| (nth, day, deed)))
            .map(|(nth, day, deed)| (day, Scene::Claim { nth, half, deed }))
            .collect();
        deeds.sort_by_key(|(day, _)| *day);
        scenes.extend(deeds.into_iter().map(|(day, scene)| (begins.plus_days(day).min(today), scene)));
    }
    scenes.extend(plans(today));
    for ago in 0..15 {
        let month = Month::of(today).plus(-ago);
        scenes.push((month.first_day().plus_days(DRAWN_ON - 1), Scene::Draw));
    }
    // The third of the audits is left to the reader.
    for (nth, finding) in [(0, Finding::Passed), (1, Finding::Recovered)] {
        scenes.push((today.plus_days(-3), Scene::Audit { nth, finding }));
    }
    scenes.retain(|(day, _)| from < *day && *day <= today);
    scenes.into_iter().map(|(day, scene)| (day, CoopScene(scene))).collect()
}

/// The plans: for the fund that is claimed now, and for the one that grows.
fn plans(today: CalendarDate) -> Vec<(CalendarDate, Scene)> {
    let half = claimed_on(today);
    let next = HalfYear::of(half.last_month().plus(1));
    let plan = |partner, half, fate| Scene::Plan { partner, half, fate };
    // A plan is decided while activities of its fund are ahead, and before the claims of the recent chapter.
    let decided_on = today.plus_days(-RECENT - 3).max(half.claims().from.plus_days(-9));
    let decided_on = decided_on.min(half.usage().to.plus_days(-5));
    vec![
        (decided_on, plan(OF_KUWAIT, half, PlanFate::Approved)),
        (decided_on, plan(OF_JAPAN, half, PlanFate::Submitted)),
        (today, plan(OF_JAPAN, next, PlanFate::Draft)),
        (today, plan(OF_KUWAIT, next, PlanFate::Cancelled)),
    ]
}
