//! Programs and their rules, the partners who meet them, and those who are enrolled.
//!
//! Each slice may use those before it.
//!
//! | slice | holds |
//! |---|---|
//! | [`programs`] | incentive programs and their versions: requirements, levers and money terms as data |
//! | [`enrollments`] | a partner's part in a program for a year: the record, its history, the state table |
//! | [`eligibility`] | a pure function from facts and requirements to a reasoned verdict |
//! | [`admission`] | who is invited, let in, barred and let go |

pub mod programs;

pub mod enrollments;

pub mod eligibility;

pub mod admission;
