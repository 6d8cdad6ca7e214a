//! Columns of the timeline and positions of the log, in both directions.
//!
//! Lives here: the mapping under one clock, and how readings of that clock are written. May not
//! live here: what is drawn in a column.

use crate::model::time::{DAY_MS, human_duration};
use crate::model::{Position, Timestamp};
use crate::timeline::{ClockKind, Timeline};

/// The stretch of a clock that columns show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Axis {
    pub(super) clock: ClockKind,
    /// The first reading that is seen.
    pub(super) low: i64,
    /// The last reading that is seen.
    pub(super) high: i64,
    /// How many events come before each column; one more entry than there are columns.
    edges: Vec<Position>,
}

impl Axis {
    /// `columns` columns over the readings from `low` to `high`, both seen.
    pub(super) fn new(
        timeline: &Timeline,
        clock: ClockKind,
        (low, high): (i64, i64),
        columns: u16,
    ) -> Self {
        let mut axis = Self { clock, low, high: high.max(low), edges: Vec::new() };
        let columns = i64::from(columns);
        let clocks = timeline.clocks();
        axis.edges = (0..=columns)
            .map(|column| clocks.position(clock, axis.first_reading(column, columns) - 1))
            .collect();
        axis
    }

    /// How many columns there are.
    pub(super) fn columns(&self) -> u16 {
        u16::try_from(self.edges.len().saturating_sub(1)).unwrap_or(u16::MAX)
    }

    /// The same columns over the whole log, for looking up readings only.
    pub(super) fn over_all(&self, timeline: &Timeline) -> Self {
        let (low, high) = domain(timeline, self.clock);
        Self { low, high, ..self.clone() }
    }

    fn span(&self) -> i128 {
        i128::from(self.high) - i128::from(self.low) + 1
    }

    /// The first reading that belongs to a column.
    fn first_reading(&self, column: i64, columns: i64) -> i64 {
        let offset = (i128::from(column) * self.span() + i128::from(columns) - 1)
            / i128::from(columns.max(1));
        i64::try_from(i128::from(self.low) + offset).unwrap_or(i64::MAX)
    }

    /// The column of a reading; negative before the first, `columns` and more after the last.
    pub(super) fn column_of(&self, reading: i64) -> i64 {
        let offset = i128::from(reading) - i128::from(self.low);
        let column = (offset * i128::from(self.columns())).div_euclid(self.span());
        i64::try_from(column).unwrap_or(if column < 0 { i64::MIN } else { i64::MAX })
    }

    /// The column of a position, if it is seen.
    pub(super) fn column(&self, timeline: &Timeline, position: Position) -> Option<u16> {
        let column = self.column_of(timeline.clocks().at(self.clock, position));
        u16::try_from(column).ok().filter(|column| *column < self.columns())
    }

    /// The column of a position, or the nearest one.
    pub(super) fn nearest_column(&self, timeline: &Timeline, position: Position) -> u16 {
        let column = self.column_of(timeline.clocks().at(self.clock, position));
        let last = i64::from(self.columns().saturating_sub(1));
        u16::try_from(column.clamp(0, last)).unwrap_or_default()
    }

    /// How many events come before a column.
    pub(super) fn before(&self, column: u16) -> Position {
        self.edges.get(usize::from(column)).or(self.edges.last()).copied().unwrap_or_default()
    }

    /// The last event in or before a column.
    pub(super) fn upto(&self, column: u16) -> Position {
        self.before(column.saturating_add(1))
    }

    /// How many events stand in a column.
    pub(super) fn count(&self, column: u16) -> Position {
        self.upto(column).saturating_sub(self.before(column))
    }
}

/// The readings of a whole log: from the empty state to the head.
pub(super) fn domain(timeline: &Timeline, clock: ClockKind) -> (i64, i64) {
    (timeline.clocks().at(clock, 0), timeline.clocks().at(clock, timeline.head()))
}

