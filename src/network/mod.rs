//! Who takes part: partners, the papers they sign, the competencies they attain, how they are paid and taxed.
//!
//! Each slice may use those before it.
//!
//! | slice | holds |
//! |---|---|
//! | [`partners`] | who sells, enrolls and is paid; headquarters |
//! | [`agreements`] | the papers a partner signs |
//! | [`competencies`] | the catalogue, and what each partner has attained of it |
//! | [`profiles`] | how a partner is paid and taxed |

pub mod partners;

pub mod agreements;

pub mod competencies;

pub mod profiles;
