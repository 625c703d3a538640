//! A link that opens one statement as a page, without signing in, for a few minutes. The link carries what it opens, sealed
//! with the service's encryption key for this purpose alone, so that nobody can make one or change one.

use super::kept;
use crate::{
    access::Tx,
    audit,
    platform::{
        Error, Result,
        values::{Id, Locale, Month, Timestamp},
    },
    text,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::json;

crate::problem_codes! {
    STATEMENT_LINK_EXPIRED = "statement_link_expired" 410 ["The link has expired", "リンクの有効期限が切れています"],
        ["A link to a statement opens for five minutes. Make a new one with `POST /v1/partners/{id}/statements/{month}/link`.", "明細書へのリンクの有効期間は 5 分です。`POST /v1/partners/{id}/statements/{month}/link` で新しいリンクを作成してください。"];
}

/// How long a link opens its statement.
const SECONDS: i64 = 300;
/// What a token is sealed for: no other sealed secret opens as a link, and no link opens as anything else.
const PLACE: &str = "statement_links";

/// What a link opens.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StatementLink {
    pub partner_id: Id,
    pub month: Month,
    /// The language of whoever made the link.
    pub language: Locale,
    pub expires_at: Timestamp,
}

/// Makes a link to a statement; not found where there is no such statement. The partner is locked for the audit event.
pub(super) fn make(tx: &mut Tx<'_>, partner: Id, month: Month) -> Result<(String, StatementLink)> {
    let statement = kept::read(tx, partner, month)?;
    let partner_id = statement.partner.id;
    tx.lock_partner(partner_id)?;
    let expires_at = tx.now.plus_seconds(SECONDS);
    let link = StatementLink { partner_id, month, language: tx.language, expires_at };
    let content = serde_json::to_vec(&link).map_err(Error::internal)?;
    let token = BASE64_URL_SAFE_NO_PAD.encode(tx.vault().seal(PLACE, &content)?);
    audit::Event::on("statement_link", tx.new_id())
        .of_partner(partner_id)
        .after(&json!({"partner_id": partner_id, "month": month, "expires_at": expires_at}))
        .record(tx)?;
    Ok((token, link))
}

/// What a token opens now. A token that the service has not made is not found.
pub(super) fn open(tx: &Tx<'_>, token: &str) -> Result<StatementLink> {
    let sealed = BASE64_URL_SAFE_NO_PAD.decode(token).unwrap_or_default();
    let content = tx
        .vault()
        .open(PLACE, &sealed)
        .map_err(|_| Error::not_found("statement link", "明細書へのリンク"))?;
    let link: StatementLink = serde_json::from_slice(&content).map_err(Error::internal)?;
    if link.expires_at <= tx.now {
        return Err(Error::new(
            &STATEMENT_LINK_EXPIRED,
            text!(
                "the link has expired; make a new one",
                "リンクの有効期限が切れています。新しいリンクを作成してください。"
            ),
        ));
    }
    Ok(link)
}
