//! Snapshots of an issue's state.

/// The state of an issue at a position.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// The issue.
    pub issue_key: String,
    /// The position.
    pub position: u64,
}
