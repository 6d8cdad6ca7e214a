//! Foreign text on one line of a screen: harmless, cut to a width, padded to a width.
//!
//! Lives here: escaping, measuring and cutting, in time proportional to what is seen and not to
//! what is there. May not live here: breaking text into lines, or any knowledge of what it says.
//!
//! Control characters become visible: `␛` for those that have a picture, `\u{202e}` for the
//! others. A line feed becomes `⏎`, a tab two blanks.

use std::borrow::Cow;

use ratatui::style::Style;
use ratatui::text::Span;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::theme::Glyph;
use crate::model::ids::is_control;

/// Stands for text that was cut off.
pub const ELLIPSIS: &str = Glyph::Ellipsis.unicode();
/// Stands for a line feed.
pub const LINE_END: &str = Glyph::LineEnd.unicode();
/// How many bytes are looked at for each column. Ordinary text needs at most four; what needs
/// more (heaps of combining marks) is cut.
const BYTES_PER_COLUMN: usize = 16;
/// For how many pieces there is room at first: enough for a row of most screens.
const AT_ONCE: usize = 256;

/// A piece of text that is drawn as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece<'a> {
    text: Cow<'a, str>,
    columns: usize,
    escaped: bool,
}

impl<'a> Piece<'a> {
    fn of(cluster: &'a str) -> Self {
        if is_plain(cluster) && cluster.len() == 1 {
            return Self { text: Cow::Borrowed(cluster), columns: 1, escaped: false };
        }
        match cluster {
            "\n" | "\r\n" => return Self::escape(Cow::Borrowed(LINE_END)),
            "\t" => return Self { text: Cow::Borrowed("  "), columns: 2, escaped: false },
            _ => {}
        }
        if cluster.chars().any(is_control) {
            return Self::escape(Cow::Owned(escaped(cluster)));
        }
        match cluster.width() {
            // A mark without a letter to stand on gets a circle, else it would slip off its cell.
            0 => Self { text: Cow::Owned(format!("◌{cluster}")), columns: 1, escaped: false },
            columns => Self { text: Cow::Borrowed(cluster), columns, escaped: false },
        }
    }

    fn escape(text: Cow<'a, str>) -> Self {
        Self { columns: text.width(), text, escaped: true }
    }
}

/// A cluster that holds control characters, with those made visible.
fn escaped(cluster: &str) -> String {
    use std::fmt::Write;
    cluster.chars().fold(String::new(), |mut out, c| {
        match c {
            '\u{0}'..='\u{1f}' => {
                out.push(char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'));
            }
            '\u{7f}' => out.push('␡'),
            c if is_control(c) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
        out
    })
}

/// The first bytes of `text`: enough for so many columns.
fn head(text: &str, columns: usize) -> &str {
    let most = columns.saturating_mul(BYTES_PER_COLUMN).saturating_add(64);
    &text[..text.floor_char_boundary(most)]
}

/// The last bytes of `text`: enough for so many columns.
fn tail(text: &str, columns: usize) -> &str {
    let most = columns.saturating_mul(BYTES_PER_COLUMN).saturating_add(64);
    &text[text.ceil_char_boundary(text.len().saturating_sub(most))..]
}

/// Whether each byte of `text` is a letter or sign of one column.
fn is_plain(text: &str) -> bool {
    text.bytes().all(is_plain_letter)
}

fn is_plain_letter(byte: u8) -> bool {
    (b' '..=b'~').contains(&byte)
}

/// Whether this sign takes one column and never joins with one of its kind beside it: plain letters,
/// and those that a screen is drawn with.
fn is_simple(sign: char) -> bool {
    matches!(sign, ' '..='~' | '·' | '»' | '‖' | '•' | '…' | '\u{2190}'..='\u{2193}' | '⇄' | '⊘'
        | '≡' | '⏎' | '\u{2500}'..='\u{25fc}' | '✓' | '✗')
}

/// How many columns `text` takes, where each of its signs is [simple](is_simple) and all fit into
/// `most`: then nothing needs measuring.
#[must_use]
pub fn simple_columns(text: &str, most: usize) -> Option<usize> {
    // (No simple sign has more than three bytes.)
    if text.len() > most.saturating_mul(3) || !text.chars().all(is_simple) {
        return None;
    }
    Some(text.chars().count()).filter(|columns| *columns <= most)
}

/// Whether the beginning alone tells that `text` takes more columns, because it is plain.
fn is_plainly_wider(text: &str, columns: usize) -> bool {
    let beginning = text.as_bytes().get(..=columns);
    beginning.is_some_and(|bytes| bytes.iter().copied().all(is_plain_letter))
}

/// The clusters of a text, just as `graphemes(true)` gives them. Most text is plain, and between
/// two plain letters there is always a boundary: no table has to tell.
fn clusters(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let plain = |at: usize| rest.as_bytes().get(at).is_none_or(|b| is_plain_letter(*b));
        let end = match rest.len() {
            0 => return None,
            _ if plain(0) && plain(1) => 1,
            _ => rest.graphemes(true).next()?.len(),
        };
        let (cluster, after) = rest.split_at(end);
        rest = after;
        Some(cluster)
    })
}

