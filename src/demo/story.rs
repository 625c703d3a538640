//! How the demo comes about: what each partner's plot means, day by day.

use super::{
    PASSWORDS,
    cast::{CAST, Player, Plot, mpn_id, partner_id},
    first_day, offers,
    papers::{self, end},
};
use crate::{
    access::{Actor, Gate, Role, Tx, password},
    agreements::{self, Kind},
    enrollments::{self, Invitations},
    notifications::Locale,
    partners::{self, Event, NewPartner, Partner, PartnerType},
    platform::{
        Error, Result,
        values::{CalendarDate, Clock, Id, Money, Timestamp},
    },
    profiles::{self, Decision, PayoutTerms, Secret, TaxForm, TaxTerms},
    programs::{self, ProgramKey},
    transactions::{self, Customer, NewTransaction, TransactionKind},
    users::{self, NewUser},
};

/// How many days the story takes; it ends today.
const DAYS: i32 = 300;

/// When the story begins, for a clock to stand at.
#[must_use]
pub fn begins(today: CalendarDate) -> Timestamp {
    noon(today.plus_days(-DAYS))
}

/// Tells the story on an empty database; the clock is moved along. Does nothing where it was told already.
pub fn fill(gate: &Gate, clock: &Clock, today: CalendarDate) -> Result<()> {
    let told = gate.read_as_system(|tx| Ok(partners::get(tx, partner_id(1)).is_ok()))?;
    if told {
        return Ok(());
    }
    let hashes =
        PASSWORDS.iter().map(|(.., password)| gate.passwords().hash(password)).collect::<Result<Vec<_>>>()?;
    // What is to be seen in this program year happens in it, however young it is.
    let in_year = programs::program_year(programs::program_year_of(today))
        .map_or(0, |year| year.from.days_until(today));
    let mut stages: Vec<(i32, Work)> = vec![
        (DAYS, everybody_joins),
        (DAYS, |tx, _| offers::install(tx)),
        (DAYS, first_day::most_are_set_up),
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
    stages.sort_by_key(|(days_ago, _)| std::cmp::Reverse(*days_ago));
    let temporary = password::temporary()?;
    let hash = gate.passwords().hash(&temporary)?;
    let stage = Stage { today, temporary: (temporary, hash), hashes };
    for (minute, (days_ago, work)) in (0..).zip(stages) {
        // What follows on the same day follows a minute later.
        clock.set(noon(today.plus_days(-days_ago)).plus_seconds(60 * minute));
        let stage = stage.clone();
        gate.write_as_system("Demo", move |tx| work(tx, &stage))?;
    }
    Ok(())
}

/// What happens on one day of the story, as one unit.
type Work = fn(&mut Tx<'_>, &Stage) -> Result<()>;

#[derive(Clone)]
pub(super) struct Stage {
    /// The day the story ends.
    pub(super) today: CalendarDate,
    /// A temporary password, and its hash.
    pub(super) temporary: (String, String),
    /// The hashes of [`PASSWORDS`].
    hashes: Vec<String>,
}

impl Stage {
    /// The hash of the password of a role's users.
    pub(super) fn hash_of(&self, role: Role) -> String {
        let known = PASSWORDS.iter().zip(&self.hashes);
        known.filter(|((name, ..), _)| *name == role.as_str()).map(|(_, hash)| hash.clone()).collect()
    }
}

fn noon(day: CalendarDate) -> Timestamp {
    format!("{day}T12:00:00Z").parse().unwrap_or(Timestamp::from_micros(0))
}

/// The players with their numbers, from one.
pub(super) fn players() -> impl Iterator<Item = (usize, &'static Player)> {
    CAST.iter().enumerate().map(|(index, player)| (index + 1, player))
}

pub(super) fn with(plots: &'static [Plot]) -> impl Iterator<Item = (usize, &'static Player)> {
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

fn everybody_joins(tx: &mut Tx<'_>, stage: &Stage) -> Result<()> {
    for ((role, email, _), hash) in PASSWORDS.iter().zip(&stage.hashes).take(2) {
        let name = if *role == "operator" { "Olivia Okafor" } else { "Arno Adler" };
        hire(tx, email, name, role.parse().unwrap_or(Role::Auditor), None, hash)?;
    }
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
        for ((role, ..), hash) in PASSWORDS.iter().zip(&stage.hashes).skip(2) {
            let (who, name) = if *role == "viewer" { ("viewer", "Vera") } else { ("admin", "Adam") };
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

fn some_are_barred_and_some_go(tx: &mut Tx<'_>, _: &Stage) -> Result<()> {
    for (n, player) in with(&[Plot::Suspended, Plot::Closed]) {
        let partner = partners::get(tx, partner_id(n))?;
        let (event, reason) = match player.plot {
            Plot::Closed => (Event::Closure, "merged into another partner"),
            _ => (Event::Suspension, "fees unpaid since spring"),
        };
        partners::apply(tx, partner, event, reason)?;
    }
    Ok(())
}

/// Those whose enrollment is the story; an indirect reseller sells first and is invited by it.
const TAKE_PART: &[Plot] = &[
    Plot::Enrolled,
    Plot::ActionRequired,
    Plot::ProfileRefused,
    Plot::Validating,
    Plot::LostMpn,
    Plot::OptedOut,
    Plot::Discontinued,
];

fn many_ask_to_take_part(tx: &mut Tx<'_>, _: &Stage) -> Result<()> {
    for (n, player) in with(TAKE_PART) {
        if player.partner_type == PartnerType::IndirectReseller {
            sell(tx, n, 1, None)?;
        }
        as_admin(tx, n, |tx| enrollments::request(tx, partner_id(n), &program_of(player), None).map(drop))?;
    }
    Ok(())
}

/// Those who file both profiles; who has sold nothing yet files them ahead of the first sale.
const FILE_PROFILES: &[Plot] = &[
    Plot::Enrolled,
    Plot::ProfileRefused,
    Plot::Validating,
    Plot::LostMpn,
    Plot::OptedOut,
    Plot::Discontinued,
    Plot::NoSale,
];

fn profiles_are_filed(tx: &mut Tx<'_>, _: &Stage) -> Result<()> {
    for (n, player) in with(FILE_PROFILES) {
        let payout = PayoutTerms {
            holder: player.name.into(),
            account_number: Secret::new(&format!("9900{:08}", n * 7919)),
            bank_country: parsed(player.country)?,
            currency: parsed(player.currency)?,
        };
        let tax = TaxTerms {
            form: if player.country == "US" { TaxForm::W9 } else { TaxForm::Vat },
            tax_country: parsed(player.country)?,
            tax_id: Secret::new(&format!("{}{:09}", player.country, n * 104_729)),
            expires_on: None,
        };
        as_admin(tx, n, |tx| profiles::file_both(tx, partner_id(n), payout.clone(), tax.clone()))?;
    }
    Ok(())
}

fn profiles_are_decided(tx: &mut Tx<'_>, _: &Stage) -> Result<()> {
    for (n, player) in with(TAKE_PART) {
        match player.plot {
            Plot::ActionRequired | Plot::Validating => {}
            Plot::ProfileRefused => {
                let refusal = Decision::Rejection("the account's holder is not the partner");
                profiles::decide_payout(tx, partner_id(n), refusal)?;
            }
            _ => {
                profiles::decide_payout(tx, partner_id(n), Decision::Approval(None))?;
                profiles::decide_tax(tx, partner_id(n), Decision::Approval(None))?;
            }
        }
    }
    Ok(())
}

fn early_sales(tx: &mut Tx<'_>, _: &Stage) -> Result<()> {
    for (n, _) in with(&[Plot::Enrolled, Plot::LostMpn, Plot::OptedOut]) {
        for sale in 10..14 {
            sell(tx, n, sale, None)?;
        }
    }
    Ok(())
}

fn sales_that_invite_and_are_not_answered(tx: &mut Tx<'_>, _: &Stage) -> Result<()> {
    for (n, _) in with(&[Plot::InvitationExpired]) {
        sell(tx, n, 1, None)?;
    }
    Ok(())
}

fn some_leave_and_some_are_ended(tx: &mut Tx<'_>, _: &Stage) -> Result<()> {
    for (n, player) in with(&[Plot::OptedOut, Plot::Discontinued, Plot::LostMpn]) {
        let id = partner_id(n);
        let enrollment = enrollments::open_of(tx, id, &program_of(player))?;
        match player.plot {
            Plot::OptedOut => as_admin(tx, n, |tx| enrollments::opt_out(tx, enrollment, None).map(drop))?,
            Plot::Discontinued => {
                enrollments::discontinue(tx, enrollment, "sales reported twice on purpose, case 88")?;
            }
            _ => {
                let papers = agreements::held_by(tx, &[id])?;
                let mpn = papers
                    .iter()
                    .find(|paper| paper.kind == Kind::Mpn)
                    .ok_or(Error::not_found("agreement"))?;
                let today = tx.today();
                end(tx, mpn, today)?;
            }
        }
    }
    Ok(())
}

fn sales_that_invite(tx: &mut Tx<'_>, _: &Stage) -> Result<()> {
    for (n, player) in with(&[Plot::Invited, Plot::Refunded, Plot::MpnInGrace]) {
        let purchase = sell(tx, n, 1, None)?;
        if player.plot == Plot::Refunded {
            sell(tx, n, 2, Some(purchase))?;
        }
    }
    Ok(())
}

fn today_s_refresh(tx: &mut Tx<'_>, _: &Stage) -> Result<()> {
    let ids: Vec<Id> = players().filter(|(_, p)| p.plot != Plot::Ready).map(|(n, _)| partner_id(n)).collect();
    let everybody: Vec<Partner> = partners::family(tx, &ids)?;
    let moved = enrollments::reassess(tx, &everybody, Invitations::IndirectResellers)?;
    crate::audit::Event::on("demo", tx.new_id())
        .after(&serde_json::json!({ "enrollments_moved": moved }))
        .record(tx)
}

fn sell(tx: &mut Tx<'_>, n: usize, sale: u32, refunds: Option<Id>) -> Result<Id> {
    let player = CAST.get(n - 1).ok_or(Error::not_found("player"))?;
    let sign = if refunds.is_some() { "-" } else { "" };
    let whole = if refunds.is_some() { 1_000 + 250 } else { 1_000 * i64::from(sale) + 250 };
    let currency: crate::platform::values::Currency = parsed(player.currency)?;
    let fraction = "0".repeat(usize::try_from(currency.digits()).unwrap_or(0));
    let text =
        if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") };
    let id = tx.new_id();
    let new = NewTransaction {
        original_external_id: None,
        source: "billing".into(),
        external_id: format!("INV-{n:03}-{sale:03}"),
        partner_id: partner_id(n),
        provider_id: (player.partner_type == PartnerType::IndirectReseller).then(|| partner_id(2)),
        customer: Customer {
            id: format!("C-{:04}", n * 10 + usize::try_from(sale).unwrap_or(0)),
            country: parsed(player.country)?,
            public_sector: false,
        },
        product: "CFQ7TTC0LH18".into(),
        product_family: if sale.is_multiple_of(2) { "azure" } else { "modern-work" }.into(),
        kind: if refunds.is_some() { TransactionKind::Refund } else { TransactionKind::Purchase },
        original_transaction_id: refunds,
        occurred_on: tx.today(),
        amount: Money::parse(&text, currency).map_err(Error::internal)?,
        units: Some(10),
    };
    transactions::create(tx, id, new).map(|transaction| transaction.id)
}

/// Does something as the partner's incentive admin.
pub(super) fn as_admin(tx: &mut Tx<'_>, n: usize, work: impl Fn(&mut Tx<'_>) -> Result<()>) -> Result<()> {
    as_user(tx, &format!("admin-{n}@partner.example"), work)
}

/// Does something as the user of that address.
pub(super) fn as_user(tx: &mut Tx<'_>, email: &str, work: impl Fn(&mut Tx<'_>) -> Result<()>) -> Result<()> {
    let user = users::find_by_email(tx.conn, email)?.ok_or(Error::not_found("user"))?;
    let system = std::mem::replace(&mut tx.actor, Actor::of_user(user.id, user.role, user.partner_id));
    let done = work(tx);
    tx.actor = system;
    done
}

fn parsed<T: std::str::FromStr>(text: &str) -> Result<T>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    text.parse().map_err(Error::internal)
}
