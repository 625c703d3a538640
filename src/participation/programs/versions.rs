//! The commands on the versions of programs.

use super::{
    CoopActivity, CustomerFilter, Lever, LeverFilter, LeverGrain, LeverScale, Program, ProgramVersion,
    ProgramVersionState, Requirement, Rounding, competency_codes, program_year, rule_sets,
    service::{
        VERSION_CURRENCY_DIFFERS, VERSION_OVERLAPS, VERSION_PUBLISHED, VERSION_SCALE_DIFFERS,
        refuse_discontinued,
    },
    shipped_activities, store, validate_activities, validate_levers, validate_requirements,
    version_view::ProgramVersionView,
};
use crate::{
    access::Tx,
    audit,
    network::competencies,
    platform::{
        Error, FieldError, Result,
        db::types::Json,
        values::{CalendarDate, Currency, Id, Money, Period, Rate, Timestamp},
    },
    text,
};

/// The terms of a new version.
#[derive(Clone, Debug)]
pub struct NewVersion {
    /// The program year, named by the calendar year it ends in.
    pub program_year: i32,
    /// The first day it is in effect; the year's first where left out.
    pub effective_from: Option<CalendarDate>,
    /// The last day it is in effect; the year's last where left out.
    pub effective_to: Option<CalendarDate>,
    /// The requirements a partner has to meet.
    pub requirements: Vec<Requirement>,
    /// The ways to earn.
    pub levers: Vec<Lever>,
    /// The part of an earning that is rebate; the rest is co-op.
    pub rebate_rate: Rate,
    /// The least that is paid.
    pub payment_threshold: Money,
    /// The least co-op of a half-year that stays co-op, in the same currency.
    pub coop_threshold: Money,
    /// How many days an invitation stands.
    pub invitation_days: i32,
    /// How earnings are rounded.
    pub rounding: Rounding,
    /// The marketing activities that co-op pays.
    pub coop_activities: Vec<CoopActivity>,
    /// The most that one reviewer decides alone of a co-op claim, in the same currency.
    pub fast_track_amount: Money,
}

impl NewVersion {
    /// The draft with these terms that is in effect on these days: a version of a program with a number of its own.
    #[must_use]
    pub fn drafted(
        self,
        id: Id,
        program_id: Id,
        version: i32,
        days: Period,
        made_at: Timestamp,
    ) -> ProgramVersion {
        ProgramVersion {
            id,
            program_id,
            version,
            program_year: self.program_year,
            effective_from: days.from,
            effective_to: days.to,
            requirements: Json(self.requirements),
            levers: Json(self.levers.into_iter().map(Lever::written_out).collect()),
            rebate_rate: self.rebate_rate,
            payment_threshold: self.payment_threshold.minor,
            coop_threshold: self.coop_threshold.minor,
            currency: self.payment_threshold.currency,
            invitation_days: self.invitation_days,
            rounding: self.rounding,
            state: ProgramVersionState::Draft,
            published_at: None,
            created_at: made_at,
            updated_at: made_at,
            revision: 1,
            coop_activities: Json(self.coop_activities),
            fast_track_amount: self.fast_track_amount.minor,
        }
    }
}

/// What one reviewer decides alone where a version says nothing else, in minor units.
pub(super) const USUAL_FAST_TRACK: i64 = 100_000;

/// The version of the founding programs in a program year.
#[must_use]
pub fn founding_version(program_year: i32) -> NewVersion {
    let usd = |minor| Money { minor, currency: Currency::USD };
    let core = Lever::Core {
        code: "core".into(),
        name: "Core rate".into(),
        scale: LeverScale::Flat { rate: Rate::percent(8) },
        applies_to: LeverFilter { customers: CustomerFilter::default(), ..LeverFilter::default() },
        cap: None,
        grain: Some(LeverGrain::Transaction),
    };
    NewVersion {
        program_year,
        effective_from: None,
        effective_to: None,
        requirements: rule_sets::founding(),
        levers: vec![core],
        rebate_rate: Rate::percent(60),
        payment_threshold: usd(20_000),
        coop_threshold: usd(1_000_000),
        invitation_days: 30,
        rounding: Rounding::HalfAwayFromZero,
        coop_activities: shipped_activities(),
        fast_track_amount: usd(USUAL_FAST_TRACK),
    }
}

