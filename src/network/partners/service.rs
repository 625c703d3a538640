//! Commands on partners: record, change, delete, and the transitions of the status.

use super::{
    Partner, PartnerStatus, PartnerTransition, PartnerType,
    periods::{self, Membership},
    store::{self, Inserted},
    view::PartnerView,
};
use crate::{
    access::Tx,
    audit,
    platform::{
        Error, Result,
        values::{CalendarDate, Country, Currency, Id, Period, Text},
    },
    text,
};

crate::problem_codes! {
    MPN_ID_TAKEN = "mpn_id_taken" 409 ["Another partner has this MPN id", "この MPN ID は別のパートナーが使用しています"],
        ["Each partner has its own number in the partner network. Look the other one up with `GET /v1/partners?mpn_id=`.", "MPN ID はパートナーごとに固有です。該当するパートナーは `GET /v1/partners?mpn_id=` で確認できます。"];
    HEADQUARTERS_NESTED = "headquarters_nested" 409 ["A headquarters has no headquarters", "本社が別の本社に所属することはできません"],
        ["Headquarters group locations on one level: name a partner that stands alone or is a headquarters already, and none for a partner that has locations.", "本社と拠点の関係は 1 階層のみです。単独のパートナーまたはすでに本社であるパートナーを指定してください。拠点を持つパートナーには本社を指定できません。"];
    PARTNER_REFERRED_TO = "partner_referred_to" 409 ["Other records refer to this partner", "他のデータがこのパートナーを参照しています"],
        ["A partner with agreements, users, sales or enrollments is closed, not deleted: `POST /v1/partners/{id}/closure`.", "契約、利用者、販売、参加のいずれかがあるパートナーは、削除ではなく閉鎖（`POST /v1/partners/{id}/closure`）してください。"];
    PARTNER_CLOSED = "partner_closed" 409 ["The partner has left for good", "このパートナーは閉鎖されています"],
        ["A closed partner signs and attains nothing new, is not set up and gets no users. Its records stay: its people go on reading them, and they can be corrected.", "閉鎖されたパートナーは、新たな契約の締結、コンピテンシーの取得、利用者設定、利用者の追加を行えません。既存のデータは保持され、引き続き閲覧と訂正が可能です。"];
    TRANSITION_NOT_ALLOWED = "transition_not_allowed" 409 ["The record's state does not allow this", "現在の状態ではこの操作を行えません"],
        ["`from` is the state it is in, `allowed` lists what can be done now.", "現在の状態は `from`、実行できる操作は `allowed` に示されます。"];
}

/// A partner to record.
#[derive(Clone, Debug)]
pub struct NewPartner {
    /// The number in the partner network, 6 to 10 digits.
    pub mpn_id: String,
    /// The registered name.
    pub legal_name: String,
    /// The country of registration.
    pub country: Country,
    /// The currency of payments to the partner.
    pub currency: Currency,
    /// The channel that the partner sells through.
    pub partner_type: PartnerType,
    /// The headquarters of a location; none of any other partner.
    pub headquarters_id: Option<Id>,
    /// Since when the partner is a location of its headquarters; from today on where none is given.
    pub headquarters_since: Option<CalendarDate>,
    /// The e-mail address of the partner's contact.
    pub contact_email: String,
    /// Whether the partner is active from the start; else the partner is pending.
    pub active: bool,
}

/// Records a new partner.
pub fn create(tx: &mut Tx<'_>, id: Id, new: NewPartner) -> Result<Partner> {
    tx.made_partner(id);
    if let Some(headquarters) = new.headquarters_id {
        tx.lock_partner(headquarters)?;
        refuse_nested(tx, id, headquarters)?;
    }
    let mut partner = Partner {
        id,
        mpn_id: new.mpn_id,
        legal_name: new.legal_name,
        country: new.country,
        currency: new.currency,
        partner_type: new.partner_type,
        headquarters_id: new.headquarters_id,
        headquarters_since: None,
        contact_email: new.contact_email,
        status: if new.active { PartnerStatus::Active } else { PartnerStatus::Pending },
        created_at: tx.now,
        updated_at: tx.now,
        revision: 1,
    };
    partner.headquarters_since = belongs_since(tx, &partner, new.headquarters_since)?;
    if store::insert(tx, &partner)? == Inserted::MpnIdTaken {
        refuse_taken(tx, id, &partner.mpn_id)?;
        return Err(Error::internal("a partner was not added although its MPN id is new"));
    }
    event(&partner).after(&PartnerView::from(partner.clone())).record(tx)?;
    // No record depends on a new partner yet; but a new location makes another partner a headquarters.
    if let Some(headquarters) = partner.headquarters_id {
        tx.facts_changed(headquarters);
    }
    Ok(partner)
}

