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

#[test]
fn simple_signs_take_one_column_each_whatever_stands_beside_them() {
    let simple: Vec<char> = ('\0'..='\u{ffff}').filter(|sign| is_simple(*sign)).collect();
    assert!(simple.len() > 300, "{} signs", simple.len());
    for sign in &simple {
        let alone = sign.to_string();
        assert!(alone.width() == 1 && alone.len() <= 3, "{sign:?}");
        assert!(!is_control(*sign), "{sign:?}");
        let row = format!("{sign}{sign}a{sign}▶{sign}");
        assert_eq!(row.graphemes(true).count(), 6, "{sign:?}");
        assert_eq!(simple_columns(&row, 6), Some(6), "{sign:?}");
        assert_eq!(simple_columns(&row, 5), None, "{sign:?}");
    }
    for other in ["\u{301}", "a\u{301}", "▶\u{fe0f}", "日", "\n", "\t", "\u{1b}", "\u{200d}", "é"]
    {
        assert_eq!(simple_columns(other, 9), None, "{other:?}");
    }
}
