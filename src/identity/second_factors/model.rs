//! The second factor; no I/O, no clock, no HTTP.

use crate::{
    platform::{
        Error, Result,
        values::{Id, Timestamp, text_enum},
    },
    schema::second_factors,
};
use diesel::prelude::*;
use totp_rs::{Builder, Totp};

/// The name of the service in authenticator apps.
const ISSUER: &str = "Partner Incentives";
/// The seconds of one time step, in which one code is valid (RFC 6238).
const STEP_SECONDS: i64 = 30;

text_enum! {
    /// Where a user's second factor stands.
    pub enum FactorState {
        /// The user has no second factor.
        None = "none",
        /// The factor waits for its first code.
        Pending = "pending",
        /// Every sign-in asks for a code of the factor.
        Confirmed = "confirmed",
    }
}

/// A user's second factor.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = second_factors, treat_none_as_null = true)]
pub struct SecondFactor {
    /// The user.
    pub user_id: Id,
    /// The sealed secret.
    pub secret: Vec<u8>,
    /// The newest time step whose code was accepted; the codes of this step and of all steps before are spent.
    pub last_step: i64,
    /// When the user confirmed the factor by its first code; none before.
    pub confirmed_at: Option<Timestamp>,
    /// When the user enrolled the factor.
    pub created_at: Timestamp,
}

impl SecondFactor {
    /// The state of the factor.
    #[must_use]
    pub fn state(&self) -> FactorState {
        if self.confirmed_at.is_some() { FactorState::Confirmed } else { FactorState::Pending }
    }
}

/// A secret in the forms that authenticator apps take.
pub(super) struct AppSecret {
    /// The secret in base32, to be typed in.
    pub base32: String,
    /// The `otpauth` URI, to be shown as a QR code.
    pub uri: String,
}

impl AppSecret {
    pub(super) fn of(secret: &[u8], email: &str) -> Result<Self> {
        let totp = totp(secret, email)?;
        Ok(Self { base32: totp.secret().to_base32(), uri: totp.to_url().map_err(Error::internal)? })
    }
}

/// The time step of a code, one step before or after now allowed; none of a wrong or spent code.
pub(super) fn accepted_step(
    secret: &[u8],
    code: &str,
    last_step: i64,
    now: Timestamp,
) -> Result<Option<i64>> {
    let totp = totp(secret, "")?;
    let seconds = u64::try_from(now.as_seconds()).map_err(Error::internal)?;
    let step = totp.check(code, seconds).and_then(|step| i64::try_from(step).ok());
    Ok(step.filter(|step| *step > last_step))
}

/// A recovery code without dashes and in lower case, the form that is digested: people write codes in any form.
pub(super) fn bare(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

/// The parameters that every authenticator app supports: SHA-1, six digits, 30 seconds, one step of skew.
fn totp(secret: &[u8], email: &str) -> Result<Totp> {
    Builder::new()
        .with_secret(secret.to_vec())
        .with_step_duration(STEP_SECONDS.unsigned_abs())
        .with_digits(6)
        .with_skew(1)
        .with_issuer(Some(ISSUER))
        // A colon separates issuer and account in the URI, and may occur in an e-mail address.
        .with_account_name(email.replace(':', ""))
        .build()
        .map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    fn step(code: &str, last_step: i64, seconds: i64) -> Option<i64> {
        accepted_step(SECRET, code, last_step, Timestamp::from_micros(seconds * 1_000_000)).unwrap()
    }

    #[test]
    fn codes_are_those_of_rfc_6238() {
        // The codes of appendix B, of whose eight digits the last six count.
        for (seconds, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
        {
            assert_eq!(step(code, 0, seconds), Some(seconds / 30), "{code}");
        }
    }

    #[test]
    fn a_clock_may_be_half_a_minute_off_and_no_more() {
        for (seconds, accepted) in [
            (29, false),
            (30, true),
            (59, true),
            (60, true),
            (89, true),
            (90, true),
            (119, true),
            (120, false),
        ] {
            // 359152 is the code of the seconds 60 to 89.
            assert_eq!(step("359152", 0, seconds).is_some(), accepted, "{seconds} s");
        }
    }

    #[test]
    fn a_step_is_accepted_once() {
        assert_eq!(step("287082", 0, 59), Some(1));
        assert_eq!(step("287082", 1, 59), None);
        assert_eq!(step("287082", 2, 59), None);
    }

    #[test]
    fn only_six_digits_are_a_code() {
        for code in ["", "28708", "2870822", "+87082", " 28708", "287o82", "２８７０８２"] {
            assert_eq!(step(code, 0, 59), None, "{code:?}");
        }
    }

    #[test]
    fn the_app_is_told_in_its_own_language() {
        let AppSecret { base32, uri } = AppSecret::of(SECRET, "a:b+c@x.example").unwrap();
        assert_eq!(base32, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert!(uri.starts_with("otpauth://totp/Partner%20Incentives:ab%2Bc%40x.example?"), "{uri}");
        assert!(uri.contains("secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"), "{uri}");
    }

    #[test]
    fn a_recovery_code_is_read_as_people_write_it() {
        assert_eq!(bare(" H7K2M-9pqrs 3tuvw\u{2013}x4yza"), "h7k2m9pqrs3tuvwx4yza");
    }
}
