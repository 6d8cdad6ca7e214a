//! The one integration test binary.

mod pictures;
mod pty_support;
mod store_conformance;
mod store_damage;
mod store_processes;
mod store_support;
