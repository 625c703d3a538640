//! The deeds of the demo's co-op, each a unit of its own: files are received between them.

use super::{
    Activity, CLAIMS, ClaimPlot, CoopRecords, CoopScene, Deed, Finding, PlanFate, REVIEWERS, Scene,
    files::{PHOTO, page},
};
use crate::{
    access::{AppState, Tx, Unaudited},
    ledger::{
        accounting::coop_funds::{self, CoopFund, CoopFundState, FundRange, HalfYear},
        adjustments,
    },
    operations::demo::{
        cast::{CAST, Player, partner_id},
        people::{actor, admin_of, as_admin, as_user, parsed},
    },
    participation::programs::CoopProofKind,
    payouts::{
        coop_audits,
        coop_claims::{
            self, Claim, ClaimWords, CutReason, DecisionLine, ExpenseSource, ExpenseWords, ProofMedia,
        },
        coop_plans::{self, PlannedActivity},
        coop_proofs::{self, NewProof},
    },
    platform::{
        Error, Result,
        values::{Currency, Id, Money},
    },
};

/// The operation in audit events.
const OPERATION: &str = "Demo";

/// Performs a scene.
pub(in crate::operations::demo) fn perform(
    app: &AppState,
    records: &mut CoopRecords,
    scene: CoopScene,
) -> Result<()> {
    match scene.0 {
        Scene::Claim { nth, half, deed } => {
            let Some(plot) = CLAIMS.get(nth) else { return Ok(()) };
            if deed == Deed::Draft {
                let drafted = app.write_as_system(OPERATION, move |tx| draft(tx, nth, plot, half))?;
                records.claims.extend(drafted.map(|claim| (nth, claim)));
                return Ok(());
            }
            let Some(claim) = records.claims.get(&nth).copied() else { return Ok(()) };
            if deed == Deed::Submission {
                send_files(app, plot, claim)?;
            }
            app.write_as_system(OPERATION, move |tx| act(tx, plot, claim, deed))
        }
        Scene::Plan { partner, half, fate } => {
            app.write_as_system(OPERATION, move |tx| plan(tx, partner, half, fate))
        }
        Scene::Draw => app.write_as_system(OPERATION, coop_audits::draw_due),
        Scene::Audit { nth, finding } => {
            let Some(claim) = records.claims.get(&nth).copied() else { return Ok(()) };
            app.write_as_system(OPERATION, move |tx| decide_audit(tx, claim, finding))
        }
    }
}

fn player(n: usize) -> Result<&'static Player> {
    CAST.get(n - 1).ok_or_else(|| Error::internal("no such player"))
}

/// The largest fund of the n-th partner's half-year in the partner's currency: refunds for an ended enrollment make a fund below zero.
fn fund(tx: &mut Tx<'_>, n: usize, half: HalfYear) -> Result<Option<CoopFund>> {
    let currency: Currency = parsed(player(n)?.currency)?;
    let funds = coop_funds::of_partners(tx, &[partner_id(n)], FundRange::All)?;
    let of_half = funds.into_iter().filter(|fund| fund.half() == half && fund.currency == currency);
    Ok(of_half.max_by_key(|fund| fund.claimable).filter(|fund| fund.claimable > 0))
}

/// A part of a fund, in hundredths.
fn share(fund: &CoopFund, hundredths: i64) -> Money {
    fund.money(fund.claimable / 100 * hundredths)
}

impl Activity {
    const fn code(self) -> &'static str {
        match self {
            Self::TradeShow => "tradeshow",
            Self::Website => "website-search",
            Self::Membership => "program-membership",
            Self::Mailing => "direct-mail-email-sms",
        }
    }

    const fn metric(self) -> Option<i64> {
        match self {
            Self::TradeShow => Some(140),
            Self::Website => Some(5_200),
            Self::Mailing => Some(1_800),
            Self::Membership => None,
        }
    }

    /// The kinds of the files that prove the activity, beside the invoices.
    const fn proofs(self) -> &'static [CoopProofKind] {
        match self {
            Self::TradeShow => &[CoopProofKind::Invitation, CoopProofKind::Photo],
            Self::Mailing => &[CoopProofKind::FinalPiece, CoopProofKind::ProofOfDistribution],
            Self::Website | Self::Membership => &[],
        }
    }
}