/// The partner, locked together with its headquarters and with its new headquarters.
pub(super) fn to_change(tx: &mut Tx<'_>, id: Id, new_headquarters: Option<Id>) -> Result<Partner> {
    let family = |partner: &Partner| -> Vec<Id> {
        [Some(id), partner.headquarters_id, new_headquarters].into_iter().flatten().collect()
    };
    let mut partner = store::get(tx, id)?;
    // Another unit may move the partner before the lock; then the headquarters of that move is locked too.
    while tx.lock_partners(&family(&partner))?.may_be_stale() {
        partner = store::get(tx, id)?;
    }
    Ok(partner)
}

/// Changes a partner's record by `change`; `since` is the day from which the partner is a location of its headquarters.
pub(super) fn update(
    tx: &mut Tx<'_>,
    before: Partner,
    since: Option<CalendarDate>,
    change: impl Fn(&mut Partner),
) -> Result<Partner> {
    let mut partner = before.clone();
    change(&mut partner);
    if partner.mpn_id != before.mpn_id {
        refuse_taken(tx, partner.id, &partner.mpn_id)?;
    }
    if partner.headquarters_id != before.headquarters_id {
        if let Some(headquarters) = partner.headquarters_id {
            refuse_nested(tx, partner.id, headquarters)?;
        }
        partner.headquarters_since = belongs_since(tx, &partner, since)?;
    } else if since.is_some_and(|since| before.headquarters_since != Some(since)) {
        partner.headquarters_since = belongs_since(tx, &partner, since)?;
        if let Some(since) = partner.headquarters_since {
            periods::correct_membership(tx, &before, since)?;
        }
    }
    let partner = save(tx, &before, partner, None)?;
    if let Some(former) = before.headquarters_id {
        tx.facts_changed(former);
    }
    Ok(partner)
}

/// Suspends, reinstates or closes a partner.
pub fn apply(
    tx: &mut Tx<'_>,
    before: Partner,
    transition: PartnerTransition,
    reason: &str,
) -> Result<Partner> {
    let status = before.status.after(transition).ok_or_else(|| {
        let detail = text!(
            "a partner that is {} allows: {}",
            "パートナーの状態が {} のため、実行できる操作は次のとおりです：{}",
            before.status,
            before.status.allowed().join(", ")
        );
        Error::new(&TRANSITION_NOT_ALLOWED, detail)
            .with("from", before.status)
            .with("allowed", before.status.allowed())
    })?;
    let partner = Partner { status, ..before.clone() };
    save(tx, &before, partner, Some(reason))
}

/// Refuses new records of a closed partner. The partner's people go on reading the old records, and may still file the
/// profiles by which an owed amount is paid.
pub fn refuse_closed(partner: &Partner) -> Result<()> {
    if partner.status == PartnerStatus::Closed {
        let detail = text!(
            "partner {} is closed: its records stay, and it takes nothing new",
            "パートナー {} は閉鎖されています。既存のデータは保持されますが、新たな登録はできません。",
            partner.id
        );
        return Err(Error::new(&PARTNER_CLOSED, detail));
    }
    Ok(())
}

/// Deletes a partner that no record refers to.
pub(super) fn delete(tx: &mut Tx<'_>, partner: &Partner) -> Result<()> {
    if let Some(kind) = tx.referred_by(partner.id)? {
        let detail = text!(
            "at least one {kind} refers to this partner; close it instead",
            "このパートナーを参照するデータ（{kind}）があります。削除ではなく閉鎖してください。"
        );
        return Err(Error::new(&PARTNER_REFERRED_TO, detail).with("referred_by", kind));
    }
    event(partner).before(&PartnerView::from(partner.clone())).record(tx)?;
    if let Some(headquarters) = partner.headquarters_id {
        tx.facts_changed(headquarters);
    }
    store::delete(tx, partner)
}

fn save(tx: &mut Tx<'_>, before: &Partner, partner: Partner, reason: Option<&str>) -> Result<Partner> {
    let partner = Partner { updated_at: tx.now, revision: before.revision + 1, ..partner };
    periods::keep_past(tx, before, &partner)?;
    store::update(tx, before, &partner)?;
    let views = (PartnerView::from(before.clone()), PartnerView::from(partner.clone()));
    event(&partner).before(&views.0).after(&views.1).because(reason).record(tx)?;
    note_changed_facts(tx, &partner);
    Ok(partner)
}

fn event(partner: &Partner) -> audit::Event {
    audit::Event::on("partner", partner.id).of_partner(partner.id)
}

