//! What differs: one entry per path, long texts by words.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_segmentation::UnicodeSegmentation;

use super::pen::{Pen, frame, lay};
use super::preview;
use crate::diff::{DiffEntry, Op, PieceKind, text_diff};
use crate::model::Value;
use crate::tui::app::App;
use crate::tui::debugger::Debugger;
use crate::tui::layout::Pane;
use crate::tui::pane::diff::{DiffPane, Style};
use crate::tui::text;
use crate::tui::theme::{Glyph, Role, Theme};

/// How many bytes of a text are compared by words: enough for any screen.
const MOST_TEXT: usize = 2000;
/// How much of what two texts have in common is shown before the first difference.
const CONTEXT: usize = 40;

/// A line of an entry: pieces with their meaning.
type Line = Vec<(Role, String)>;

/// Draws the pane.
pub(super) fn draw(app: &App, debugger: &Debugger, area: Rect, buffer: &mut Buffer) {
    let theme = &app.theme;
    let focused = debugger.focus == Pane::Diff;
    let pane = &debugger.diff;
    let to = theme.glyph(Glyph::To);
    let ends = match &debugger.whatif {
        Some(_) => format!("#{}: actual {to} branch", debugger.playhead),
        None => format!("{} {to} {}", debugger.base(), debugger.playhead),
    };
    let set = if debugger.whatif.is_some() {
        Role::Branch
    } else if debugger.session.user.base.is_some() {
        Role::Base
    } else {
        Role::Dim
    };
    let count = pane.entries.len();
    let foot = if count > 0 { format!("{}/{count}", pane.cursor + 1) } else { String::new() };
    let titles = [("diff", Role::Title), (ends.as_str(), set)];
    let inner = frame(buffer, area, theme, focused, &titles, &foot);
    if count == 0 {
        let waiting = debugger.waiting_text().filter(|_| debugger.is_diff_waiting());
        let text = match (&waiting, &debugger.whatif, debugger.playhead) {
            (Some(waiting), ..) => waiting,
            (_, Some(_), _) => "the branch is as it happened, so far",
            (_, None, 0) => "nothing happened yet",
            (_, None, _) => "no difference",
        };
        Pen::new(buffer, inner, 1).skip(2).put(text, theme.style(Role::Dim));
        return;
    }
    let (width, height) = (usize::from(inner.width), usize::from(inner.height));
    let mut row = 0;
    for (at, entry) in pane.entries.iter().enumerate().skip(pane.top) {
        if row >= height {
            break;
        }
        let selected = at == pane.cursor;
        for line in lines(entry, pane.style, width, height) {
            draw_line(theme, &line, Pen::new(buffer, inner, row));
            if selected && focused {
                lay(buffer, inner, row, theme.style(Role::Selection));
            }
            row += 1;
        }
    }
}

fn draw_line(theme: &Theme, line: &Line, mut pen: Pen<'_>) {
    for (role, piece) in line {
        pen.put(piece, theme.style(*role));
    }
}

/// How many rows an entry takes.
#[must_use]
pub fn rows_of(entry: &DiffEntry, style: Style, width: usize, height: usize) -> usize {
    lines(entry, style, width, height).len()
}

/// The entry that is shown in a row of the pane.
#[must_use]
pub fn entry_at(pane: &DiffPane, width: usize, height: u16, row: usize) -> Option<usize> {
    let mut below = 0;
    for (at, entry) in pane.entries.iter().enumerate().skip(pane.top) {
        below += rows_of(entry, pane.style, width, height.into());
        if row < below {
            return Some(at);
        }
    }
    None
}

