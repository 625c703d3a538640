//! The commands on users.

use super::{
    User, UserStatus,
    addresses::{may_rename, refuse_taken, tell_of_address},
    api::UserView,
    counts, fold,
    passwords::{refuse_oneself, wrong_state},
    store,
};
use crate::{
    access::{AppState, Guard, Role, Tx, Unaudited, password},
    audit,
    network::partners::{self, Partner},
    platform::{
        Error, Result, codes,
        values::{Id, Locale},
    },
    text,
};

crate::problem_codes! {
    EMAIL_TAKEN = "email_taken" 409 ["Another user has this e-mail address", "このメールアドレスは別の利用者が使用しています"],
        ["An address is a user name and belongs to one user. Upper and lower case are the same.", "メールアドレスはユーザー名であり、1 人の利用者のみが使用できます。大文字と小文字は区別されません。"];
    LAST_OPERATOR = "last_operator" 409 ["Somebody must be left to run the programme", "プログラムの運営担当者が 1 人以上必要です"],
        ["Make another operator before you take this one's role or bar this one.", "この運営担当者のロールの変更または利用停止の前に、別の運営担当者を登録してください。"];
    MAIL_NOT_SENT = "mail_not_sent" 409 ["This service sends no mail", "本サービスはメールを送信しない設定です"],
        ["No mail server is configured (`SMTP_URL`), so a mailed password would reach nobody. Leave `deliver` out: the answer shows it.", "メールサーバー（`SMTP_URL`）が設定されていないため、メールでパスワードを送付できません。`deliver` を省略すると、パスワードが応答に表示されます。"];
    NOT_ONESELF = "not_oneself" 409 ["Nobody bars oneself, changes one's own role or resets one's own password", "自分自身の利用停止、ロールの変更、パスワードのリセットは行えません"],
        ["Ask another administrator; a password you know is changed at `PUT /v1/me/password`.", "別の管理者にご依頼ください。現在のパスワードをご存じの場合は `PUT /v1/me/password` で変更できます。"];
    SIGNS_IN_ELSEWHERE = "signs_in_elsewhere" 409 ["This user has no password here", "この利用者は本サービスにパスワードを持っていません"],
        ["The user's issuer vouches for the user: sign in there, and exchange its identity token at `POST /v1/auth/token`.", "この利用者は外部の ID プロバイダーで認証されます。そちらでサインインし、取得した ID トークンを `POST /v1/auth/token` で交換してください。"];
    WRONG_PASSWORD = "wrong_password" 422 ["The current password is wrong", "現在のパスワードが正しくありません"],
        ["Send the password you signed in with as `current_password`.", "サインインに使用したパスワードを `current_password` に指定してください。"];
}

/// The password hash of a user without a password; no password has this hash.
const NO_PASSWORD: &str = "none";

/// The facts of a new user.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The e-mail address, in any case.
    pub email: String,
    /// The name, as shown to people.
    pub name: String,
    /// The user's role.
    pub role: Role,
    /// The user's partner; none for programme staff.
    pub partner_id: Option<Id>,
    /// The argon2id hash of the first password.
    pub password_hash: String,
    /// Whether the first password is a temporary one.
    pub must_change_password: bool,
    /// The language of notifications to the user.
    pub locale: Locale,
    /// The issuer the user signs in by; none of a user with a password.
    pub issuer: Option<String>,
}

/// How a user signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInBy<'a> {
    /// By a password of this service.
    Password,
    /// By an identity token of this `OpenID` Connect issuer.
    Issuer(&'a str),
}

impl<'a> SignInBy<'a> {
    /// The way to sign in of a user with this issuer, or without an issuer.
    #[must_use]
    pub fn of(issuer: Option<&'a str>) -> Self {
        issuer.map_or(Self::Password, Self::Issuer)
    }
}

/// The change of a user; a field that is none stays as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct UserChange<'a> {
    /// The new e-mail address, in any case.
    pub email: Option<&'a str>,
    /// The new name.
    pub name: Option<&'a str>,
    /// The new role.
    pub role: Option<Role>,
    /// The new language of notifications.
    pub locale: Option<Locale>,
    /// The new way to sign in.
    pub sign_in_by: Option<SignInBy<'a>>,
}

/// The first operator of a database, with the credentials to be shown once.
#[derive(Debug)]
pub struct FirstOperator {
    /// The e-mail address, which is the user name.
    pub email: String,
    /// The temporary password.
    pub password: String,
}

