//! The commands on second factors.

use super::{
    FactorState, SecondFactor,
    model::{self, AppSecret},
    store,
};
use crate::{
    access::{Actor, Role, SECOND_FACTOR_REQUIRED, SealedColumn, Tx, opaque, password},
    identity::users::{self, User},
    platform::{Error, Result, codes, db::BytesColumn, values::Id},
    text,
};
use serde_json::json;

crate::problem_codes! {
    ONE_TIME_CODE_REQUIRED = "one_time_code_required" 401 ["Send a code of your second factor as well", "二要素認証のコードも送信してください"],
        ["The password is right. Sign in again with `code`: six digits of your authenticator app, or a recovery code.", "パスワードは正しく入力されています。認証アプリの 6 桁の数字、またはリカバリーコードを `code` に指定して、再度サインインしてください。"];
    WRONG_CODE = "wrong_code" 422 ["The code is wrong or was used before", "コードが誤っているか、使用済みです"],
        ["Send the six digits your authenticator app shows now. Each is good for once: wait for the next one. A recovery code is good for once too.", "認証アプリに現在表示されている 6 桁の数字を送信してください。コードは 1 回限り有効です。次のコードが表示されるまでお待ちください。リカバリーコードも 1 回限り有効です。"];
    SECOND_FACTOR_STATE = "second_factor_state" 409 ["The second factor does not stand where this needs it", "二要素認証の現在の状態ではこの操作を行えません"],
        ["`state` says where it stands: `none` allows enrolling, `pending` confirming or enrolling anew, `confirmed` new recovery codes and removal.", "現在の状態は `state` に示されます。`none` の場合は登録、`pending` の場合は確認または再登録、`confirmed` の場合はリカバリーコードの再発行と解除が可能です。"];
    PASSWORD_TOO_WEAK = "password_too_weak" 409 ["Your password alone would be too weak", "パスワードのみでは強度が不足します"],
        ["Without a second factor a password has at least 15 characters. Change yours at `PUT /v1/me/password`, then remove the second factor.", "二要素認証を使用しない場合、パスワードは 15 文字以上必要です。`PUT /v1/me/password` でパスワードを変更してから、二要素認証を解除してください。"];
}

/// The secrets of authenticator apps.
pub(super) const SEALED: SealedColumn = SealedColumn {
    at: BytesColumn { table: "second_factors", row: "user_id", column: "secret" },
    record: "user",
    once_clear: false,
};

/// The number of a user's recovery codes.
const RECOVERY_CODES: usize = 10;

/// The result of checking the second factor of a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a sign-in without a good code is refused"]
pub enum CodeCheck {
    /// The user has no second factor.
    NotNeeded,
    /// The code was right, and is spent now.
    Passed,
    /// The user has a second factor, and sent no code.
    Missing,
    /// The code is wrong or spent.
    Wrong,
}

/// Checks and spends the code of a sign-in whose password was right, in the audited unit of the sign-in.
pub fn check(tx: &mut Tx<'_>, user: &User, code: Option<&str>) -> Result<CodeCheck> {
    if !user.has_second_factor {
        return Ok(CodeCheck::NotNeeded);
    }
    let Some(code) = code else { return Ok(CodeCheck::Missing) };
    let factor = confirmed(tx, user.id)?;
    Ok(if spend(tx, user, &factor, code)? { CodeCheck::Passed } else { CodeCheck::Wrong })
}

/// Enrols a factor: a new secret, which waits for its first code and replaces a secret that is not confirmed yet.
pub(super) fn enroll(tx: &mut Tx<'_>, secret: &[u8]) -> Result<AppSecret> {
    let user = oneself(tx)?;
    let before = store::find(tx, user.id)?;
    expect_state(before.as_ref(), &[FactorState::None, FactorState::Pending])?;
    let sealed = seal(tx, user.id, secret)?;
    store::remove(tx, user.id)?;
    let factor = SecondFactor {
        user_id: user.id,
        secret: sealed,
        last_step: 0,
        confirmed_at: None,
        created_at: tx.now,
    };
    store::insert(tx, &factor)?;
    tx.forget_guesses(user.id)?;
    users::event(&user).after(&json!({"second_factor": factor.state()})).record(tx)?;
    AppSecret::of(secret, &user.email)
}

