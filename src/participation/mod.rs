//! What partners take part in: programs and their rules, who meets them, who is enrolled.
//!
//! Each slice may use those before it.
//!
//! | slice | holds |
//! |---|---|
//! | [`programs`] | incentive programs and their versions: requirements, levers and money terms as data |
//! | [`eligibility`] | a pure function from facts and requirements to a reasoned verdict |
//! | [`enrollments`] | a partner's part in a program for a year: the state table |

pub mod programs;

pub mod eligibility;

pub mod enrollments;
