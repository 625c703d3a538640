//! Signing in with a name and a password.
//!
//! An attempt with a name without a user runs the same statements as any other attempt.

use super::{
    Session,
    service::{self, StartedSession},
    throttle::{AttemptKey, Seen},
};
use crate::{
    access::{Actor, RequestOrigin, SIGN_IN_FAILED, TEMPORARY_PASSWORD_EXPIRED, Tx, password::Comparison},
    audit,
    identity::{
        second_factors::{self, CodeCheck, ONE_TIME_CODE_REQUIRED},
        users::{self, User, UserStatus},
    },
    notifications::{self, About, Message},
    platform::{Error, Result},
    text,
};
use serde_json::json;

/// An attempt to sign in.
#[derive(Clone, Debug)]
pub(super) struct SignInAttempt {
    name: String,
    code: Option<String>,
    from: RequestOrigin,
    key: AttemptKey,
}

/// The result of an attempt. The unit is committed either way: a refusal has its audit event too.
#[derive(Debug)]
pub(super) enum SignInResult {
    /// The user is signed in.
    SignedIn {
        user: Box<User>,
        /// The session; none with a temporary password, which opens only the change of the password.
        session: Option<StartedSession>,
        /// The seconds until a session that is not renewed ends.
        refresh_expires_in: i64,
    },
    Refused(SignInRefusal),
}

/// Why an attempt is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SignInRefusal {
    UnknownUser,
    WrongPassword,
    NoSecondFactor,
    WrongSecondFactor,
    /// The user signs in by an issuer, and has no password here.
    SignsInElsewhere,
    Disabled,
    TemporaryPasswordExpired,
}

impl SignInRefusal {
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

    /// The error of the answer; a caller who does not know the password learns nothing about the user.
    pub(super) fn error(self) -> Error {
        match self {
            Self::TemporaryPasswordExpired => Error::new(
                &TEMPORARY_PASSWORD_EXPIRED,
                text!(
                    "the temporary password has expired; ask whoever gave it to you to reset it",
                    "仮パスワードの有効期限が切れています。発行した方に再発行をご依頼ください。"
                ),
            ),
            Self::NoSecondFactor => Error::new(
                &ONE_TIME_CODE_REQUIRED,
                text!(
                    "send `code` as well: six digits of the authenticator app, or a recovery code",
                    "認証アプリの 6 桁の数字、またはリカバリーコードを `code` に指定してください。"
                ),
            ),
            _ => Error::new(
                &SIGN_IN_FAILED,
                text!("user name or password is wrong", "ユーザー名またはパスワードが正しくありません。"),
            ),
        }
    }
}

impl SignInAttempt {
    pub(super) fn new(name: String, code: Option<String>, from: RequestOrigin) -> Self {
        Self { key: AttemptKey::new(&name, &from), name, code, from }
    }

    /// The first step: the hash to compare the password with. Refuses an attempt that has to wait, before any hashing.
    pub(super) fn approach(&self, tx: &mut Tx<'_>) -> Result<Option<String>> {
        self.key.refuse_early(tx)?;
        Ok(users::find_by_email(tx.conn, &self.name)?.map(|user| user.password_hash))
    }

    /// The last step, after the password was compared with the hash of the first step.
    pub(super) fn conclude(
        &self,
        tx: &mut Tx<'_>,
        compared_with: Option<&str>,
        comparison: &Comparison,
    ) -> Result<SignInResult> {
        // Guesses that are sent all at once pass the first step together, and are counted and refused here.
        self.key.refuse_early(tx)?;
        let user = users::find_to_change(tx, &self.name)?;
        // The comparison is void where the password was changed meanwhile.
        let good = comparison.good && user.as_ref().map(|user| user.password_hash.as_str()) == compared_with;
        let refusal = match &user {
            Some(user) => self.judge(tx, user, good)?,
            None => Some(SignInRefusal::UnknownUser),
        };
        match (user, refusal) {
            (Some(user), None) => self.welcome(tx, user, comparison.stronger.as_deref()),
            (user, refusal) => {
                let refusal = refusal.unwrap_or(SignInRefusal::UnknownUser);
                self.refuse(tx, user.as_ref(), refusal)?;
                Ok(SignInResult::Refused(refusal))
            }
        }
    }

    /// The refusal of an attempt of a known user; none where the user may sign in.
    fn judge(&self, tx: &mut Tx<'_>, user: &User, password_is_good: bool) -> Result<Option<SignInRefusal>> {
        if !password_is_good {
            return Ok(Some(SignInRefusal::WrongPassword));
        }
        if user.issuer.is_some() {
            return Ok(Some(SignInRefusal::SignsInElsewhere));
        }
        if user.status == UserStatus::Disabled {
            return Ok(Some(SignInRefusal::Disabled));
        }
        if user.password_expires_at.is_some_and(|end| end <= tx.now) {
            return Ok(Some(SignInRefusal::TemporaryPasswordExpired));
        }
        Ok(match second_factors::check(tx, user, self.code.as_deref())? {
            CodeCheck::NotNeeded | CodeCheck::Passed => None,
            CodeCheck::Missing => Some(SignInRefusal::NoSecondFactor),
            CodeCheck::Wrong => Some(SignInRefusal::WrongSecondFactor),
        })
    }

    fn refuse(&self, tx: &mut Tx<'_>, user: Option<&User>, refusal: SignInRefusal) -> Result<()> {
        // A caller with an expired password, or one who has not been asked for a code yet, has not guessed.
        if !matches!(refusal, SignInRefusal::TemporaryPasswordExpired | SignInRefusal::NoSecondFactor) {
            self.key.count_failure(tx)?;
        }
        let digest = user.is_none().then(|| self.key.name_digest());
        let facts = json!({"address": self.from.address, "reason": refusal.as_str(), "name_digest": digest});
        let event = match user {
            Some(user) => users::event(user),
            None => audit::Event::on("sign_in", tx.new_id()),
        };
        event.after(&facts).record(tx)
    }

    fn welcome(&self, tx: &mut Tx<'_>, user: User, stronger: Option<&str>) -> Result<SignInResult> {
        tx.actor = Actor::of_user(user.id, user.role, user.partner_id);
        if let Some(hash) = stronger {
            users::strengthen(tx, user.id, hash)?;
        }
        if self.key.note_sign_in(tx, user.id)? == Seen::Elsewhere {
            let message = Message::NewSignIn {
                at: tx.now,
                address: self.from.address.to_string(),
                user_agent: self.from.user_agent.clone(),
            };
            notifications::notify(
                tx,
                &[user.recipient()],
                user.partner_id,
                About::new("user", user.id),
                &message,
            )?;
        }
        let session =
            if user.must_change_password { None } else { Some(service::start(tx, &user, &self.from)?) };
        let facts =
            json!({"address": self.from.address, "session_id": session.as_ref().map(|session| session.id)});
        users::event(&user).after(&facts).record(tx)?;
        Ok(SignInResult::SignedIn {
            user: Box::new(user),
            session,
            refresh_expires_in: Session::IDLE_SECONDS,
        })
    }
}
