//! The one integration test binary.

mod cli;
mod cli_append;
mod cli_exit;
mod cli_support;
mod import;
mod layers;
mod store_conformance;
mod store_damage;
mod store_processes;
mod store_support;
