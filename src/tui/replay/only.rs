//! Which outcomes of a replay are listed.

use crate::tui::signs::ReplayMark;

/// Which outcomes are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Only {
    /// All but what is taken as it is recorded.
    Telling,
    /// What failed, or is unknown.
    Failed,
    /// What was skipped.
    Skipped,
    /// What ran, or would.
    Run,
    /// All.
    All,
    /// One type that came to one thing.
    Type(ReplayMark, String),
}

impl Only {
    /// The next one.
    #[must_use]
    pub fn next(&self) -> Self {
        match self {
            Self::Telling => Self::Failed,
            Self::Failed => Self::Skipped,
            Self::Skipped => Self::Run,
            Self::Run => Self::All,
            Self::All | Self::Type(..) => Self::Telling,
        }
    }

    /// In a few words.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Telling => "all but records".to_owned(),
            Self::Failed => "failed".to_owned(),
            Self::Skipped => "skipped".to_owned(),
            Self::Run => "run".to_owned(),
            Self::All => "all".to_owned(),
            Self::Type(_, name) => name.clone(),
        }
    }

    pub(super) fn fits(&self, mark: ReplayMark, type_name: &str) -> bool {
        use ReplayMark as M;
        match self {
            Self::Telling => mark != M::Recorded,
            Self::Failed => matches!(mark, M::Failed | M::Unknown),
            Self::Skipped => mark == M::Skipped,
            Self::Run => matches!(mark, M::Executed | M::WouldExecute | M::Running | M::Unknown),
            Self::All => true,
            Self::Type(own, name) => *own == mark && name == type_name,
        }
    }
}
