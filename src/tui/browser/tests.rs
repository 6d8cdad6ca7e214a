use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::*;
use crate::tui::theme::Theme;
use crate::tui::view::browser::draw;
use crate::tui::view::looking::{as_text, picture};

const NOW: i64 = 1_790_000_000_000;

fn now() -> Timestamp {
    Timestamp::from_millis(NOW)
}

fn card(key: &str, summary: &str, status: &str, phase: &str, seconds_ago: i64) -> IssueCard {
    let number = u64::from(key.bytes().last().unwrap_or(b'0') % 10);
    IssueCard {
        issue_key: key.to_owned(),
        summary: summary.to_owned(),
        status: status.to_owned(),
        phase: phase.to_owned(),
        agents_running: if status == "in_progress" { number as usize % 4 + 1 } else { 0 },
        agents: number as usize + 3,
        events: 120 * number * number + 37,
        errors: number % 5,
        first: Some(Timestamp::from_millis(NOW - seconds_ago * 1000 - 7_200_000)),
        last: Some(Timestamp::from_millis(NOW - seconds_ago * 1000)),
        activity: (0..32).map(|n| (n * (number as u32 + 3) * 7 + n * n) % 19).collect(),
        bytes: 4096,
        fault: None,
    }
}

fn some() -> Vec<IssueCard> {
    let mut cards = vec![
        card("PROJ-123", "Add user authentication", "in_progress", "CODE", 3),
        card(
            "PROJ-119",
            "Move the export to a queue, with back-pressure and a limit per tenant",
            "in_progress",
            "TEST",
            41,
        ),
        card("PROJ-98", "Flaky login test", "failed", "FIX", 1_860),
        card("QA-1804", "Coverage of the billing module", "paused", "PLAN", 8_000),
        card("PROJ-117", "Upgrade the parser", "completed", "", 90_000),
        card("cg-5ol6", "\u{1b}[31mred\u{1b}[0m in a summary", "", "", 400_000),
        card("PROJ-85", "Drop the old endpoint", "cancelled", "", 3_000_000),
    ];
    cards[6].fault = Some("permission denied".into());
    cards[4].errors = 0;
    cards
}

fn browser(cards: Vec<IssueCard>) -> Browser {
    let mut browser = Browser::new(now());
    browser.take(BrowseNews::Cards(cards));
    browser.take(BrowseNews::Complete);
    browser.prepare(24);
    browser
}

fn listed(browser: &Browser) -> Vec<&str> {
    browser.rows(0, usize::MAX).map(|row| row.card.issue_key.as_str()).collect()
}

fn shot(browser: &Browser, theme: &Theme, width: u16, height: u16) -> Buffer {
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    draw(browser, theme, area, &mut buffer);
    theme.finish(&mut buffer);
    buffer
}

fn snap(name: &str, browser: &Browser, width: u16, height: u16) {
    let buffer = shot(browser, &Theme::built_in("dark"), width, height);
    picture(name, &buffer);
    insta::assert_snapshot!(name, as_text(&buffer));
}

fn type_text(browser: &mut Browser, text: &str) {
    browser.command(Command::Search, None);
    browser.edit(|input| input.insert(text));
}

#[test]
fn at_every_width() {
    let browser = browser(some());
    snap("browser-40", &browser, 40, 12);
    snap("browser-80", &browser, 80, 12);
    snap("browser-120", &browser, 120, 12);
    picture("browser-light", &shot(&browser, &Theme::built_in("light"), 120, 12));
}

#[test]
fn plain_signs() {
    let browser = browser(some());
    let text = as_text(&shot(&browser, &Theme::built_in("none").with_ascii(true), 120, 12));
    assert!(text.is_ascii(), "{text}");
}

#[test]
fn states_without_issues() {
    let mut empty = Browser::new(now());
    snap("browser-reading", &empty, 60, 8);
    empty.take(BrowseNews::Complete);
    snap("browser-empty", &empty, 60, 8);
    empty.take(BrowseNews::Fault("cannot read /tmp/store: Permission denied".into()));
    snap("browser-fault", &empty, 60, 8);
    let mut browser = browser(some());
    type_text(&mut browser, "nowhere");
    snap("browser-no-match", &browser, 80, 8);
}

#[test]
fn newest_activity_comes_first_and_other_orders_by_key() {
    let mut browser = browser(some());
    assert_eq!(listed(&browser)[..3], ["PROJ-123", "PROJ-119", "PROJ-98"]);
    browser.command(Command::Sort, None);
    assert_eq!(browser.sorting(), (SortKey::Key, false));
    assert_eq!(listed(&browser)[..3], ["PROJ-85", "PROJ-98", "PROJ-117"]);
    browser.command(Command::Reverse, None);
    assert_eq!(listed(&browser)[0], "cg-5ol6");
    for key in SortKey::ALL.iter().skip(2).chain([&SortKey::Activity]) {
        browser.command(Command::Sort, None);
        assert_eq!(browser.sorting(), (*key, false));
    }
}

#[test]
fn the_filter_finds_as_it_is_typed() {
    let mut browser = browser(some());
    type_text(&mut browser, "auth");
    assert_eq!(listed(&browser)[0], "PROJ-123");
    assert!(browser.counts().1 < 7);
    snap("browser-filter", &browser, 80, 8);
    let opened = browser.command(Command::Accept, None);
    assert_eq!(opened.as_deref(), Some("PROJ-123"));
    assert!(!browser.is_typing());
    browser.command(Command::Cancel, None);
    assert_eq!(browser.counts(), (7, 7));
}

