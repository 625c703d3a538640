//! The profiles in the database: two tables of the same shape around their terms.

use super::{
    BankAccount, PayoutNotes, PayoutRevisions, Profile, ProfileState, ProfileTerms, Standing, TaxTerms,
    lists_api::ProfileFilter,
    rows::{PayoutRow, TaxRow},
};
use crate::{
    access::Tx,
    network::partners::in_scope,
    platform::{
        Result,
        db::MultiBackend,
        http::{PageRequest, keyset, unindexed},
        values::{CalendarDate, Id, Timestamp},
    },
    schema::{payout_profiles, profile_approvals, tax_profiles},
};
use diesel::{dsl::exists, prelude::*, select};
use std::collections::{BTreeMap, HashMap};

/// Profile terms with a table of their own. Callers ask `partners::get` first whether the unit may see the partner.
pub(super) trait StoredTerms: ProfileTerms {
    /// The profiles of these partners.
    fn of(tx: &mut Tx<'_>, partners: &[Id]) -> Result<Vec<Profile<Self>>>;
    /// The partners of one page of the profiles that the unit may see, the newest first.
    fn partners(tx: &mut Tx<'_>, page: &PageRequest<ProfileFilter>) -> Result<Vec<Id>>;
    /// How many profiles match, of those that the unit may see.
    fn count(tx: &mut Tx<'_>, filter: &ProfileFilter) -> Result<i64>;
    fn insert(tx: &mut Tx<'_>, profile: &Profile<Self>) -> Result<()>;
    fn update(tx: &mut Tx<'_>, profile: &Profile<Self>) -> Result<()>;
}

/// Restricts a boxed query to the profiles in a state on a day; an expired profile has to be filed again.
macro_rules! in_state {
    (payout_profiles, $query:expr, $state:expr, $today:expr) => {
        $query.filter(payout_profiles::state.eq($state))
    };
    (tax_profiles, $query:expr, $state:expr, $today:expr) => {{
        let last_day = || tax_profiles::expires_on.assume_not_null();
        let expires = || tax_profiles::expires_on.is_not_null();
        match $state {
            ProfileState::ActionRequired => {
                let rejected = unindexed!(tax_profiles::state).eq(ProfileState::ActionRequired);
                $query.filter(rejected.or(expires().and(last_day().lt($today))))
            }
            state => $query
                .filter(tax_profiles::state.eq(state))
                .filter(tax_profiles::expires_on.is_null().or(last_day().ge($today))),
        }
    }};
}

/// The boxed query of the profiles that a filter asks for, of those that the unit may see.
macro_rules! matching {
    ($table:ident, $tx:expr, $filter:expr) => {{
        let all = $table::table.into_boxed::<MultiBackend>();
        let visible = in_scope!(all, $table::partner_id, $tx.scope());
        match $filter.state {
            Some(state) => in_state!($table, visible, state, $tx.today()),
            None => visible,
        }
    }};
}

macro_rules! stored {
    ($terms:ident, $table:ident, $row:ident) => {
        impl StoredTerms for $terms {
            fn of(tx: &mut Tx<'_>, partners: &[Id]) -> Result<Vec<Profile<Self>>> {
                let query = $table::table.filter($table::partner_id.eq_any(partners.to_vec()));
                let rows: Vec<$row> = query.select($row::as_select()).load(tx.conn)?;
                rows.into_iter().map(|row| row.opened(tx.vault())).collect()
            }

            fn partners(tx: &mut Tx<'_>, page: &PageRequest<ProfileFilter>) -> Result<Vec<Id>> {
                let query = keyset!(matching!($table, tx, &page.filter), page, $table, newest by partner_id);
                Ok(query.select($table::partner_id).load(tx.conn)?)
            }

            fn count(tx: &mut Tx<'_>, filter: &ProfileFilter) -> Result<i64> {
                Ok(matching!($table, tx, filter).count().get_result(tx.conn)?)
            }

            fn insert(tx: &mut Tx<'_>, profile: &Profile<Self>) -> Result<()> {
                let row = $row::sealed(tx.vault(), profile)?;
                diesel::insert_into($table::table).values(&row).execute(tx.conn)?;
                Ok(())
            }

            fn update(tx: &mut Tx<'_>, profile: &Profile<Self>) -> Result<()> {
                let row = $row::sealed(tx.vault(), profile)?;
                diesel::update($table::table.find(profile.partner_id)).set(&row).execute(tx.conn)?;
                Ok(())
            }
        }
    };
}

stored!(BankAccount, payout_profiles, PayoutRow);
stored!(TaxTerms, tax_profiles, TaxRow);

/// The standings of these partners' payout profiles on a day. No account number is opened.
pub(super) fn payout_standings(
    tx: &mut Tx<'_>,
    partners: &[Id],
    day: CalendarDate,
) -> Result<BTreeMap<Id, Standing>> {
    let those = payout_profiles::table.filter(payout_profiles::partner_id.eq_any(partners.to_vec()));
    let columns = (payout_profiles::partner_id, payout_profiles::state, payout_profiles::cooling_off_until);
    let rows: Vec<(Id, ProfileState, Option<CalendarDate>)> = those.select(columns).load(tx.conn)?;
    let standing = |(partner, state, cooling_off_until)| {
        let standing = Standing::of(Some(state));
        let cools_off = PayoutNotes { cooling_off_until, ..PayoutNotes::default() }.cools_off_on(day);
        (partner, if cools_off { standing.cooling_off() } else { standing })
    };
    Ok(rows.into_iter().map(standing).collect())
}

/// The revisions of these partners' payout profiles. No account number is opened.
pub fn payout_revisions(tx: &mut Tx<'_>, partners: &[Id]) -> Result<BTreeMap<Id, PayoutRevisions>> {
    let those = payout_profiles::table.filter(payout_profiles::partner_id.eq_any(partners.to_vec()));
    let columns = (payout_profiles::partner_id, payout_profiles::revision, payout_profiles::account_revision);
    let rows: Vec<(Id, i64, Option<i64>)> = those.select(columns).load(tx.conn)?;
    Ok(rows.into_iter().map(|(partner, now, account)| (partner, PayoutRevisions { now, account })).collect())
}

/// The states of these partners' tax profiles on a day. No tax number is opened.
pub(super) fn tax_states(
    tx: &mut Tx<'_>,
    partners: &[Id],
    day: CalendarDate,
) -> Result<BTreeMap<Id, ProfileState>> {
    let those = tax_profiles::table.filter(tax_profiles::partner_id.eq_any(partners.to_vec()));
    let columns = (tax_profiles::partner_id, tax_profiles::state, tax_profiles::expires_on);
    let rows: Vec<(Id, ProfileState, Option<CalendarDate>)> = those.select(columns).load(tx.conn)?;
    Ok(rows.into_iter().map(|(partner, state, expires_on)| (partner, state.on(day, expires_on))).collect())
}

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

/// One page of the profiles that the unit may see, the newest partner first.
pub(super) fn list<T: StoredTerms>(
    tx: &mut Tx<'_>,
    page: &PageRequest<ProfileFilter>,
) -> Result<Vec<Profile<T>>> {
    let partners = T::partners(tx, page)?;
    let mut profiles = T::of(tx, &partners)?;
    profiles.sort_unstable_by_key(|profile| std::cmp::Reverse(profile.partner_id));
    Ok(profiles)
}

/// Whether a profile refers to a partner.
pub(super) fn any_of_partner(tx: &mut Tx<'_>, partner: Id) -> Result<bool> {
    let payout = payout_profiles::table.filter(payout_profiles::partner_id.eq(partner));
    let tax = tax_profiles::table.filter(tax_profiles::partner_id.eq(partner));
    let (payout, tax) = (diesel::dsl::exists(payout), diesel::dsl::exists(tax));
    Ok(diesel::select(payout.or(tax)).get_result(tx.conn)?)
}
