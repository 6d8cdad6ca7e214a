//! Diffs of texts and lists, for display.
//!
//! Lives here: what differs inside a value that the tree replaces as a whole. May not live here:
//! colours, wrapping.

use std::ops::Range;

use similar::DiffTag;
use unicode_segmentation::UnicodeSegmentation;

use super::sequence::{edits, numbered};
use crate::closed_list;
use crate::model::Value;

/// What is searched for the shortest difference: at most this many pairs of words, lines or items
/// (about 10 ms of work). What is larger is shown as removed and added, apart from its beginning
/// and end. A bound on the work and not on the time, so that the answer is always the same.
const MOST_PAIRS: usize = 1_000_000;

closed_list! {
    /// On which side a piece of a text or a list stands.
    pub enum PieceKind {
        /// On both.
        Same = "same",
        /// On the first only.
        Removed = "removed",
        /// On the second only.
        Added = "added",
    }
}

/// A piece of a compared text. The pieces that are not added make up the first text, those that
/// are not removed the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextPiece<'a> {
    /// On which side it stands.
    pub kind: PieceKind,
    /// Its text.
    pub text: &'a str,
}

/// What differs between two texts: by words within a line, by lines first where there are several
/// and by words within the lines that differ.
#[must_use]
pub fn text_diff<'a>(old: &'a str, new: &'a str) -> Vec<TextPiece<'a>> {
    let mut out = Pieces::default();
    if is_one_line(old) && is_one_line(new) {
        by_words(old, new, &mut out);
    } else {
        let (old_lines, new_lines) = (lines(old), lines(new));
        by_tokens(&old_lines, &new_lines, old, new, &mut out, by_words);
    }
    out.0
}

fn is_one_line(text: &str) -> bool {
    !text.trim_end_matches('\n').contains('\n')
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

fn by_words<'a>(old: &'a str, new: &'a str, out: &mut Pieces<'a>) {
    let words = |text: &'a str| -> Vec<&'a str> { text.split_word_bounds().collect() };
    by_tokens(&words(old), &words(new), old, new, out, |old, new, out| {
        out.push(PieceKind::Removed, old);
        out.push(PieceKind::Added, new);
    });
}

/// Compares token by token; what was replaced goes to `inside`.
fn by_tokens<'a>(
    old_tokens: &[&'a str],
    new_tokens: &[&'a str],
    old: &'a str,
    new: &'a str,
    out: &mut Pieces<'a>,
    inside: impl Fn(&'a str, &'a str, &mut Pieces<'a>),
) {
    let (old_ends, new_ends) = (ends(old_tokens), ends(new_tokens));
    let (old_ids, new_ids) = numbered(old_tokens, new_tokens);
    for (tag, old_range, new_range) in compare(&old_ids, &new_ids) {
        let before = slice(old, &old_ends, &old_range);
        let after = slice(new, &new_ends, &new_range);
        match tag {
            DiffTag::Equal => out.push(PieceKind::Same, after),
            DiffTag::Delete => out.push(PieceKind::Removed, before),
            DiffTag::Insert => out.push(PieceKind::Added, after),
            DiffTag::Replace => inside(before, after, out),
        }
    }
}

/// Where each token ends in its text, in bytes, with a 0 in front.
fn ends(tokens: &[&str]) -> Vec<usize> {
    let mut end = 0;
    std::iter::once(0)
        .chain(tokens.iter().map(|token| {
            end += token.len();
            end
        }))
        .collect()
}

fn slice<'a>(text: &'a str, ends: &[usize], tokens: &Range<usize>) -> &'a str {
    text.get(ends[tokens.start]..ends[tokens.end]).unwrap_or_default()
}

#[derive(Default)]
struct Pieces<'a>(Vec<TextPiece<'a>>);

impl<'a> Pieces<'a> {
    fn push(&mut self, kind: PieceKind, text: &'a str) {
        if !text.is_empty() {
            self.0.push(TextPiece { kind, text });
        }
    }
}

/// The runs of items that are equal, deleted, inserted or replaced, with bounded work.
fn compare(old: &[u64], new: &[u64]) -> Vec<(DiffTag, Range<usize>, Range<usize>)> {
    let front = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let back = old[front..]
        .iter()
        .rev()
        .zip(new[front..].iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let (old_end, new_end) = (old.len() - back, new.len() - back);
    let (old_middle, new_middle) = (&old[front..old_end], &new[front..new_end]);
    let mut runs = Vec::new();
    let mut push = |tag, old: Range<usize>, new: Range<usize>| {
        if !(old.is_empty() && new.is_empty()) {
            runs.push((tag, old, new));
        }
    };
    push(DiffTag::Equal, 0..front, 0..front);
    if old_middle.len().saturating_mul(new_middle.len()) > MOST_PAIRS {
        push(DiffTag::Replace, front..old_end, front..new_end);
    } else {
        for op in edits(old_middle, new_middle, None) {
            let (tag, old, new) = op.as_tag_tuple();
            push(tag, shift(old, front), shift(new, front));
        }
    }
    push(DiffTag::Equal, old_end..old.len(), new_end..new.len());
    runs
}

fn shift(range: Range<usize>, by: usize) -> Range<usize> {
    range.start + by..range.end + by
}

/// An item of a compared list, in the order of showing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListPiece<'a> {
    /// On which side it stands.
    pub kind: PieceKind,
    /// Its index in the first list, if it is there.
    pub old_index: Option<usize>,
    /// Its index in the second list, if it is there.
    pub new_index: Option<usize>,
    /// The item.
    pub value: &'a Value,
}

