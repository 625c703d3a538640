//! The sample of a month: the claims with the smallest digests. No I/O, no clock, no HTTP.

use crate::{
    access::opaque,
    platform::values::{Id, Month},
};

/// The sample of `size` claims among those that were paid in a month: the claims whose SHA-256 of the month, a bar and the claim's
/// id is smallest, the smallest first. The order in which claims are given, and a claim that is given twice, change nothing.
///
/// ```
/// use partner_incentives::payouts::coop_audits::sample;
///
/// let [one, other] = ["01936f2e-4b00-7000-8000-000000000001", "01936f2e-4b00-7000-8000-000000000002"];
/// let claims = [one.parse()?, other.parse()?];
/// // printf '2019-03|01936f2e-4b00-7000-8000-000000000001' | sha256sum
/// assert_eq!(sample("2019-03".parse()?, &claims, 1), claims[..1]);
/// # Ok::<(), partner_incentives::platform::values::Unparsable>(())
/// ```
#[must_use]
pub fn sample(month: Month, claims: &[Id], size: usize) -> Vec<Id> {
    let mut drawn = claims.to_vec();
    drawn.sort_by_cached_key(|claim| (opaque::digest(&format!("{month}|{claim}")), *claim));
    drawn.dedup();
    drawn.truncate(size);
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn month(text: &str) -> Month {
        text.parse().unwrap()
    }

    #[test]
    fn the_sample_is_the_one_worked_out_with_other_tools() {
        let claims: Vec<Id> =
            (1..=6).map(|n| format!("01936f2e-4b00-7000-8000-{n:012}").parse().unwrap()).collect();
        let drawn = |of: &str, size| {
            let ends = sample(month(of), &claims, size).into_iter();
            ends.map(|claim| claim.to_string().split_off(35)).collect::<Vec<_>>().join(" ")
        };
        // for n in 1 2 3 4 5 6; do printf "2019-03|01936f2e-4b00-7000-8000-00000000000$n" | sha256sum; done
        assert_eq!(drawn("2019-03", 3), "1 6 2");
        assert_eq!(drawn("2019-04", 9), "4 2 3 1 6 5");
        assert_eq!(drawn("2019-03", 0), "");
    }

    proptest! {
        #[test]
        fn a_sample_depends_on_the_claims_alone(
            ids in prop::collection::vec(any::<u128>(), 0..40), size in 0_usize..20, turn in 0_usize..40,
        ) {
            let claims: Vec<Id> = ids.iter().map(|id| Id(Uuid::from_u128(*id))).collect();
            let first = sample(month("2019-03"), &claims, size);
            let mut turned = claims.clone();
            turned.rotate_left(turn.min(claims.len()));
            turned.reverse();
            turned.extend(claims.first().copied());
            prop_assert_eq!(&sample(month("2019-03"), &turned, size), &first);
            // What was not drawn does not decide what was drawn.
            prop_assert_eq!(&sample(month("2019-03"), &first, size), &first);
            let more = sample(month("2019-03"), &claims, size + 1);
            prop_assert!(more.starts_with(&first));
        }
    }
}
