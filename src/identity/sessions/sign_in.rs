//! Signing in with a name and a password, step by step.
//!
//! A name that nobody has takes the same steps as any other, statement for statement.

use super::{
    Session,
    brakes::{Door, Seen},
    service,
};
use crate::{
    access::{Actor, RequestOrigin, SIGN_IN_FAILED, TEMPORARY_PASSWORD_EXPIRED, Tx, password::Comparison},
    audit,
    identity::{
        second_factors::{self, Check, ONE_TIME_CODE_REQUIRED},
        users::{self, User, UserStatus},
    },
    notifications::{self, Message},
    platform::{Error, Result, values::Id},
};
use serde_json::json;

/// Somebody at the door.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    name: String,
    code: Option<String>,
    from: RequestOrigin,
    door: Door,
}

/// How an attempt ended. Both are committed: a refusal leaves a trace.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The user is in.
    SignedIn {
        user: Box<User>,
        /// The session and its refresh token; none for a temporary password, which opens its own change alone.
        session: Option<(Id, String)>,
        /// Seconds until the session ends where it is not renewed.
        refresh_expires_in: i64,
    },
    Refused(Refusal),
}

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    UnknownUser,
    WrongPassword,
    NoSecondFactor,
    WrongSecondFactor,
    /// An issuer vouches for the user; a password from before opens nothing.
    SignsInElsewhere,
    Disabled,
    TemporaryPasswordExpired,
}

impl Refusal {
    fn as_str(self) -> &'static str {
        match self {
            Self::UnknownUser => "unknown_user",
            Self::WrongPassword => "wrong_password",
            Self::NoSecondFactor => "no_second_factor",
            Self::WrongSecondFactor => "wrong_second_factor",
            Self::SignsInElsewhere => "signs_in_elsewhere",
            Self::Disabled => "disabled",
            Self::TemporaryPasswordExpired => "temporary_password_expired",
        }
    }

    /// What is told; who does not know the password learns nothing about the user.
    pub(super) fn error(self) -> Error {
        match self {
            Self::TemporaryPasswordExpired => Error::new(
                &TEMPORARY_PASSWORD_EXPIRED,
                "the temporary password has expired; ask whoever gave it to you to reset it",
            ),
            Self::NoSecondFactor => Error::new(
                &ONE_TIME_CODE_REQUIRED,
                "send `code` as well: six digits of the authenticator app, or a recovery code",
            ),
            _ => Error::new(&SIGN_IN_FAILED, "user name or password is wrong"),
        }
    }
}

impl Attempt {
    pub(super) fn new(name: String, code: Option<String>, from: RequestOrigin) -> Self {
        Self { door: Door::new(&name, &from), name, code, from }
    }

    /// First step, before anything is hashed: the hash to compare with. Refused as long as a brake is on, whatever
    /// the password.
    pub(super) fn approach(&self, tx: &mut Tx<'_>) -> Result<Option<String>> {
        self.door.pass(tx)?;
        Ok(users::find_by_email(tx.conn, &self.name)?.map(|user| user.password_hash))
    }

    /// Last step, once the password was compared with that hash.
    pub(super) fn conclude(
        &self,
        tx: &mut Tx<'_>,
        compared_with: Option<&str>,
        comparison: &Comparison,
    ) -> Result<Outcome> {
        // Guesses sent all at once have passed the first step together; the brake holds those that come late.
        self.door.pass(tx)?;
        let user = users::find_to_change(tx, &self.name)?;
        // A password changed meanwhile is not the one compared.
        let good = comparison.good && user.as_ref().map(|user| user.password_hash.as_str()) == compared_with;
        let refusal = match &user {
            Some(user) => self.judge(tx, user, good)?,
            None => Some(Refusal::UnknownUser),
        };
        match (user, refusal) {
            (Some(user), None) => self.welcome(tx, user, comparison.stronger.as_deref()),
            (user, refusal) => {
                let refusal = refusal.unwrap_or(Refusal::UnknownUser);
                self.refuse(tx, user.as_ref(), refusal)?;
                Ok(Outcome::Refused(refusal))
            }
        }
    }

    /// Why this user does not come in; none where everything fits.
    fn judge(&self, tx: &mut Tx<'_>, user: &User, password_is_good: bool) -> Result<Option<Refusal>> {
        if !password_is_good {
            return Ok(Some(Refusal::WrongPassword));
        }
        if user.issuer.is_some() {
            return Ok(Some(Refusal::SignsInElsewhere));
        }
        if user.status == UserStatus::Disabled {
            return Ok(Some(Refusal::Disabled));
        }
        if user.password_expires_at.is_some_and(|end| end <= tx.now) {
            return Ok(Some(Refusal::TemporaryPasswordExpired));
        }
        Ok(match second_factors::check(tx, user, self.code.as_deref())? {
            Check::NotNeeded | Check::Passed => None,
            Check::Missing => Some(Refusal::NoSecondFactor),
            Check::Wrong => Some(Refusal::WrongSecondFactor),
        })
    }

    fn refuse(&self, tx: &mut Tx<'_>, user: Option<&User>, refusal: Refusal) -> Result<()> {
        // Whoever sends an expired password, or has still to be asked for a code, guesses nothing.
        if !matches!(refusal, Refusal::TemporaryPasswordExpired | Refusal::NoSecondFactor) {
            self.door.fail(tx)?;
        }
        let digest = user.is_none().then(|| self.door.name_digest());
        let told = json!({"address": self.from.address, "reason": refusal.as_str(), "name_digest": digest});
        let event = match user {
            Some(user) => users::event(user),
            None => audit::Event::on("sign_in", tx.new_id()),
        };
        event.after(&told).record(tx)
    }

    fn welcome(&self, tx: &mut Tx<'_>, user: User, stronger: Option<&str>) -> Result<Outcome> {
        tx.actor = Actor::of_user(user.id, user.role, user.partner_id);
        if let Some(hash) = stronger {
            users::strengthen(tx, user.id, hash)?;
        }
        if self.door.open(tx, user.id)? == Seen::Elsewhere {
            let message = Message::NewSignIn {
                at: tx.now,
                address: self.from.address.to_string(),
                user_agent: self.from.user_agent.clone(),
            };
            notifications::tell(tx, &[user.recipient()], user.partner_id, ("user", user.id), &message)?;
        }
        let session =
            if user.must_change_password { None } else { Some(service::start(tx, &user, &self.from)?) };
        let told = json!({"address": self.from.address, "session_id": session.as_ref().map(|(id, _)| id)});
        users::event(&user).after(&told).record(tx)?;
        Ok(Outcome::SignedIn { user: Box::new(user), session, refresh_expires_in: Session::IDLE_SECONDS })
    }
}
