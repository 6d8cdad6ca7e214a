//! Progress on a terminal: one table of what bars look like, and bars that never run back.
//!
//! Lives here: [`Bar`] and what it counts ([`Unit`]). May not live here: what is being done.

use indicatif::{HumanFloatCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// What a bar counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Events.
    Events,
    /// Bytes of logs.
    Bytes,
    /// Partitions: an issue's events of one day.
    Partitions,
}

impl Unit {
    /// What stands behind the bar.
    fn template(self) -> &'static str {
        match self {
            Self::Events => "{wide_bar} {human_pos}/{human_len} events  {rate}",
            Self::Bytes => "{wide_bar} {bytes}/{total_bytes}  {bytes_per_sec}",
            Self::Partitions => "{wide_bar} {human_pos}/{human_len} partitions  {rate}",
        }
    }

    fn style(self) -> ProgressStyle {
        // The templates are those of the table, and each of them is one.
        ProgressStyle::with_template(self.template())
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .with_key("rate", rate)
    }
}

/// How many there are a second: slow programs have digits behind the point, and nothing has many.
fn rate(state: &ProgressState, out: &mut dyn std::fmt::Write) {
    let rate = HumanFloatCount((state.per_sec() * 10.0).round() / 10.0);
    // A bar that cannot be drawn is no bar.
    let _ = write!(out, "{rate}/s");
}

/// A bar on stderr when that is a terminal, and nothing elsewhere.
#[derive(Debug, Clone)]
pub(crate) struct Bar {
    bar: ProgressBar,
}

impl Bar {
    /// A bar that counts from nothing.
    pub(crate) fn new(unit: Unit) -> Self {
        Self::on(ProgressDrawTarget::stderr(), unit)
    }

    fn on(target: ProgressDrawTarget, unit: Unit) -> Self {
        Self { bar: ProgressBar::with_draw_target(Some(0), target).with_style(unit.style()) }
    }

    /// Shows how much is done, and of how much: never less than before, never more than all.
    pub(crate) fn show(&self, done: u64, all: u64) {
        if self.bar.length() != Some(all) {
            self.bar.set_length(all);
            self.bar.set_position(done.min(all));
            // What was before the work, and was done before it, does not count for its rate.
            self.bar.tick();
            self.bar.reset_eta();
        }
        self.bar.set_position(done.max(self.bar.position()).min(all));
    }

    /// Shows that so much more is done.
    pub(crate) fn add(&self, more: u64) {
        self.bar.inc(more);
    }

    /// Takes it away while something else is printed.
    pub(crate) fn suspend(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }

    /// Takes it away.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

/// Several pieces of work on one bar, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    /// How much all of them are.
    all: u64,
    /// How much those are that are over.
    before: u64,
    /// How much the one is that is being done.
    size: u64,
}

impl Pieces {
    /// Work of so much altogether.
    pub(crate) fn new(all: u64) -> Self {
        Self { all, ..Self::default() }
    }

    /// The next piece, of this size, begins.
    pub(crate) fn next(&mut self, size: u64) {
        self.before += self.size;
        self.size = size;
    }

    /// How much is done of all, and how much that is, when `done` of `of` is done of this piece.
    pub(crate) fn done(&self, done: u64, of: u64) -> (u64, u64) {
        let share = u128::from(self.size) * u128::from(done.min(of)) / u128::from(of.max(1));
        (self.before + u64::try_from(share).unwrap_or(self.size), self.all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_one() {
        for unit in [Unit::Events, Unit::Bytes, Unit::Partitions] {
            assert!(ProgressStyle::with_template(unit.template()).is_ok(), "{unit:?}");
            let has_rate = ["{rate}", "_per_sec}"].iter().any(|key| unit.template().contains(key));
            assert!(has_rate, "{unit:?}");
        }
    }

    #[test]
    fn what_was_done_before_does_not_count_for_the_rate() {
        let bar = Bar::on(ProgressDrawTarget::hidden(), Unit::Events);
        bar.show(5000, 12_000);
        assert_eq!((bar.bar.position(), bar.bar.length()), (5000, Some(12_000)));
        assert!(bar.bar.per_sec() < 0.1, "{}", bar.bar.per_sec());
        bar.show(5001, 12_000);
        bar.bar.tick();
        assert!(bar.bar.per_sec() > 0.0);
    }

    #[test]
    fn several_pieces_are_one_bar_that_never_runs_back_or_over() {
        let bar = Bar::on(ProgressDrawTarget::hidden(), Unit::Bytes);
        let mut pieces = Pieces::new(150);
        let mut seen = Vec::new();
        // One that goes through, one that is counted in something else, begins anew half way, and
        // is longer in the end than it was, and one that holds nothing.
        let work: [(u64, &[(u64, u64)]); 3] = [
            (100, &[(50, 100), (100, 100)]),
            (50, &[(25, 50), (1, 10), (8, 10), (12, 10)]),
            (0, &[(0, 0)]),
        ];
        for (size, told) in work {
            pieces.next(size);
            for (done, of) in told {
                let (done, all) = pieces.done(*done, *of);
                bar.show(done, all);
                seen.push((bar.bar.position(), bar.bar.length()));
            }
        }
        let positions: Vec<u64> = seen.iter().map(|(position, _)| *position).collect();
        assert_eq!(positions, [50, 100, 125, 125, 140, 150, 150]);
        assert!(seen.iter().all(|(_, length)| *length == Some(150)), "{seen:?}");
    }
}
