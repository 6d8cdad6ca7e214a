//! The one integration test binary.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod cli;
mod cli_append;
mod cli_branch;
mod cli_causes;
mod cli_exit;
mod cli_find;
mod cli_secrets;
mod cli_support;
mod disk_support;
mod hostile;
mod import;
mod layers;
mod pictures;
mod pty_support;
mod readme;
mod replay;
mod replay_copy;
mod replay_copy_evidence;
mod replay_copy_kill;
mod replay_copy_told;
mod replay_flags;
mod replay_jobs;
mod replay_kill;
mod replay_left;
mod replay_output;
mod replay_resume;
mod replay_signals;
mod replay_support;
mod replay_told;
mod screens;
mod store_archive;
mod store_conformance;
mod store_damage;
mod store_doctor;
mod store_earlier;
mod store_faults;
mod store_lost;
mod store_power;
mod store_processes;
mod store_repair;
mod store_snapshots;
mod store_support;
mod store_tlog;
mod store_writers;
mod terminal;
mod tui_breaks;
mod tui_compare;
mod tui_filter;
mod tui_kept;
mod tui_keys;
mod tui_loading;
mod tui_races;
mod tui_replay;
mod tui_replay_end;
mod tui_replay_rest;
mod tui_replay_store;
mod tui_share;
mod tui_small;
mod tui_support;
mod tui_whatif;
