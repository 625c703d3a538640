//! The law of earnings beside an independent calculator, without a server or a database. `PROPTEST_CASES=100000 cargo test --test
//! law` tries more.

#![cfg(test)]

#[path = "../suite/proof/oracle.rs"]
#[expect(unreachable_pub, reason = "the stories use the calculator too")]
mod oracle;
#[path = "../suite/proof/year.rs"]
#[expect(unreachable_pub, dead_code, reason = "the stories use the random years too, and all of them")]
mod year;

mod memory;
