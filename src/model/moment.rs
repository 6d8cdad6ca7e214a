//! Moments: the ways to name a position.
//!
//! Lives here: parsing a moment and resolving it against anything that can answer the questions
//! of [`Positions`]. May not live here: the log that answers them.

use std::fmt;

use super::time::{DAY_MS, TimeFault, Timestamp};
use super::{Kind, Position};
use crate::error::{Error, Result};

/// Something that names a position (design: “moment”).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moment {
    /// `start`: position 0, the empty state.
    Start,
    /// `end`: the last event.
    End,
    /// `17`: a position.
    Position(u64),
    /// `@name`: a mark.
    Mark(String),
    /// `14:00`, `14:00:05.250`: a time of day (UTC) on the day of the head; milliseconds since
    /// midnight.
    TimeOfDay(i64),
    /// `2026-11-20T14:00Z`, `2026-11-20`: an absolute time.
    Time(Timestamp),
    /// `-2h`: that long before the head's time, in milliseconds (not negative).
    BeforeHead(i64),
    /// `AgentFailed` (the last) or `AgentFailed:2` (the second, from 1).
    Occurrence {
        /// The type's name.
        type_name: String,
        /// Which one, from 1; none for the last.
        nth: Option<u32>,
    },
    /// An event id or the beginning of one.
    Id(String),
}

/// What a log must answer so that moments can be resolved against it.
pub trait Positions {
    /// The position of the last event; 0 when there is none.
    fn head(&self) -> Position;
    /// The last position whose running-maximum time is not after `at`; 0 when all are later.
    fn at_or_before(&self, at: Timestamp) -> Position;
    /// The running-maximum time at the head; none when the log is empty.
    fn head_time(&self) -> Option<Timestamp>;
    /// The positions of the events of this type, in order.
    fn of_type(&self, type_name: &str) -> Vec<Position>;
    /// The positions of the events whose id starts with `prefix`; two are enough to tell that it
    /// is ambiguous.
    fn by_id_prefix(&self, prefix: &str) -> Vec<Position>;
    /// The position of a mark.
    fn mark(&self, name: &str) -> Option<Position>;
}

/// Digits from which a bare number may also be an id prefix.
const ID_DIGITS: usize = 8;