fn lines(entry: &DiffEntry, style: Style, width: usize, height: usize) -> Vec<Line> {
    let (sign, role) = match entry.op {
        Op::Add => ("+", Role::Added),
        Op::Remove => ("-", Role::Removed),
        Op::Change => ("~", Role::Changed),
    };
    let path = text::cut_start(&entry.path.to_string(), width.saturating_sub(2));
    let mut lines = vec![vec![(role, format!("{sign} ")), (role, path)]];
    match (&entry.from, &entry.to, style) {
        (Some(Value::Text(old)), Some(Value::Text(new)), Style::Tree)
            if are_prose(old, new) && !on_one_line(old, new, width) =>
        {
            lines.extend(by_words(old, new, width));
        }
        (Some(old), Some(new), Style::Tree) => lines.extend(old_and_new(old, new, width)),
        (old, new, _) => {
            let unified = style == Style::Unified;
            if let Some(old) = old {
                lines.extend(whole(old, if unified { "- " } else { "" }, Role::Removed, width));
            }
            if let Some(new) = new {
                lines.extend(whole(new, if unified { "+ " } else { "" }, Role::Added, width));
            }
        }
    }
    let most = height.max(2);
    if lines.len() > most {
        lines.truncate(most - 1);
        lines.push(vec![(Role::Dim, "  …".to_owned())]);
    }
    lines
}

/// Whether two texts are worth comparing by words; names, times and ids are not.
fn are_prose(old: &str, new: &str) -> bool {
    let words = |text: &str| text.split_whitespace().take(4).count() == 4;
    words(old) && words(new)
}

fn on_one_line(old: &str, new: &str, width: usize) -> bool {
    let room = width.saturating_sub(5);
    let columns = text::columns(old, width) + text::columns(new, width);
    columns <= room && !old.contains('\n') && !new.contains('\n')
}

/// Old and new value on one line where they fit, else below each other.
fn old_and_new(old: &Value, new: &Value, width: usize) -> Vec<Line> {
    let room = width.saturating_sub(5);
    let (before, after) = (preview::text(old, width), preview::text(new, width));
    if text::columns(&before, width) + text::columns(&after, width) <= room {
        return vec![vec![
            (Role::Text, "  ".into()),
            (Role::Dim, before),
            (Role::Dim, " → ".into()),
            (Role::Changed, after),
        ]];
    }
    vec![
        vec![(Role::Removed, "  - ".into()), (Role::Removed, before)],
        vec![(Role::Added, "  + ".into()), (Role::Added, after)],
    ]
}

/// A value that is there on one side only: a map with a line for each of its entries.
fn whole(value: &Value, sign: &str, role: Role, width: usize) -> Vec<Line> {
    match value {
        Value::Map(map) if !map.is_empty() => map
            .iter()
            .take(200)
            .map(|(key, value)| {
                vec![
                    (role, format!("  {sign}")),
                    (Role::Key, format!("{key}  ")),
                    (preview::role(value), preview::text(value, width)),
                ]
            })
            .collect(),
        Value::Text(long) if text::columns(long, width + 1) + 2 > width => {
            wrap([(role, &long[..long.floor_char_boundary(MOST_TEXT)])].into_iter(), width)
        }
        other => vec![vec![(role, format!("  {sign}")), (role, preview::text(other, width))]],
    }
}

/// Two texts as one, with what was removed and added by words. The brackets tell them apart where
/// there are no colours.
fn by_words(old: &str, new: &str, width: usize) -> Vec<Line> {
    let (old, new) = around_difference(old, new);
    let pieces = text_diff(old, new);
    let roles = pieces.iter().flat_map(|piece| {
        let (open, role, close) = match piece.kind {
            PieceKind::Same => ("", Role::Text, ""),
            PieceKind::Removed => ("[-", Role::RemovedWord, "-]"),
            PieceKind::Added => ("{+", Role::AddedWord, "+}"),
        };
        [(role, open), (role, piece.text), (role, close)]
    });
    wrap(roles.filter(|(_, text)| !text.is_empty()), width)
}

