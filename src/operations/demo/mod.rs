//! The demo: a believable programme on a database of its own, so that everybody can press every button.
//!
//! The demo is a story: the clock stands months back; partners join, sign, sell and ask to take part, and operators
//! decide, day by day until today. So every record has the history of a record in real life.

mod accounts;
mod cast;
mod coop;
mod first_day;
mod offers;
mod papers;
mod payments;
mod people;
mod sales;
mod story;
mod year;

pub use story::{begins, fill};

use crate::platform::values::Id;
use std::fmt::Write;

/// A user of the demo.
struct DemoUser {
    role: &'static str,
    email: &'static str,
    /// The password of every user with the role.
    password: &'static str,
}

/// One user of each role.
const USERS: [DemoUser; 4] = [
    DemoUser { role: "operator", email: "olivia@programme.example", password: "demo-operator-passphrase" },
    DemoUser { role: "auditor", email: "arno@programme.example", password: "demo-auditor-passphrase" },
    DemoUser { role: "incentive_admin", email: "admin-1@partner.example", password: "demo-admin-passphrase" },
    DemoUser { role: "viewer", email: "viewer-1@partner.example", password: "demo-viewer-passphrase" },
];

/// The number of partners.
pub const PARTNERS: usize = cast::CAST.len();

/// The partner that meets every rule and has not asked yet.
#[must_use]
pub fn ready() -> Id {
    cast::partner_id(1)
}

/// The partner that has nothing in order.
#[must_use]
pub fn refused() -> Id {
    cast::partner_id(3)
}

/// The partner without a set-up.
#[must_use]
pub fn newcomer() -> Id {
    cast::partner_id(67)
}

/// The partner with the latest set-up.
#[must_use]
pub fn just_set_up() -> Id {
    cast::partner_id(66)
}

/// A partner that has sold for a year; the README adds up one of the partner's statements.
#[must_use]
pub fn longest() -> Id {
    cast::partner_id(68)
}

/// The text that the demo prints: the users, and five lines of shell that show the main job.
#[must_use]
pub fn guide(address: &str) -> String {
    let mut users = String::new();
    for DemoUser { role, email, password } in USERS {
        // Writing into a text cannot fail.
        let _ = writeln!(users, "  {role:16} {email:28} {password}");
    }
    let (json, bearer) = ("-H 'Content-Type: application/json'", "-H \"Authorization: Bearer $TOKEN\"");
    let ask = |partner: Id| {
        format!(
            "curl -s http://{address}/v1/enrollments {bearer} {json} \
             -d '{{\"partner_id\":\"{partner}\",\"program\":\"csp-direct-bill\",\"reason\":\"asked by telephone\"}}'"
        )
    };
    let DemoUser { email: user, password, .. } = USERS[0];
    format!(
        "Users of the demo (every partner n has admin-n and viewer-n, and there is a second operator, oscar@programme.example, with the same passwords):\n{users}\n\
         Five lines that show the main job:\n\n\
         TOKEN=$(curl -s http://{address}/v1/auth/login {json} \
         -d '{{\"username\":\"{user}\",\"password\":\"{password}\"}}' | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')\n\n\
         curl -s 'http://{address}/v1/partners?limit=1&sort=legal_name' {bearer}\n\n\
         curl -s 'http://{address}/v1/partners/{}/eligibility?program=csp-direct-bill' {bearer}\n\n{}\n\n{}\n\n",
        ready(),
        ask(refused()),
        ask(ready()),
    )
}
