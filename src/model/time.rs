//! Times: milliseconds since the Unix epoch, and their RFC 3339 text.
//!
//! Lives here: [`Timestamp`] and [`Duration`] text. May not live here: the clock.

use std::fmt;

use chrono::{Datelike, NaiveDate};

/// Milliseconds in one day.
pub const DAY_MS: i64 = 86_400_000;

/// A point in time: milliseconds since 1970-01-01T00:00:00Z, between the years 0000 and 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// Why a text is not a time that the log accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimeFault {
    /// Not of the form `YYYY-MM-DDTHH:MM:SS[.fff](Z|±HH:MM)`.
    #[error("not RFC 3339 (YYYY-MM-DDTHH:MM:SS.mmmZ)")]
    Format,
    /// The right form, without a zone.
    #[error("no time zone: write Z for UTC, or an offset like +02:00")]
    Zoneless,
    /// The right form, but no such day or hour.
    #[error("no such date or time of day")]
    Range,
}

impl Timestamp {
    /// The earliest time that can be written.
    pub const MIN: Self = Self(-62_167_219_200_000);
    /// The latest time that can be written.
    pub const MAX: Self = Self(253_402_300_799_999);

    /// From milliseconds since the epoch; out of range values are clamped.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        if millis < Self::MIN.0 {
            Self::MIN
        } else if millis > Self::MAX.0 {
            Self::MAX
        } else {
            Self(millis)
        }
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// This time moved by `millis` (which may be negative), clamped to the range.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self::from_millis(self.0.saturating_add(millis))
    }

    /// The UTC day as `YYYY-MM-DD`.
    #[must_use]
    pub fn date(self) -> String {
        self.to_string()[..10].to_owned()
    }

    /// The time of day as `HH:MM:SS`.
    #[must_use]
    pub fn time_of_day(self) -> String {
        self.to_string()[11..19].to_owned()
    }

    /// The time of day as `HH:MM:SS.mmm`.
    #[must_use]
    pub fn time_of_day_millis(self) -> String {
        self.to_string()[11..23].to_owned()
    }

    /// Midnight (UTC) of this time's day.
    #[must_use]
    pub const fn start_of_day(self) -> Self {
        Self(self.0 - self.0.rem_euclid(DAY_MS))
    }

    /// Parses RFC 3339 with any offset; digits beyond milliseconds are cut.
    ///
    /// # Errors
    /// A [`TimeFault`] when the text has another form, no zone, or names no real time.
    pub fn parse(text: &str) -> Result<Self, TimeFault> {
        let (local, zone) = parse_local(text)?;
        let offset_minutes = match zone.as_bytes() {
            [b'Z' | b'z'] => 0,
            [] => return Err(TimeFault::Zoneless),
            [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
                let hours = two_digits(*h1, *h2)?;
                let minutes = two_digits(*m1, *m2)?;
                if hours > 23 || minutes > 59 {
                    return Err(TimeFault::Range);
                }
                let total = i64::from(hours * 60 + minutes);
                if *sign == b'-' { -total } else { total }
            }
            _ => return Err(TimeFault::Format),
        };
        let millis = local - offset_minutes * 60_000;
        if !(Self::MIN.0..=Self::MAX.0).contains(&millis) {
            return Err(TimeFault::Range);
        }
        Ok(Self(millis))
    }

    /// `YYYY-MM-DDTHH:MM:SS.mmmZ` as ASCII; made by hand because every event of a fold needs it.
    #[must_use]
    pub const fn rfc3339(self) -> [u8; 24] {
        let (days, ms) = (self.0.div_euclid(DAY_MS), self.0.rem_euclid(DAY_MS));
        // Days to year, month, day as in H. Hinnant, "chrono-Compatible Low-Level Date Algorithms";
        // 719 468 days lead from 0000-03-01 to the epoch. The years 0000 to 9999 keep it positive.
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
        let mut out = *b"0000-00-00T00:00:00.000Z";
        put_digits(&mut out, 0, 4, year);
        put_digits(&mut out, 5, 2, month);
        put_digits(&mut out, 8, 2, day);
        put_digits(&mut out, 11, 2, ms / 3_600_000);
        put_digits(&mut out, 14, 2, ms / 60_000 % 60);
        put_digits(&mut out, 17, 2, ms / 1000 % 60);
        put_digits(&mut out, 20, 3, ms % 1000);
        out
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.rfc3339()).unwrap_or_default())
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// Writes the last `len` decimal digits of `number` (not negative) at `at`.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "one digit")]
const fn put_digits(out: &mut [u8; 24], at: usize, len: usize, mut number: i64) {
    let mut place = at + len;
    while place > at {
        place -= 1;
        out[place] = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

fn two_digits(a: u8, b: u8) -> Result<u32, TimeFault> {
    if a.is_ascii_digit() && b.is_ascii_digit() {
        Ok(u32::from(a - b'0') * 10 + u32::from(b - b'0'))
    } else {
        Err(TimeFault::Format)
    }
}

/// The zoneless part in milliseconds, and the text that is left for the zone.
fn parse_local(text: &str) -> Result<(i64, &str), TimeFault> {
    let bytes = text.as_bytes();
    let [
        y1,
        y2,
        y3,
        y4,
        b'-',
        mo1,
        mo2,
        b'-',
        d1,
        d2,
        b'T' | b't' | b' ',
        h1,
        h2,
        b':',
        mi1,
        mi2,
        b':',
        s1,
        s2,
        rest @ ..,
    ] = bytes
    else {
        return Err(TimeFault::Format);
    };
    let year = two_digits(*y1, *y2)? * 100 + two_digits(*y3, *y4)?;
    let (hour, minute) = (two_digits(*h1, *h2)?, two_digits(*mi1, *mi2)?);
    // A leap second is the last millisecond-bearing second of its minute for every purpose here.
    let second = two_digits(*s1, *s2)?.min(60);
    if hour > 23 || minute > 59 {
        return Err(TimeFault::Range);
    }
    let date =
        NaiveDate::from_ymd_opt(year.cast_signed(), two_digits(*mo1, *mo2)?, two_digits(*d1, *d2)?)
            .ok_or(TimeFault::Range)?;
    let mut zone_at = 19;
    let mut millis = 0_i64;
    if let [b'.', fraction @ ..] = rest {
        let digits = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
        if digits == 0 {
            return Err(TimeFault::Format);
        }
        let padded = fraction[..digits].iter().copied().chain(std::iter::repeat(b'0'));
        millis = padded.take(3).fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
        zone_at += 1 + digits;
    }
    let days = i64::from(date.num_days_from_ce() - 719_163);
    let seconds = i64::from(hour * 3600 + minute * 60 + second);
    // The matched prefix and the fraction are ASCII, so this is a character boundary.
    Ok((days * DAY_MS + seconds * 1000 + millis, text.get(zone_at..).unwrap_or_default()))
}

/// A length of time for people: `350ms`, `12s`, `4m 05s`, `2h 03m`, `3d 4h`.
#[must_use]
pub fn human_duration(millis: i64) -> String {
    let sign = if millis < 0 { "-" } else { "" };
    let ms = millis.unsigned_abs();
    let (s, m, h, d) = (ms / 1000, ms / 60_000, ms / 3_600_000, ms / 86_400_000);
    if ms < 1000 {
        format!("{sign}{ms}ms")
    } else if s < 60 {
        format!("{sign}{s}s")
    } else if m < 60 {
        format!("{sign}{m}m {:02}s", s % 60)
    } else if h < 24 {
        format!("{sign}{h}h {:02}m", m % 60)
    } else {
        format!("{sign}{d}d {}h", h % 24)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_offsets_and_fractions() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"),
            ("2026-08-06T04:12:30.577316565+00:00", "2026-08-06T04:12:30.577Z"),
            ("2026-08-06T04:12:30.5+02:00", "2026-08-06T02:12:30.500Z"),
            ("2026-01-01T00:30:00-01:00", "2026-01-01T01:30:00.000Z"),
            ("2024-02-29T23:59:60Z", "2024-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(Timestamp::parse(text).unwrap().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_a_zoned_time() {
        for (text, fault) in [
            ("2026-08-06T04:12:30", TimeFault::Zoneless),
            ("2026-08-06T04:12:30.123", TimeFault::Zoneless),
            ("2026-02-30T04:12:30Z", TimeFault::Range),
            ("2026-02-20T24:12:30Z", TimeFault::Range),
            ("2026-02-20", TimeFault::Format),
            ("2026-02-20T10:00Z", TimeFault::Format),
            ("2026-02-20T10:00:00.Z", TimeFault::Format),
            ("2026-02-20T10:00:00+2", TimeFault::Format),
            ("0000-01-01T00:00:00+01:00", TimeFault::Range),
            ("2026-02-20T10:00:00.5é", TimeFault::Format),
            ("", TimeFault::Format),
        ] {
            assert_eq!(Timestamp::parse(text), Err(fault), "{text}");
        }
    }

    #[test]
    fn durations_read_well() {
        for (ms, text) in [
            (0, "0ms"),
            (999, "999ms"),
            (12_000, "12s"),
            (245_000, "4m 05s"),
            (7_380_000, "2h 03m"),
            (273_600_000, "3d 4h"),
            (-5_000, "-5s"),
        ] {
            assert_eq!(human_duration(ms), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn text_and_back(ms in Timestamp::MIN.millis()..=Timestamp::MAX.millis()) {
            let t = Timestamp::from_millis(ms);
            proptest::prop_assert_eq!(Timestamp::parse(&t.to_string()), Ok(t));
        }

        #[test]
        fn any_text_is_answered(text in ".{0,40}") {
            let _ = Timestamp::parse(&text).is_ok();
        }
    }
}
