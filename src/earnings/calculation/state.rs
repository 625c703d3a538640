//! Where each lever of an enrollment stands: what is loaded before sales are posted, and kept afterwards.

use super::model::Whose;
use crate::{
    access::Tx,
    earnings::engine::{Account, Books, Exact, Group, Origin, Position},
    participation::enrollments::{EnrollmentKey, EnrollmentKeys},
    platform::{
        Error, Result,
        db::insert_many,
        values::{Currency, Id, Month},
    },
    schema::{cap_uses, lever_groups, lever_volumes},
};
use diesel::prelude::*;
use std::collections::BTreeMap;

/// How many customers a statement names at most.
const AT_ONCE: usize = 1000;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Queryable, Selectable, Insertable)]
#[diesel(table_name = lever_volumes, treat_none_as_default_value = false)]
struct VolumeRow {
    partner_id: Id,
    enrollment_id: Id,
    version: i32,
    lever: String,
    month: Month,
    volume: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Queryable, Selectable, Insertable)]
#[diesel(table_name = cap_uses, treat_none_as_default_value = false)]
struct CapRow {
    partner_id: Id,
    enrollment_id: Id,
    version: i32,
    lever: String,
    customer_id: String,
    used: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Queryable, Selectable, Insertable)]
#[diesel(table_name = lever_groups, treat_none_as_default_value = false)]
struct GroupRow {
    partner_id: Id,
    enrollment_id: Id,
    version: i32,
    lever: String,
    month: Month,
    customer_id: String,
    currency: Currency,
    base: i64,
    unrounded: String,
    settled_base: i64,
    settled: String,
    posted: i64,
    capped_off: i64,
    used: i64,
    zero_reported: bool,
}

/// A lever's volume of a month.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = lever_volumes)]
pub struct LeverVolume {
    /// The enrollment.
    pub enrollment_id: Id,
    /// The number of its program's version.
    pub version: i32,
    /// The code of the lever.
    pub lever: String,
    /// The month.
    pub month: Month,
    /// The volume, in minor units of the version's currency.
    pub volume: i64,
}

/// The volumes of every lever of these enrollments.
pub fn volumes(tx: &mut Tx<'_>, enrollments: EnrollmentKeys<'_>) -> Result<Vec<LeverVolume>> {
    let query = lever_volumes::table
        .filter(lever_volumes::partner_id.eq(enrollments.partner_id))
        .filter(lever_volumes::enrollment_id.eq_any(enrollments.ids.to_vec()));
    Ok(query.select(LeverVolume::as_select()).load(tx.conn)?)
}

/// A part of a lever's cap that is used up.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct CapUse {
    /// The customer; empty where the cap is the partner's own.
    pub customer_id: String,
    /// The amount earned under the cap, in minor units of the version's currency.
    pub used: i64,
}

/// The greatest uses of the cap of a lever, so many at most.
pub fn cap_uses(
    tx: &mut Tx<'_>,
    (enrollment, version): (EnrollmentKey, i32),
    lever: &str,
    most: i64,
) -> Result<Vec<CapUse>> {
    let query = cap_uses::table
        .filter(cap_uses::partner_id.eq(enrollment.partner_id))
        .filter(cap_uses::enrollment_id.eq(enrollment.id))
        .filter(cap_uses::version.eq(version))
        .filter(cap_uses::lever.eq(lever.to_owned()))
        .order(cap_uses::used.desc())
        .limit(most)
        .select((cap_uses::customer_id, cap_uses::used));
    Ok(query.load(tx.conn)?)
}

/// What stands in the database of one enrollment and version, for the customers asked for and for all together.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    volumes: Vec<VolumeRow>,
    caps: Vec<CapRow>,
    groups: Vec<GroupRow>,
}

impl State {
    /// Loads what these customers' sales can touch.
    pub(super) fn load(tx: &mut Tx<'_>, whose: Whose, customers: &[String]) -> Result<Self> {
        let volumes = lever_volumes::table
            .filter(lever_volumes::partner_id.eq(whose.partner_id))
            .filter(lever_volumes::enrollment_id.eq(whose.enrollment_id))
            .filter(lever_volumes::version.eq(whose.version))
            .select(VolumeRow::as_select())
            .load(tx.conn)?;
        let mut state = Self { volumes, ..Self::default() };
        for customers in named(customers).chunks(AT_ONCE) {
            let caps = cap_uses::table
                .filter(cap_uses::partner_id.eq(whose.partner_id))
                .filter(cap_uses::enrollment_id.eq(whose.enrollment_id))
                .filter(cap_uses::version.eq(whose.version))
                .filter(cap_uses::customer_id.eq_any(customers.to_vec()))
                .select(CapRow::as_select());
            state.caps.extend(caps.load(tx.conn)?);
            let groups = lever_groups::table
                .filter(lever_groups::partner_id.eq(whose.partner_id))
                .filter(lever_groups::enrollment_id.eq(whose.enrollment_id))
                .filter(lever_groups::version.eq(whose.version))
                .filter(lever_groups::customer_id.eq_any(customers.to_vec()))
                .select(GroupRow::as_select());
            state.groups.extend(groups.load(tx.conn)?);
        }
        Ok(state.sorted())
    }

