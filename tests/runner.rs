//! The one integration test binary.

mod import;
mod store_conformance;
mod store_damage;
mod store_processes;
mod store_support;
