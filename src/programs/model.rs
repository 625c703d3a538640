//! What a program is; no I/O, no clock, no HTTP.

use crate::platform::values::text_enum;

text_enum! {
    /// Whether a program takes part.
    pub enum ProgramStatus {
        /// Partners enroll and earn.
        Open = "open",
        /// Not taking part for now.
        Closed = "closed",
        /// Ended for good.
        Discontinued = "discontinued",
    }
}