impl Moment {
    /// Reads a moment.
    ///
    /// # Errors
    /// Usage, when the text has none of the forms.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.is_empty() {
            return Err(no_moment(text));
        }
        if text.bytes().all(|b| b.is_ascii_digit())
            && let Ok(number) = text.parse()
        {
            return Ok(Self::Position(number));
        }
        if let Some(name) = text.strip_prefix('@') {
            return if name.is_empty() {
                Err(no_moment(text))
            } else {
                Ok(Self::Mark(name.into()))
            };
        }
        match text {
            "start" => return Ok(Self::Start),
            "end" | "head" => return Ok(Self::End),
            _ => {}
        }
        if let Some(span) = text.strip_prefix('-') {
            return match humantime::parse_duration(span) {
                Ok(span) => {
                    Ok(Self::BeforeHead(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
                }
                Err(_) => Err(no_moment(text)),
            };
        }
        if let Some(time) = parse_time(text)? {
            return Ok(time);
        }
        Self::parse_name(text)
    }

    fn parse_name(text: &str) -> Result<Self> {
        let (name, nth) = match text.split_once(':') {
            Some((name, nth)) => match nth.parse::<u32>() {
                Ok(nth) if nth > 0 => (name, Some(nth)),
                _ => return Err(no_moment(text)),
            },
            None => (text, None),
        };
        let is_type = Kind::from_name(name).is_catalogued();
        let occurrence = |type_name: &str| Self::Occurrence { type_name: type_name.into(), nth };
        if is_type || nth.is_some() {
            return Ok(occurrence(name));
        }
        if name.chars().any(char::is_whitespace) {
            return Err(no_moment(text));
        }
        // Any other word may be an id or a type that the catalogue does not have; the log decides.
        Ok(Self::Id(name.into()))
    }

    /// Finds the position that this moment names in `log`.
    ///
    /// # Errors
    /// Not found when there is no such event, mark or position; usage when an id prefix is
    /// ambiguous.
    pub fn resolve(&self, log: &dyn Positions) -> Result<Position> {
        let head = log.head();
        match self {
            Self::Start => Ok(0),
            Self::End => Ok(head),
            Self::Position(number) => resolve_number(*number, log),
            Self::Mark(name) => log.mark(name).ok_or_else(|| {
                Error::not_found(format!("there is no mark @{name}"))
                    .with_hint("marks are set in the debugger with m and a letter")
            }),
            Self::Time(_) | Self::TimeOfDay(_) | Self::BeforeHead(_) => {
                let at = self.time(|| log.head_time());
                Ok(at.map_or(0, |at| log.at_or_before(at)))
            }
            Self::Occurrence { type_name, nth } => resolve_occurrence(type_name, *nth, log),
            Self::Id(prefix) => resolve_id(prefix, log),
        }
    }

    /// Finds the first position of a range that begins at this moment: of a time, that of the first
    /// event that is not before it, which is behind the head where all are.
    ///
    /// # Errors
    /// As [`Moment::resolve`].
    pub fn resolve_first(&self, log: &dyn Positions) -> Result<Position> {
        match self.time(|| log.head_time()) {
            Some(at) => Ok(log.at_or_before(at.plus_millis(-1)) + 1),
            None => self.resolve(log),
        }
    }

    /// The time that this moment is, where it is one; some are told from that of the head.
    pub fn time(&self, head_time: impl FnOnce() -> Option<Timestamp>) -> Option<Timestamp> {
        match self {
            Self::Time(at) => Some(*at),
            Self::TimeOfDay(millis) => Some(head_time()?.start_of_day().plus_millis(*millis)),
            Self::BeforeHead(span) => Some(head_time()?.plus_millis(span.saturating_neg())),
            _ => None,
        }
    }
}

fn resolve_number(number: u64, log: &dyn Positions) -> Result<Position> {
    let head = log.head();
    match Position::try_from(number) {
        Ok(position) if position <= head => Ok(position),
        _ => {
            let digits = number.to_string();
            if digits.len() >= ID_DIGITS && !log.by_id_prefix(&digits).is_empty() {
                return resolve_id(&digits, log);
            }
            Err(Error::not_found(format!("position {number} is beyond the head, which is {head}"))
                .with_hint("\"end\" names the last event"))
        }
    }
}

fn resolve_occurrence(name: &str, nth: Option<u32>, log: &dyn Positions) -> Result<Position> {
    let all = log.of_type(name);
    let found = match nth {
        None => all.last(),
        Some(n) => all.get(n as usize - 1),
    };
    found.copied().ok_or_else(|| match (nth, all.len()) {
        (_, 0) => Error::not_found(format!("no event of type {name} in this log")),
        (nth, count) => Error::not_found(format!(
            "there is no {name}:{}: this log has {count} of them",
            nth.unwrap_or_default()
        )),
    })
}

fn resolve_id(prefix: &str, log: &dyn Positions) -> Result<Position> {
    let types = log.of_type(prefix);
    if let Some(last) = types.last() {
        return Ok(*last);
    }
    match log.by_id_prefix(prefix).as_slice() {
        [one] => Ok(*one),
        [] => {
            Err(Error::not_found(format!("no event, type or mark is named {prefix:?} in this log"))
                .with_hint(FORMS))
        }
        [first, second, ..] => Err(Error::usage(format!(
            "{prefix:?} begins the ids of several events, among them #{first} and #{second}"
        ))
        .with_hint("give more characters of the id")),
    }
}

const FORMS: &str = "a moment is a position (17), a time (14:00, 2026-11-20T14:00Z, -2h), @mark, an event id's prefix, start, end, or a type with an optional number (AgentFailed:2)";