/// Makes a user.
pub fn create(tx: &mut Tx<'_>, new: NewUser) -> Result<User> {
    let email = fold(&new.email);
    if let Some(partner) = new.partner_id {
        tx.lock_partner(partner)?;
    }
    if let Some(partner) = may_give(tx, new.role, new.partner_id)? {
        partners::refuse_closed(&partner)?;
    }
    refuse_taken(tx, &email)?;
    let user = User {
        id: tx.new_id(),
        email,
        name: new.name,
        role: new.role,
        partner_id: new.partner_id,
        status: if new.must_change_password { UserStatus::Provisioned } else { UserStatus::Active },
        password_hash: new.password_hash,
        must_change_password: new.must_change_password,
        token_epoch: 1,
        created_at: tx.now,
        updated_at: tx.now,
        revision: 1,
        locale: new.locale,
        password_expires_at: new
            .must_change_password
            .then(|| tx.now.plus_seconds(password::TEMPORARY_SECONDS)),
        has_second_factor: false,
        issuer: new.issuer,
        issuer_subject: None,
    };
    counts::keep_past(tx, None, &user)?;
    store::insert(tx, &user)?;
    event(&user).after(&UserView::from(user.clone())).record(tx)?;
    Ok(user)
}

/// Makes a user with a known password, for the command line, the demo and tests.
pub fn provision(app: &AppState, new: NewUser) -> Result<Id> {
    app.write_as_system("CreateUser", move |tx| create(tx, new.clone()).map(|user| user.id))
}

/// Changes a user's address, name, role, language or issuer.
pub fn update(tx: &mut Tx<'_>, before: User, change: UserChange<'_>) -> Result<User> {
    let role = change.role.unwrap_or(before.role);
    if role != before.role {
        refuse_oneself(tx, &before)?;
        may_give(tx, role, before.partner_id)?;
        keep_an_operator(tx, &before)?;
    }
    let name = change.name.map_or_else(|| before.name.clone(), str::to_owned);
    let locale = change.locale.unwrap_or(before.locale);
    let issuer = match change.sign_in_by {
        None => before.issuer.clone(),
        Some(SignInBy::Password) => None,
        Some(SignInBy::Issuer(issuer)) => Some(issuer.to_owned()),
    };
    let email = change.email.map_or_else(|| before.email.clone(), fold);
    if email != before.email {
        may_rename(tx, &before)?;
        refuse_taken(tx, &email)?;
    }
    let elsewhere = issuer != before.issuer;
    if elsewhere {
        refuse_oneself(tx, &before)?;
    }
    let is_another = role != before.role || elsewhere || email != before.email;
    let token_epoch = before.token_epoch + i64::from(is_another);
    let user = User { email, name, role, token_epoch, locale, ..before.clone() };
    let user = if elsewhere { signing_in_elsewhere(user, issuer) } else { user };
    let user = save(tx, &before, user, None)?;
    tell_of_address(tx, &before, &user)?;
    Ok(user)
}

/// The user with another issuer, or without an issuer: the password is gone, and a user without an issuer needs a reset.
fn signing_in_elsewhere(user: User, issuer: Option<String>) -> User {
    let status = match user.status {
        UserStatus::Disabled => UserStatus::Disabled,
        _ if issuer.is_none() => UserStatus::Provisioned,
        _ => UserStatus::Active,
    };
    User {
        password_hash: NO_PASSWORD.to_owned(),
        must_change_password: issuer.is_none(),
        password_expires_at: None,
        issuer,
        issuer_subject: None,
        status,
        ..user
    }
}

/// Bars a user; the user's tokens open nothing from now on.
pub(super) fn deactivate(tx: &mut Tx<'_>, before: User, reason: &str) -> Result<User> {
    refuse_oneself(tx, &before)?;
    if before.status == UserStatus::Disabled {
        return Err(wrong_state(&before, "reactivation"));
    }
    keep_an_operator(tx, &before)?;
    let user = User { status: UserStatus::Disabled, token_epoch: before.token_epoch + 1, ..before.clone() };
    save(tx, &before, user, Some(reason))
}

/// Lets a barred user back in.
pub(super) fn reactivate(tx: &mut Tx<'_>, before: User, reason: &str) -> Result<User> {
    if before.status != UserStatus::Disabled {
        return Err(wrong_state(&before, "deactivation"));
    }
    let by_staff = audit::last_role(tx, "DeactivateUser", before.id)?
        .is_some_and(|role| role == Role::Operator.as_str());
    if by_staff && tx.actor.partner.is_some() {
        let detail = text!(
            "the programme's staff barred this user; ask a programme operator",
            "この利用者はプログラム事務局により利用停止とされています。プログラム運営担当者にご依頼ください。"
        );
        return Err(Error::new(&codes::FORBIDDEN, detail));
    }
    let status = if before.must_change_password { UserStatus::Provisioned } else { UserStatus::Active };
    save(tx, &before, User { status, ..before.clone() }, Some(reason))
}

