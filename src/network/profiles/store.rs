//! The profiles in the database: two tables of the same shape around their terms.

use super::model::{PayoutTerms, Profile, ProfileTerms, TaxTerms};
use crate::{
    access::Tx,
    platform::{
        Result,
        values::{Id, Timestamp},
    },
    schema::{payout_profiles, profile_approvals, tax_profiles},
};
use diesel::{dsl::exists, prelude::*, select};
use std::collections::HashMap;

/// Profile terms with a table of their own. Callers ask `partners::get` first whether the unit may see the partner.
pub(super) trait StoredTerms: ProfileTerms {
    /// The profiles of these partners.
    fn of(tx: &mut Tx<'_>, partners: &[Id]) -> Result<Vec<Profile<Self>>>;
    fn insert(tx: &mut Tx<'_>, profile: &Profile<Self>) -> Result<()>;
    fn update(tx: &mut Tx<'_>, profile: &Profile<Self>) -> Result<()>;
}

macro_rules! stored {
    ($terms:ty, $table:ident, $($column:ident),+) => {
        impl StoredTerms for $terms {
            fn of(tx: &mut Tx<'_>, partners: &[Id]) -> Result<Vec<Profile<Self>>> {
                let columns = (
                    $table::id,
                    $table::partner_id,
                    ($($table::$column),+),
                    $table::state,
                    $table::rejection_reason,
                    $table::created_at,
                    $table::updated_at,
                    $table::revision,
                );
                let query = $table::table.filter($table::partner_id.eq_any(partners.to_vec())).select(columns);
                Ok(query.load(tx.conn)?)
            }

            fn insert(tx: &mut Tx<'_>, profile: &Profile<Self>) -> Result<()> {
                let values = (
                    $table::id.eq(profile.id),
                    $table::partner_id.eq(profile.partner_id),
                    ($($table::$column.eq(&profile.terms.$column)),+),
                    $table::state.eq(profile.state),
                    $table::rejection_reason.eq(&profile.rejection_reason),
                    $table::created_at.eq(profile.created_at),
                    $table::updated_at.eq(profile.updated_at),
                    $table::revision.eq(profile.revision),
                );
                diesel::insert_into($table::table).values(values).execute(tx.conn)?;
                Ok(())
            }

            fn update(tx: &mut Tx<'_>, profile: &Profile<Self>) -> Result<()> {
                let changes = (
                    ($($table::$column.eq(&profile.terms.$column)),+),
                    $table::state.eq(profile.state),
                    $table::rejection_reason.eq(&profile.rejection_reason),
                    $table::updated_at.eq(profile.updated_at),
                    $table::revision.eq(profile.revision),
                );
                diesel::update($table::table.find(profile.partner_id)).set(changes).execute(tx.conn)?;
                Ok(())
            }
        }
    };
}

stored!(PayoutTerms, payout_profiles, holder, account_number, bank_country, currency);
stored!(TaxTerms, tax_profiles, form, tax_country, tax_id, expires_on);

/// The profile that the partner has filed, if any.
pub(super) fn find<T: StoredTerms>(tx: &mut Tx<'_>, partner: Id) -> Result<Option<Profile<T>>> {
    Ok(T::of(tx, &[partner])?.pop())
}

/// Notes that both profiles of a partner are approved now.
pub(super) fn note_approval(tx: &mut Tx<'_>, partner: Id) -> Result<()> {
    let known = profile_approvals::table.find((partner, tx.now));
    if !select(exists(known)).get_result(tx.conn)? {
        let approval = (profile_approvals::partner_id.eq(partner), profile_approvals::approved_at.eq(tx.now));
        diesel::insert_into(profile_approvals::table).values(approval).execute(tx.conn)?;
    }
    Ok(())
}

/// When both profiles of these partners came to be approved, of each partner in order.
pub fn approvals(tx: &mut Tx<'_>, partners: &[Id]) -> Result<HashMap<Id, Vec<Timestamp>>> {
    let query = profile_approvals::table
        .filter(profile_approvals::partner_id.eq_any(partners.to_vec()))
        .order((profile_approvals::partner_id, profile_approvals::approved_at))
        .select((profile_approvals::partner_id, profile_approvals::approved_at));
    let mut found: HashMap<Id, Vec<Timestamp>> = HashMap::new();
    for (partner, approved_at) in query.load(tx.conn)? {
        found.entry(partner).or_default().push(approved_at);
    }
    Ok(found)
}

/// Whether a profile refers to a partner.
pub(super) fn any_of_partner(tx: &mut Tx<'_>, partner: Id) -> Result<bool> {
    let payout = payout_profiles::table.filter(payout_profiles::partner_id.eq(partner));
    let tax = tax_profiles::table.filter(tax_profiles::partner_id.eq(partner));
    let (payout, tax) = (diesel::dsl::exists(payout), diesel::dsl::exists(tax));
    Ok(diesel::select(payout.or(tax)).get_result(tx.conn)?)
}