fn no_moment(text: &str) -> Error {
    Error::usage(format!("{text:?} is not a moment")).with_hint(FORMS)
}

/// Times of day and dates; none when the text does not look like one.
fn parse_time(text: &str) -> Result<Option<Moment>> {
    let bytes = text.as_bytes();
    if let [a, b, b':', ..] | [a, b':', b, ..] = bytes
        && a.is_ascii_digit()
        && b.is_ascii_digit()
    {
        return match time_of_day(text) {
            Some(millis) => Ok(Some(Moment::TimeOfDay(millis))),
            None => Err(no_moment(text)),
        };
    }
    let looks_like_date = bytes.len() >= 10
        && bytes[..4].iter().all(u8::is_ascii_digit)
        && bytes[4] == b'-'
        && bytes[7] == b'-'
        && bytes[5..7].iter().all(u8::is_ascii_digit);
    if !looks_like_date {
        return Ok(None);
    }
    date_time(text).map(|at| Some(Moment::Time(at))).map_err(|fault| {
        Error::usage(format!("{text:?} is not a time: {fault}"))
            .with_hint("write 2026-11-20T14:00Z, 2026-11-20T14:00:00+02:00 or 2026-11-20")
    })
}

/// `H:MM`, `HH:MM[:SS[.fff]]`, optionally with a `Z`.
fn time_of_day(text: &str) -> Option<i64> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let mut parts = text.split(':');
    let hours: i64 = two(parts.next()?)?;
    let minutes = parts.next().filter(|m| m.len() == 2).and_then(two)?;
    let mut millis = 0;
    if let Some(rest) = parts.next() {
        let (seconds, fraction) = rest.split_once('.').unwrap_or((rest, "0"));
        if seconds.len() != 2
            || fraction.is_empty()
            || !fraction.bytes().all(|b| b.is_ascii_digit())
        {
            return None;
        }
        let fraction: i64 = format!("{fraction:0<3}")[..3].parse().ok()?;
        let seconds = two(seconds).filter(|s| *s < 60)?;
        millis = seconds * 1000 + fraction;
    }
    if parts.next().is_some() || hours > 23 || minutes > 59 {
        return None;
    }
    Some((hours * 60 + minutes) * 60_000 + millis)
}

fn two(text: &str) -> Option<i64> {
    ((1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

/// RFC 3339, or the same without seconds, or a bare date (its midnight, UTC).
fn date_time(text: &str) -> std::result::Result<Timestamp, TimeFault> {
    if text.len() == 10 {
        return Timestamp::parse(&format!("{text}T00:00:00Z"));
    }
    // `…T14:00Z` and `…T14:00+02:00`: put the seconds in where a zone follows the minutes.
    if text.is_char_boundary(16) && text.len() > 16 && !text[16..].starts_with([':', '.']) {
        return Timestamp::parse(&format!("{}:00{}", &text[..16], &text[16..]));
    }
    if text.len() == 16 {
        return Err(TimeFault::Zoneless);
    }
    Timestamp::parse(text)
}

impl fmt::Display for Moment {
    /// The text that parses to this moment again.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => f.write_str("start"),
            Self::End => f.write_str("end"),
            Self::Position(number) => write!(f, "{number}"),
            Self::Mark(name) => write!(f, "@{name}"),
            Self::TimeOfDay(millis) => {
                debug_assert!((0..DAY_MS).contains(millis));
                f.write_str(&Timestamp::from_millis(*millis).time_of_day_millis())
            }
            Self::Time(at) => write!(f, "{at}"),
            Self::BeforeHead(span) => {
                let span = std::time::Duration::from_millis(span.unsigned_abs());
                write!(f, "-{}", humantime::format_duration(span).to_string().replace(' ', ""))
            }
            Self::Occurrence { type_name, nth: None } => f.write_str(type_name),
            Self::Occurrence { type_name, nth: Some(nth) } => write!(f, "{type_name}:{nth}"),
            Self::Id(prefix) => f.write_str(prefix),
        }
    }
}

#[cfg(test)]
mod tests;
