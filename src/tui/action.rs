//! What can happen on the screen, and the one table of what a user can do.
//!
//! Lives here: [`Action`], everything that [`super::update()`] takes in, and [`Command`] with
//! [`COMMANDS`], from which the default keymap, the help, the palette and the README's key table
//! are made. May not live here: what a command does (see [`super::update()`]).

use std::time::Duration;

use crossterm::event::{KeyEvent, MouseEvent};

use super::comparison::{Comparing, Comparison};
use super::pick::Candidate;
use super::replay::{Answer, Looking, Replaying, Terms};
use crate::error::{Error, Result};
use crate::model::{Path, Position};
use crate::session::Session;
use crate::session::browse::BrowseNews;
use crate::timeline::branch::Branch;
use crate::timeline::order::Race;

/// Something that happened: the only way to change an [`super::App`].
#[derive(Debug)]
pub enum Action {
    /// The user does something, the given number of times (none when no number was typed).
    Do(Command, Option<u32>),
    /// A key was pressed.
    Key(KeyEvent),
    /// Text was pasted.
    Paste(String),
    /// The mouse moved, scrolled or was clicked.
    Mouse(MouseEvent),
    /// The terminal has this many columns and rows now.
    Resize(u16, u16),
    /// Time passed: so long since the screen was started.
    Tick(Duration),
    /// The session may have news.
    Pump,
    /// Long work (a search) may go on for a moment.
    Work,
    /// The issue browser has news.
    Browse(BrowseNews),
    /// An issue was opened as asked.
    Opened(Box<Session>),
    /// Something that was asked for did not work.
    Failed(Error),
    /// Something worked, and the user should know.
    Told(String),
    /// More of what can be compared.
    Sides(Vec<Candidate>),
    /// It is to end now: the terminal is gone, or the system wants it to.
    End,
    /// What a replay came to.
    Replayed(Replaying, Result<Box<Answer>>),
    /// What was found when it was asked whether programs are to run.
    Looked(Looking, Result<Box<Terms>>),
    /// What a comparison came to.
    Compared(Comparing, Result<Box<Comparison>>),
    /// Select a path in the state (from the diff, or a search).
    Reveal(Path),
    /// The user has edited a text as asked.
    Edited(EditFor, String),
    /// The races of an issue, as it was when it had so many events.
    Races(String, Vec<Race>, Position),
    /// The names of the branches that are kept for the issue.
    Branches(Vec<String>),
    /// A branch was loaded.
    Branch(String, Box<Branch>),
}

/// What a text is edited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EditFor {
    /// An event to be put in after this position.
    Insert(Position),
    /// The metadata of the event at this position.
    Metadata(Position),
}

crate::closed_list! {
    /// Where a command can be used: the pane that has the focus, or more.
    pub enum Context {
        /// Everywhere.
        Anywhere = "anywhere",
        /// In the debugger, whichever pane has the focus.
        Debugger = "debugger",
        /// In the timeline.
        Timeline = "timeline",
        /// In the list of events.
        Events = "events",
        /// In the tree of the state.
        State = "state",
        /// In the differences.
        Diff = "diff",
        /// In the event's details.
        Detail = "detail",
        /// In the list of issues.
        Browser = "browser",
        /// In the replay.
        Replay = "replay",
        /// While text is typed: a search, a filter, a breakpoint, the palette.
        Field = "field",
        /// In a list over the panes: breakpoints, branches, races.
        List = "list",
        /// In the comparison of two runs.
        Comparison = "comparison",
    }
}

/// One row of the table: all there is to know about a command, but what it does.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// The command.
    pub command: Command,
    /// Its name in `keymap.toml` and in the palette.
    pub name: &'static str,
    /// What it does, in a few words.
    pub doc: &'static str,
    /// Where it can be used.
    pub context: Context,
    /// Its keys, unless the user says otherwise; each a sequence of keys.
    pub keys: &'static [&'static str],
    /// A word for the status line; empty for commands that are not shown there.
    pub hint: &'static str,
}

