//! Replays that go through a store of their own, as the screen does them beside all else.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use chronoscope::clock::Clock;
use chronoscope::config::{Config, Setting};
use chronoscope::error::{ErrorKind, Result};
use chronoscope::model::Position;
use chronoscope::model::catalogue::{LINKS, ReplayPolicy};
use chronoscope::replay::Decision;
use chronoscope::schema::Redactor;
use chronoscope::session::Session;
use chronoscope::session::replay::unfinished::{Left, unfinished_of};
use chronoscope::store::local::LocalStore;
use chronoscope::store::memory::MemoryStore;
use chronoscope::tui::replay::{Answer, Outfit, Progress, Replaying, Rest, What};
use chronoscope::tui::signs::ReplayMark;
use chronoscope::tui::{look_beside, replay_beside};
use serde_json::json;

use crate::cli_support::TestEnvironment;
use crate::pty_support::Terminal;

pub(crate) const ISSUE: &str = "PROJ-123";

pub(crate) fn bench() -> TestEnvironment {
    let bench = TestEnvironment::new();
    bench.append_text(include_str!("../assets/demo/proj-123.jsonl")).ok();
    bench
}

/// A program that notes which events it got.
pub(crate) fn noting(bench: &TestEnvironment, more: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let file = bench.work().join("note");
    let ran = bench.work().join("ran");
    let note = format!("#!/bin/sh\necho $CHRONOSCOPE_POSITION >> '{}'\n{more}\n", ran.display());
    std::fs::write(&file, note).unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).unwrap();
    file
}

pub(crate) fn ran(bench: &TestEnvironment) -> Vec<Position> {
    let text = std::fs::read_to_string(bench.work().join("ran")).unwrap_or_default();
    text.lines().map(|line| line.parse().unwrap()).collect()
}

fn outfit(bench: &TestEnvironment, program: Option<&Path>) -> Outfit {
    let mut config = Config::default();
    if let Some(program) = program {
        let handlers = json!({ "TestRunStarted": [program] });
        config.give_flag(Setting::ReplayHandlers, "--test", handlers).unwrap();
    }
    let store = LocalStore::open(bench.store(), Clock::System).unwrap();
    let (redactor, store) = (Redactor::default(), Some(Arc::new(store)));
    Outfit { config, redactor, store, checkpoint_every: 256 }
}

fn replaying(from: Position, to: Position, what: What) -> Replaying {
    let (issue, progress) = (ISSUE.to_owned(), Progress::default());
    Replaying { issue, from, to, what, told: Vec::new(), progress }
}

fn run(outfit: &Outfit, replaying: &Replaying) -> Result<Box<Answer>> {
    replay_beside(&**outfit.store.as_ref().unwrap(), LINKS, outfit, replaying)
}

