//! Drawing: one frame of the debugger while somebody scrubs, from the key to the last cell.
//!
//! `cargo bench --bench frame`; one part of it with `-- 100000`, `-- 1000000` or `-- wild`. Beside it stands a plain screen of the same size (two lists and a
//! gauge), which is about the least that a frame can cost.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs
)]

mod common;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chronoscope::clock::Clock;
use chronoscope::session::Session;
use chronoscope::store::EventStore;
use chronoscope::store::local::LocalStore;
use chronoscope::tui::action::Action;
use chronoscope::tui::app::App;
use chronoscope::tui::key::Key;
use chronoscope::tui::keymap::Keymap;
use chronoscope::tui::theme::Theme;
use chronoscope::tui::{update, view};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::layout::{Constraint, Layout};
use ratatui::widgets::{Block, Gauge, List};

use common::{Random, Table, Times, show};

const SIZE: (u16, u16) = (200, 50);
const MS: Duration = Duration::from_millis(1);

fn main() {
    let part = std::env::args().skip(1).find(|argument| argument != "--bench");
    let wanted = |name: &str| part.as_deref().is_none_or(|part| part == name);
    for events in [100_000, 1_000_000].into_iter().filter(|events| wanted(&events.to_string())) {
        measure(&common::store(events, 1), &format!("frames of 200x50, {events} events"));
    }
    if wanted("wild") {
        wild();
    }
}

fn open(dir: &Path) -> App {
    let store: Arc<dyn EventStore> = Arc::new(LocalStore::open(dir, Clock::System).unwrap());
    let session = Session::open(store, &common::issue(1), || {}).unwrap();
    let mut app = App::new(Theme::built_in("dark"), Keymap::default(), SIZE, Clock::System);
    act(&mut app, Action::Opened(Box::new(session)));
    let started = Instant::now();
    while !app.debugger.as_ref().is_some_and(|d| d.session.is_loaded()) {
        act(&mut app, Action::Pump);
        assert!(started.elapsed() < Duration::from_secs(120), "the log was not loaded");
    }
    app
}

/// Effects would be files and clipboards: a benchmark needs none.
fn act(app: &mut App, action: Action) {
    let _ = update(app, action);
}

fn measure(dir: &Path, title: &str) {
    let mut app = open(dir);
    let mut terminal = Terminal::new(TestBackend::new(SIZE.0, SIZE.1)).unwrap();
    let table = Table::new(title);
    let mut floor = plain(&mut terminal);
    table.note("floor: two lists and a gauge, p50", show(floor.percentile(50)));

    let mut idle = Times::default();
    for _ in 0..300 {
        let started = Instant::now();
        terminal.draw(|frame| view::draw(&app, frame)).unwrap();
        idle.push(started.elapsed());
    }
    table.limit("draw the same again, p50", idle.percentile(50), MS * 3 / 2);

    for (what, keys, frames) in [
        ("a step back and its frame", "h", 300),
        ("ten steps back and their frame", "H", 300),
        ("a step on and its frame", "l", 300),
    ] {
        let key = Key::parse(keys).unwrap_or_else(|| panic!("{keys} is no key"));
        let mut times = Times::default();
        for _ in 0..frames {
            let started = Instant::now();
            act(&mut app, Action::Key(key.event()));
            terminal.draw(|frame| view::draw(&app, frame)).unwrap();
            times.push(started.elapsed());
        }
        report(&table, what, &mut times);
    }
    let mut times = jumps(&mut app, &mut terminal);
    report(&table, "a jump anywhere and its frame", &mut times);
}

/// Jumps to any place of the log, each with its frame.
fn jumps(app: &mut App, terminal: &mut Terminal<TestBackend>) -> Times {
    let head = u64::from(app.debugger.as_ref().unwrap().head());
    let mut random = Random::new(11);
    let mut times = Times::default();
    for _ in 0..300 {
        let to = u32::try_from(random.below(head) + 1).unwrap();
        let started = Instant::now();
        jump(app, to);
        terminal.draw(|frame| view::draw(app, frame)).unwrap();
        times.push(started.elapsed());
    }
    times
}

/// Goes there and makes ready what the frame shows, as a key would. (A tick that nobody waits for
/// would make nothing ready.)
fn jump(app: &mut App, to: u32) {
    app.debugger.as_mut().unwrap().jump_to(to);
    act(app, Action::Resize(SIZE.0, SIZE.1));
}

/// 10,000 agents, 300 MB, and a line of 13 MB: no frame takes longer than one of sixty in a second.
fn wild() {
    let mut app = open(&common::wild_store());
    let mut terminal = Terminal::new(TestBackend::new(SIZE.0, SIZE.1)).unwrap();
    let table = Table::new("frames of 200x50, 300 MB, 10,000 agents, a line of 13 MB");
    if let Some(memory) = common::memory() {
        table.note("memory of its own, all of this bench", format!("{:.0} MiB", memory.own));
    }
    // The event itself is shown too.
    act(&mut app, Action::Key(Key::parse("v").unwrap().event()));
    for (what, keys, beside) in [
        ("steps back over the long line", "h", 30),
        ("steps on over the long line", "l", -30),
        ("tens of steps over the long line", "H", 150),
        ("lanes, page by page", "pagedown", 0),
    ] {
        let key = Key::parse(keys).unwrap_or_else(|| panic!("{keys} is no key"));
        let from = i64::from(common::LONG_LINE) + beside;
        jump(&mut app, u32::try_from(from).unwrap());
        let mut times = Times::default();
        for _ in 0..60 {
            let started = Instant::now();
            act(&mut app, Action::Key(key.event()));
            terminal.draw(|frame| view::draw(&app, frame)).unwrap();
            times.push(started.elapsed());
        }
        table.limit(&format!("{what}, the longest"), times.percentile(100), 16 * MS);
    }
    let mut times = jumps(&mut app, &mut terminal);
    table.limit("a jump anywhere and its frame, the longest", times.percentile(100), 16 * MS);
}

fn report(table: &Table, what: &str, times: &mut Times) {
    table.limit(&format!("{what}, p50"), times.percentile(50), MS * 3 / 2);
    table.limit(&format!("{what}, p99"), times.percentile(99), MS * 5);
}

fn plain(terminal: &mut Terminal<TestBackend>) -> Times {
    let rows: Vec<String> = (0..45)
        .map(|n| format!("{n:>6} 14:01:44.120 ToolCompleted agent-{n:02} {}", "word ".repeat(14)))
        .collect();
    let mut times = Times::default();
    for round in 0..300_u16 {
        let started = Instant::now();
        terminal
            .draw(|frame| {
                let [top, body] = Layout::vertical([Constraint::Length(3), Constraint::Fill(1)])
                    .areas(frame.area());
                let [left, right] = Layout::horizontal([Constraint::Fill(1); 2]).areas(body);
                let gauge = Gauge::default().block(Block::bordered()).percent(round % 100);
                frame.render_widget(gauge, top);
                for area in [left, right] {
                    let list = List::new(rows.iter().map(String::as_str)).block(Block::bordered());
                    frame.render_widget(list, area);
                }
            })
            .unwrap();
        times.push(started.elapsed());
    }
    times
}