/// Why the other sessions of a user end whose factor has changed.
const FACTOR_CHANGED: &str = "second_factor_changed";

/// Confirms a factor by its first code: from now on every sign-in asks for a code. The sessions other than `own` end:
/// nobody has shown a code for them.
pub(super) fn confirm(tx: &mut Tx<'_>, code: &str, recovery_codes: &[String], own: Option<Id>) -> Result<()> {
    let user = oneself(tx)?;
    let found = store::find(tx, user.id)?;
    let factor = expect_state(found.as_ref(), &[FactorState::Pending])?.ok_or_else(wrong_code)?;
    let step = accepted_step(tx, factor, code)?.ok_or_else(wrong_code)?;
    store::update(tx, &SecondFactor { last_step: step, confirmed_at: Some(tx.now), ..factor.clone() })?;
    store::replace_codes(tx, user.id, &digests(recovery_codes))?;
    tx.forget_guesses(user.id)?;
    tx.end_other_sessions(user.id, own, FACTOR_CHANGED)?;
    users::set_second_factor(tx, &user, true).map(drop)
}

/// Replaces the recovery codes by new ones.
pub(super) fn renew_recovery_codes(tx: &mut Tx<'_>, code: &str, recovery_codes: &[String]) -> Result<()> {
    let user = oneself(tx)?;
    let factor = confirmed(tx, user.id)?;
    expect_good(tx, &user, &factor, code)?;
    store::replace_codes(tx, user.id, &digests(recovery_codes))?;
    tx.forget_guesses(user.id)?;
    users::event(&user).after(&json!({"recovery_codes_left": recovery_codes.len()})).record(tx)
}

/// Removes the actor's own factor, where the password may stand alone. The sessions other than `own` end.
pub(super) fn remove(
    tx: &mut Tx<'_>,
    code: &str,
    password_may_stand_alone: bool,
    own: Option<Id>,
) -> Result<()> {
    let user = oneself(tx)?;
    let factor = confirmed(tx, user.id)?;
    if tx.accounts().operators_need_second_factor && user.role == Role::Operator {
        let detail = text!(
            "operators of this service need a second factor; another operator can reset it for a new one",
            "本サービスの運営担当者には二要素認証が必要です。別の運営担当者にリセットを依頼し、登録し直してください。"
        );
        return Err(Error::new(&SECOND_FACTOR_REQUIRED, detail));
    }
    if !password_may_stand_alone {
        let detail = text!(
            "without a second factor a password has at least 15 characters; change yours first",
            "二要素認証を使用しない場合、パスワードは 15 文字以上必要です。先にパスワードを変更してください。"
        );
        return Err(Error::new(&PASSWORD_TOO_WEAK, detail).with("next", "/v1/me/password"));
    }
    expect_good(tx, &user, &factor, code)?;
    store::remove(tx, user.id)?;
    tx.forget_guesses(user.id)?;
    tx.end_other_sessions(user.id, own, FACTOR_CHANGED)?;
    users::set_second_factor(tx, &user, false).map(drop)
}

/// Removes a user's lost factor, and ends the user's sessions.
pub(super) fn reset(tx: &mut Tx<'_>, user: Id, reason: &str) -> Result<User> {
    let user = users::to_change(tx, user)?;
    users::refuse_oneself(tx, &user)?;
    let found = store::find(tx, user.id)?;
    expect_state(found.as_ref(), &[FactorState::Pending, FactorState::Confirmed])?;
    store::remove(tx, user.id)?;
    users::reset_second_factor(tx, &user, reason)
}

/// Ten new recovery codes of 100 bits each.
pub(super) fn recovery_codes() -> Result<Vec<String>> {
    std::iter::repeat_with(password::temporary).take(RECOVERY_CODES).collect()
}