macro_rules! commands {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal, $context:ident [$($key:literal)*] $hint:literal;)*) => {
        /// Something that a user can do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Command { $($(#[doc = $doc])+ $variant,)* }

        /// Every command, in the order in which the help shows them.
        pub const COMMANDS: &[Spec] = &[$(Spec {
            command: Command::$variant,
            name: $name,
            doc: concat!($($doc),+).trim_ascii_start(),
            context: Context::$context,
            keys: &[$($key),*],
            hint: $hint,
        },)*];
    };
}

commands! {
    /// step to the next event
    StepForward = "step-forward", Debugger ["l" "right"] "step";
    /// step to the event before
    StepBack = "step-back", Debugger ["h" "left"] "";
    /// ten events on
    LeapForward = "leap-forward", Debugger ["L" "shift-right"] "";
    /// ten events back
    LeapBack = "leap-back", Debugger ["H" "shift-left"] "";
    /// to where the next phase begins
    NextPhase = "next-phase", Debugger ["}"] "phase";
    /// to where this phase or the one before began
    PreviousPhase = "previous-phase", Debugger ["{"] "";
    /// to the next failure
    NextFailure = "next-failure", Debugger [")"] "failure";
    /// to the failure before
    PreviousFailure = "previous-failure", Debugger ["("] "";
    /// to the next event of the same actor
    NextOfActor = "next-of-actor", Debugger [">"] "";
    /// to the event before of the same actor
    PreviousOfActor = "previous-of-actor", Debugger ["<"] "";
    /// to the next event of the same type
    NextOfType = "next-of-type", Debugger [";"] "";
    /// to the event before of the same type
    PreviousOfType = "previous-of-type", Debugger [","] "";
    /// to the next event that writes the selected path
    NextWriter = "next-writer", Debugger ["]"] "";
    /// to the event before that wrote the selected path
    PreviousWriter = "previous-writer", Debugger ["["] "";
    /// to the event's cause
    ToCause = "to-cause", Debugger ["backspace"] "";
    /// to the beginning; with a number, to that position
    ToStart = "to-start", Debugger ["g g" "home"] "";
    /// to the end, and follow it; with a number, to that position
    ToEnd = "to-end", Debugger ["G" "end"] "";
    /// follow the head, or stop
    Follow = "follow", Debugger ["f"] "follow";
    /// play, or stop
    Play = "play", Debugger ["space"] "play";
    /// play faster
    Faster = "faster", Debugger ["+" "="] "";
    /// play slower
    Slower = "slower", Debugger ["-"] "";
    /// stop at an expression, or when a path (/agents/x) changes
    Break = "break", Debugger ["b"] "break";
    /// run forward to the next hit of a breakpoint
    RunForward = "run-forward", Debugger ["c"] "run";
    /// run backward to the hit before
    RunBack = "run-back", Debugger ["C"] "";
    /// see the breakpoints, switch them off, delete them
    Breakpoints = "breakpoints", Debugger ["g b"] "";
    /// show only the events that fit: an expression, words, or a path; nothing shows all
    Filter = "filter", Debugger ["F"] "filter";
    /// set a mark: m and a letter
    SetMark = "set-mark", Debugger ["m"] "";
    /// go to a mark: ' and its letter
    GoToMark = "go-to-mark", Debugger ["'"] "";
    /// delete a mark: M and its letter
    DeleteMark = "delete-mark", Debugger ["M"] "";
    /// back to where you were before the last jump
    JumpBack = "jump-back", Debugger ["alt-left" "ctrl-o"] "";
    /// forward again in the jumps
    JumpForward = "jump-forward", Debugger ["alt-right"] "";
    /// compare with this event from now on; again on it: with the event before
    SetBase = "set-base", Debugger ["d"] "base";
    /// the next clock of the timeline: sequence, time, active, cost
    NextClock = "next-clock", Debugger ["t"] "clock";
    /// show the focused pane alone, or all of them again
    Zoom = "zoom", Debugger ["z"] "zoom";
    /// show the event's details, or hide them
    Detail = "detail", Debugger ["v"] "detail";
    /// copy: y and what (e event, p path, y value, v view, a assertion)
    Yank = "yank", Debugger ["y"] "";
    /// copy a command that opens this view
    CopyView = "copy-view", Debugger [] "";
    /// copy a command that fails unless the selected value is what it is here
    CopyAssertion = "copy-assertion", Debugger [] "";
    /// what if: as if this event had not happened; again on it: take it back in
    Skip = "skip", Debugger ["x"] "what if";
    /// what if: put an event in after this one, as JSON in your editor
    Insert = "insert", Debugger ["i"] "";
    /// what if: change this event's metadata in your editor
    EditEvent = "edit-event", Debugger ["e"] "";
    /// what if: take the last change back
    Undo = "undo", Debugger ["u"] "";
    /// what if: do again what was taken back
    Redo = "redo", Debugger ["U"] "";
    /// what if: save the branch, load one, or leave it
    Branch = "branch", Debugger ["B"] "";
    /// events that wrote the same without knowing of each other
    Races = "races", Debugger ["g r"] "";
    /// compare with another issue, session or branch
    Compare = "compare", Debugger ["g c"] "";
    /// rehearse a replay from here on; when it is shown, go to it
    Replay = "replay", Debugger ["g p"] "";
    /// what is wrong in this log
    Anomalies = "anomalies", Debugger ["!"] "";
    /// pin the selected path to the top, or unpin it
    Pin = "pin", State ["p"] "pin";
    /// stop when the selected path changes, or no more
    BreakOnPath = "break-on-path", State ["b"] "break";
    /// to the next row that this event changed
    NextChange = "next-change", State ["w"] "changed";
    /// to the row before that this event changed
    PreviousChange = "previous-change", State ["W"] "";
    /// open everything below the selected row
    ExpandAll = "expand-all", State ["*"] "";
    /// close the selected row, or go to the one that holds it
    Collapse = "collapse", State ["-" "backspace"] "";
    /// shorten the time that the timeline shows
    ZoomIn = "zoom-in", Timeline ["i" "ctrl-up"] "zoom in";
    /// lengthen the time that the timeline shows
    ZoomOut = "zoom-out", Timeline ["o" "ctrl-down"] "zoom out";
    /// show the whole history
    ZoomReset = "zoom-reset", Timeline ["0"] "all";
    /// move the timeline to the left
    PanLeft = "pan-left", Timeline ["ctrl-left"] "";
    /// move the timeline to the right
    PanRight = "pan-right", Timeline ["ctrl-right"] "";
    /// changes as text lines, or as a tree of paths
    DiffStyle = "diff-style", Diff ["s"] "unified";
    /// show the counters too, or not
    DiffCounters = "diff-counters", Diff ["#"] "counters";
    /// sort by the next column
    Sort = "sort", Browser ["s"] "sort";
    /// sort the other way round
    Reverse = "reverse", Browser ["S"] "reverse";
    /// one row up
    Up = "up", Anywhere ["k" "up"] "";
    /// one row down
    Down = "down", Anywhere ["j" "down"] "";
    /// one page up
    PageUp = "page-up", Anywhere ["pageup" "ctrl-b"] "";
    /// one page down
    PageDown = "page-down", Anywhere ["pagedown" "ctrl-f"] "";
    /// half a page up
    HalfPageUp = "half-page-up", Anywhere ["ctrl-u"] "";
    /// half a page down
    HalfPageDown = "half-page-down", Anywhere ["ctrl-d"] "";
    /// to the first row
    Top = "top", Anywhere ["g g" "home" "ctrl-home"] "";
    /// to the last row; in the list of issues, with a number, to that row
    Bottom = "bottom", Anywhere ["G" "end" "ctrl-end"] "";
    /// open, unfold or follow what is selected
    Open = "open", Anywhere ["enter"] "open";
    /// the next pane
    NextPane = "next-pane", Anywhere ["tab"] "";
    /// the pane before
    PreviousPane = "previous-pane", Anywhere ["shift-tab"] "";
    /// search; in the state keys, values and paths, elsewhere the events' text
    Search = "search", Anywhere ["/"] "search";
    /// the next hit of the search
    NextHit = "next-hit", Anywhere ["n"] "";
    /// the hit before
    PreviousHit = "previous-hit", Anywhere ["N"] "";
    /// every action by name, moments (14:00, AgentFailed:2, 57, @a), find EXPRESSION, why PATH
    Palette = "palette", Anywhere [":"] "palette";
    /// what the keys do here
    Help = "help", Anywhere ["?" "f1"] "help";
    /// stop what is going on, or close what is open
    Cancel = "cancel", Anywhere ["esc"] "";
    /// back to the issues, or quit
    Back = "back", Anywhere ["q"] "quit";
    /// quit at once
    Quit = "quit", Anywhere ["ctrl-c"] "";
    /// to the background; fg comes back
    Suspend = "suspend", Anywhere ["ctrl-z"] "";
    /// draw everything anew
    Redraw = "redraw", Anywhere ["ctrl-l"] "";
    /// switch the selected breakpoint off, or on again
    Toggle = "toggle", List ["space"] "on or off";
    /// delete what is selected
    Delete = "delete", List ["d" "delete"] "delete";
    /// to the next difference
    NextDifference = "next-difference", Comparison ["n" "]"] "next difference";
    /// to the difference before
    PreviousDifference = "previous-difference", Comparison ["N" "["] "before";
    /// rehearse again, from here or up to the head as it is now
    Rehearse = "rehearse", Replay ["r"] "rehearse";
    /// run the programs, once that is confirmed; go on with a run that was stopped
    Execute = "execute", Replay ["x"] "execute";
    /// begin elsewhere: here, behind the last checkpoint, at the beginning
    ReplayFrom = "replay-from", Replay ["s"] "start";
    /// list types, or event by event
    ReplayList = "replay-list", Replay ["e"] "events";
    /// list only what failed, what was skipped, what ran, or all
    ReplayOnly = "replay-only", Replay ["o"] "only";
    /// copy the command that does it
    CopyReplay = "copy-replay", Replay ["y"] "copy";
    /// do what the text is for: search, go there, open the issue
    Accept = "accept", Field ["enter"] "go";
    /// leave the text field as if nothing was typed
    Discard = "discard", Field ["esc" "ctrl-g"] "leave";
    /// the next row that fits
    NextChoice = "next-choice", Field ["down" "ctrl-n"] "";
    /// the row before that fits
    PreviousChoice = "previous-choice", Field ["up" "ctrl-p"] "";
    /// keep the issues that fit, and go to their list
    KeepFilter = "keep-filter", Field ["tab"] "";
    /// one character to the left
    CursorLeft = "cursor-left", Field ["left" "ctrl-b"] "";
    /// one character to the right
    CursorRight = "cursor-right", Field ["right" "ctrl-f"] "";
    /// to the beginning of the text
    CursorStart = "cursor-start", Field ["home" "ctrl-a"] "";
    /// to the end of the text
    CursorEnd = "cursor-end", Field ["end" "ctrl-e"] "";
    /// delete the character before the cursor; from an empty field, leave
    DeleteLeft = "delete-left", Field ["backspace" "ctrl-h"] "";
    /// delete the character under the cursor
    DeleteRight = "delete-right", Field ["delete" "ctrl-d"] "";
    /// delete the word before the cursor
    DeleteWord = "delete-word", Field ["ctrl-w"] "";
    /// delete all before the cursor
    DeleteToStart = "delete-to-start", Field ["ctrl-u"] "";
}

impl Command {
    /// Its row of the table.
    #[must_use]
    pub fn spec(self) -> &'static Spec {
        // The table is made from the same list as the enum, in the same order.
        &COMMANDS[self as usize]
    }

    /// The command with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        COMMANDS.iter().find(|spec| spec.name == name).map(|spec| spec.command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_commands_and_its_names_are_distinct() {
        for (index, spec) in COMMANDS.iter().enumerate() {
            assert_eq!(spec.command as usize, index, "{}", spec.name);
            assert_eq!(Command::from_name(spec.name), Some(spec.command), "{}", spec.name);
        }
    }
}
