//! The only place that reads the wall clock.
//!
//! Lives here: [`Clock`], real or fixed. May not live here: formatting or arithmetic of times
//! (see [`crate::model::time`]); it only answers “what time is it”.

use crate::error::{Error, Result};
use crate::model::time::Timestamp;

/// The environment variable that fixes the clock, for reproducible runs of the binary.
pub const FIXED_CLOCK_VARIABLE: &str = "CHRONOSCOPE_FIXED_CLOCK";

/// A source of the current time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Clock {
    /// The system's clock.
    #[default]
    System,
    /// Always the same moment.
    Fixed(Timestamp),
}

impl Clock {
    /// The system's clock, unless [`FIXED_CLOCK_VARIABLE`] holds an RFC 3339 time.
    ///
    /// # Errors
    /// Usage, when the variable holds something else.
    pub fn from_environment() -> Result<Self> {
        match std::env::var(FIXED_CLOCK_VARIABLE) {
            Ok(text) => Timestamp::parse(&text).map(Self::Fixed).map_err(|fault| {
                Error::usage(format!("{FIXED_CLOCK_VARIABLE}={text:?} is not a time: {fault}"))
            }),
            Err(_) => Ok(Self::System),
        }
    }

    /// The current time, in whole milliseconds.
    #[must_use]
    pub fn now(self) -> Timestamp {
        match self {
            #[allow(clippy::disallowed_methods, reason = "this is the one place")]
            Self::System => Timestamp::from_millis(chrono::Utc::now().timestamp_millis()),
            Self::Fixed(at) => at,
        }
    }
}