/// A new secret of 160 bits (RFC 4226, 4).
pub(super) fn secret() -> Result<[u8; 20]> {
    let mut secret = [0; 20];
    aws_lc_rs::rand::fill(&mut secret).map_err(|_| Error::internal("no randomness"))?;
    Ok(secret)
}

fn oneself(tx: &mut Tx<'_>) -> Result<User> {
    let id = tx.actor.user().ok_or_else(|| {
        Error::new(&codes::UNAUTHENTICATED, text!("sign in first", "サインインしてください。"))
    })?;
    users::load_to_change(tx, id)
}

fn confirmed(tx: &mut Tx<'_>, user: Id) -> Result<SecondFactor> {
    let found = store::find(tx, user)?;
    expect_state(found.as_ref(), &[FactorState::Confirmed])?;
    found.ok_or_else(|| Error::internal("a confirmed second factor is missing"))
}

fn expect_state<'a>(
    factor: Option<&'a SecondFactor>,
    allowed: &[FactorState],
) -> Result<Option<&'a SecondFactor>> {
    let state = factor.map_or(FactorState::None, SecondFactor::state);
    if allowed.contains(&state) {
        return Ok(factor);
    }
    let detail = match state {
        FactorState::None => text!(
            "there is no second factor; enrol one at POST /v1/me/second-factor",
            "二要素認証が登録されていません。POST /v1/me/second-factor で登録してください。"
        ),
        FactorState::Pending => {
            text!(
                "it was never confirmed; send its first code to /v1/me/second-factor/confirmation",
                "二要素認証が確認されていません。最初のコードを /v1/me/second-factor/confirmation に送信してください。"
            )
        }
        FactorState::Confirmed => text!(
            "there is a confirmed second factor already; remove it first",
            "確認済みの二要素認証がすでにあります。先に解除してください。"
        ),
    };
    Err(Error::new(&SECOND_FACTOR_STATE, detail).with("state", state))
}

/// Spends a code; whether the code was right. Six characters are a code of the app, any other code is a recovery code.
fn spend(tx: &mut Tx<'_>, user: &User, factor: &SecondFactor, code: &str) -> Result<bool> {
    let bare = model::bare(code);
    if bare.len() == 6 {
        let Some(step) = accepted_step(tx, factor, &bare)? else { return Ok(false) };
        store::update(tx, &SecondFactor { last_step: step, ..factor.clone() })?;
        return Ok(true);
    }
    // The code is looked up by its digest: no comparison of texts whose time could be measured.
    let good = store::spend_code(tx, user.id, &opaque::digest(&bare))?;
    if good {
        // A sign-in has no actor yet: the right code makes the user the actor.
        tx.actor = Actor::of_user(user.id, user.role, user.partner_id);
        let left = store::codes_left(tx, user.id)?;
        users::event(user).after(&json!({"recovery_codes_left": left})).record(tx)?;
    }
    Ok(good)
}

fn expect_good(tx: &mut Tx<'_>, user: &User, factor: &SecondFactor, code: &str) -> Result<()> {
    if spend(tx, user, factor, code)? { Ok(()) } else { Err(wrong_code()) }
}

fn accepted_step(tx: &Tx<'_>, factor: &SecondFactor, code: &str) -> Result<Option<i64>> {
    model::accepted_step(&open(tx, factor)?, code, factor.last_step, tx.now)
}

fn open(tx: &Tx<'_>, factor: &SecondFactor) -> Result<Vec<u8>> {
    SEALED.open(tx.vault(), factor.user_id, &factor.secret)
}

fn seal(tx: &Tx<'_>, user: Id, secret: &[u8]) -> Result<Vec<u8>> {
    SEALED.seal(tx.vault(), user, secret)
}

fn digests(recovery_codes: &[String]) -> Vec<Vec<u8>> {
    recovery_codes.iter().map(|code| opaque::digest(&model::bare(code))).collect()
}

fn wrong_code() -> Error {
    Error::new(
        &WRONG_CODE,
        text!(
            "the code is wrong or was used before; wait for the next one",
            "コードが誤っているか、使用済みです。次のコードが表示されるまでお待ちください。"
        ),
    )
}
