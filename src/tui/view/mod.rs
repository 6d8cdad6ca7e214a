//! The parts of the screen, drawn from data that they cannot change.

pub mod browser;
#[cfg(test)]
pub(crate) mod looking;
pub mod timeline;