/// Notes changed facts of the partner and of its headquarters: a new location makes another partner a headquarters.
fn note_changed_facts(tx: &mut Tx<'_>, partner: &Partner) {
    tx.facts_changed(partner.id);
    if let Some(headquarters) = partner.headquarters_id {
        tx.facts_changed(headquarters);
    }
}

fn refuse_taken(tx: &mut Tx<'_>, id: Id, mpn_id: &str) -> Result<()> {
    match store::numbered(tx.conn, mpn_id)? {
        Some(other) if other != id => {
            let detail = text!(
                "partner {other} has the MPN id {mpn_id} already",
                "MPN ID {mpn_id} はパートナー {other} が使用しています。"
            );
            Err(Error::new(&MPN_ID_TAKEN, detail).with("partner_id", other))
        }
        _ => Ok(()),
    }
}

/// Since when a partner belongs to its headquarters: from the day given, else from today on. Refuses a day that has not
/// come, and days on which the partner or its headquarters belonged elsewhere.
fn belongs_since(
    tx: &mut Tx<'_>,
    partner: &Partner,
    given: Option<CalendarDate>,
) -> Result<Option<CalendarDate>> {
    let refused = |code, message: Text| Err(Error::invalid_field("/headquarters_since", code, message));
    let Some(headquarters_id) = partner.headquarters_id else {
        return match given {
            None => Ok(None),
            Some(_) => refused(
                "without_headquarters",
                text!(
                    "the partner stands alone: give headquarters_id too, or leave headquarters_since out",
                    "このパートナーは本社に所属していません。headquarters_id も指定するか、headquarters_since を省略してください。"
                ),
            ),
        };
    };
    let today = tx.today();
    let since = given.unwrap_or(today);
    if today < since {
        let message = text!(
            "this day has not come, today is {today}; give the first day of belonging, or none",
            "指定日はまだ到来していません（本日は {today}）。所属の開始日を指定するか、省略してください。"
        );
        return refused("in_the_future", message);
    }
    if since == today {
        return Ok(Some(since));
    }
    let reaches = |days: &Period| since <= days.to;
    let former = periods::former_memberships(tx, partner)?;
    if let Some(other) = former.iter().rev().find(|other| reaches(&other.days)) {
        let Membership { headquarters_id: other, days } = other;
        let message = text!(
            "until {} the partner was a location of {other}; give a later day",
            "このパートナーは {} まで {other} の拠点でした。それより後の日を指定してください。",
            days.to
        );
        return refused("overlaps", message);
    }
    let headquarters = store::get(tx, headquarters_id)?;
    let nested = periods::former_memberships(tx, &headquarters)?;
    if let Some(above) = nested.iter().rev().find(|above| reaches(&above.days)) {
        let message = text!(
            "until {} the headquarters was a location itself; give a later day",
            "指定された本社は {} まで拠点でした。それより後の日を指定してください。",
            above.days.to
        );
        return refused("nested", message);
    }
    let below = periods::days_as_headquarters(tx, &[partner.id])?.remove(&partner.id).unwrap_or_default();
    if let Some(days) = below.iter().filter(|days| reaches(days)).max_by_key(|days| days.to) {
        let message = text!(
            "until {} the partner was a headquarters itself; give a later day",
            "このパートナーは {} まで本社でした。それより後の日を指定してください。",
            days.to
        );
        return refused("nested", message);
    }
    Ok(Some(since))
}

fn refuse_nested(tx: &mut Tx<'_>, id: Id, headquarters_id: Id) -> Result<()> {
    let nested = |detail| Err(Error::new(&HEADQUARTERS_NESTED, detail));
    if headquarters_id == id {
        return nested(text!(
            "a partner is not its own headquarters; leave headquarters_id out",
            "パートナー自身を本社に指定することはできません。headquarters_id を省略してください。"
        ));
    }
    let headquarters = store::get(tx, headquarters_id).map_err(|error| {
        error.as_fault_at(
            "/headquarters_id",
            text!(
                "there is no such partner; name an existing one",
                "該当するパートナーが存在しません。登録済みのパートナーを指定してください。"
            ),
        )
    })?;
    if headquarters.headquarters_id.is_some() {
        return nested(text!(
            "the partner named as headquarters is a location itself; name its headquarters",
            "本社として指定されたパートナーは拠点です。その本社を指定してください。"
        ));
    }
    if store::has_locations(tx, id)? {
        return nested(text!(
            "this partner is a headquarters of others; it cannot become a location",
            "このパートナーは他のパートナーの本社であるため、拠点にすることはできません。"
        ));
    }
    Ok(())
}
