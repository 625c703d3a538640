//! What commands answer on standard output.

use partner_incentives::platform::{Error, Result};
use std::{
    fmt::Arguments,
    io::{ErrorKind, Write, stdout},
};

/// Prints a text. Whoever stops reading, as `head` does, stops no command.
pub fn say(text: Arguments<'_>) -> Result<()> {
    let mut out = stdout().lock();
    match out.write_fmt(text).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Error::internal(format!("standard output cannot be written to: {error}")))
        }
        _ => Ok(()),
    }
}

/// Prints a line.
macro_rules! say_line {
    ($($text:tt)*) => { $crate::say::say(format_args!("{}\n", format_args!($($text)*))) };
}
pub(crate) use say_line;