/// Ends every session of a user: tokens issued before open nothing.
pub fn revoke_sessions(tx: &mut Tx<'_>, before: &User) -> Result<User> {
    let user = User { token_epoch: before.token_epoch + 1, ..before.clone() };
    save(tx, before, user, None)
}

/// Notes on the user's record whether the user has a second factor.
pub fn set_second_factor(tx: &mut Tx<'_>, before: &User, has: bool) -> Result<User> {
    save(tx, before, User { has_second_factor: has, ..before.clone() }, None)
}

/// Notes that a user's lost second factor was removed: sessions end, and the user has to change the password, which may
/// be too weak without a second factor.
pub fn reset_second_factor(tx: &mut Tx<'_>, before: &User, reason: &str) -> Result<User> {
    let token_epoch = before.token_epoch + 1;
    // A user who signs in by an issuer has no password to change.
    let must_change_password = before.issuer.is_none();
    let user = User { has_second_factor: false, must_change_password, token_epoch, ..before.clone() };
    save(tx, before, user, Some(reason))
}

/// Writes the next revision of a user, with its audit event.
pub(super) fn save(tx: &mut Tx<'_>, before: &User, user: User, reason: Option<&str>) -> Result<User> {
    let user = User { updated_at: tx.now, revision: before.revision + 1, ..user };
    counts::keep_past(tx, Some(before), &user)?;
    store::update(tx, &user)?;
    let views = (UserView::from(before.clone()), UserView::from(user.clone()));
    event(&user).before(&views.0).after(&views.1).because(reason).record(tx)?;
    Ok(user)
}

/// An audit event about a user.
pub fn event(user: &User) -> audit::Event {
    audit::Event::on("user", user.id).seen_by(user.partner_id)
}

/// The partner of an account with this role; refuses a role and a partner that do not go together, and a role the actor
/// may not give.
pub fn may_give(tx: &mut Tx<'_>, role: Role, partner_id: Option<Id>) -> Result<Option<Partner>> {
    if tx.actor.partner.is_some() && !role.belongs_to_a_partner() {
        let detail = text!(
            "an incentive admin manages the own partner's incentive admins and viewers",
            "インセンティブ管理者が管理できるのは、自社のインセンティブ管理者と閲覧者のみです。"
        );
        return Err(Error::new(&codes::FORBIDDEN, detail));
    }
    match (role.belongs_to_a_partner(), partner_id) {
        (true, None) => Err(Error::invalid_field(
            "/partner_id",
            "required",
            text!(
                "who is {role} belongs to a partner; name it",
                "ロールが {role} の利用者はパートナーに所属します。パートナーを指定してください。"
            ),
        )),
        (false, Some(_)) => Err(Error::invalid_field(
            "/partner_id",
            "unexpected",
            text!(
                "who is {role} belongs to no partner; leave it out",
                "ロールが {role} の利用者はパートナーに所属しません。この項目を省略してください。"
            ),
        )),
        (true, Some(partner)) => partners::get(tx, partner).map(Some).map_err(|error| {
            error.as_fault_at(
                "/partner_id",
                text!(
                    "there is no such partner, or it lies outside what you may see",
                    "該当するパートナーが存在しないか、閲覧できる範囲にありません。"
                ),
            )
        }),
        (false, None) => Ok(None),
    }
}

fn keep_an_operator(tx: &mut Tx<'_>, user: &User) -> Result<()> {
    if user.role != Role::Operator {
        return Ok(());
    }
    // Of two operators who bar each other at the same moment the second waits here.
    tx.take(Guard::Operators)?;
    if store::other_operators(tx, user.id)? == 0 {
        return Err(Error::new(
            &LAST_OPERATOR,
            text!(
                "this is the last operator; make another one first",
                "最後の運営担当者です。先に別の運営担当者を登録してください。"
            ),
        ));
    }
    Ok(())
}

/// Makes the first operator of a database that has none. Of several instances that start at once one makes the operator.
pub fn first_operator(app: &AppState) -> Result<Option<FirstOperator>> {
    const EMAIL: &str = "operator@programme.example";
    if app.read_as_system(store::operators)? > 0 {
        return Ok(None);
    }
    let password = password::temporary()?;
    let new = NewUser {
        email: EMAIL.into(),
        name: "First Operator".into(),
        role: Role::Operator,
        partner_id: None,
        password_hash: app.passwords().hash(&password)?,
        must_change_password: true,
        issuer: None,
        locale: Locale::En,
    };
    let is_made = app.write_as_system("CreateUser", move |tx| {
        tx.take(Guard::Operators)?;
        if store::operators(tx)? > 0 {
            tx.exempt_from_audit(Unaudited::NothingWritten);
            return Ok(false);
        }
        create(tx, new.clone()).map(|_| true)
    })?;
    Ok(is_made.then(|| FirstOperator { email: EMAIL.into(), password }))
}
