//! What is done with the catalogue and with attainments.

use super::{
    Attainment, Competency, NewAttainment, store,
    wire::{AttainmentView, CompetencyView},
};
use crate::{
    access::{Tx, Unaudited},
    audit,
    network::partners::{self, Partner, PartnerStatus},
    platform::{
        Error, Result,
        values::{CalendarDate, Id},
    },
    text,
};

crate::problem_codes! {
    COMPETENCY_CODE_TAKEN = "competency_code_taken" 409 ["Another competency has this code", "このコードは別のコンピテンシーで使用されています"],
        ["A code names one competency for ever. `competency_id` is the other one.", "コードは 1 つのコンピテンシーに恒久的に割り当てられます。該当するコンピテンシーは `competency_id` に示されます。"];
    COMPETENCY_RETIRED = "competency_retired" 409 ["The competency can no longer be attained", "このコンピテンシーは新たに取得できません"],
        ["From `retired_on` on nobody attains it anew; what was attained before runs out on its own day, and can be corrected.", "`retired_on` 以降は新たに取得できません。それ以前に取得したものは、それぞれの期限まで有効で、訂正も可能です。"];
}

/// Adds a competency to the catalogue.
pub(super) fn create(
    tx: &mut Tx<'_>,
    code: &str,
    name: &str,
    retired_on: Option<CalendarDate>,
) -> Result<Competency> {
    if let Some(other) = store::find_by_code(tx, code)? {
        let detail =
            text!("the catalogue has {code} already: {}", "{code} はすでに登録されています：{}", other.name);
        return Err(Error::new(&COMPETENCY_CODE_TAKEN, detail).with("competency_id", other.id));
    }
    let competency = Competency {
        id: tx.new_id(),
        code: code.to_owned(),
        name: name.to_owned(),
        retired_on,
        created_at: tx.now,
        updated_at: tx.now,
        revision: 1,
    };
    store::insert(tx, &competency)?;
    let view = CompetencyView::on(tx.today(), competency.clone());
    audit::Event::on("competency", competency.id).after(&view).record(tx)?;
    Ok(competency)
}

/// Renames, retires or brings back a competency. What was attained stays as it is.
pub(super) fn update(
    tx: &mut Tx<'_>,
    before: &Competency,
    name: Option<String>,
    retired_on: Option<CalendarDate>,
) -> Result<Competency> {
    let competency = Competency {
        name: name.unwrap_or_else(|| before.name.clone()),
        retired_on,
        updated_at: tx.now,
        revision: before.revision + 1,
        ..before.clone()
    };
    store::update(tx, &competency)?;
    let today = tx.today();
    let views = (CompetencyView::on(today, before.clone()), CompetencyView::on(today, competency.clone()));
    audit::Event::on("competency", competency.id).before(&views.0).after(&views.1).record(tx)?;
    Ok(competency)
}

/// Records what a partner has attained: a new period, or the correction of the period attained on the same day.
pub fn record_attainment(
    tx: &mut Tx<'_>,
    partner: Id,
    code: &str,
    new: &NewAttainment,
) -> Result<Attainment> {
    let (RecordedAttainment::First(attainment) | RecordedAttainment::Again(attainment)) =
        record_attainment_if(tx, partner, code, new, |_| Ok(()))?;
    Ok(attainment)
}

/// How a record of what a partner has attained came about.
#[derive(Clone, Debug)]
pub(super) enum RecordedAttainment {
    /// The partner had never attained the competency.
    First(Attainment),
    /// The partner had attained the competency before.
    Again(Attainment),
}

/// The same, where the revision of the latest period permits it.
pub(super) fn record_attainment_if(
    tx: &mut Tx<'_>,
    partner: Id,
    code: &str,
    new: &NewAttainment,
    permits: impl Fn(Option<i64>) -> Result<()>,
) -> Result<RecordedAttainment> {
    let faults = new.out_of_order();
    if !faults.is_empty() {
        return Err(Error::invalid(faults));
    }
    tx.lock_partner(partner)?;
    let partner = partners::get(tx, partner)?;
    let competency = store::kept(tx, code)?;
    let periods = store::periods(tx, partner.id, code)?;
    permits(periods.first().map(|latest| latest.revision))?;
    let same = periods.iter().find(|period| period.attained_on == new.attained_on);
    if same.is_none_or(|period| period.revoked_on.is_some()) {
        refuse_attaining(&partner, &competency, new)?;
    }
    match same {
        None => {
            let attainment = Attainment::new(tx.new_id(), tx.now, partner.id, code, new);
            let recorded =
                if periods.is_empty() { RecordedAttainment::First } else { RecordedAttainment::Again };
            save(tx, None, attainment).map(recorded)
        }
        Some(before) if before.says(new) => {
            tx.exempt_from_audit(Unaudited::NothingWritten);
            Ok(RecordedAttainment::Again(before.clone()))
        }
        Some(before) => {
            let attainment = before.corrected(tx.now, new);
            save(tx, Some(before), attainment).map(RecordedAttainment::Again)
        }
    }
}

/// Takes a competency away from today on: the latest period, and every other one that would still count. The records stay;
/// a period that was taken away already stays so.
pub(super) fn revoke(tx: &mut Tx<'_>, periods: Vec<Attainment>) -> Result<()> {
    let today = tx.today();
    let mut is_latest = true;
    tx.exempt_from_audit(Unaudited::NothingWritten);
    for before in periods {
        let counts = std::mem::take(&mut is_latest) || today < before.first_day_without();
        if counts && before.revoked_on.is_none() {
            let revision = before.revision + 1;
            let revoked =
                Attainment { revoked_on: Some(today), updated_at: tx.now, revision, ..before.clone() };
            save(tx, Some(&before), revoked)?;
        }
    }
    Ok(())
}

fn save(tx: &mut Tx<'_>, before: Option<&Attainment>, attainment: Attainment) -> Result<Attainment> {
    let today = tx.today();
    let event = audit::Event::on("attainment", attainment.id).of_partner(attainment.partner_id);
    let event = event.after(&AttainmentView::on(today, attainment.clone()));
    match before {
        None => {
            store::insert_attainment(tx, &attainment)?;
            event.record(tx)?;
        }
        Some(before) => {
            store::update_attainment(tx, &attainment)?;
            event.before(&AttainmentView::on(today, before.clone())).record(tx)?;
        }
    }
    tx.facts_changed(attainment.partner_id);
    Ok(attainment)
}

/// A closed partner attains nothing, and nobody attains what is retired.
fn refuse_attaining(partner: &Partner, competency: &Competency, new: &NewAttainment) -> Result<()> {
    if partner.status == PartnerStatus::Closed {
        let detail = text!(
            "partner {} is closed and attains nothing new",
            "パートナー {} は閉鎖されているため、新たにコンピテンシーを取得できません。",
            partner.id
        );
        return Err(Error::new(&partners::PARTNER_CLOSED, detail));
    }
    match competency.retired_on.filter(|_| competency.is_retired_on(new.attained_on)) {
        None => Ok(()),
        Some(retired_on) => {
            let detail = text!(
                "{} can no longer be attained from {retired_on} on",
                "{} は {retired_on} 以降、新たに取得できません。",
                competency.code
            );
            Err(Error::new(&COMPETENCY_RETIRED, detail).with("retired_on", retired_on))
        }
    }
}