/// The range of an axis in words.
pub(super) fn range_text(axis: &Axis, timeline: &Timeline) -> String {
    let (low, high) = (axis.low, axis.high);
    let start = domain(timeline, axis.clock).0;
    match axis.clock {
        ClockKind::Sequence => {
            let times = [low.max(1), high].map(|p| {
                timeline.clocks().at(ClockKind::Time, Position::try_from(p).unwrap_or_default())
            });
            format!("#{low}–{high} · {}", time_range(times[0], times[1]))
        }
        ClockKind::Time => time_range(low, high),
        ClockKind::Active => {
            format!("{}–{}", active(low - start), active(high - start))
        }
        ClockKind::Cost => format!("{}–{}", dollars(low), dollars(high)),
    }
}

fn time_range(low: i64, high: i64) -> String {
    let (from, to) = (Timestamp::from_millis(low), Timestamp::from_millis(high));
    let clock = |at: Timestamp| {
        let text = at.time_of_day();
        if high - low < 10 * 60_000 { text } else { text.get(..5).unwrap_or_default().to_owned() }
    };
    let day = |at: Timestamp| at.date().get(5..).unwrap_or_default().to_owned();
    if from.start_of_day() == to.start_of_day() {
        format!("{}–{}", clock(from), clock(to))
    } else {
        format!("{} {} – {} {}", day(from), clock(from), day(to), clock(to))
    }
}

/// Active time since the beginning.
fn active(millis: i64) -> String {
    if millis == 0 { "0s".to_owned() } else { human_duration(millis) }
}

/// A length of time without the parts that are zero or too fine: `45m`, `1h05m`, `3d4h`.
pub(super) fn coarse(millis: i64) -> String {
    let (seconds, minutes, hours) = (millis / 1000, millis / 60_000, millis / 3_600_000);
    let pair = |large: i64, unit: &str, small: i64, rest: &str| {
        if small == 0 { format!("{large}{unit}") } else { format!("{large}{unit}{rest}") }
    };
    match hours {
        24.. => pair(hours / 24, "d", hours % 24, &format!("{}h", hours % 24)),
        1.. => pair(hours, "h", minutes % 60, &format!("{:02}m", minutes % 60)),
        _ if seconds >= 60 => pair(minutes, "m", seconds % 60, &format!("{:02}s", seconds % 60)),
        _ => human_duration(millis),
    }
}

/// Millionths of a dollar (not negative) as money.
fn dollars(millionths: i64) -> String {
    if millionths % 10_000 != 0 && millionths < 100_000 {
        let parts = (millionths + 50) / 100;
        format!("${}.{:04}", parts / 10_000, parts % 10_000)
    } else {
        let cents = (millionths + 5_000) / 10_000;
        format!("${}.{:02}", cents / 100, cents % 100)
    }
}

/// Where a position stands on a clock, short enough for the names' column.
pub(super) fn reading_text(clock: ClockKind, position: Position, timeline: &Timeline) -> String {
    let reading = timeline.clocks().at(clock, position);
    match clock {
        ClockKind::Sequence => format!("#{position}"),
        ClockKind::Time => Timestamp::from_millis(reading).time_of_day(),
        ClockKind::Active => active(reading - domain(timeline, clock).0),
        ClockKind::Cost => dollars(reading),
    }
}

/// The reading at which a tick stands, and what is written there.
pub(super) type Tick = (i64, String);

