//! The event itself: what caused it, its exact text, what it caused.

use super::{moved, scroll};
use crate::error::Result;
use crate::model::Position;
use crate::session::Session;
use crate::timeline::Cause;
use crate::tui::json::{self, JsonLines};
use crate::tui::summaries::Summaries;
use crate::tui::theme::{Glyph, Role};
use crate::tui::viewer::Viewer;

/// How many effects are listed at most.
const MOST_EFFECTS: usize = 200;
/// How many causes are listed at most, the nearest ones.
const MOST_CAUSES: usize = 5;

/// How many lines are seen of the beginning of a long note.
const FIRST_LINES: usize = 4;
/// How many of its end: what a program failed for, it mostly says last.
const LAST_LINES: usize = 5;
/// The end of a note is looked for in so many of its last bytes.
const END_BYTES: usize = 8 << 10;

/// A line of the pane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DetailLine {
    /// Where the event stands: file and line.
    Place,
    /// What a branch or a replay makes of it; which of the notes.
    Note(usize),
    /// The heading of the causes.
    CausesTitle,
    /// One cause, the nearest last.
    Cause(Cause),
    /// A line of the event; its number.
    Json(usize),
    /// There is more of the event; so many bytes.
    More(usize),
    /// The heading of the effects; how many there are.
    EffectsTitle(usize),
    /// One effect.
    Effect(Cause),
}

/// What a branch or a replay makes of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Its sign.
    pub glyph: Glyph,
    /// Its meaning.
    pub role: Role,
    /// What it is, where its text is not said by the program; else empty.
    pub title: String,
    /// In words.
    pub text: String,
}

/// A line of a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteLine {
    /// Which note.
    pub note: usize,
    /// Its sign, on its first line.
    pub glyph: Option<Glyph>,
    /// Its meaning.
    pub role: Role,
    /// The text; empty where some is left out.
    pub text: String,
    /// Whether it stands for all that is left out here.
    pub is_gap: bool,
}

/// The pane of the event.
#[derive(Debug, Default)]
pub struct DetailPane {
    shown: Option<(Position, u64, usize)>,
    /// Whether its causes were known then.
    linked: bool,
    /// Where the event stands.
    pub place: String,
    /// What is said of the event.
    said: Vec<Note>,
    /// The same in lines.
    pub notes: Vec<NoteLine>,
    /// In how many columns.
    note_columns: usize,
    causes: Vec<Cause>,
    effects: Vec<Cause>,
    effects_in_all: usize,
    /// The event's text.
    pub json: JsonLines,
    cursor: usize,
    top: usize,
    /// The lines that are seen.
    pub lines: Vec<DetailLine>,
}

impl DetailPane {
    /// Takes an event in, if it is another than before, and makes the lines that are seen.
    ///
    /// # Errors
    /// Those of reading the log again.
    pub fn prepare(
        &mut self,
        session: &mut Session,
        summaries: &mut Summaries,
        position: Position,
        restarts: u64,
        size: (usize, usize),
    ) -> Result<()> {
        let (columns, height) = size;
        let linked = position <= session.folded().head();
        if self.shown != Some((position, restarts, columns)) || self.linked != linked {
            let same = self.shown.is_some_and(|(p, r, _)| (p, r) == (position, restarts));
            if !same {
                (self.cursor, self.top) = (0, 0);
            }
            if !same || self.linked != linked {
                self.take(session, position);
                self.linked = linked;
            }
            let total = session.timeline().row(position).map_or(0, |row| row.locator.len as usize);
            let bytes = match position {
                0 => Vec::new(),
                _ => session.raw_head(position, json::MOST_BYTES)?,
            };
            self.json = JsonLines::new(bytes, total);
            self.shown = Some((position, restarts, columns));
        }
        let wanted = self.cursor.max(self.top) + height + 4;
        self.json.ensure(wanted, columns);
        let total = self.len();
        self.cursor = self.cursor.min(total.saturating_sub(1));
        self.top = scroll(self.top, self.cursor, height, total, 1);
        self.lines =
            (self.top..total.min(self.top + height)).filter_map(|at| self.line(at)).collect();
        for line in &self.lines {
            if let DetailLine::Cause(cause) | DetailLine::Effect(cause) = line {
                summaries.fill(session, cause.position..=cause.position);
            }
        }
        Ok(())
    }

    /// Takes in what is said of the event.
    pub fn take_notes(&mut self, notes: Vec<Note>, columns: usize) {
        if self.note_columns == columns && self.said == notes {
            return;
        }
        self.notes.clear();
        for (number, note) in notes.iter().enumerate() {
            let lines = lines_of(&note.text, columns.saturating_sub(2)).into_iter().enumerate();
            self.notes.extend(lines.map(|(at, line)| NoteLine {
                note: number,
                glyph: (at == 0).then_some(note.glyph),
                role: note.role,
                is_gap: line.is_none(),
                text: line.unwrap_or_default(),
            }));
        }
        (self.said, self.note_columns) = (notes, columns);
    }

