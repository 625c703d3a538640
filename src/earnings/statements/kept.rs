//! The statements of closed months: stored when the month closes, never changed, and proved by their hashes.

use super::{
    languages::{in_language, together},
    statement::StatementFacts,
    statement_view::Statement,
};
use crate::{
    access::Tx,
    earnings::calculation,
    identity::users::{self, AdminNotice},
    ledger::accounting,
    network::partners::{self, Partner},
    notifications::{About, Message},
    platform::{
        Error, Result,
        db::insert_many,
        http::{NoFilter, PageRequest, keyset},
        values::{Id, Locale, Month, Timestamp},
    },
    schema::{statement_months, statements},
    slice::VerifyFinding,
};
use aws_lc_rs::digest::{Context, SHA256};
use diesel::prelude::*;
use std::fmt::Write;

/// The partners whose statements are made together.
const AT_ONCE: usize = 100;
/// The statements that a proof reads together.
const READ_AT_ONCE: i64 = 200;

/// The stored statement of a closed month.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = statements, treat_none_as_default_value = false)]
pub(super) struct KeptStatement {
    /// UUID of version 7.
    pub id: Id,
    /// The partner of the statement.
    pub partner_id: Id,
    /// The closed month.
    pub month: Month,
    /// When the month was closed.
    pub closed_at: Timestamp,
    /// The SHA-256 of the content, in hexadecimal.
    pub sha256: String,
    /// The statement as JSON, with each text in every language.
    pub content: String,
}

impl KeptStatement {
    fn of(tx: &Tx<'_>, facts: &StatementFacts, partner: &Partner, month: Month) -> Result<Self> {
        let told = |language: &Locale| {
            let statement = facts.statement(partner, None, *language);
            Ok((*language, serde_json::to_value(statement).map_err(Error::internal)?))
        };
        let told: Vec<_> = Locale::ALL.iter().map(told).collect::<Result<_>>()?;
        let content = together(&told).to_string();
        let sha256 = hash([content.as_str()]);
        Ok(Self { id: tx.new_id(), partner_id: partner.id, month, closed_at: tx.now, sha256, content })
    }

    /// The statement in a language.
    fn told(self, language: Locale) -> Result<Statement> {
        let content = serde_json::from_str(&self.content).map_err(Error::internal)?;
        let statement: Statement =
            serde_json::from_value(in_language(content, language)).map_err(Error::internal)?;
        Ok(Statement { sha256: Some(self.sha256), ..statement })
    }
}

/// The SHA-256 of texts one after the other, in hexadecimal.
fn hash<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut context = Context::new(&SHA256);
    texts.into_iter().for_each(|text| context.update(text.as_bytes()));
    hexadecimal(context)
}

