//! What the benchmarks share: the standard workload, the clock of measurements, and the table.
//!
//! The workload is deterministic: the same numbers give the same bytes on every machine.

#![allow(dead_code, unused_imports, reason = "each benchmark uses its part")]
#![allow(missing_docs, unreachable_pub, reason = "a module of programs, not a library")]

mod table;
mod workload;

use std::fs;
use std::path::{Path, PathBuf};

pub use table::{Row, Table, Times, show, timed};
pub use workload::{IssueWriter, LONG_LINE, issue, store, wild_store};

/// A small generator of numbers that are the same everywhere (splitmix64).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }
}

/// The folder for data that is made once: beside the benchmark's own program.
pub fn data_dir() -> PathBuf {
    let exe = std::env::current_exe().expect("the benchmark's own path");
    let target = exe.ancestors().nth(3).expect("target/release/deps/bench").to_owned();
    target.join("bench-data")
}

/// The release binary of this crate.
pub fn binary() -> Option<PathBuf> {
    let exe = std::env::current_exe().ok()?;
    let binary = exe.ancestors().nth(2)?.join("chronoscope");
    binary.is_file().then_some(binary)
}

/// The memory that this process holds, in MiB.
pub struct Memory {
    /// With the files that it reads (`VmRSS`).
    pub whole: f64,
    /// Without them (`RssAnon`).
    pub own: f64,
    /// The most it ever was, with files (`VmHWM`).
    pub most: f64,
}

/// The memory that this process holds now.
pub fn memory() -> Option<Memory> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let field = |name: &str| {
        let line = status.lines().find(|l| l.starts_with(name))?;
        let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kib / 1024.0)
    };
    Some(Memory { whole: field("VmRSS:")?, own: field("RssAnon:")?, most: field("VmHWM:")? })
}

/// The time that this process has kept cores busy, in all its threads: a busy neighbour changes it
/// less than the time that passes.
pub fn cpu() -> std::time::Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program, in parentheses, may have blanks.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks = fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>();
    std::time::Duration::from_millis(ticks * 10)
}

/// Whether a program is there to be measured against.
pub fn has(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|dir| dir.join(program).is_file())
}

/// All logs of a store.
pub fn logs(store: &Path, issue: Option<&str>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut days: Vec<_> =
        fs::read_dir(store).expect("a store").flatten().map(|e| e.path()).collect();
    days.sort();
    for day in days.iter().filter(|d| d.is_dir()) {
        let mut issues: Vec<_> =
            fs::read_dir(day).expect("a day").flatten().map(|e| e.path()).collect();
        issues.sort();
        found.extend(
            issues
                .into_iter()
                .filter(|i| issue.is_none_or(|key| i.file_name().is_some_and(|n| n == key)))
                .map(|i| i.join("events.jsonl"))
                .filter(|log| log.is_file()),
        );
    }
    found
}
