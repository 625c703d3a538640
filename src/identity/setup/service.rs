//! The commands on set-ups.

use super::{Missing, Setup, SetupState, api::PartnerSetupView, model::SetupTransition, store};
use crate::{
    access::Tx,
    audit,
    identity::users::{self, User},
    network::partners::{self, Partner},
    notifications::{About, ListedUser, Message},
    platform::{Error, Result, values::Id},
    text,
};

crate::problem_codes! {
    INCENTIVE_ADMIN_MISSING = "incentive_admin_missing" 409 ["The partner has no incentive admin", "パートナーにインセンティブ管理者がいません"],
        ["The list of users goes to the partner's incentive admins. Make one at `POST /v1/users`, or let one back in.", "利用者一覧はパートナーのインセンティブ管理者に送信されます。`POST /v1/users` で登録するか、利用停止中の管理者の利用を再開してください。"];
}

/// A partner's set-up with the missing steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetupStatus {
    /// The partner of the set-up.
    pub partner: Partner,
    /// The set-up; none where the set-up has not started.
    pub setup: Option<Setup>,
    /// The headquarters whose completed set-up counts for this location.
    pub covered_by: Option<Id>,
    /// The missing steps, in the order of mending; empty once the data is visible.
    pub missing: Vec<Missing>,
}

impl SetupStatus {
    /// The state of the partner's own set-up.
    #[must_use]
    pub fn state(&self) -> SetupState {
        self.setup.as_ref().map_or(SetupState::NotStarted, |setup| setup.state)
    }
}

/// The set-up of a partner whom the unit may see, with the missing steps.
pub fn status(tx: &mut Tx<'_>, partner: Id) -> Result<SetupStatus> {
    let partner = partners::get(tx, partner)?;
    let setup = store::find(tx, partner.id)?;
    status_of(tx, partner, setup)
}

fn status_of(tx: &mut Tx<'_>, partner: Partner, setup: Option<Setup>) -> Result<SetupStatus> {
    let above = match partner.headquarters_id {
        Some(headquarters) => store::find(tx, headquarters)?,
        None => None,
    };
    let covered_by = above.filter(|setup| setup.state == SetupState::Completed).map(|setup| setup.partner_id);
    let admins = users::admins_of(tx, &partner)?;
    let temporary: Vec<bool> = admins.iter().map(|admin| admin.must_change_password).collect();
    let state = setup.as_ref().map_or(SetupState::NotStarted, |setup| setup.state);
    let open = covered_by.is_some() || state == SetupState::Completed;
    Ok(SetupStatus { missing: Missing::of(state, open, &temporary), partner, setup, covered_by })
}

/// Sends the list of the partner's people to its incentive admins; may be repeated until the set-up is completed.
pub fn send_list(tx: &mut Tx<'_>, partner: Id) -> Result<SetupStatus> {
    let (before, state) = moved(tx, partner, SetupTransition::Notification)?;
    if users::admins_of(tx, &before.partner)?.is_empty() {
        let detail = text!(
            "nobody could receive the list; make an incentive admin first: POST /v1/users",
            "一覧を受け取る方がいません。先に POST /v1/users でインセンティブ管理者を登録してください。"
        );
        return Err(Error::new(&INCENTIVE_ADMIN_MISSING, detail).with("next", "/v1/users"));
    }
    let people = users::people_of(tx, partner)?;
    let message = Message::UserList {
        partner: before.partner.legal_name.clone(),
        partner_id: partner,
        users: people.into_iter().map(listed).collect(),
    };
    users::notify_admins(tx, &before.partner, About::new("partner", partner), &message)?;
    let sent = Setup {
        partner_id: partner,
        state,
        list_sent_at: tx.now,
        list_sent_by: tx.actor.user(),
        completed_at: None,
        completed_by: None,
        created_at: before.setup.as_ref().map_or(tx.now, |setup| setup.created_at),
        updated_at: tx.now,
        revision: before.setup.as_ref().map_or(1, |setup| setup.revision + 1),
    };
    save(tx, before, sent)
}

/// Completes the set-up for good: the incentive data of the partner and of its locations becomes visible.
pub fn complete(tx: &mut Tx<'_>, partner: Id) -> Result<SetupStatus> {
    let (before, state) = moved(tx, partner, SetupTransition::Completion)?;
    let setup =
        before.setup.clone().ok_or_else(|| Error::internal("a list was sent and is not on record"))?;
    let completed = Setup {
        state,
        completed_at: Some(tx.now),
        completed_by: tx.actor.user(),
        updated_at: tx.now,
        revision: setup.revision + 1,
        ..setup
    };
    save(tx, before, completed)
}

fn listed(user: User) -> ListedUser {
    ListedUser { name: user.name, email: user.email, role: user.role.to_string() }
}

/// The set-up before a transition, and its state after the transition; refuses a transition that is not possible now.
fn moved(tx: &mut Tx<'_>, partner: Id, transition: SetupTransition) -> Result<(SetupStatus, SetupState)> {
    tx.lock_partner(partner)?;
    let before = status(tx, partner)?;
    partners::refuse_closed(&before.partner)?;
    let from = before.state();
    let to = from.after(transition).ok_or_else(|| {
        let detail = text!(
            "a set-up that is {from} allows: {}",
            "利用者設定の状態が {from} のため、実行できる操作は次のとおりです：{}",
            from.allowed().join(", ")
        );
        Error::new(&partners::TRANSITION_NOT_ALLOWED, detail)
            .with("from", from)
            .with("allowed", from.allowed())
    })?;
    Ok((before, to))
}

fn save(tx: &mut Tx<'_>, before: SetupStatus, setup: Setup) -> Result<SetupStatus> {
    if before.setup.is_some() {
        store::update(tx, &setup)?;
    } else {
        store::insert(tx, &setup)?;
    }
    let after = status_of(tx, before.partner.clone(), Some(setup))?;
    audit::Event::on("partner_setup", after.partner.id)
        .of_partner(after.partner.id)
        .before(&PartnerSetupView::from(before))
        .after(&PartnerSetupView::from(after.clone()))
        .record(tx)?;
    Ok(after)
}