    /// The note of the cursor's line with its title, if it is longer than what is seen of it.
    #[must_use]
    pub fn cut_note(&self) -> Option<(String, String)> {
        let Some(DetailLine::Note(at)) = self.line(self.cursor) else { return None };
        let number = self.notes.get(at)?.note;
        let is_cut = self.notes.iter().any(|line| line.note == number && line.is_gap);
        let note = self.said.get(number).filter(|_| is_cut)?;
        Some((note.title.clone(), note.text.clone()))
    }

    fn take(&mut self, session: &mut Session, position: Position) {
        self.place = session.place(position).unwrap_or_default();
        let mut causes: Vec<_> = session.folded().cause_chain(position).take(MOST_CAUSES).collect();
        causes.reverse();
        self.causes = causes;
        let mut effects = session.folded().effects(position);
        self.effects_in_all = effects.len();
        effects.truncate(MOST_EFFECTS);
        self.effects = effects;
    }

    /// The cursor's line, and the first line that is seen.
    #[must_use]
    pub fn cursor(&self) -> (usize, usize) {
        (self.cursor, self.top)
    }

    /// How many lines there are, as far as they are made.
    #[must_use]
    pub fn len(&self) -> usize {
        let causes = if self.causes.is_empty() { 0 } else { self.causes.len() + 1 };
        let effects = if self.effects.is_empty() { 0 } else { self.effects.len() + 1 };
        1 + self.notes.len()
            + causes
            + self.json.lines().len()
            + usize::from(self.json.rest() > 0)
            + effects
    }

    /// Whether there is nothing to show; there always is the place.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        false
    }

    fn line(&self, at: usize) -> Option<DetailLine> {
        let Some(mut at) = at.checked_sub(1) else { return Some(DetailLine::Place) };
        if at < self.notes.len() {
            return Some(DetailLine::Note(at));
        }
        at -= self.notes.len();
        if !self.causes.is_empty() {
            if at == 0 {
                return Some(DetailLine::CausesTitle);
            }
            if let Some(cause) = self.causes.get(at - 1) {
                return Some(DetailLine::Cause(*cause));
            }
            at -= 1 + self.causes.len();
        }
        let lines = self.json.lines().len();
        if at < lines {
            return Some(DetailLine::Json(at));
        }
        at -= lines;
        if self.json.rest() > 0 {
            if at == 0 {
                return Some(DetailLine::More(self.json.rest()));
            }
            at -= 1;
        }
        if at == 0 && !self.effects.is_empty() {
            return Some(DetailLine::EffectsTitle(self.effects_in_all));
        }
        self.effects.get(at.checked_sub(1)?).map(|effect| DetailLine::Effect(*effect))
    }

    /// Moves the cursor by some lines.
    pub fn move_by(&mut self, lines: i64) {
        if lines == i64::MAX {
            self.json.ensure(usize::MAX, self.shown.map_or(80, |(.., columns)| columns));
        }
        self.cursor = moved(self.cursor, lines, self.len());
    }

    /// Puts the cursor on a line that is seen.
    pub fn select_row(&mut self, row: usize) {
        if row < self.lines.len() {
            self.cursor = self.top + row;
        }
    }

    /// The event that the cursor's line names.
    #[must_use]
    pub fn target(&self) -> Option<Position> {
        match self.line(self.cursor)? {
            DetailLine::Cause(cause) | DetailLine::Effect(cause) => Some(cause.position),
            _ => None,
        }
    }
}

/// A note in lines: of a long one the beginning and the end, and none for what is between them.
fn lines_of(text: &str, columns: usize) -> Vec<Option<String>> {
    let mut whole = Viewer::new("", text);
    whole.prepare(columns, FIRST_LINES + 1 + LAST_LINES);
    let mut lines: Vec<_> = whole.seen().map(|line| Some(line.to_owned())).collect();
    if whole.has_more() {
        lines.truncate(FIRST_LINES);
        lines.push(None);
        let from = text.floor_char_boundary(text.len().saturating_sub(END_BYTES));
        let mut end = Viewer::new("", text.get(from..).unwrap_or_default());
        end.prepare(columns, usize::MAX);
        let count = end.seen().count();
        let last = end.seen().skip(count.saturating_sub(LAST_LINES));
        lines.extend(last.map(|line| Some(line.to_owned())));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        lines_of(text, 20).into_iter().map(|line| line.unwrap_or_else(|| "…".to_owned())).collect()
    }

    #[test]
    fn of_a_long_note_the_beginning_and_the_end_are_seen() {
        let text = |count: u32| (1..=count).map(|n| format!("line {n}\n")).collect::<String>();
        assert_eq!(lines(&text(10)).len(), 10);
        assert!(!lines(&text(10)).contains(&"…".to_owned()));
        let long = [1, 2, 3, 4, 0, 8, 9, 10, 11, 12];
        let expected = long.map(|n| if n == 0 { "…".to_owned() } else { format!("line {n}") });
        assert_eq!(lines(&text(12)), expected);
        // However long it is, and wherever characters begin.
        let long = "é".repeat(1 << 20) + "\nlast";
        assert_eq!(lines(&long).last().map(String::as_str), Some("last"));
        assert_eq!(lines(&long).len(), FIRST_LINES + 1 + LAST_LINES);
    }
}
