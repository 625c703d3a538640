//! Settings that may hold a password: a value that cannot be used is never printed.

use clap::{
    Arg, Command,
    builder::TypedValueParser,
    error::{Error, ErrorKind},
};
use std::{ffi::OsStr, fmt::Display, marker::PhantomData, str::FromStr};

/// Parses a setting; its error names the setting and the fault, and leaves the value out.
pub(super) struct Hidden<T>(PhantomData<fn() -> T>);

impl<T> Hidden<T> {
    pub(super) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> Clone for Hidden<T> {
    fn clone(&self) -> Self {
        Self::new()
    }
}

impl<T> TypedValueParser for Hidden<T>
where
    T: FromStr<Err: Display> + Clone + Send + Sync + 'static,
{
    type Value = T;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<T, Error> {
        let parsed = value.to_str().ok_or_else(|| "write UTF-8".to_owned());
        parsed.and_then(|text| text.parse().map_err(|fault: T::Err| fault.to_string())).map_err(|fault| {
            let env = argument.and_then(Arg::get_env).map(OsStr::to_string_lossy).unwrap_or_default();
            let flag = argument.and_then(Arg::get_long).unwrap_or_default();
            Error::raw(ErrorKind::ValueValidation, format!("{env} (--{flag}) cannot be used: {fault}\n"))
                .with_cmd(command)
        })
    }
}
