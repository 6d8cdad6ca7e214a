//! Numbers, ages and activity in a few columns.
//!
//! Lives here: pure functions to text. May not live here: where that stands.

use crate::model::Timestamp;

/// A number of things: `1 issue`, `12,345 events`.
pub(super) fn counted(number: u64, what: &str) -> String {
    format!("{} {what}{}", short(number), if number == 1 { "" } else { "s" })
}

/// A number in at most six columns: `999`, `12,345`, `123k`, `4.5M`.
pub(super) fn short(number: u64) -> String {
    match number {
        0..1_000 => number.to_string(),
        1_000..100_000 => format!("{},{:03}", number / 1_000, number % 1_000),
        100_000..1_000_000 => format!("{}k", number / 1_000),
        1_000_000..10_000_000_000 => format!("{}.{}M", number / 1_000_000, number / 100_000 % 10),
        _ => format!("{}G", number / 1_000_000_000),
    }
}

/// How long ago, in the largest unit: `now`, `12s`, `4m`, `3h`, `2d`, `5w`, `3y`.
pub(super) fn age(last: Timestamp, now: Timestamp) -> String {
    let seconds = (now.millis() - last.millis()) / 1000;
    match seconds {
        ..2 => "now".to_owned(),
        2..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => format!("{}h", seconds / 3_600),
        86_400..1_209_600 => format!("{}d", seconds / 86_400),
        1_209_600..31_536_000 => format!("{}w", seconds / 604_800),
        _ => format!("{}y", seconds / 31_536_000),
    }
}

/// The activity in at most `width` columns, each of them the sum of the same number of stretches.
pub(super) fn sparkline(activity: &[u32], width: usize, bars: &[&'static str; 8]) -> String {
    let each = activity.len().div_ceil(width.max(1)).max(1);
    let sums: Vec<u64> =
        activity.chunks(each).map(|part| part.iter().map(|n| u64::from(*n)).sum()).collect();
    let most = sums.iter().copied().max().unwrap_or_default().max(1);
    let bar = |sum: u64| {
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and 8"
        )]
        let level = ((sum as f64 / most as f64).sqrt() * 8.0).ceil() as usize;
        level.checked_sub(1).and_then(|at| bars.get(at)).copied().unwrap_or(" ")
    };
    sums.into_iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_ages_are_short() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (12_345, "12,345"),
            (123_456, "123k"),
            (4_560_000, "4.5M"),
            (u64::MAX, "18446744073G"),
        ] {
            assert_eq!(short(number), text);
        }
        let at = Timestamp::from_millis;
        for (seconds, text) in [
            (-9, "now"),
            (1, "now"),
            (59, "59s"),
            (3599, "59m"),
            (86_399, "23h"),
            (86_400 * 13, "13d"),
            (86_400 * 20, "2w"),
            (86_400 * 800, "2y"),
        ] {
            assert_eq!(age(at(0), at(seconds * 1000)), text);
        }
    }

    #[test]
    fn sparklines_fit_and_show_what_there_is() {
        let bars = crate::tui::theme::bars(false);
        assert_eq!(sparkline(&[0, 1, 4, 16, 64], 8, &bars), " ▁▂▄█");
        assert_eq!(sparkline(&[1; 32], 16, &bars).chars().count(), 16);
        assert_eq!(sparkline(&[], 16, &bars), "");
    }
}
