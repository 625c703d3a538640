//! Sums of amounts in minor units. A sum that cannot be stored is an error with a code of its own, never a wrapped number.

use super::{Error, Result};

/// Adds an amount to a sum.
pub fn add(sum: &mut i64, amount: i64) -> Result<()> {
    *sum = plus(*sum, amount)?;
    Ok(())
}

/// The sum of two amounts.
pub fn plus(one: i64, other: i64) -> Result<i64> {
    one.checked_add(other).ok_or_else(Error::amount_out_of_range)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::codes;

    #[test]
    fn a_sum_is_right_or_refused() {
        assert_eq!(plus(i64::MAX, -1).ok(), Some(i64::MAX - 1));
        assert_eq!(*plus(i64::MAX, 1).unwrap_err().code, codes::AMOUNT_OUT_OF_RANGE);
        assert_eq!(*plus(i64::MIN, -1).unwrap_err().code, codes::AMOUNT_OUT_OF_RANGE);
    }
}
