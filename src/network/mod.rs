//! The partner network: partners, the papers they sign, the competencies they attain, how they are paid and taxed.
//!
//! Each slice may use the slices before it.
//!
//! | slice | holds |
//! |---|---|
//! | [`partners`] | the partners that sell, enroll and are paid; headquarters |
//! | [`agreements`] | the papers a partner signs |
//! | [`competencies`] | the catalogue of competencies, and each partner's attainments |
//! | [`profiles`] | how a partner is paid and taxed |

pub mod partners;

pub mod agreements;

pub mod competencies;

pub mod profiles;