    fn sorted(mut self) -> Self {
        self.volumes.sort_unstable();
        self.caps.sort_unstable();
        self.groups.sort_unstable();
        self
    }

    /// The books opened where they stood.
    pub(super) fn books(&self) -> Result<Books> {
        let mut accounts: BTreeMap<&str, Account> = BTreeMap::new();
        for row in &self.volumes {
            accounts.entry(&row.lever).or_default().months.insert(row.month, row.volume);
        }
        for row in &self.caps {
            accounts.entry(&row.lever).or_default().used.insert(customer(&row.customer_id), row.used);
        }
        for row in &self.groups {
            let (group, position) = row.position()?;
            accounts.entry(&row.lever).or_default().positions.insert(group, position);
        }
        let mut books = Books::default();
        for (lever, account) in accounts {
            books.open(lever, account);
        }
        Ok(books)
    }

    /// What the books say now.
    pub(super) fn of(whose: Whose, books: &Books) -> Self {
        let mut state = Self::default();
        let Whose { enrollment_id, partner_id, version } = whose;
        for (lever, account) in books.accounts() {
            let lever = || lever.to_owned();
            state.volumes.extend(account.months.iter().map(|(month, volume)| VolumeRow {
                partner_id,
                enrollment_id,
                version,
                lever: lever(),
                month: *month,
                volume: *volume,
            }));
            state.caps.extend(account.used.iter().filter(|(_, used)| **used != 0).map(|(customer, used)| {
                CapRow {
                    partner_id,
                    enrollment_id,
                    version,
                    lever: lever(),
                    customer_id: customer.clone().unwrap_or_default(),
                    used: *used,
                }
            }));
            let rows =
                account.positions.iter().filter_map(|(group, at)| GroupRow::of(whose, lever(), group, at));
            state.groups.extend(rows);
        }
        state.sorted()
    }

    /// Keeps this in place of what was loaded before.
    pub(super) fn replace(
        &self,
        tx: &mut Tx<'_>,
        before: &Self,
        whose: Whose,
        customers: &[String],
    ) -> Result<()> {
        if self.volumes != before.volumes {
            let old = lever_volumes::table
                .filter(lever_volumes::partner_id.eq(whose.partner_id))
                .filter(lever_volumes::enrollment_id.eq(whose.enrollment_id))
                .filter(lever_volumes::version.eq(whose.version));
            diesel::delete(old).execute(tx.conn)?;
            insert_many!(tx.conn, lever_volumes::table, &self.volumes);
        }
        if self.caps != before.caps {
            for customers in named(customers).chunks(AT_ONCE) {
                let old = cap_uses::table
                    .filter(cap_uses::partner_id.eq(whose.partner_id))
                    .filter(cap_uses::enrollment_id.eq(whose.enrollment_id))
                    .filter(cap_uses::version.eq(whose.version))
                    .filter(cap_uses::customer_id.eq_any(customers.to_vec()));
                diesel::delete(old).execute(tx.conn)?;
            }
            insert_many!(tx.conn, cap_uses::table, &self.caps);
        }
        if self.groups != before.groups {
            for customers in named(customers).chunks(AT_ONCE) {
                let old = lever_groups::table
                    .filter(lever_groups::partner_id.eq(whose.partner_id))
                    .filter(lever_groups::enrollment_id.eq(whose.enrollment_id))
                    .filter(lever_groups::version.eq(whose.version))
                    .filter(lever_groups::customer_id.eq_any(customers.to_vec()));
                diesel::delete(old).execute(tx.conn)?;
            }
            insert_many!(tx.conn, lever_groups::table, &self.groups);
        }
        Ok(())
    }
}

/// The customers, and the empty one that stands for all together.
fn named(customers: &[String]) -> Vec<String> {
    customers.iter().cloned().chain([String::new()]).collect()
}

fn customer(id: &str) -> Option<String> {
    (!id.is_empty()).then(|| id.to_owned())
}

impl GroupRow {
    fn of(whose: Whose, lever: String, group: &Group, at: &Position) -> Option<Self> {
        let customer_id = match &group.origin {
            Origin::Sale(_) => return None,
            Origin::CustomerMonth(customer) => customer.clone(),
            Origin::Month => String::new(),
        };
        Some(Self {
            partner_id: whose.partner_id,
            enrollment_id: whose.enrollment_id,
            version: whose.version,
            lever,
            month: group.month,
            customer_id,
            currency: group.currency,
            base: at.base,
            unrounded: at.unrounded.millionths().to_string(),
            settled_base: at.settled.0,
            settled: at.settled.1.millionths().to_string(),
            posted: at.posted,
            capped_off: at.cut,
            used: at.used,
            zero_reported: at.told,
        })
    }

    fn position(&self) -> Result<(Group, Position)> {
        let exact = |text: &str| text.parse().map(Exact::from_millionths).map_err(Error::internal);
        let origin = customer(&self.customer_id).map_or(Origin::Month, Origin::CustomerMonth);
        let group = Group { month: self.month, origin, currency: self.currency };
        let position = Position {
            base: self.base,
            unrounded: exact(&self.unrounded)?,
            settled: (self.settled_base, exact(&self.settled)?),
            posted: self.posted,
            cut: self.capped_off,
            used: self.used,
            told: self.zero_reported,
        };
        Ok((group, position))
    }
}