fn draft(tx: &mut Tx<'_>, nth: usize, plot: &ClaimPlot, half: HalfYear) -> Result<Option<Id>> {
    let Some(fund) = fund(tx, plot.partner, half)?.filter(|fund| fund.state == CoopFundState::Claimable)
    else {
        tx.exempt_from_audit(Unaudited::NothingWritten);
        return Ok(None);
    };
    let days_in = i32::try_from(nth).unwrap_or_default();
    let begins = half.usage().from.plus_days(9 + days_in);
    let expense = |description: &str, number: String, net: Money| ExpenseWords {
        id: None,
        description: description.to_owned(),
        on: begins.plus_days(2),
        source: ExpenseSource::Invoice { supplier: plot.supplier.to_owned(), number },
        net,
        tax: Money { minor: net.minor / 10, ..net },
        recovers_tax: true,
    };
    let mut expenses = vec![expense(plot.description, format!("R-{}", 4100 + nth), share(&fund, plot.share))];
    if plot.activity == Activity::Website {
        // A supplier abroad bills in dollars, which the rate of the month converts.
        let net = Money { minor: 2_000 + 100 * i64::from(days_in), currency: Currency::USD };
        expenses.push(expense("Pictures", format!("P-{}", 700 + nth), net));
    }
    let words = ClaimWords {
        activity: plot.activity.code().to_owned(),
        activity_from: begins,
        activity_to: begins.plus_days(1),
        description: plot.description.to_owned(),
        web_address: (plot.activity == Activity::Website)
            .then(|| format!("https://partner-{}.example/campaign", plot.partner)),
        metric: plot.activity.metric(),
        people: None,
        expenses,
    };
    as_admin(tx, plot.partner, |tx| {
        coop_claims::draft(tx, fund.id, words.clone()).map(|claim| Some(claim.id))
    })
}

/// The partner's admin sends an invoice for each expense, and what proves the activity.
fn send_files(app: &AppState, plot: &ClaimPlot, claim: Id) -> Result<()> {
    let (claim, admin) =
        app.read_as_system(|tx| Ok((coop_claims::get(tx, claim)?, actor(tx, &admin_of(plot.partner))?)))?;
    let background = app.background_as(admin, OPERATION);
    for (new, bytes) in files_of(plot, &claim) {
        coop_proofs::receive(&background, new, bytes.as_slice())?;
    }
    Ok(())
}

fn files_of(plot: &ClaimPlot, claim: &Claim) -> Vec<(NewProof, Vec<u8>)> {
    let new = |kind, expense_id, name: String, media| NewProof {
        claim_id: claim.id,
        expense_id,
        kind,
        name,
        media,
    };
    let invoices = claim.expenses.0.iter().filter_map(|expense| {
        let ExpenseSource::Invoice { supplier, number } = &expense.source else { return None };
        let lines = [
            format!("{supplier}: invoice {number} of {}", expense.on),
            expense.description.clone(),
            format!("Net {}, tax {}", expense.net, expense.tax),
        ];
        let name = format!("invoice-{number}.pdf");
        Some((new(CoopProofKind::Invoice, Some(expense.id), name, ProofMedia::Pdf), page(&lines)))
    });
    let of_activity = plot.activity.proofs().iter().map(|kind| {
        if *kind == CoopProofKind::Photo {
            return (new(*kind, None, "stand.png".to_owned(), ProofMedia::Png), PHOTO.to_vec());
        }
        let lines = [
            format!("{} ({kind})", claim.description),
            format!("{} to {}", claim.activity_from, claim.activity_to),
        ];
        (new(*kind, None, format!("{kind}.pdf"), ProofMedia::Pdf), page(&lines))
    });
    invoices.chain(of_activity).collect()
}