/// Every file of a store with its bytes and the time of its last change.
fn files(folder: &Path) -> Vec<(PathBuf, SystemTime, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let changed = path.metadata().unwrap().modified().unwrap();
        if path.is_dir() {
            found.push((path.clone(), changed, Vec::new()));
            found.extend(files(&path));
        } else {
            found.push((path.clone(), changed, std::fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}

#[test]
fn a_rehearsal_on_the_screen_leaves_every_byte_of_the_store_as_it_was() {
    let bench = bench();
    let program = noting(&bench, "exit 0");
    let outfit = outfit(&bench, Some(&program));
    let before = files(&bench.store());
    assert!(before.len() > 10);
    for (from, to) in [(1, 287), (165, 185), (287, 287)] {
        let replaying = replaying(from, to, What::Rehearse);
        let answer = run(&outfit, &replaying).unwrap();
        assert!(answer.state.matches && answer.terms.refusal.is_none());
        let news = replaying.progress.take();
        assert_eq!(news.entries.len(), (to + 1 - from) as usize);
        assert!(news.replay_id.is_none());
    }
    assert!(files(&bench.store()) == before, "a rehearsal changed something");
    assert!(ran(&bench).is_empty());
}

#[test]
fn an_execution_on_the_screen_writes_its_two_marks_and_nothing_else() {
    let bench = bench();
    let program = noting(&bench, "echo ok; [ $CHRONOSCOPE_POSITION != 174 ]");
    let outfit = outfit(&bench, Some(&program));
    let all = || bench.run(&["query", "--issue", ISSUE, "--jsonl"]).ok();
    let before = all();
    let rehearsal = replaying(165, 175, What::Rehearse);
    run(&outfit, &rehearsal).unwrap();
    let execution = replaying(165, 175, What::Execute);
    let answer = run(&outfit, &execution).unwrap();
    assert_eq!(ran(&bench), [169, 171, 174]);
    // Its outcomes are those that the rehearsal foretold, but for what failed.
    let (would, news) = (rehearsal.progress.take(), execution.progress.take());
    let run: Vec<Position> = would
        .entries
        .iter()
        .filter(|entry| entry.mark == ReplayMark::WouldExecute)
        .map(|entry| entry.position)
        .collect();
    assert_eq!(run, ran(&bench));
    let mark = |p: Position| news.entries.iter().find(|e| e.position == p).unwrap().mark;
    assert_eq!(
        [169, 171, 174].map(mark),
        [ReplayMark::Executed, ReplayMark::Executed, ReplayMark::Failed]
    );
    assert_eq!(news.results.len(), 3);
    assert!(news.results.iter().all(|(_, result)| result.stdout == "ok\n"));
    let first = answer.state.first_difference.unwrap();
    assert_eq!(first.position, Some(174), "{first:?}");
    let id = news.replay_id.unwrap();
    let after = all();
    let added: Vec<&str> = after.strip_prefix(&before).unwrap().lines().collect();
    assert_eq!(added.len(), 2, "{added:?}");
    for (line, name) in added.iter().zip(["ReplayStarted", "ReplayCompleted"]) {
        assert!(line.contains(name) && line.contains(&id), "{line}");
    }
}

#[test]
fn what_is_stopped_before_it_begins_leaves_nothing_behind() {
    let bench = bench();
    let program = noting(&bench, "exit 0");
    let outfit = outfit(&bench, Some(&program));
    let before = files(&bench.store());
    for what in [What::Rehearse, What::Execute] {
        let replaying = replaying(1, 287, what);
        replaying.progress.stop();
        let error = run(&outfit, &replaying).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Interrupted);
    }
    assert!(files(&bench.store()) == before && ran(&bench).is_empty());
}

/// Of a long log, reading is most of a rehearsal.
#[test]
fn a_log_is_read_only_as_long_as_somebody_wants_it() {
    let store = MemoryStore::new(Clock::System);
    let log = include_str!("../assets/demo/proj-123.jsonl");
    for _ in 0..(4 << 20) / log.len() {
        store.push_raw(ISSUE, log.as_bytes());
    }
    let told = RefCell::new(Vec::new());
    let read = |enough: usize| {
        told.borrow_mut().clear();
        let goes_on = |read, all| {
            told.borrow_mut().push((read, all));
            told.borrow().len() < enough
        };
        Session::read_while(&store, ISSUE, LINKS, goes_on)
    };
    assert_eq!(read(2).unwrap_err().kind(), ErrorKind::Interrupted);
    assert_eq!(told.borrow().len(), 2);
    assert!(read(usize::MAX).unwrap().is_loaded());
    let told = told.borrow();
    assert!(told.len() >= 3 && told.is_sorted(), "{told:?}");
    assert!(told.iter().all(|(read, all)| *read > 0 && read <= all), "{told:?}");
    // What a stopped rehearsal has not read it does not tell of.
    let replaying = replaying(1, 10, What::Rehearse);
    replaying.progress.stop();
    let outfit = Outfit {
        config: Config::default(),
        redactor: Redactor::default(),
        store: None,
        checkpoint_every: 0,
    };
    let error = replay_beside(&store, LINKS, &outfit, &replaying).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    assert!((1..50).contains(&replaying.progress.hundredths_read()));
}

/// A run of #169 to #175 that is stopped while its first program runs, which wants to be tried again;
/// its id.
fn stopped_at_its_first_program(outfit: &Outfit) -> String {
    let first = replaying(169, 175, What::Execute);
    let stopper = first.progress.clone();
    std::thread::scope(|scope| {
        let stopped = scope.spawn(move || {
            let mut id = None;
            loop {
                let news = stopper.take();
                id = id.or(news.replay_id);
                if news.begun.is_some() {
                    stopper.stop();
                    return id.unwrap();
                }
                std::thread::yield_now();
            }
        });
        assert_eq!(run(outfit, &first).unwrap_err().kind(), ErrorKind::Interrupted);
        // How its program ended is known: nobody has to decide anything.
        assert_eq!(first.progress.take().rest, Some(Rest::default()));
        stopped.join().unwrap()
    })
}

#[test]
fn a_rehearsal_finds_the_last_run_that_did_not_come_to_its_end() {
    let bench = bench();
    let right = bench.work().join("right");
    let program = noting(&bench, &format!("[ -e '{}' ] || exit 75", right.display()));
    let outfit = outfit(&bench, Some(&program));
    let rehearse = || {
        let rehearsal = replaying(1, 287, What::Rehearse);
        run(&outfit, &rehearsal).unwrap().terms.unfinished
    };
    assert_eq!(rehearse(), None);
    let id = stopped_at_its_first_program(&outfit);
    let found = rehearse().unwrap();
    assert_eq!((&found.replay_id, found.from, found.to), (&id, 169, 175));
    assert_eq!(found.told(), "stopped after 0/7 events");
    assert_eq!(found.programs[0].command, program.display().to_string());
    // Of another issue it is not told, nor once it came to its end.
    let left = unfinished_of(outfit.store.as_ref().unwrap(), "PROJ-7", 1).unwrap();
    assert_eq!(left, Left::default());
    // One whose last line was torn, and that ended in the middle of a program.
    let journal = bench.store().join(format!(".chronoscope/journals/replay-{id}.jsonl"));
    let whole = std::fs::read_to_string(&journal).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let done = lines[2].replace("\"again\"", "\"done\"");
    let torn =
        [lines[0], lines[1], &done, "{\"at\":\"begin\",\"position\":171,\"attempt\":1}", "{\"at"];
    std::fs::write(&journal, torn.join("\n")).unwrap();
    let before = std::fs::read(&journal).unwrap();
    assert_eq!(rehearse().unwrap().told(), "stopped after 2/7 events, #171 unknown");
    assert_eq!(std::fs::read(&journal).unwrap(), before, "looking changes nothing");
    let undecided = replaying(169, 175, What::Resume(id.clone(), Decision::Fail));
    assert_eq!(run(&outfit, &undecided).unwrap_err().kind(), ErrorKind::Assertion);
    assert_eq!(undecided.progress.take().rest.unwrap().unknown, [171]);
    std::fs::write(&journal, &whole).unwrap();
    std::fs::write(right, "").unwrap();
    run(&outfit, &replaying(169, 175, What::Resume(id.clone(), Decision::Fail))).unwrap();
    assert_eq!(rehearse(), None);
    // What came to its end does not hide one before that did not.
    let older = journal.with_file_name("replay-older.jsonl");
    std::fs::write(&older, whole.replace(&id, "older")).unwrap();
    let first = std::fs::File::options().append(true).open(older).unwrap();
    first.set_modified(std::time::UNIX_EPOCH).unwrap();
    assert_eq!(rehearse().unwrap().replay_id, "older");
}

#[test]
fn what_was_stopped_is_gone_on_with_and_nothing_runs_twice() {
    let bench = bench();
    // The first event wants to be tried again until somebody has put things right.
    let right = bench.work().join("right");
    let program = noting(&bench, &format!("[ -e '{}' ] || exit 75", right.display()));
    let mut outfit = outfit(&bench, Some(&program));
    let id = stopped_at_its_first_program(&outfit);
    assert_eq!(ran(&bench), [169], "the pause before the next try was cut short");
    std::fs::write(right, "").unwrap();
    // What was replayable when it was begun still is, and is said to be.
    let never = json!(["TestRunStarted"]);
    outfit.config.give_flag(Setting::ReplayNever, "--test", never).unwrap();
    let rest = replaying(169, 175, What::Resume(id, Decision::Fail));
    assert!(run(&outfit, &rest).unwrap().state.matches);
    assert_eq!(ran(&bench), [169, 169, 171, 174]);
    assert_eq!(rest.progress.before(), 168, "#169 is dealt with now");
    let news = rest.progress.take();
    let run = news.entries.iter().filter(|entry| entry.mark == ReplayMark::Executed);
    assert_eq!(run.map(|entry| entry.position).collect::<Vec<_>>(), [169, 171, 174]);
    assert_eq!(news.results[0].1.attempts, 2);
    let words = news.words.iter().find(|words| words.type_name == "TestRunStarted").unwrap();
    assert_eq!(words.policy, ReplayPolicy::Execute);
}

/// Two screens have rehearsed, one executes: the other is told when it asks, and does not begin without.
#[test]
fn nobody_begins_beside_a_run_that_they_were_not_told_of() {
    let bench = bench();
    let right = bench.work().join("right");
    let program = noting(&bench, &format!("[ -e '{}' ] || exit 75", right.display()));
    let outfit = outfit(&bench, Some(&program));
    assert_eq!(look_beside(&outfit, ISSUE).unfinished, None);
    let id = stopped_at_its_first_program(&outfit);
    let found = look_beside(&outfit, ISSUE).unfinished.unwrap();
    assert_eq!((&found.replay_id, found.told().as_str()), (&id, "stopped after 0/7 events"));
    std::fs::write(right, "").unwrap();
    let mut other = replaying(169, 175, What::Execute);
    let error = run(&outfit, &other).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.message().contains("of this issue was begun meanwhile"), "{error}");
    assert_eq!((ran(&bench), other.progress.take().replay_id), (vec![169], None));
    // Who was told, and wants another run, has it.
    other.told = vec![id];
    run(&outfit, &other).unwrap();
    assert_eq!(ran(&bench), [169, 169, 171, 174]);
}

#[test]
fn that_the_log_is_not_what_was_recorded_is_found_before_programs_run() {
    let bench = bench();
    let outfit = outfit(&bench, Some(&noting(&bench, "exit 0")));
    bench.run(&["store", "checkpoint"]).ok();
    let before = files(&bench.store());
    assert!(look_beside(&outfit, ISSUE).changed.is_empty());
    assert!(files(&bench.store()) == before, "looking changed something");
    let log = bench.store().join("2026-11-20").join(ISSUE).join("events.jsonl");
    let mut lines: Vec<String> =
        std::fs::read_to_string(&log).unwrap().lines().map(str::to_owned).collect();
    assert!(lines[168].contains("TestRunStarted"), "{}", lines[168]);
    lines[168] = lines[168].replacen("Test", "Rest", 1);
    std::fs::write(&log, lines.join("\n") + "\n").unwrap();
    let text = "the log is not what was recorded: programs get what stands there now";
    let place = "line-changed at 2026-11-20/PROJ-123/events.jsonl:169; \
                 `chronoscope verify PROJ-123` tells more";
    assert_eq!(look_beside(&outfit, ISSUE).changed, [text, place]);
}

#[test]
fn the_settings_hold_on_the_screen_too() {
    let bench = bench();
    let mut outfit = outfit(&bench, None);
    outfit.config.give_flag(Setting::ReplayMax, "--test", json!(10)).unwrap();
    let error = run(&outfit, &replaying(1, 11, What::Rehearse)).unwrap_err();
    assert!(error.message().contains("more than one replay may take"), "{error}");
    run(&outfit, &replaying(1, 10, What::Rehearse)).unwrap();
    outfit.config.give_flag(Setting::ReplayEnabled, "--test", json!(false)).unwrap();
    for what in [What::Rehearse, What::Execute, What::Resume("x".to_owned(), Decision::Fail)] {
        let error = run(&outfit, &replaying(1, 10, what)).unwrap_err();
        assert_eq!(error.message(), "replays are switched off");
    }
    outfit.store = None;
    outfit.config.give_flag(Setting::ReplayEnabled, "--test", json!(true)).unwrap();
    let store = LocalStore::open(bench.store(), Clock::System).unwrap();
    let rehearsal = replaying(1, 10, What::Rehearse);
    let answer = replay_beside(&store, LINKS, &outfit, &rehearsal).unwrap();
    assert!(answer.terms.refusal.unwrap().contains("a store of one's own"));
}

/// The screen at #165, with settings that name a program.
pub(crate) fn screen(bench: &TestEnvironment, program: &Path) -> Terminal {
    screen_as(bench, program, true)
}

/// The same in a terminal that tells of its end, or not.
pub(crate) fn screen_as(bench: &TestEnvironment, program: &Path, controlled: bool) -> Terminal {
    let config = bench.work().join("settings.yaml");
    let handler = format!("      TestRunStarted: \"'{}'\"\n", program.display());
    let text = format!("event_sourcing:\n  replay:\n    handlers:\n{handler}");
    std::fs::write(&config, text).unwrap();
    let (config, store) = (config.to_str().unwrap(), bench.store());
    let store = store.to_str().unwrap();
    let arguments = ["PROJ-123", "--at", "165", "--config", config, "--store", store];
    Terminal::start_as((120, 40), bench.path(), &[], &arguments, controlled)
}

/// Rehearses a replay on a screen, and has it executed.
pub(crate) fn execute(terminal: &mut Terminal) {
    terminal.wait_for_text("#165/287");
    terminal.press("gp");
    terminal.wait_for_text("state as recorded");
    terminal.press("x");
    terminal.wait_for_text("y runs them");
    terminal.press("y");
}

#[test]
fn who_leaves_during_a_run_is_told_on_the_shell_how_to_go_on() {
    let bench = bench();
    // The first event's program ends once somebody lets it.
    let (first, go) = (bench.work().join("first"), bench.work().join("go"));
    assert!(std::process::Command::new("mkfifo").arg(&go).status().unwrap().success());
    let wait = format!("! mkdir '{}' || cat '{}'", first.display(), go.display());
    let program = noting(&bench, &wait);
    let mut terminal = screen(&bench, &program);
    execute(&mut terminal);
    terminal.wait_for_text("1 running");
    terminal.press("\u{3}");
    terminal.wait_for_text("ctrl-c again ends it");
    std::fs::write(go, "").unwrap();
    assert_eq!(terminal.wait_for_end(), 0);
    assert!(Terminal::is_given_back(terminal.screen()));
    let text = terminal.text().replace('\n', "");
    assert!(text.contains("stopped after") && text.contains("` goes on"), "{text}");
    // Redaction and limits are the screen's, wherever the command is run.
    let config = format!("--config {}", bench.work().join("settings.yaml").display());
    assert!(text.contains(&config), "{text}");
    let id = text.split("--resume ").nth(1).unwrap().split('`').next().unwrap().trim();
    assert_eq!(ran(&bench), [169]);
    let store = bench.store();
    bench.run(&["replay", "--store", store.to_str().unwrap(), "--resume", id]).ok();
    assert_eq!(&ran(&bench)[..2], [169, 171]);
}

#[test]
fn a_log_that_is_cut_during_a_run_stops_it_and_the_shell_is_told() {
    let bench = bench();
    let go = bench.work().join("go");
    assert!(std::process::Command::new("mkfifo").arg(&go).status().unwrap().success());
    let program = noting(&bench, &format!("cat '{}'", go.display()));
    let mut terminal = screen(&bench, &program);
    execute(&mut terminal);
    terminal.wait_for_text("1 running");
    // (The mark of its start is in a file of its own, which is cut.)
    terminal.wait_for_text("/288");
    let days = std::fs::read_dir(bench.store()).unwrap().map(|entry| entry.unwrap().path());
    let logs = days.map(|day| day.join(ISSUE).join("events.jsonl"));
    let last = logs.filter(|log| log.is_file()).max().unwrap();
    assert_eq!(std::fs::read_to_string(&last).unwrap().lines().count(), 1);
    std::fs::write(&last, "").unwrap();
    terminal.wait_for_text("and the run is stopped");
    terminal.press("q");
    terminal.wait_for_text("the program of #169 is waited for");
    terminal.press("\u{3}");
    terminal.wait_for_text("ctrl-c again ends it");
    std::fs::write(go, "").unwrap();
    assert_eq!(terminal.wait_for_end(), 0);
    let text = terminal.text().replace('\n', "");
    let said = text.contains("the log was cut or replaced") && text.contains("--resume ");
    assert!(said && text.contains("` goes on"), "{text}");
    // How its program ended is known.
    let store = LocalStore::open(bench.store(), Clock::System).unwrap();
    let found = unfinished_of(&store, ISSUE, 1).unwrap().runs.remove(0);
    assert_eq!((found.unknown, ran(&bench)), (Vec::new(), vec![169]));
}

#[test]
fn in_a_terminal_a_replay_is_rehearsed_confirmed_executed_and_seen_in_the_log() {
    let bench = bench();
    let program = noting(&bench, "exit 0");
    let mut terminal = screen(&bench, &program);
    terminal.wait_for_text("#165/287");
    terminal.press("gp");
    terminal.wait_for_text("nothing is executed, nothing is written");
    terminal.wait_for_text("state as recorded");
    terminal.press("x");
    terminal.wait_for_text("y runs them");
    assert!(ran(&bench).is_empty());
    terminal.press("y");
    terminal.wait_for_text("done: 123 events");
    terminal.wait_for_text("ReplayCompleted");
    assert_eq!(ran(&bench).first(), Some(&169));
    terminal.press("qq");
    assert_eq!(terminal.wait_for_end(), 0);
}

#[test]
fn of_two_screens_the_second_is_told_what_the_first_runs() {
    let bench = bench();
    let go = bench.work().join("go");
    assert!(std::process::Command::new("mkfifo").arg(&go).status().unwrap().success());
    let program = noting(&bench, &format!("cat '{}'", go.display()));
    let mut first = screen(&bench, &program);
    let mut second = screen(&bench, &program);
    second.wait_for_text("#165/287");
    second.press("gp");
    second.wait_for_text("state as recorded");
    execute(&mut first);
    first.wait_for_text("1 running");
    second.press("xy");
    second.wait_for_text("is still at work elsewhere");
    second.press("q");
    second.wait_for_text("nothing was executed");
    assert_eq!(ran(&bench), [169]);
    second.press("qq");
    assert_eq!(second.wait_for_end(), 0);
    first.press("\u{3}");
    first.wait_for_text("ctrl-c again ends it");
    std::fs::write(go, "").unwrap();
    assert_eq!(first.wait_for_end(), 0);
    assert_eq!(ran(&bench), [169]);
}
