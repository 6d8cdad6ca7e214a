//! One sign per meaning, each exactly one column wide, with a plain variant.
//!
//! Lives here: the table of signs. May not live here: colours; every sign has one beside it in the
//! theme, so that neither is needed to understand the other.

macro_rules! glyphs {
    ($($(#[doc = $doc:literal])+ $name:ident = $unicode:literal, $ascii:literal;)*) => {
        /// A sign with a meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Glyph { $($(#[doc = $doc])+ $name,)* }

        impl Glyph {
            /// Every sign, in order.
            pub const ALL: &'static [Glyph] = &[$(Glyph::$name,)*];

            /// The sign.
            #[must_use]
            pub const fn unicode(self) -> &'static str {
                match self { $(Glyph::$name => $unicode,)* }
            }

            /// The sign for terminals without Unicode.
            #[must_use]
            pub const fn ascii(self) -> &'static str {
                match self { $(Glyph::$name => $ascii,)* }
            }

            /// What it stands for, in one sentence.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Glyph::$name => concat!($($doc),+).trim_start(),)* }
            }
        }
    };
}

glyphs! {
    /// Runs, is in progress.
    Running = "▶", ">";
    /// Ended well.
    Done = "✓", "+";
    /// Failed.
    Failed = "✗", "x";
    /// Waits for something.
    Blocked = "◌", "%";
    /// Paused.
    Paused = "‖", "=";
    /// Cancelled or skipped.
    Cancelled = "⊘", "/";
    /// Handed to another agent.
    HandedOff = "»", "}";
    /// Has not begun, or the log does not say.
    Pending = "○", "o";
    /// An ordinary event.
    Event = "·", ".";
    /// A phase.
    Phase = "▸", ">";
    /// An agent.
    Agent = "◆", "@";
    /// A tool call.
    Tool = "◇", "*";
    /// A task.
    Task = "▪", "-";
    /// A decision or an approval.
    Decision = "◈", "?";
    /// A session of the orchestrator.
    Session = "◎", "s";
    /// A message or document.
    Document = "≡", "d";
    /// The issue tracker.
    Tracker = "♦", "j";
    /// Tokens and money.
    Usage = "¤", "u";
    /// A replay.
    Replay = "↻", "r";
    /// A commit.
    Commit = "c", "c";
    /// A pull request.
    PullRequest = "P", "P";
    /// A gap was found.
    Gap = "▲", "^";
    /// A gap was closed.
    GapClosed = "△", "v";
    /// An error.
    Error = "!", "!";
    /// A recovery.
    Recovery = "⟲", "~";
    /// A checkpoint.
    Checkpoint = "⚑", "#";
    /// Tests or checks ended.
    Test = "t", "t";
    /// The orchestration began, ended or paused.
    Milestone = "◉", "O";
    /// A mark that the user set.
    Mark = "⚐", "m";
    /// A breakpoint, or its hit.
    Breakpoint = "◼", "B";
    /// Something is wrong with the log here.
    Anomaly = "⚠", "!";
    /// Two events that wrote the same without knowing of each other.
    Race = "⇄", "&";
    /// An event that fits the filter.
    Fits = "•", "o";
    /// New events come in.
    Live = "●", "*";
    /// The screen stands still while events come in.
    Still = "◐", "=";
    /// The position that the screen shows.
    Playhead = "┃", "|";
    /// The playhead where it crosses a rule.
    PlayheadFoot = "┻", "+";
    /// The head that ran ahead of a paused screen.
    Ghost = "┆", ":";
    /// The base of the diff.
    Base = "◆", "D";
    /// The beginning of a run.
    RunStart = "├", "[";
    /// The stretch of a run.
    RunLine = "─", "-";
    /// The stretch of a run that waits.
    RunBlocked = "┄", ".";
    /// The good end of a run.
    RunEnd = "●", "o";
    /// A run that began and ended within one column.
    RunPoint = "●", "o";
    /// A run that goes on to the head.
    RunOpen = "╴", "-";
    /// Runs too close together to be told apart.
    RunMany = "┅", "=";
    /// A stretch in which nothing happened.
    Idle = "╌", "-";
    /// More to the left.
    MoreLeft = "◂", "<";
    /// More to the right.
    MoreRight = "▸", ">";
    /// More above.
    MoreUp = "▴", "^";
    /// More below.
    MoreDown = "▾", "v";
    /// An open branch of a tree.
    Open = "▾", "v";
    /// A closed branch of a tree.
    Closed = "▸", ">";
    /// The sign before a changed value.
    Changed = "~", "~";
    /// The sign before an added value.
    Added = "+", "+";
    /// The sign before a removed value.
    Removed = "-", "-";
    /// From one value to another.
    To = "→", ">";
    /// Written by.
    WrittenBy = "◂", "<";
    /// Kept on top.
    Pin = "⌖", "@";
    /// What-if: an event whose cause is gone.
    Orphaned = "◊", "?";
    /// What-if: an event whose precondition fails.
    Violated = "≠", "X";
    /// What-if: an event that was left out.
    Skipped = "⊘", "/";
    /// What-if: an event that was put in.
    Inserted = "+", "+";
    /// What-if: an event that was changed.
    Replaced = "±", "~";
    /// Replay: the program of the event would run.
    Rehearsed = "▷", "w";
    /// Replay: an event that is taken as it is recorded.
    Recorded = "◦", ".";
    /// Replay: an event that was begun, and nobody knows how it ended.
    Unsure = "?", "?";
    /// How far a replay is.
    ReplayHead = "╎", ";";
    /// Text that goes on.
    Ellipsis = "…", "~";
    /// The end of a line within a text.
    LineEnd = "⏎", "$";
    /// A thin rule.
    Rule = "─", "-";
    /// A thin upright rule.
    Upright = "│", "|";
}

