//! What a style means: the closed list that themes give styles for.
//!
//! Lives here: the names. May not live here: colours.

use crate::closed_list;

closed_list! {
    /// The meaning of a piece of the screen. A theme gives each one a style.
    pub enum Role {
        /// Ordinary text; its background is that of the whole screen.
        Text = "text",
        /// Text that matters more than what is around it.
        Strong = "strong",
        /// Text that matters less: times, counts, units.
        Dim = "dim",
        /// What is there to guide the eye, not to be read: guides, leaders, empty tracks.
        Faint = "faint",
        /// The border of a pane.
        Border = "border",
        /// The border of the pane that has the keys.
        BorderFocused = "border-focused",
        /// The title of a pane.
        Title = "title",
        /// The title of the pane that has the keys.
        TitleFocused = "title-focused",
        /// The one colour that asks to be looked at.
        Accent = "accent",
        /// The name of a phase where it is not drawn as a block.
        Phase = "phase",
        /// Running, in progress.
        Running = "running",
        /// Ended well.
        Done = "done",
        /// Failed, an error.
        Failed = "failed",
        /// A warning, a gap.
        Warned = "warned",
        /// Waits for something.
        Blocked = "blocked",
        /// Cancelled, skipped, closed without a result.
        Cancelled = "cancelled",
        /// Picked itself up again.
        Recovered = "recovered",
        /// A commit, a pull request.
        Git = "git",
        /// A checkpoint, a decision, a milestone.
        Milestone = "milestone",
        /// A value that changed.
        Changed = "changed",
        /// A value that was added.
        Added = "added",
        /// A value that was removed.
        Removed = "removed",
        /// The added words within a changed text.
        AddedWord = "added-word",
        /// The removed words within a changed text.
        RemovedWord = "removed-word",
        /// The selected row of the focused pane; laid over the styles of its text.
        Selection = "selection",
        /// The selected row of a pane that has not the keys.
        SelectionUnfocused = "selection-unfocused",
        /// The row of the event that the screen shows.
        Current = "current",
        /// The line through the timeline at the position that the screen shows.
        Playhead = "playhead",
        /// The base of the diff.
        Base = "base",
        /// The head that ran ahead of a paused screen.
        Ghost = "ghost",
        /// A mark that the user set.
        Mark = "mark",
        /// A breakpoint and its hits.
        Breakpoint = "breakpoint",
        /// Something wrong with the log.
        Anomaly = "anomaly",
        /// New events come in.
        Live = "live",
        /// What-if: this screen does not show what happened.
        Branch = "branch",
        /// What-if: an event whose cause is gone.
        Orphaned = "orphaned",
        /// What-if: an event whose precondition fails.
        Violated = "violated",
        /// Events per column.
        Density = "density",
        /// Text that a search found.
        SearchHit = "search-hit",
        /// Characters that stand for control characters.
        Escape = "escape",
        /// A key of the state, of JSON.
        Key = "key",
        /// A string value.
        String = "string",
        /// A number.
        Number = "number",
        /// true, false, null.
        Literal = "literal",
        /// Who wrote a value, and when.
        Writer = "writer",
        /// A key to press, in help and hints.
        KeyHint = "key-hint",
        /// The bar at the bottom.
        StatusBar = "status-bar",
    }
}
