//! How many active users a partner has, day by day: incentive admins and viewers who have set themselves up and are not
//! barred. A change counts from its day on; what was before stays on record.

use super::{User, UserStatus};
use crate::{
    access::Tx,
    platform::{
        Result,
        values::{CalendarDate, Id},
    },
    schema::{user_counts, users},
};
use diesel::{
    dsl::{count_star, exists},
    prelude::*,
    select,
};
use std::collections::HashMap;

/// How many active users a partner had, up to a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = user_counts)]
pub struct UserCount {
    /// The partner.
    pub partner_id: Id,
    /// The last day.
    pub last_day: CalendarDate,
    /// How many there were.
    pub active_users: i32,
}

/// How many active users a partner has, and had.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserCounts {
    /// How many there are now.
    pub now: i32,
    /// How many there were before, in the order of the days.
    pub before: Vec<UserCount>,
}

impl UserCounts {
    /// How many there were on a day.
    #[must_use]
    pub fn on(&self, day: CalendarDate) -> i32 {
        self.before.iter().find(|count| day <= count.last_day).map_or(self.now, |count| count.active_users)
    }

    /// The first day from one on on which there were fewer than so many.
    #[must_use]
    pub fn enough_until(&self, day: CalendarDate, wanted: i32) -> CalendarDate {
        let mut from = day;
        for count in self.before.iter().filter(|count| day <= count.last_day) {
            if count.active_users < wanted {
                return from;
            }
            from = count.last_day.plus_days(1);
        }
        if wanted <= self.now { CalendarDate::MAX } else { from }
    }
}

impl User {
    /// The partner for which the user counts: whoever has a password of its own and is not barred.
    fn counts_for(&self) -> Option<Id> {
        self.partner_id.filter(|_| self.status == UserStatus::Active && self.role.belongs_to_a_partner())
    }
}

/// Keeps how many active users the partner had up to yesterday, before a user is changed or made.
pub(super) fn keep_past(tx: &mut Tx<'_>, before: Option<&User>, after: &User) -> Result<()> {
    let counted = before.and_then(User::counts_for);
    let Some(partner) = counted.or(after.counts_for()).filter(|_| counted != after.counts_for()) else {
        return Ok(());
    };
    tx.lock_partner(partner)?;
    let yesterday = tx.today().plus_days(-1);
    // Of several changes on one day, the first one knows how the day before was.
    let known = user_counts::table.find((partner, yesterday));
    if !select(exists(known)).get_result(tx.conn)? {
        let active_users = counts_of(tx, &[partner])?.remove(&partner).map_or(0, |counts| counts.now);
        let count = UserCount { partner_id: partner, last_day: yesterday, active_users };
        diesel::insert_into(user_counts::table).values(&count).execute(tx.conn)?;
    }
    tx.users_changed(partner);
    Ok(())
}

/// How many active users these partners have, and had.
pub fn counts_of(tx: &mut Tx<'_>, partners: &[Id]) -> Result<HashMap<Id, UserCounts>> {
    let named: Vec<Option<Id>> = partners.iter().copied().map(Some).collect();
    // Whoever belongs to a partner has one of its roles.
    let now: Vec<(Option<Id>, i64)> = users::table
        .filter(users::partner_id.eq_any(named).assume_not_null())
        .filter(users::status.eq(UserStatus::Active))
        .group_by(users::partner_id)
        .select((users::partner_id, count_star()))
        .load(tx.conn)?;
    let before: Vec<UserCount> = user_counts::table
        .filter(user_counts::partner_id.eq_any(partners.to_vec()))
        .order((user_counts::partner_id, user_counts::last_day))
        .select(UserCount::as_select())
        .load(tx.conn)?;
    let mut found: HashMap<Id, UserCounts> = HashMap::new();
    for (partner, number) in now {
        let Some(partner) = partner else { continue };
        found.entry(partner).or_default().now = i32::try_from(number).unwrap_or(i32::MAX);
    }
    for count in before {
        found.entry(count.partner_id).or_default().before.push(count);
    }
    Ok(found)
}