/// Round readings over the axis, at least `apart` columns from one another.
pub(super) fn ticks(axis: &Axis, timeline: &Timeline, apart: u16) -> Vec<Tick> {
    const TIME: [i64; 24] = [
        1,
        10,
        100,
        500,
        1_000,
        2_000,
        5_000,
        10_000,
        30_000,
        60_000,
        120_000,
        300_000,
        600_000,
        900_000,
        1_800_000,
        3_600_000,
        7_200_000,
        14_400_000,
        21_600_000,
        43_200_000,
        DAY_MS,
        2 * DAY_MS,
        7 * DAY_MS,
        30 * DAY_MS,
    ];
    let room = i64::from(axis.columns() / apart.max(1)).max(1);
    let least = (axis.span() / i128::from(room)).clamp(1, i128::from(i64::MAX / 4));
    let least = i64::try_from(least).unwrap_or(i64::MAX / 4);
    let timed = matches!(axis.clock, ClockKind::Time | ClockKind::Active);
    let step = match TIME.iter().find(|step| **step >= least) {
        Some(step) if timed => *step,
        _ => round_up(least),
    };
    // Active time counts from the first event, the others from their own zero.
    let origin = if axis.clock == ClockKind::Active { domain(timeline, axis.clock).0 } else { 0 };
    let first = (axis.low - origin).div_euclid(step) + 1;
    let count = (axis.span() / i128::from(step)).min(i128::from(axis.columns()));
    (0..=i64::try_from(count).unwrap_or_default())
        .filter_map(|n| first.checked_add(n)?.checked_mul(step)?.checked_add(origin))
        .take_while(|reading| *reading <= axis.high)
        .map(|reading| (reading, tick_text(axis.clock, reading, origin, step)))
        .collect()
}

/// 1, 2 or 5 times a power of ten, not below `least`.
fn round_up(least: i64) -> i64 {
    let mut power = 1_i64;
    while power.saturating_mul(10) <= least {
        power = power.saturating_mul(10);
    }
    let fits = [1, 2, 5, 10].map(|n| power.saturating_mul(n)).into_iter().find(|n| *n >= least);
    fits.unwrap_or(least)
}

fn tick_text(clock: ClockKind, reading: i64, origin: i64, step: i64) -> String {
    match clock {
        ClockKind::Sequence => format!("#{reading}"),
        ClockKind::Cost => dollars(reading),
        ClockKind::Active => coarse(reading - origin),
        ClockKind::Time => {
            let at = Timestamp::from_millis(reading);
            if step >= DAY_MS || (reading.rem_euclid(DAY_MS) == 0 && step >= 60_000) {
                return at.date().get(5..).unwrap_or_default().to_owned();
            }
            let digits = match step {
                60_000.. => 5,
                1_000.. => 8,
                _ => 12,
            };
            at.time_of_day_millis().get(..digits).unwrap_or_default().to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round() {
        for (least, step) in [(1, 1), (2, 2), (3, 5), (6, 10), (11, 20), (51, 100), (1000, 1000)] {
            assert_eq!(round_up(least), step, "{least}");
        }
        assert!(round_up(i64::MAX / 4) >= i64::MAX / 4);
    }

    #[test]
    fn money_shows_what_is_small() {
        assert_eq!(dollars(0), "$0.00");
        assert_eq!(dollars(12_345), "$0.0123");
        assert_eq!(dollars(50_000), "$0.05");
        assert_eq!(dollars(1_250_400), "$1.25");
        assert_eq!(dollars(999_999), "$1.00");
    }

    #[test]
    fn lengths_of_time_leave_out_what_is_zero() {
        for (seconds, text) in [
            (0, "0ms"),
            (5, "5s"),
            (60, "1m"),
            (90, "1m30s"),
            (2700, "45m"),
            (3600, "1h"),
            (3900, "1h05m"),
            (90_000, "1d1h"),
        ] {
            assert_eq!(coarse(seconds * 1000), text);
        }
    }

    #[test]
    fn ranges_name_the_day_only_where_it_changes() {
        let at = |text| Timestamp::parse(text).unwrap().millis();
        let morning = at("2026-11-20T10:30:05Z");
        assert_eq!(time_range(morning, at("2026-11-20T14:32:00Z")), "10:30–14:32");
        assert_eq!(time_range(morning, at("2026-11-20T10:31:00Z")), "10:30:05–10:31:00");
        assert_eq!(time_range(morning, at("2026-11-22T00:10:00Z")), "11-20 10:30 – 11-22 00:10");
    }
}
