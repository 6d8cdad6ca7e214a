use super::*;

#[test]
fn nothing_that_steers_a_terminal_gets_through() {
    assert_eq!(escape("a\x1b[31mb\u{9b}c\u{202e}d\ne"), "a\\u{1b}[31mb\\u{9b}c\\u{202e}d\\ne");
    assert_eq!(escape("Grüße 👋"), "Grüße 👋");
    let json = json_text(&"\u{1b}\u{9b}\u{202e}\u{e0041}é", false);
    assert_eq!(json, r#""\u001b\u009b\u202e\udb40\udc41é""#);
    assert_eq!(serde_json::from_str::<String>(&json).unwrap(), "\u{1b}\u{9b}\u{202e}\u{e0041}é");
}

#[test]
fn cuts_by_columns_not_bytes() {
    assert_eq!(cut("日本語", 6), "日本語");
    assert_eq!(cut("日本語", 5), "日本…");
    assert_eq!(cut("日本語", 4), "日…");
    assert_eq!(cut("abc", 0), "");
}

#[test]
fn tables_line_up_and_cut_only_the_last_column() {
    let mut table = Table::new("  ");
    table.row([(None, "日本"), (None, "a long text that goes on")]);
    table.row([(None, "x"), (None, "b\u{7}")]);
    assert_eq!(table.lines(Paint::PLAIN, 20), ["  日本  a long text…", "  x     b\\u{7}"]);
}

proptest::proptest! {
    #[test]
    fn escaped_text_has_no_control_character(text in ".*") {
        let shown = escape(&text);
        proptest::prop_assert!(!shown.chars().any(is_control));
        let json = json_text(&text, false);
        proptest::prop_assert!(!json.chars().any(is_control));
        proptest::prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }

    #[test]
    fn cut_text_fits(text in ".*", columns in 0usize..40) {
        proptest::prop_assert!(cut(&text, columns).width() <= columns);
    }
}