/// Writes a new draft; it gets the program's next number.
pub fn create_version(tx: &mut Tx<'_>, program: &Program, new: NewVersion) -> Result<ProgramVersion> {
    refuse_discontinued(program)?;
    let days = sound(tx, &new)?;
    let number = store::last_number(tx, program.id)? + 1;
    let version = new.drafted(tx.new_id(), program.id, number, days, tx.now);
    store::insert_version(tx, &version)?;
    let event = audit::Event::on("program_version", version.id);
    event.after(&ProgramVersionView::from(version.clone())).record(tx)?;
    Ok(version)
}

/// Changes a draft to say something else.
pub(super) fn update_version(
    tx: &mut Tx<'_>,
    before: ProgramVersion,
    new: NewVersion,
) -> Result<ProgramVersion> {
    refuse_published(&before)?;
    let days = sound(tx, &new)?;
    let draft = new.drafted(before.id, before.program_id, before.version, days, before.created_at);
    save(tx, &before, draft, None)
}

/// Throws a draft away.
pub(super) fn delete_version(tx: &mut Tx<'_>, version: ProgramVersion) -> Result<()> {
    refuse_published(&version)?;
    store::delete_version(tx, version.id)?;
    audit::Event::on("program_version", version.id).before(&ProgramVersionView::from(version)).record(tx)
}

/// Publishes a draft: from now on it never changes.
pub fn publish(
    tx: &mut Tx<'_>,
    program: &Program,
    before: ProgramVersion,
    reason: Option<&str>,
) -> Result<ProgramVersion> {
    refuse_discontinued(program)?;
    refuse_published(&before)?;
    if let Some(other) = store::published_in(tx, before.program_id, before.period())? {
        let (from, to) = (other.effective_from, other.effective_to);
        let detail = text!(
            "version {} of {} is in effect from {from} to {to}",
            "{1} の版 {0} の適用期間は {from} から {to} までです。",
            other.version,
            program.code
        );
        return Err(Error::new(&VERSION_OVERLAPS, detail).with("version", other.version));
    }
    let of_year = store::versions_of_year(tx, before.program_id, before.program_year)?;
    if let Some(other) = of_year.iter().find(|other| other.currency != before.currency) {
        let detail = text!(
            "version {} of the same program year counts in {}",
            "同じプログラム年度の版 {} の通貨は {} です。",
            other.version,
            other.currency
        );
        return Err(Error::new(&VERSION_CURRENCY_DIFFERS, detail).with("currency", other.currency));
    }
    refuse_other_scale(&before, &of_year)?;
    let state = ProgramVersionState::Published;
    let version = ProgramVersion { state, published_at: Some(tx.now), ..before.clone() };
    tx.version_published(program.id);
    save(tx, &before, version, reason)
}

/// Refuses a lever whose scale is another one in a published version of the year: what a lever with tiers has counted and
/// given goes on under its code.
fn refuse_other_scale(draft: &ProgramVersion, of_year: &[ProgramVersion]) -> Result<()> {
    let kind = |lever: &Lever| lever.tiers().map(|tiers| tiers.lifts_all);
    for lever in &draft.levers.0 {
        let has_another = |other: &&ProgramVersion| {
            let same_code = other.levers.0.iter().find(|of_other| of_other.code() == lever.code());
            same_code.is_some_and(|of_other| kind(of_other) != kind(lever))
        };
        if let Some(other) = of_year.iter().find(has_another) {
            let detail = text!(
                "{} has another kind of scale in version {} of the same program year",
                "{} は、同じプログラム年度の版 {} では別の段階方式です。",
                lever.code(),
                other.version
            );
            let error = Error::new(&VERSION_SCALE_DIFFERS, detail).with("lever", lever.code());
            return Err(error.with("version", other.version));
        }
    }
    Ok(())
}

/// Every fault in a list of requirements that came at a JSON pointer, competencies that do not exist included.
pub fn requirement_faults(
    tx: &mut Tx<'_>,
    requirements: &[Requirement],
    pointer: &str,
) -> Result<Vec<FieldError>> {
    let mut faults = validate_requirements(requirements, pointer);
    let named = competency_codes(requirements, pointer);
    if named.is_empty() {
        return Ok(faults);
    }
    let codes = named.iter().map(|(_, code)| (*code).to_owned()).collect();
    let known = competencies::known_codes(tx, codes)?;
    for (pointer, code) in named {
        let said = faults.iter().any(|fault| fault.pointer == pointer);
        if !said && !known.iter().any(|known| known == code) {
            let message = text!(
                "{code} is no competency of the catalogue; see GET /v1/competencies",
                "{code} は登録されていないコンピテンシーです。GET /v1/competencies で一覧を確認できます。"
            );
            faults.push(FieldError::new(pointer, "unknown", message));
        }
    }
    Ok(faults)
}

