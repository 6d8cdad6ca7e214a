//! What the settings say about replays, for whoever starts one.
//!
//! Lives here: from [`Config`] to programs, limits and refusals. May not live here: flags.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::config::{Config, Setting};
use crate::error::{Error, Result};
use crate::replay::process::Bounds;
use crate::replay::{Handlers, Limits, handler};

/// How long the first pause before another try is, unless somebody says otherwise.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Refuses where replays are switched off.
///
/// # Errors
/// Usage, then.
pub fn refuse_if_off(config: &Config) -> Result<()> {
    if config.flag(Setting::ReplayEnabled) {
        return Ok(());
    }
    Err(Error::usage("replays are switched off")
        .with_hint("replay.enabled in the configuration does that"))
}

/// Refuses where more events are selected than one replay may take.
///
/// # Errors
/// Usage, then.
pub fn refuse_too_many(config: &Config, count: usize) -> Result<()> {
    let most = config.count(Setting::ReplayMax);
    if most == 0 || count as u64 <= most {
        return Ok(());
    }
    let message = format!("{count} events are more than one replay may take, {most}");
    Err(Error::usage(message).with_hint("narrow the range, or raise replay.max_replay_events"))
}

/// The configured programs; their paths are relative to the project of the configuration.
///
/// # Errors
/// Usage, for another form; not found, when there is no such program.
pub fn handlers(config: &Config) -> Result<Handlers> {
    let mut handlers = Handlers::default();
    let wrong = || {
        Error::usage("replay.handlers is no table of programs")
            .with_hint("as in `handlers: {TestRunStarted: ./run-tests, tool: [./again, --fast]}`")
    };
    let (Some(value), _) = config.value(Setting::ReplayHandlers) else { return Ok(handlers) };
    let base = config.base(Setting::ReplayHandlers).unwrap_or(Path::new(""));
    for (name, command) in value.as_object().ok_or_else(wrong)? {
        let words = match command {
            Value::String(text) => handler::split(text)?,
            Value::Array(words) => {
                let text = |word: &Value| word.as_str().map(str::to_owned);
                words.iter().map(text).collect::<Option<_>>().ok_or_else(wrong)?
            }
            _ => return Err(wrong()),
        };
        handlers.add(name, &words, base)?;
    }
    Ok(handlers)
}

/// What each program may take.
#[must_use]
pub fn limits(config: &Config) -> Limits {
    let timeout = Duration::from_secs(config.count(Setting::ReplayTimeout));
    let attempts = config.count(Setting::ReplayAttempts);
    Limits {
        bounds: Bounds { timeout, output: config.size(Setting::ReplayOutput) },
        attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
        retry_delay: RETRY_DELAY,
    }
}
