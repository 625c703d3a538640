//! Calculation.