/// The pieces from the beginning that fit, and whether something is left.
fn fitting(text: &str, columns: usize) -> (Vec<Piece<'_>>, usize, bool) {
    let seen = head(text, columns);
    let (mut pieces, mut used) = (Vec::with_capacity(columns.min(seen.len()).min(AT_ONCE)), 0);
    for cluster in clusters(seen) {
        let piece = Piece::of(cluster);
        if used + piece.columns > columns {
            return (pieces, used, true);
        }
        used += piece.columns;
        pieces.push(piece);
    }
    (pieces, used, seen.len() < text.len())
}

/// As [`fitting`], from the end; the pieces come in reading order.
fn fitting_end(text: &str, columns: usize) -> Vec<Piece<'_>> {
    let (mut pieces, mut used) = (Vec::new(), 0);
    for cluster in tail(text, columns).graphemes(true).rev() {
        let piece = Piece::of(cluster);
        if used + piece.columns > columns {
            break;
        }
        used += piece.columns;
        pieces.push(piece);
    }
    pieces.reverse();
    pieces
}

/// Whether all of `text` fits into so many columns.
#[must_use]
pub fn fits(text: &str, columns: usize) -> bool {
    if simple_columns(text, columns).is_some() {
        return true;
    }
    !is_plainly_wider(text, columns) && !fitting(text, columns).2
}

/// How many columns `text` takes, counted up to `most`.
#[must_use]
pub fn columns(text: &str, most: usize) -> usize {
    if let Some(columns) = simple_columns(text, most) {
        return columns;
    }
    if is_plainly_wider(text, most) {
        return most;
    }
    let (_, used, more) = fitting(text, most);
    if more { most } else { used }
}

/// `text` on one line of at most so many columns; where it is longer, its end is cut off.
#[must_use]
pub fn cut(text: &str, columns: usize) -> String {
    if simple_columns(text, columns).is_some() {
        return text.to_owned();
    }
    if is_plainly_wider(text, columns) {
        let kept = columns.checked_sub(1).and_then(|columns| text.get(..columns));
        return kept.map_or_else(String::new, |kept| [kept, ELLIPSIS].concat());
    }
    let (mut pieces, _, more) = fitting(text, columns);
    if !more {
        return join(&pieces);
    }
    if columns == 0 {
        return String::new();
    }
    pieces = fitting(text, columns - 1).0;
    join(&pieces) + ELLIPSIS
}

/// `text` on one line of at most so many columns; where it is longer, its beginning is cut off.
#[must_use]
pub fn cut_start(text: &str, columns: usize) -> String {
    match columns {
        _ if fits(text, columns) => cut(text, columns),
        0 => String::new(),
        _ => format!("{ELLIPSIS}{}", join(&fitting_end(text, columns - 1))),
    }
}

/// `text` on one line of at most so many columns; where it is longer, its middle is cut out.
#[must_use]
pub fn cut_middle(text: &str, columns: usize) -> String {
    match columns {
        _ if fits(text, columns) => cut(text, columns),
        0 => String::new(),
        _ => {
            let end = (columns - 1) / 2;
            let start = join(&fitting(text, columns - 1 - end).0);
            format!("{start}{ELLIPSIS}{}", join(&fitting_end(text, end)))
        }
    }
}

/// [`cut`], with blanks behind it up to exactly so many columns.
#[must_use]
pub fn pad(text: &str, columns: usize) -> String {
    let mut text = cut(text, columns);
    let used = text.width();
    text.extend(std::iter::repeat_n(' ', columns.saturating_sub(used)));
    text
}

/// [`cut`], with blanks before it up to exactly so many columns.
#[must_use]
pub fn pad_start(text: &str, columns: usize) -> String {
    let text = cut(text, columns);
    let blanks = columns.saturating_sub(text.width());
    " ".repeat(blanks) + &text
}

/// The part of `text` that is seen through a window of so many columns, `skip` columns in. A wide
/// character that the window cuts in half leaves a blank.
#[must_use]
pub fn window(text: &str, skip: usize, columns: usize) -> String {
    let (mut out, mut at) = (String::new(), 0);
    for cluster in head(text, skip.saturating_add(columns)).graphemes(true) {
        let piece = Piece::of(cluster);
        let end = at + piece.columns;
        if at >= skip + columns {
            break;
        }
        if at >= skip && end <= skip + columns {
            out.push_str(&piece.text);
        } else if end > skip {
            let seen = end.min(skip + columns) - at.max(skip);
            out.extend(std::iter::repeat_n(' ', seen));
        }
        at = end;
    }
    out
}

/// [`cut`] as spans, with what stands for control characters in a style of its own.
#[must_use]
pub fn spans(text: &str, columns: usize, style: Style, escape: Style) -> Vec<Span<'static>> {
    if text.len() <= columns && is_plain(text) {
        return vec![Span::styled(text.to_owned(), style)];
    }
    let (mut pieces, _, more) = fitting(text, columns);
    if more {
        pieces = fitting(text, columns.saturating_sub(1)).0;
    }
    let mut out: Vec<Span<'static>> = Vec::new();
    for run in pieces.chunk_by(|a, b| a.escaped == b.escaped) {
        let style = if run.first().is_some_and(|p| p.escaped) { escape } else { style };
        out.push(Span::styled(join(run), style));
    }
    if more && columns > 0 {
        out.push(Span::styled(ELLIPSIS, style));
    }
    out
}

/// All of a short text, harmless.
#[must_use]
pub fn harmless(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.graphemes(true).map(|cluster| Piece::of(cluster).text).collect())
}

fn join(pieces: &[Piece<'_>]) -> String {
    pieces.iter().map(|piece| piece.text.as_ref()).collect()
}

#[cfg(test)]
mod tests;
