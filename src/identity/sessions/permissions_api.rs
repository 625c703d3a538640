//! What the caller may do, over HTTP.

use crate::{
    access::{Caller, Permission, RefusalReason, policy::GetPermissions},
    platform::{Result, http::Answer, values::Locale},
};
use actix_web::get;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this part.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(get_permissions);
}

/// What the caller may do now.
#[derive(Serialize, ToSchema)]
pub struct Permissions {
    /// Every guarded operation; those not named are open to everybody.
    #[schema(max_items = 1000)]
    items: Vec<PermissionView>,
}

/// Whether the caller may call an operation now.
#[derive(Serialize, ToSchema)]
#[schema(as = Permission)]
pub struct PermissionView {
    /// The operation's id in this document.
    #[schema(max_length = 60, examples("listEnrollments"))]
    operation: String,
    /// Whether it is open to the caller. Which records it reaches is another matter: those of the caller's partner.
    allowed: bool,
    /// Stable kind of the reason; null where it is allowed.
    reason: Option<RefusalReason>,
    /// Why not, as the operation itself would say it; null where it is allowed.
    #[schema(
        max_length = 400,
        examples("a temporary password opens nothing but PUT /v1/me/password; change it there first")
    )]
    detail: Option<String>,
    /// Where the way to it begins; null where there is none, or none is needed.
    #[schema(max_length = 200, examples("/v1/me/password"))]
    next: Option<String>,
}

impl PermissionView {
    fn of(permission: &Permission, language: Locale) -> Self {
        let mut operation = permission.operation.to_owned();
        if let Some(first) = operation.get_mut(..1) {
            first.make_ascii_lowercase();
        }
        let refusal = permission.refusal.as_ref();
        let next = refusal.and_then(|refusal| refusal.error.extra.get("next")?.as_str());
        Self {
            operation,
            allowed: refusal.is_none(),
            reason: refusal.map(|refusal| refusal.reason),
            detail: refusal.map(|refusal| refusal.error.detail.in_language(language).to_owned()),
            next: next.map(str::to_owned),
        }
    }
}

/// Read what one may do
///
/// Every guarded operation with yes or no and why, decided by the table that guards them, as of now. It answers
/// whoever is signed in: with a temporary password, without a second factor, and API clients of any scope.
#[utoipa::path(tag = "auth", responses((status = 200, body = Permissions)))]
#[get("/v1/me/permissions")]
async fn get_permissions(caller: Caller<GetPermissions>) -> Result<Answer> {
    let reader = caller.reader();
    let permissions = caller.permissions().await?;
    let language = reader.language();
    let items = permissions.iter().map(|permission| PermissionView::of(permission, language)).collect();
    Ok(Answer::ok(&Permissions { items }))
}
