//! Whom `access` asks.

use crate::{
    access::{Directory, Referrer},
    earnings::calculation,
    identity::{api_clients, sessions, setup, users},
    network::{agreements, competencies, partners},
    notifications,
    participation::enrollments,
    sales::transactions,
};

/// The slices that keep users, API clients and partners, and those whose records refer to a partner.
pub(super) const DIRECTORY: Directory = Directory {
    user: sessions::standing,
    client: api_clients::standing,
    set_up: setup::is_completed,
    family: partners::family_of,
    referrers: &[
        Referrer { kind: "user", refers: users::refers_to },
        Referrer { kind: "set-up", refers: setup::refers_to },
        Referrer { kind: "agreement", refers: agreements::refers_to },
        Referrer { kind: "attainment", refers: competencies::refers_to },
        Referrer { kind: "transaction", refers: transactions::refers_to },
        Referrer { kind: "enrollment", refers: enrollments::refers_to },
        Referrer { kind: "API client", refers: api_clients::refers_to },
        Referrer { kind: "notification", refers: notifications::refers_to },
        Referrer { kind: "calculation run", refers: calculation::refers_to },
    ],
};