#[test]
fn the_selection_stays_with_its_issue() {
    let mut browser = browser(some());
    browser.command(Command::Down, Some(2));
    assert_eq!(browser.selected(), Some("PROJ-98"));
    let mut grown = card("PROJ-85", "Drop the old endpoint", "in_progress", "CODE", 0);
    grown.events += 5_000;
    browser.take(BrowseNews::Cards(vec![grown]));
    assert_eq!(listed(&browser)[0], "PROJ-85");
    assert_eq!(browser.selected(), Some("PROJ-98"));
    browser.take(BrowseNews::Gone(vec!["PROJ-98".into()]));
    assert_eq!(browser.selected(), Some("PROJ-85"));
    browser.command(Command::Bottom, None);
    assert_eq!(browser.selected(), Some("cg-5ol6"));
    browser.command(Command::Down, None);
    assert_eq!(browser.selected(), Some("cg-5ol6"));
    browser.command(Command::Top, None);
    assert_eq!(browser.command(Command::Open, None).as_deref(), Some("PROJ-85"));
}

#[test]
fn a_log_that_grows_is_live_for_a_minute() {
    let mut browser = browser(vec![card("A-1", "", "in_progress", "", 3_600)]);
    assert_eq!(browser.live(), 0);
    let mut grown = card("A-1", "", "in_progress", "", 3_590);
    grown.events += 1;
    browser.take(BrowseNews::Cards(vec![grown]));
    assert_eq!(browser.live(), 1);
    browser.tick(now().plus_millis(LIVE_MS + 1));
    assert_eq!(browser.live(), 0);
}

#[test]
fn clicks_select_and_then_open() {
    let mut browser = browser(some());
    assert_eq!(browser.click(0), None);
    assert_eq!(browser.click(3), None);
    assert_eq!(browser.selected(), Some("PROJ-119"));
    assert_eq!(browser.click(3).as_deref(), Some("PROJ-119"));
    assert_eq!(browser.click(20), None);
}

#[test]
fn the_selected_row_is_always_seen() {
    let cards = (0..500).map(|n| card(&format!("P-{n}"), "s", "in_progress", "CODE", n)).collect();
    let mut browser = browser(cards);
    for (command, count) in [
        (Command::Down, 30),
        (Command::PageDown, 7),
        (Command::Up, 15),
        (Command::Bottom, 500),
        (Command::PageUp, 3),
    ] {
        browser.command(command, Some(count));
        for height in [12, 24, 5] {
            browser.prepare(height);
            let rows = list_rows(height);
            let top = browser.top_for(rows);
            assert_eq!(
                browser.rows(top, rows).filter(|row| row.selected).count(),
                1,
                "{command:?} {height}"
            );
        }
    }
    browser.prepare(12);
    snap("browser-scrolled", &browser, 60, 12);
}

#[test]
fn totals_follow_the_cards() {
    let mut browser = browser(some());
    let sum = |cards: &[IssueCard]| cards.iter().map(|c| c.events).sum::<u64>();
    assert_eq!(browser.totals().events, sum(&some()));
    browser.take(BrowseNews::Gone(vec!["PROJ-123".into(), "unknown".into()]));
    assert_eq!(browser.totals().events, sum(&some()[1..]));
    browser.take(BrowseNews::Cards(some()));
    assert_eq!(browser.totals().events, sum(&some()));
}

#[test]
fn ten_thousand_issues_come_in_one_by_one() {
    let mut browser = Browser::new(now());
    for n in 0..10_000_i64 {
        let key = format!("P-{n}");
        browser.take(BrowseNews::Cards(vec![card(
            &key,
            "some summary",
            "in_progress",
            "CODE",
            n * 7919 % 10_007,
        )]));
        browser.prepare(50);
    }
    type_text(&mut browser, "99");
    assert!(browser.counts().1 >= 19);
    let text = as_text(&shot(&browser, &Theme::built_in("dark"), 200, 50));
    assert!(text.contains("P-99"), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn placed_one_by_one_or_sorted_at_once_is_the_same(
        news in proptest::collection::vec((0_u8..12, 0_i64..50, 0_usize..4), 0..40),
        filter in "[A-D0-3]{0,2}", sorts in 0_usize..6, reverse in any::<bool>(),
        width in 0_u16..130, height in 0_u16..20,
    ) {
        let mut one = Browser::new(now());
        (0..sorts).for_each(|_| { one.command(Command::Sort, None); });
        if reverse {
            one.command(Command::Reverse, None);
        }
        type_text(&mut one, &filter);
        for (key, ago, status) in &news {
            let status = ["in_progress", "failed", "completed", ""][*status];
            one.take(BrowseNews::Cards(vec![card(&format!("ABCD-{key}"), "x", status, "CODE", *ago)]));
        }
        let placed: Vec<String> = listed(&one).into_iter().map(str::to_owned).collect();
        one.order.sort(&one.cards);
        prop_assert_eq!(placed, listed(&one));
        one.prepare(height);
        shot(&one, &Theme::built_in("dark"), width, height);
    }
}
