//! Times, and the table that shows them.

use std::time::{Duration, Instant};

/// How long `work` takes, and what it gives.
pub fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let started = Instant::now();
    let made = work();
    (started.elapsed(), made)
}

/// The times of many repetitions.
#[derive(Default)]
pub struct Times(Vec<Duration>);

impl Times {
    pub fn push(&mut self, time: Duration) {
        self.0.push(time);
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The time that so many of a hundred repetitions do not exceed.
    pub fn percentile(&mut self, percent: usize) -> Duration {
        self.0.sort_unstable();
        let at = (self.0.len() * percent).div_ceil(100).saturating_sub(1);
        self.0.get(at).copied().unwrap_or_default()
    }

    pub fn median(&mut self) -> Duration {
        self.percentile(50)
    }
}

/// A duration for people, with three digits.
pub fn show(time: Duration) -> String {
    let us = time.as_secs_f64() * 1e6;
    match us {
        _ if us >= 1e6 => format!("{:.2} s", us / 1e6),
        _ if us >= 1e3 => format!("{:.2} ms", us / 1e3),
        _ if us >= 10.0 => format!("{us:.1} µs"),
        _ => format!("{:.0} ns", us * 1e3),
    }
}

/// One line of the table: a figure, what it is compared with, and what it should be.
pub struct Row {
    pub what: String,
    pub figure: String,
    /// The floor or the peer beside it, with its figure; empty when there is none.
    pub beside: String,
    /// Figure by floor, or peer by figure.
    pub ratio: Option<f64>,
    pub target: String,
    /// Whether the target is met; none when there is no target.
    pub met: Option<bool>,
}

/// Prints rows as they come.
pub struct Table;

impl Table {
    pub fn new(title: &str) -> Self {
        println!("\n{title}");
        println!(
            "{:<44} {:>12}  {:<34} {:>8}  {:<22} met",
            "what", "figure", "floor or peer", "ratio", "target"
        );
        Self
    }

    pub fn row(&self, row: &Row) {
        let ratio = row.ratio.map_or(String::new(), |r| {
            if r >= 100.0 { format!("{r:.0}x") } else { format!("{r:.2}x") }
        });
        let met = match row.met {
            None => "",
            Some(true) => "yes",
            Some(false) => "NO",
        };
        println!(
            "{:<44} {:>12}  {:<34} {:>8}  {:<22} {met}",
            row.what, row.figure, row.beside, ratio, row.target
        );
    }

    /// A time with an upper limit.
    pub fn limit(&self, what: &str, time: Duration, limit: Duration) {
        self.row(&Row {
            what: what.to_owned(),
            figure: show(time),
            beside: String::new(),
            ratio: None,
            target: format!("<= {}", show(limit)),
            met: Some(time <= limit),
        });
    }

    /// A figure without a target.
    pub fn note(&self, what: &str, figure: impl Into<String>) {
        self.row(&Row {
            what: what.to_owned(),
            figure: figure.into(),
            beside: String::new(),
            ratio: None,
            target: String::new(),
            met: None,
        });
    }

    /// A time beside that of a peer, which should take at least `factor` times as long.
    pub fn against(
        &self,
        what: &str,
        time: Duration,
        peer: &str,
        peer_time: Duration,
        factor: Option<f64>,
    ) {
        let ratio = peer_time.as_secs_f64() / time.as_secs_f64().max(1e-9);
        self.row(&Row {
            what: what.to_owned(),
            figure: show(time),
            beside: format!("{peer} {}", show(peer_time)),
            ratio: Some(ratio),
            target: factor.map_or(String::new(), |f| format!(">= {f}x faster")),
            met: factor.map(|f| ratio >= f),
        });
    }
}