fn hexadecimal(context: Context) -> String {
    context.finish().as_ref().iter().fold(String::new(), |mut text, byte| {
        // Writing into a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The partners with a statement of a month: those with something posted, refused or owed, by id.
pub fn partners_told(tx: &mut Tx<'_>, month: Month) -> Result<Vec<Id>> {
    let mut found = accounting::partners_owed_with(tx, month)?;
    found.extend(calculation::partners_refused_in(tx, month)?);
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Stores the statements of these partners, by id, for the month that this unit closes, and tells their incentive admins.
/// The unit holds the books, so that nobody posts meanwhile.
pub fn keep(tx: &mut Tx<'_>, month: Month, told: &[Id]) -> Result<()> {
    let mut all = Context::new(&SHA256);
    for ids in told.chunks(AT_ONCE) {
        let facts = StatementFacts::gather(tx, ids, month)?;
        let mut told = partners::many(tx, ids)?;
        told.sort_unstable_by_key(|partner| partner.id);
        let kept = told.iter().map(|partner| KeptStatement::of(tx, &facts, partner, month));
        let kept: Vec<KeptStatement> = kept.collect::<Result<_>>()?;
        for statement in &kept {
            all.update(statement.sha256.as_bytes());
        }
        insert_many!(tx.conn, statements::table, &kept);
        let notice = |(partner, kept): (_, &KeptStatement)| {
            let Partner { legal_name, id, .. }: &Partner = partner;
            let message = Message::StatementReady { partner: legal_name.clone(), partner_id: *id, month };
            AdminNotice { partner, about: About::new("statement", kept.id), message }
        };
        let notices: Vec<AdminNotice<'_>> = told.iter().zip(&kept).map(notice).collect();
        users::notify_admins_of_each(tx, &notices)?;
    }
    diesel::insert_into(statement_months::table)
        .values((
            statement_months::month.eq(month),
            statement_months::statements.eq(i64::try_from(told.len()).map_err(Error::internal)?),
            statement_months::sha256.eq(hexadecimal(all)),
        ))
        .execute(tx.conn)?;
    Ok(())
}

/// The statement of a partner's month: the stored one of a closed month, and one made now of a month that is open. Not
/// found of a month without one.
pub(super) fn read(tx: &mut Tx<'_>, partner: Id, month: Month) -> Result<Statement> {
    let (partner, language) = (partners::get(tx, partner)?, tx.language);
    let query = statements::table
        .filter(statements::partner_id.eq(partner.id))
        .filter(statements::month.eq(month))
        .select(KeptStatement::as_select());
    let kept: Option<KeptStatement> = query.get_result(tx.conn).optional()?;
    if let Some(kept) = kept {
        return kept.told(language);
    }
    let are_kept = statement_months::table.find(month).select(statement_months::month);
    let are_kept: Option<Month> = are_kept.get_result(tx.conn).optional()?;
    let is_ahead = month > Month::of(tx.today());
    let never_closed = !accounting::months(tx)?.is_open(month) && accounting::closed_at(tx, month)?.is_none();
    if are_kept.is_some() || is_ahead || never_closed {
        return Err(Error::not_found("statement", "明細書"));
    }
    let facts = StatementFacts::gather(tx, &[partner.id], month)?;
    let as_of = calculation::last_calculated(tx, partner.id)?;
    let statement = facts.statement(&partner, as_of, language);
    if statement.programs.is_empty() {
        return Err(Error::not_found("statement", "明細書"));
    }
    Ok(statement)
}

/// The stored statements of a partner.
pub(super) fn list(tx: &mut Tx<'_>, partner: Id, page: &PageRequest<NoFilter>) -> Result<Vec<KeptStatement>> {
    let query = statements::table.into_boxed().filter(statements::partner_id.eq(partner));
    let query = query.select(KeptStatement::as_select());
    Ok(keyset!(query, page, statements, newest).load(tx.conn)?)
}

pub(super) fn count(tx: &mut Tx<'_>, partner: Id) -> Result<i64> {
    Ok(statements::table.filter(statements::partner_id.eq(partner)).count().get_result(tx.conn)?)
}

/// Computes the hash of each stored statement again, and the hash of each month.
pub(super) fn check(tx: &mut Tx<'_>) -> Result<VerifyFinding> {
    let months: Vec<(Month, i64, String)> =
        statement_months::table.order(statement_months::month).load(tx.conn)?;
    let mut checked = 0;
    for (month, count, sha256) in months {
        let (mut all, mut found, mut after) = (Context::new(&SHA256), 0, None);
        loop {
            let mut query = statements::table.filter(statements::month.eq(month)).into_boxed();
            if let Some(after) = after {
                query = query.filter(statements::partner_id.gt(after));
            }
            let query = query.order(statements::partner_id).limit(READ_AT_ONCE);
            let batch: Vec<KeptStatement> = query.select(KeptStatement::as_select()).load(tx.conn)?;
            let Some(last) = batch.last() else { break };
            after = Some(last.partner_id);
            for kept in &batch {
                if hash([kept.content.as_str()]) != kept.sha256 {
                    let difference = format!("the statement {} of {month} is not the one stored", kept.id);
                    return Ok(VerifyFinding::Broken(difference));
                }
                all.update(kept.sha256.as_bytes());
                found += 1;
            }
        }
        if found != count || hexadecimal(all) != sha256 {
            let difference = format!("{month}: {found} statements, where {count} were stored, or others");
            return Ok(VerifyFinding::Broken(difference));
        }
        checked += found;
    }
    let strays = statements::table
        .filter(diesel::dsl::not(diesel::dsl::exists(
            statement_months::table.filter(statement_months::month.eq(statements::month)),
        )))
        .count();
    let strays: i64 = strays.get_result(tx.conn)?;
    if strays > 0 {
        return Ok(VerifyFinding::Broken(format!("{strays} statements are of no month that was stored")));
    }
    Ok(VerifyFinding::Sound(format!("{checked} stored statements")))
}
