//! Whether a caller may call an operation: the one decision behind every handler and behind `GET /v1/me/permissions`.

use super::{
    Actor, INSUFFICIENT_SCOPE, PASSWORD_CHANGE_REQUIRED, SECOND_FACTOR_REQUIRED, SETUP_INCOMPLETE,
    policy::Rule, token::Claims,
};
use crate::{
    platform::{Error, Result, codes, values::Locale},
    text,
};

/// The facts about a caller that may change while the token is valid.
#[derive(Clone, Copy, Debug)]
pub(super) struct CallerStanding {
    /// The user or API client behind the token.
    pub(super) actor: Actor,
    /// Whether the user's password is a temporary one.
    pub(super) temporary_password: bool,
    /// Whether the user has to set up a second factor and has not done so.
    pub(super) lacks_second_factor: bool,
    /// The language of the caller's account; English for an API client.
    pub(super) locale: Locale,
}

/// Why a caller may not call an operation.
#[derive(Debug)]
pub struct Refusal {
    /// The kind of the reason.
    pub reason: RefusalReason,
    /// The problem the operation answers with.
    pub error: Error,
}

crate::platform::values::text_enum! {
    /// The kinds of reasons.
    pub enum RefusalReason {
        /// The caller's role may not call the operation.
        RoleNotAllowed = "role_not_allowed",
        /// The API client lacks the scope.
        InsufficientScope = "insufficient_scope",
        /// The operation is for people only.
        PeopleOnly = "people_only",
        /// A temporary password has to be changed first.
        PasswordChangeRequired = "password_change_required",
        /// A second factor has to be set up first.
        SecondFactorRequired = "second_factor_required",
        /// The set-up of the organisation has to be completed first.
        SetupIncomplete = "setup_incomplete",
    }
}

/// Whether a caller may call one operation.
#[derive(Debug)]
pub struct Permission {
    /// The operation, in `PascalCase`.
    pub operation: &'static str,
    /// The reason against the call; none where the caller may call the operation.
    pub refusal: Option<Refusal>,
}

impl Rule {
    /// The refusal that follows from the token alone, by the role and the scopes; needs no database.
    pub(super) fn refuses_token(&self, claims: &Claims) -> Option<Refusal> {
        if !self.roles.contains(&claims.role) {
            let roles = self.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(", ");
            let detail = text!(
                "{} may not do this; it takes one of: {roles}",
                "{} のロールではこの操作を行えません。必要なロールは次のいずれかです：{roles}",
                claims.role
            );
            return Some(RefusalReason::RoleNotAllowed.as_refusal(Error::new(&codes::FORBIDDEN, detail)));
        }
        if self.without_scope || claims.has_scope(self.scope) {
            return None;
        }
        let error = match self.scope {
            Some(scope) => Error::new(
                &INSUFFICIENT_SCOPE,
                text!("this takes the scope {scope}", "この操作には {scope} のスコープが必要です。"),
            )
            .with("scope", scope),
            None => Error::new(
                &INSUFFICIENT_SCOPE,
                text!(
                    "this is for people only; no API client may do it",
                    "この操作は利用者専用です。API クライアントからは実行できません。"
                ),
            ),
        };
        let reason = self.scope.map_or(RefusalReason::PeopleOnly, |_| RefusalReason::InsufficientScope);
        Some(reason.as_refusal(error))
    }

    /// The whole decision. `set_up`, whether the partner's set-up is completed, is asked for gated operations only.
    pub(super) fn refuses(
        &self,
        claims: &Claims,
        standing: CallerStanding,
        set_up: impl FnOnce() -> Result<bool>,
    ) -> Result<Option<Refusal>> {
        if let Some(refusal) = self.refuses_token(claims) {
            return Ok(Some(refusal));
        }
        if standing.temporary_password && !self.with_temporary_password {
            let detail = text!(
                "a temporary password opens nothing but PUT /v1/me/password; change it there first",
                "仮パスワードでは PUT /v1/me/password 以外の操作は行えません。先にパスワードを変更してください。"
            );
            let error = Error::new(&PASSWORD_CHANGE_REQUIRED, detail).with("next", "/v1/me/password");
            return Ok(Some(RefusalReason::PasswordChangeRequired.as_refusal(error)));
        }
        if standing.lacks_second_factor && !self.without_second_factor {
            let detail = text!(
                "operators sign in with a second factor; enrol one at POST /v1/me/second-factor",
                "運営担当者のサインインには二要素認証が必要です。POST /v1/me/second-factor で登録してください。"
            );
            let error = Error::new(&SECOND_FACTOR_REQUIRED, detail).with("next", "/v1/me/second-factor");
            return Ok(Some(RefusalReason::SecondFactorRequired.as_refusal(error)));
        }
        match standing.actor.partner.filter(|_| self.gated) {
            Some(partner) if !set_up()? => {
                let next = format!("/v1/partners/{partner}/setup");
                let detail = text!(
                    "the incentive admin completes user set-up first; what is missing: GET {next}",
                    "先にインセンティブ管理者が利用者設定を完了する必要があります。不足している内容は GET {next} で確認できます。"
                );
                let error = Error::new(&SETUP_INCOMPLETE, detail).with("next", next);
                Ok(Some(RefusalReason::SetupIncomplete.as_refusal(error)))
            }
            _ => Ok(None),
        }
    }
}

impl RefusalReason {
    fn as_refusal(self, error: Error) -> Refusal {
        Refusal { reason: self, error }
    }
}
