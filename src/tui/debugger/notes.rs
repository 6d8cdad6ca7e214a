//! What is said of one event in its details: by a what-if, and by a replay.

use crate::model::Position;
use crate::replay::Execution;
use crate::tui::pane::detail::Note;
use crate::tui::replay::Replay;
use crate::tui::theme::{Glyph, Role};
use crate::tui::whatif::WhatIf;

/// All that is said of an event.
pub(super) fn of(
    whatif: Option<&WhatIf>,
    replay: Option<&Replay>,
    position: Position,
) -> Vec<Note> {
    let said = whatif.map(|whatif| whatif.notes(position)).unwrap_or_default();
    let branch = said.into_iter().map(|(mark, text)| {
        let (glyph, role) = mark.look();
        Note { glyph, role, title: format!("what if #{position} were otherwise"), text }
    });
    branch.chain(replay.map(|replay| of_replay(replay, position)).unwrap_or_default()).collect()
}

fn of_replay(replay: &Replay, position: Position) -> Vec<Note> {
    let Some(mark) = replay.outcomes.at(position) else { return Vec::new() };
    let (glyph, role) = mark.look();
    let words = replay.outcomes.words(position);
    let reason = words.map(|words| format!(": {}", words.reason)).unwrap_or_default();
    let text = format!("{}{reason}", mark.word(!replay.executes));
    let mut notes = vec![Note { glyph, role, title: format!("the replay of #{position}"), text }];
    if let Some(result) = replay.outcomes.result(position) {
        notes.push(note(format!("its program {}", ended(result)), Role::Dim, position));
        for (name, text) in [("stdout", &result.stdout), ("stderr", &result.stderr)] {
            if !text.trim().is_empty() {
                let text = format!("{name}: {}", text.trim_end());
                notes.push(note(text, Role::Text, position));
            }
        }
    }
    notes
}

fn note(text: String, role: Role, position: Position) -> Note {
    Note { glyph: Glyph::Replay, role, title: format!("the replay of #{position}"), text }
}

/// How a program ended.
fn ended(result: &Execution) -> String {
    let how = match (result.exit_code, result.signal) {
        (Some(code), _) => format!("ended with exit {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "did not end by itself".to_owned(),
    };
    let tries =
        if result.attempts > 1 { format!(", try {}", result.attempts) } else { String::new() };
    format!("{how} after {} ms{tries}", result.duration_ms)
}