/// What differs between two lists, item by item.
#[must_use]
pub fn list_diff<'a>(old: &'a [Value], new: &'a [Value]) -> Vec<ListPiece<'a>> {
    // (Values compare, but they do not hash.)
    let (old_ids, new_ids) =
        numbered(old.iter().map(Value::to_json), new.iter().map(Value::to_json));
    let mut out = Vec::with_capacity(old.len().max(new.len()));
    for (tag, old_range, new_range) in compare(&old_ids, &new_ids) {
        if tag == DiffTag::Equal {
            out.extend(old_range.zip(new_range).map(|(o, n)| ListPiece {
                kind: PieceKind::Same,
                old_index: Some(o),
                new_index: Some(n),
                value: &new[n],
            }));
            continue;
        }
        out.extend(old_range.map(|index| ListPiece {
            kind: PieceKind::Removed,
            old_index: Some(index),
            new_index: None,
            value: &old[index],
        }));
        out.extend(new_range.map(|index| ListPiece {
            kind: PieceKind::Added,
            old_index: None,
            new_index: Some(index),
            value: &new[index],
        }));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(pieces: &[TextPiece<'_>], without: PieceKind) -> String {
        pieces.iter().filter(|piece| piece.kind != without).map(|piece| piece.text).collect()
    }

    fn shown(old: &str, new: &str) -> String {
        text_diff(old, new)
            .iter()
            .map(|piece| match piece.kind {
                PieceKind::Same => piece.text.to_owned(),
                PieceKind::Removed => format!("[-{}]", piece.text),
                PieceKind::Added => format!("[+{}]", piece.text),
            })
            .collect()
    }

    #[test]
    fn one_line_is_compared_by_words() {
        assert_eq!(shown("the build failed twice", "the build passed twice"), {
            "the build [-failed][+passed] twice"
        });
        assert_eq!(shown("", "new"), "[+new]");
        assert_eq!(shown("same", "same"), "same");
        assert_eq!(shown("", ""), "");
    }

    #[test]
    fn several_lines_are_compared_by_lines_and_then_by_words() {
        assert_eq!(
            shown("one\ntwo words\nthree\n", "one\ntwo terms\nthree\nfour\n"),
            "one\ntwo [-words][+terms]\nthree\n[+four\n]"
        );
    }

    #[test]
    fn texts_too_large_to_search_keep_what_begins_and_ends_alike() {
        let (mut old, mut new) = (String::from("head\n"), String::from("head\n"));
        for n in 0..1500 {
            old.push_str(&format!("a{n}\n"));
            new.push_str(&format!("b{n}\n"));
        }
        old.push_str("tail");
        new.push_str("tail");
        let pieces = text_diff(&old, &new);
        assert_eq!(pieces[0], TextPiece { kind: PieceKind::Same, text: "head\n" });
        assert_eq!(
            pieces.last(),
            Some(&TextPiece { kind: PieceKind::Same, text: "tail" }),
            "{}",
            pieces.len()
        );
        assert_eq!(pieces.iter().filter(|p| p.kind == PieceKind::Added).count(), 1);
        assert_eq!(side(&pieces, PieceKind::Added), old.as_str());
    }

    #[test]
    fn lists_are_compared_item_by_item() {
        let list = |json: &str| serde_json::from_str::<Value>(json).unwrap();
        let (old, new) = (list(r#"["a",{"x":1},"c"]"#), list(r#"["a","b",{"x":1}]"#));
        let pieces = list_diff(old.as_list().unwrap(), new.as_list().unwrap());
        let shown: Vec<_> =
            pieces.iter().map(|p| (p.kind.name(), p.old_index, p.new_index)).collect();
        assert_eq!(
            shown,
            [
                ("same", Some(0), Some(0)),
                ("added", None, Some(1)),
                ("same", Some(1), Some(2)),
                ("removed", Some(2), None),
            ]
        );
    }

    proptest::proptest! {
        #[test]
        fn pieces_make_up_both_texts(old in "[ab \né]{0,40}", new in "[ab \né]{0,40}") {
            let pieces = text_diff(&old, &new);
            proptest::prop_assert_eq!(side(&pieces, PieceKind::Added), old.as_str());
            proptest::prop_assert_eq!(side(&pieces, PieceKind::Removed), new.as_str());
        }
    }
}