/// Eight heights of a bar, from the lowest; the plain variant grows darker instead.
#[must_use]
pub const fn bars(ascii: bool) -> [&'static str; 8] {
    if ascii {
        [".", ":", "-", "=", "+", "*", "#", "@"]
    } else {
        ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]
    }
}

/// The plain variant of a sign of this table, of a piece of a frame, or of a sign that stands in
/// the program's own words.
#[must_use]
pub(super) fn plain(sign: &str) -> Option<&'static str> {
    Some(match sign {
        "─" | "━" | "═" | "–" => "-",
        "×" => "x",
        "“" | "”" => "\"",
        _ if is_control_picture(sign) => "^",
        "│" | "┃" | "║" => "|",
        "┌" | "┐" | "└" | "┘" | "╭" | "╮" | "╰" | "╯" | "├" | "┤" | "┬" | "┴" | "┼" => {
            "+"
        }
        _ => {
            let bar = bars(false).iter().position(|bar| *bar == sign);
            let glyph = Glyph::ALL.iter().find(|glyph| glyph.unicode() == sign);
            return glyph.map(|g| g.ascii()).or_else(|| bars(true).get(bar?).copied());
        }
    })
}

/// Whether a sign is one of those that stand for control characters (`␛`).
fn is_control_picture(sign: &str) -> bool {
    sign.chars().all(|c| ('\u{2400}'..='\u{2421}').contains(&c))
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;

    #[test]
    fn every_sign_is_one_column_wide() {
        for glyph in Glyph::ALL {
            assert_eq!(glyph.unicode().width(), 1, "{glyph:?}");
            assert_eq!(glyph.unicode().chars().count(), 1, "{glyph:?}");
            assert_eq!(glyph.ascii().len(), 1, "{glyph:?}");
            assert!(glyph.ascii().bytes().all(|b| b.is_ascii_graphic()), "{glyph:?}");
        }
        for (high, plain) in bars(false).iter().zip(bars(true)) {
            assert_eq!((high.width(), plain.width()), (1, 1));
        }
    }

    #[test]
    fn frames_and_signs_have_a_plain_variant() {
        assert_eq!(plain("┌"), Some("+"));
        assert_eq!(plain("…"), Some("~"));
        assert_eq!(plain("█"), Some("@"));
        assert_eq!(plain("␛"), Some("^"));
        assert_eq!(plain("ü"), None);
    }
}