/// The deeds that follow on the draft.
fn act(tx: &mut Tx<'_>, plot: &ClaimPlot, claim: Id, deed: Deed) -> Result<()> {
    let [reviewer, other] = REVIEWERS;
    let done = match deed {
        // The first deed, which makes the claim.
        Deed::Draft => coop_claims::get(tx, claim),
        Deed::Submission => as_admin(tx, plot.partner, |tx| coop_claims::submit(tx, claim, None)),
        Deed::Cancellation => as_admin(tx, plot.partner, |tx| {
            coop_claims::cancel(tx, claim, Some("The organiser has called the event off"))
        }),
        Deed::Review => as_user(tx, reviewer, |tx| coop_claims::take(tx, claim)),
        Deed::Question => as_user(tx, reviewer, |tx| {
            coop_claims::ask(tx, claim, "Which of the two associations is the fee for?")
        }),
        Deed::Approval => as_user(tx, reviewer, |tx| coop_claims::approve(tx, claim, None, None)),
        Deed::PartialApproval => as_user(tx, reviewer, |tx| {
            let lines = cut_in_half(&coop_claims::get(tx, claim)?);
            coop_claims::approve(tx, claim, Some(&lines), Some("The pages sell other products as well"))
        }),
        Deed::Rejection => as_user(tx, reviewer, |tx| {
            let reason = "The page does not name the programme's products";
            coop_claims::reject(tx, claim, CutReason::NotOfTheActivity, reason)
        }),
        Deed::Dispute => as_admin(tx, plot.partner, |tx| {
            coop_claims::dispute(tx, claim, "The products stand on the second page")
        }),
        Deed::FinalRejection => as_user(tx, other, |tx| {
            let reason = "The second page sells hardware alone";
            coop_claims::reject(tx, claim, CutReason::NotOfTheActivity, reason)
        }),
    };
    done.map(drop)
}

/// A half of the first expense, and all of the others.
fn cut_in_half(claim: &Claim) -> Vec<DecisionLine> {
    let first = claim.expenses.0.first().and_then(|expense| Some((expense.id, expense.asked?)));
    let line = first.map(|(expense_id, asked)| DecisionLine {
        expense_id,
        approved: claim.money(asked.reimbursable / 2),
        reason: Some(CutReason::NotOfTheActivity),
        remedy: Some("Claim pages that are about the programme's products alone".to_owned()),
    });
    line.into_iter().collect()
}

fn plan(tx: &mut Tx<'_>, n: usize, half: HalfYear, fate: PlanFate) -> Result<()> {
    let Some(fund) = fund(tx, n, half)? else {
        tx.exempt_from_audit(Unaudited::NothingWritten);
        return Ok(());
    };
    let days = half.usage();
    let from = tx.today().plus_days(2).max(days.from);
    let planned = |activity: Activity, description: &str, hundredths| PlannedActivity {
        activity: activity.code().to_owned(),
        from,
        to: from.plus_days(1),
        description: description.to_owned(),
        people: None,
        budget: share(&fund, hundredths),
    };
    let activities = vec![
        planned(Activity::TradeShow, "Stands at two fairs", 10),
        planned(Activity::Website, "Pages for the new products", 5),
    ];
    let plan = as_admin(tx, n, |tx| coop_plans::draft(tx, fund.id, activities.clone()))?;
    if fate == PlanFate::Cancelled {
        let reason = Some("The fairs were moved to another half-year");
        return as_admin(tx, n, |tx| coop_plans::cancel(tx, plan.id, reason).map(drop));
    }
    if matches!(fate, PlanFate::Submitted | PlanFate::Approved) {
        as_admin(tx, n, |tx| coop_plans::submit(tx, plan.id))?;
    }
    if fate == PlanFate::Approved {
        let [operator, _] = REVIEWERS;
        as_user(tx, operator, |tx| coop_plans::approve(tx, plan.id, None))?;
    }
    Ok(())
}

fn decide_audit(tx: &mut Tx<'_>, claim: Id, finding: Finding) -> Result<()> {
    let [reviewer, other] = REVIEWERS;
    let Some(audit) = coop_audits::of_claim(tx, claim)? else {
        tx.exempt_from_audit(Unaudited::NothingWritten);
        return Ok(());
    };
    let decided = as_user(tx, other, |tx| match finding {
        Finding::Passed => coop_audits::pass(tx, audit.id, Some("Compared with the originals")),
        Finding::Recovered => {
            let half = audit.money(audit.paid / 2);
            coop_audits::recover(tx, audit.id, "The original bills half of the amount", Some(half))
        }
    })?;
    let Some(adjustment) = decided.adjustment_id else { return Ok(()) };
    as_user(tx, reviewer, |tx| adjustments::approve(tx, adjustment, None).map(drop))
}