fn save(
    tx: &mut Tx<'_>,
    before: &ProgramVersion,
    version: ProgramVersion,
    reason: Option<&str>,
) -> Result<ProgramVersion> {
    let version = ProgramVersion { updated_at: tx.now, revision: before.revision + 1, ..version };
    store::update_version(tx, &version)?;
    let views = (ProgramVersionView::from(before.clone()), ProgramVersionView::from(version.clone()));
    let event = audit::Event::on("program_version", version.id).before(&views.0).after(&views.1);
    event.because(reason).record(tx)?;
    Ok(version)
}

fn refuse_published(version: &ProgramVersion) -> Result<()> {
    if version.is_published() {
        let detail = text!(
            "version {} is published; write a new version instead",
            "版 {} は公開済みです。新しい版を作成してください。",
            version.version
        );
        return Err(Error::new(&VERSION_PUBLISHED, detail));
    }
    Ok(())
}

/// The days of a version whose every member is sound; else all that is not.
fn sound(tx: &mut Tx<'_>, new: &NewVersion) -> Result<Period> {
    let mut faults = Vec::new();
    let days = days(new, &mut faults);
    faults.extend(requirement_faults(tx, &new.requirements, "/requirements")?);
    faults.extend(validate_levers(&new.levers, new.payment_threshold.currency, "/levers"));
    faults.extend(validate_activities(&new.coop_activities, "/coop_activities"));
    let amounts = [
        ("/payment_threshold", new.payment_threshold),
        ("/coop_threshold", new.coop_threshold),
        ("/fast_track_amount", new.fast_track_amount),
    ];
    for (pointer, threshold) in amounts {
        if threshold.minor < 0 {
            faults.push(FieldError::new(
                pointer,
                "range",
                text!("a threshold is zero or more", "基準額は 0 以上にしてください。"),
            ));
        }
    }
    for (pointer, amount) in amounts {
        if amount.currency != new.payment_threshold.currency {
            let message = text!(
                "write it in {}, as the payment threshold",
                "最低支払額と同じ {} で指定してください。",
                new.payment_threshold.currency
            );
            faults.push(FieldError::new(pointer, "currency", message));
        }
    }
    faults.truncate(100);
    match days {
        Some(days) if faults.is_empty() => Ok(days),
        _ => Err(Error::invalid(faults)),
    }
}

fn days(new: &NewVersion, faults: &mut Vec<FieldError>) -> Option<Period> {
    let Some(year) = program_year(new.program_year) else {
        faults.push(FieldError::new(
            "/program_year",
            "range",
            text!(
                "name a program year from 1901 to 9999",
                "プログラム年度は 1901 から 9999 までで指定してください。"
            ),
        ));
        return None;
    };
    let days =
        Period { from: new.effective_from.unwrap_or(year.from), to: new.effective_to.unwrap_or(year.to) };
    for (pointer, day) in [("/effective_from", days.from), ("/effective_to", days.to)] {
        if !year.contains(day) {
            let message = text!(
                "{day} is outside program year {}: {} to {}",
                "{day} はプログラム年度 {}（{} から {} まで）の範囲外です。",
                new.program_year,
                year.from,
                year.to
            );
            faults.push(FieldError::new(pointer, "outside_program_year", message));
        }
    }
    if days.to < days.from {
        faults.push(FieldError::new(
            "/effective_to",
            "order",
            text!("a version ends on or after the day it begins", "版の終了日は開始日以降にしてください。"),
        ));
    }
    Some(days)
}

impl From<ProgramVersion> for NewVersion {
    fn from(version: ProgramVersion) -> Self {
        let (payment_threshold, coop_threshold) = (version.payment_threshold(), version.coop_threshold());
        let fast_track_amount = version.fast_track_amount();
        Self {
            program_year: version.program_year,
            effective_from: Some(version.effective_from),
            effective_to: Some(version.effective_to),
            requirements: version.requirements.0,
            levers: version.levers.0,
            rebate_rate: version.rebate_rate,
            payment_threshold,
            coop_threshold,
            invitation_days: version.invitation_days,
            rounding: version.rounding,
            coop_activities: version.coop_activities.0,
            fast_track_amount,
        }
    }
}
