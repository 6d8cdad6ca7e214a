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

/// Whether each byte of `text` is a letter or sign of one column, so that nothing needs measuring.
#[must_use]
pub fn is_plain(text: &str) -> bool {
    text.bytes().all(is_plain_letter)
}

fn is_plain_letter(byte: u8) -> bool {
    (b' '..=b'~').contains(&byte)
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
    if text.len() <= columns && is_plain(text) {
        return true;
    }
    !is_plainly_wider(text, columns) && !fitting(text, columns).2
}

/// How many columns `text` takes, counted up to `most`.
#[must_use]
pub fn columns(text: &str, most: usize) -> usize {
    if text.len() <= most && is_plain(text) {
        return text.len();
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
    if text.len() <= columns && is_plain(text) {
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
mod tests {
    use super::*;

    #[test]
    fn cuts_at_either_end_or_in_the_middle() {
        for (text, columns, end, start, middle) in [
            ("abcdef", 6, "abcdef", "abcdef", "abcdef"),
            ("abcdef", 5, "abcd…", "…cdef", "ab…ef"),
            ("abcdef", 4, "abc…", "…def", "ab…f"),
            ("abcdef", 1, "…", "…", "…"),
            ("abcdef", 0, "", "", ""),
            ("", 0, "", "", ""),
            ("日本語", 6, "日本語", "日本語", "日本語"),
            ("日本語", 5, "日本…", "…本語", "日…語"),
            ("日本語", 4, "日…", "…語", "日…"),
            ("e\u{301}tude", 4, "e\u{301}tu…", "…ude", "e\u{301}t…e"),
        ] {
            assert_eq!(cut(text, columns), end, "{text} {columns}");
            assert_eq!(cut_start(text, columns), start, "{text} {columns}");
            assert_eq!(cut_middle(text, columns), middle, "{text} {columns}");
        }
    }

    #[test]
    fn nothing_that_steers_a_terminal_is_left() {
        for (text, shown) in [
            ("a\u{1b}[31mb", "a␛[31mb"),
            ("a\nb\r\nc\rd", "a⏎b⏎c␍d"),
            ("a\tb", "a  b"),
            ("\u{7f}\u{0}", "␡␀"),
            ("\u{85}x\u{202e}y", "\\u{85}x\\u{202e}y"),
            ("\u{301}", "◌\u{301}"),
        ] {
            assert_eq!(cut(text, 40), shown, "{text:?}");
            assert_eq!(harmless(text), shown, "{text:?}");
        }
    }

    #[test]
    fn pads_to_the_column() {
        assert_eq!(pad("ab", 4), "ab  ");
        assert_eq!(pad_start("ab", 4), "  ab");
        assert_eq!(pad("日本語", 4), "日… ");
        assert_eq!(pad("abcdef", 4), "abc…");
    }

    #[test]
    fn a_window_shows_what_lies_behind_it() {
        assert_eq!(window("abcdef", 2, 3), "cde");
        assert_eq!(window("日本語", 1, 4), " 本 ");
        assert_eq!(window("ab", 5, 3), "");
        assert_eq!(window("a\u{1b}b", 1, 5), "␛b");
    }

    #[test]
    fn escapes_have_a_style_of_their_own() {
        let escape = Style::new().bold();
        let spans = spans("ab\u{1b}cdef", 5, Style::new(), escape);
        let shown: Vec<_> = spans.iter().map(|s| (s.content.as_ref(), s.style == escape)).collect();
        assert_eq!(shown, [("ab", false), ("␛", true), ("c", false), ("…", false)]);
    }

    /// As it would be done without any short cut.
    fn cut_slowly(text: &str, columns: usize) -> String {
        let seen = head(text, columns);
        let fitting = |most: usize| {
            let (mut out, mut used) = (String::new(), 0);
            for piece in head(text, most).graphemes(true).map(Piece::of) {
                used += piece.columns;
                if used > most {
                    return (out, true);
                }
                out.push_str(&piece.text);
            }
            (out, false)
        };
        match fitting(columns) {
            (whole, false) if seen.len() == text.len() => whole,
            _ if columns == 0 => String::new(),
            _ => fitting(columns - 1).0 + ELLIPSIS,
        }
    }

    #[test]
    fn long_text_costs_no_more_than_what_is_seen() {
        // 13 MB, and 13 MB of marks on one letter: if all of it were looked at, three thousand
        // rounds would take minutes.
        let long = "x".repeat(13 << 20);
        let heap = format!("a{}", "\u{301}".repeat(6 << 20));
        for _ in 0..1000 {
            for text in [&long, &heap] {
                assert!(cut(text, 80).ends_with(ELLIPSIS));
                assert!(cut_start(text, 80).starts_with(ELLIPSIS));
                assert!(cut_middle(text, 80).contains(ELLIPSIS));
                assert!(columns(text, 80) == 80);
                assert!(window(text, 0, 80).width() <= 80);
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_fits_any_width(text in "\\PC{0,40}|[\u{0}-\u{20}a\u{301}\u{202e}日🎉\u{200d}\u{fe0f}]{0,40}|[ -~]{0,60}|[a1 \u{600}\u{1f1e9}\u{301}क\u{94d}\r\n]{0,40}", columns in 0_usize..50, skip in 0_usize..20) {
            for shown in [cut(&text, columns), cut_start(&text, columns), cut_middle(&text, columns), window(&text, skip, columns)] {
                proptest::prop_assert!(shown.width() <= columns, "{shown:?}");
                proptest::prop_assert!(!shown.chars().any(is_control), "{shown:?}");
            }
            proptest::prop_assert_eq!(cut(&text, columns), cut_slowly(&text, columns));
            let found: Vec<&str> = clusters(&text).collect();
            proptest::prop_assert_eq!(found, text.graphemes(true).collect::<Vec<_>>());
            proptest::prop_assert_eq!(pad(&text, columns).width(), columns);
            let whole = harmless(&text);
            if fits(&text, columns) {
                proptest::prop_assert_eq!(cut(&text, columns), whole);
            }
            let spans = spans(&text, columns, Style::new(), Style::new().bold());
            let joined: String = spans.iter().map(|s| s.content.as_ref()).collect();
            proptest::prop_assert_eq!(joined, cut(&text, columns));
        }
    }
}
