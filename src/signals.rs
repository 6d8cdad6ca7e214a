//! Signals that are ignored from the beginning.
//!
//! Lives here: [`is_ignored`]. May not live here: what a signal does.
//!
//! `nohup` ignores the end of the terminal for what it starts, and a shell without job control ignores
//! Ctrl-C for what it starts in the background. Whoever handles such a signal takes that back: so it
//! is asked for before.

use std::sync::OnceLock;

/// Whether whoever started this program had it ignore a signal. To be asked before the first of these
/// signals is handled; where the system does not say it (all but Linux), none is ignored.
#[must_use]
pub fn is_ignored(signal: i32) -> bool {
    static IGNORED: OnceLock<u64> = OnceLock::new();
    let ignored = IGNORED.get_or_init(|| {
        std::fs::read_to_string("/proc/self/status").map_or(0, |status| mask(&status))
    });
    holds(*ignored, signal)
}

/// The signals that are ignored, as the status of a process on Linux has them: one bit for each.
fn mask(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok()).unwrap_or_default()
}

fn holds(mask: u64, signal: i32) -> bool {
    let bit = u32::try_from(signal - 1).ok().and_then(|bit| mask.checked_shr(bit));
    bit.is_some_and(|rest| rest & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bit_is_the_first_signal() {
        let status = "Name:\tsleep\nSigBlk:\tffffffffffffffff\nSigIgn:\t0000000000001003\n";
        let ignored: Vec<i32> = (-1..70).filter(|signal| holds(mask(status), *signal)).collect();
        assert_eq!(ignored, [1, 2, 13]);
        assert_eq!((mask(""), mask("SigIgn:\tx\n")), (0, 0));
    }
}