/// The parts of two texts that are worth comparing: from a little before where they differ first.
fn around_difference<'a>(old: &'a str, new: &'a str) -> (&'a str, &'a str) {
    let same = old.bytes().zip(new.bytes()).take_while(|(a, b)| a == b).count();
    let from = old.floor_char_boundary(same.saturating_sub(CONTEXT).min(same));
    let cut = |text: &'a str| {
        let rest = text.get(from..).unwrap_or(text);
        &rest[..rest.floor_char_boundary(MOST_TEXT)]
    };
    (cut(old), cut(new))
}

/// Pieces of text broken into indented lines of at most so many columns.
fn wrap<'a>(pieces: impl Iterator<Item = (Role, &'a str)>, width: usize) -> Vec<Line> {
    let room = width.saturating_sub(2).max(4);
    let start = || vec![(Role::Text, "  ".to_owned())];
    let (mut lines, mut line, mut used) = (Vec::new(), start(), 0);
    for (role, piece) in pieces {
        for word in piece.split_word_bounds() {
            let columns = text::columns(word, room + 1);
            let feed = word.contains('\n');
            if feed || (used + columns > room && used > 0) {
                lines.push(std::mem::replace(&mut line, start()));
                used = 0;
            }
            if feed || (used == 0 && word == " ") {
                continue;
            }
            push(&mut line, role, word);
            used += columns;
        }
    }
    if line.len() > 1 {
        lines.push(line);
    }
    lines
}

fn push(line: &mut Line, role: Role, word: &str) {
    let indented = line.len() > 1;
    match line.last_mut() {
        Some((last, text)) if *last == role && indented => text.push_str(word),
        _ => line.push((role, word.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Path;

    fn shown(from: Option<&str>, to: Option<&str>, style: Style, width: usize) -> Vec<String> {
        let value = |json: &str| serde_json::from_str(json).unwrap();
        let op = match (from, to) {
            (None, _) => Op::Add,
            (_, None) => Op::Remove,
            _ => Op::Change,
        };
        let path = Path::parse("/agents/api/status").unwrap();
        let entry = DiffEntry { op, path, from: from.map(value), to: to.map(value) };
        let lines = lines(&entry, style, width, 8);
        lines.iter().map(|line| line.iter().map(|(_, text)| text.as_str()).collect()).collect()
    }

    #[test]
    fn short_changes_take_two_lines_and_additions_show_their_entries() {
        let change = shown(Some(r#""running""#), Some(r#""failed""#), Style::Tree, 40);
        assert_eq!(change, ["~ /agents/api/status", "  running → failed"]);
        let added = shown(None, Some(r#"{"a":1,"b":"x"}"#), Style::Tree, 40);
        assert_eq!(added, ["+ /agents/api/status", "  a  1", "  b  x"]);
        let unified = shown(Some("1"), Some("2"), Style::Unified, 40);
        assert_eq!(unified, ["~ /agents/api/status", "  - 1", "  + 2"]);
    }

    #[test]
    fn long_texts_are_compared_by_words_from_where_they_differ() {
        let old = format!("\"{}the quick fox\"", "same ".repeat(1000));
        let new = format!("\"{}the slow fox\"", "same ".repeat(1000));
        let lines = shown(Some(&old), Some(&new), Style::Tree, 60);
        assert!(lines.len() < 6, "{lines:?}");
        assert!(lines.concat().contains("[-quick-]{+slow+}"), "{lines:?}");
    }

    #[test]
    fn an_entry_is_never_higher_than_the_pane() {
        let long = format!("\"{}\"", "word\\n".repeat(100));
        let lines = shown(None, Some(&long), Style::Tree, 30);
        assert_eq!((lines.len(), lines[7].as_str()), (8, "  …"));
    }

    #[test]
    fn odd_widths_do_no_harm() {
        for width in 0..12 {
            let _ =
                shown(Some("\"日本語テキスト\""), Some("\"日本 語\\ntext\""), Style::Tree, width);
        }
    }
}
