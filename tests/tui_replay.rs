//! Replays on the screen: rehearsing, what is asked before programs run, watching, stopping.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use chronoscope::error::{Error, ErrorKind, Result};
use chronoscope::model::{Path, Position, Value};
use chronoscope::replay::{
    Decision, Difference, Execution, FinalState, Heard, Outcome, Policies, Status,
};
use chronoscope::session::Session;
use chronoscope::tui::action::Action;
use chronoscope::tui::app::Mode;
use chronoscope::tui::debugger::Debugger;
use chronoscope::tui::effect::Effect;
use chronoscope::tui::layout::Pane;
use chronoscope::tui::replay::{
    Answer, End, Only, Others, Replay, Replaying, Rest, Start, Teller, Terms, What,
};
use chronoscope::tui::signs::ReplayMark;
use chronoscope::tui::theme::Theme;

use crate::tui_support::{Desk, ISSUE, sample};

pub(crate) const RUN_TESTS: &str = "/srv/handlers/run-tests --fast";
pub(crate) const SIZES: [(u16, u16); 4] = [(160, 50), (120, 40), (80, 24), (40, 12)];

/// What the outside was asked to do last.
pub(crate) fn asked(desk: &Desk) -> Replaying {
    match desk.effects.last() {
        Some(Effect::Replay(replaying)) => replaying.clone(),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn replay(desk: &Desk) -> &Replay {
    desk.debugger().replay.as_ref().unwrap()
}

/// What a replay says of an event of a type, where programs would run.
fn rehearsed(type_name: &str) -> (Status, &'static str) {
    match type_name {
        "TestRunStarted" => (Status::WouldExecute, RUN_TESTS),
        "CommitCreated" | "CommentPosted" | "PRCreated" => (
            Status::Skipped,
            "it acts upon the outside and is not repeated (replay.non_replayable_events)",
        ),
        "ToolInvoked" => (Status::Replayed, "it has no handler"),
        _ => (Status::Replayed, "a record: there is nothing to execute"),
    }
}

pub(crate) fn outcome(desk: &Desk, position: Position, status: Status, reason: &str) -> Outcome {
    let timeline = desk.debugger().session.timeline();
    let event_type = timeline.text(timeline.row(position).unwrap().type_name).into();
    let reason = Some(reason.into());
    Outcome { position, event_type, event_id: "".into(), status, reason, result: None }
}

/// Tells of events, as the thread of a replay does.
pub(crate) fn tell(desk: &Desk, outcomes: impl IntoIterator<Item = Outcome>) {
    let never = ["CommitCreated", "CommentPosted", "PRCreated"].map(str::to_owned);
    let teller = Teller::new(&asked(desk).progress, Policies::new(never));
    for outcome in outcomes {
        teller.tell(Heard::Settled(outcome));
    }
}

pub(crate) fn terms() -> Terms {
    let timeout = Duration::from_secs(300);
    Terms {
        markers: true,
        timeout,
        attempts: 3,
        refusal: None,
        unfinished: None,
        others: Others::default(),
        changed: Vec::new(),
    }
}

pub(crate) fn state(first_difference: Option<Difference>) -> FinalState {
    let matches = first_difference.is_none();
    FinalState { digest: "sha256:00".to_owned(), matches, first_difference }
}

fn answer(desk: &mut Desk, success_rate: f64, state: FinalState) {
    let answer = Answer { success_rate, state, terms: terms(), complaint: None };
    let replaying = asked(desk);
    desk.act(Action::Replayed(replaying, Ok(Box::new(answer))));
}

/// A screen at an event whose rehearsal came to its end.
pub(crate) fn rehearsal(size: (u16, u16), at: u32) -> Desk {
    let mut desk = Desk::new(&sample(200), size);
    desk.type_text(&at.to_string()).press("G g p");
    let Replaying { from, to, .. } = asked(&desk);
    let events = (from..=to).map(|position| {
        let timeline = desk.debugger().session.timeline();
        let name = timeline.text(timeline.row(position).unwrap().type_name);
        let (status, reason) = rehearsed(name);
        outcome(&desk, position, status, reason)
    });
    tell(&desk, events.collect::<Vec<_>>());
    answer(&mut desk, 1.0, state(None));
    desk
}

/// As [`rehearsal`], and its execution is going on at #171, with a failure at #169.
pub(crate) fn execution(size: (u16, u16)) -> Desk {
    let mut desk = rehearsal(size, 165);
    desk.press("x y");
    let replaying = asked(&desk);
    assert_eq!((replaying.what.clone(), replaying.from, replaying.to), (What::Execute, 165, 200));
    replaying.progress.name("5bd9cc65-d3f6-4968-962f-2d7ea5b7eb50");
    let record = "a record: there is nothing to execute";
    let mut failed = outcome(&desk, 169, Status::Failed, "its handler failed with exit 1");
    failed.result = Some(Box::new(Execution {
        exit_code: Some(1),
        signal: None,
        attempts: 2,
        duration_ms: 1204,
        stdout: (1..=40).map(|n| format!("test {n}\n")).collect(),
        stderr: "2 of 40 failed\n".to_owned(),
    }));
    let plain = |p| outcome(&desk, p, Status::Replayed, record);
    let mut all: Vec<Outcome> = (165..169).map(plain).collect();
    all.extend([failed, outcome(&desk, 170, Status::Failed, "its cause #169 failed")]);
    tell(&desk, all);
    let teller = Teller::new(&replaying.progress, Policies::default());
    teller.tell(Heard::Begun(171));
    desk.act(Action::Tick(Duration::from_secs(2)));
    desk
}

pub(crate) fn stopped() -> Result<Box<Answer>> {
    Err(Error::new(ErrorKind::Interrupted, "the replay was stopped"))
}

#[test]
fn it_begins_as_a_rehearsal_and_says_so() {
    for size in SIZES {
        let desk = rehearsal(size, 165);
        let Replaying { what, from, to, .. } = asked(&desk);
        assert_eq!((what, from, to), (What::Rehearse, 165, 200));
        let name = format!("rehearsal-{}x{}", size.0, size.1);
        insta::assert_snapshot!(name, desk.screen());
        let promise = match size.0 {
            40 => "rehearsal: nothing is run or written",
            _ => "rehearsal: nothing is executed, nothing is written",
        };
        assert!(desk.screen().contains(promise), "{}", desk.screen());
    }
}

#[test]
fn programs_are_named_before_they_run_and_one_key_alone_runs_them() {
    for size in SIZES {
        let mut desk = rehearsal(size, 165);
        let before = desk.effects.len();
        desk.press("x");
        assert!(matches!(desk.app.mode, Mode::Confirm(_)));
        let name = format!("confirm-{}x{}", size.0, size.1);
        insta::assert_snapshot!(name, desk.screen());
        assert!(desk.screen().contains("TestRunStarted"), "{}", desk.screen());
        for key in ["esc", "enter", "x", "Y", "n", "q", "space"] {
            desk.press(key);
            assert!(matches!(desk.app.mode, Mode::Normal), "{key}");
            assert_eq!(
                (desk.told(), desk.effects.len()),
                ("nothing was executed", before),
                "{key}"
            );
            desk.press("x");
        }
        desk.press("y");
        assert_eq!(asked(&desk).what, What::Execute);
        assert_eq!(desk.effects.len(), before + 1);
    }
}

#[test]
fn what_is_left_to_be_scrolled_to_is_counted() {
    for size in &SIZES[1..] {
        let mut desk = Desk::new(&sample(200), *size);
        desk.press("1 6 5 G g p");
        let programs = (165..=200).map(|at| (at, format!("/srv/program-{at}")));
        tell(&desk, programs.map(|(at, p)| outcome(&desk, at, Status::WouldExecute, &p)));
        answer(&mut desk, 1.0, state(None));
        desk.press("x");
        let more = |desk: &Desk| {
            let screen = desk.screen();
            let count = screen.lines().find(|line| line.contains("more: scroll"));
            count.map(|line| {
                let words: Vec<&str> = line.split_whitespace().collect();
                let at = words.iter().position(|word| *word == "more:").unwrap();
                words[at - 1].parse::<usize>().unwrap()
            })
        };
        let all = more(&desk).unwrap();
        desk.press("j j");
        assert_eq!(more(&desk), Some(all - 2), "{}", desk.screen());
        desk.press("G");
        assert_eq!(more(&desk), None, "{}", desk.screen());
        assert!(desk.screen().contains("200"), "{}", desk.screen());
        // The first key up is seen at once.
        desk.press("j k");
        assert_eq!(more(&desk), Some(1), "{}", desk.screen());
    }
}

#[test]
fn a_branch_and_a_filter_do_not_count_and_that_is_said() {
    for size in [(120, 40), (80, 24)] {
        let mut desk = Desk::new(&sample(200), size);
        desk.press("1 6 5 G F").type_text("tool").press("enter").work();
        desk.press("g p");
        tell(&desk, [outcome(&desk, 169, Status::WouldExecute, RUN_TESTS)]);
        answer(&mut desk, 1.0, state(None));
        let filter = "the log as it is: the filter does not count";
        assert!(desk.screen().contains(filter), "{}", desk.screen());
        desk.press("x");
        assert_eq!(desk.screen().matches("the filter does not count").count(), 2);
        desk.press("esc tab");
        while desk.debugger().focus != Pane::Events {
            desk.press("tab");
        }
        desk.press("x").work();
        desk.press("g p");
        let both = "the log as it is: branch and filter do not count";
        assert!(desk.screen().contains(both), "{}", desk.screen());
    }
}

#[test]
fn an_execution_is_watched_event_by_event_and_lane_by_lane() {
    for size in SIZES {
        let mut desk = execution(size);
        let name = |what: &str| format!("{what}-{}x{}", size.0, size.1);
        assert_eq!(desk.playhead(), 171, "the playhead moves along");
        insta::assert_snapshot!(name("executing"), desk.screen());
        let marks = replay(&desk).outcomes.marks();
        assert_eq!(marks.of(ReplayMark::Running), [171]);
        assert_eq!(marks.of(ReplayMark::Failed), [169, 170]);
        tell(&desk, [outcome(&desk, 171, Status::Executed, "its handler succeeded")]);
        let path = Path::parse("/quality/tests/unit/status").unwrap();
        let (recorded, replayed) = (Some(Value::from("started")), None);
        let first = Difference { path, recorded, replayed, position: Some(169) };
        answer(&mut desk, 0.875, state(Some(first)));
        assert!(replay(&desk).outcomes.marks().of(ReplayMark::Running).is_empty());
        insta::assert_snapshot!(name("executed"), desk.screen());
        desk.app.theme = Theme::built_in("none").with_ascii(true);
        assert!(desk.screen().is_ascii(), "{}", desk.screen());
    }
}

#[test]
fn from_the_list_one_goes_to_events_their_results_and_the_first_difference() {
    let mut desk = execution((120, 40));
    let path = Path::parse("/agents/architect/status").unwrap();
    let first = Difference { path, recorded: None, replayed: None, position: Some(169) };
    answer(&mut desk, 0.875, state(Some(first)));
    // The difference is the first row, and is selected.
    desk.press("enter");
    assert_eq!((desk.playhead(), desk.debugger().focus), (169, Pane::State));
    assert_eq!(desk.selected(), "/agents/architect/status");
    // What was begun and has no end is unknown.
    assert_eq!(replay(&desk).outcomes.at(171), Some(ReplayMark::Unknown));
    desk.press("q o");
    assert_eq!(replay(&desk).only, Only::Failed);
    desk.press("g g j j enter");
    assert_eq!((desk.playhead(), desk.debugger().focus), (170, Pane::Replay));
    desk.press("k enter enter");
    assert_eq!((desk.playhead(), desk.debugger().focus), (169, Pane::Detail));
    insta::assert_snapshot!("result-120x40", desk.screen());
    // What a program wrote last is seen, too, and the whole of it is one key away.
    desk.press("1 4 j");
    let screen = desk.screen();
    for seen in ["test 4 ", "… Enter shows all of it", "test 36 ", "test 40 "] {
        assert!(screen.contains(seen), "{seen}: {screen}");
    }
    assert!(!screen.contains("test 5 ") && !screen.contains("test 35 "), "{screen}");
    desk.press("enter");
    assert!(matches!(desk.app.mode, Mode::Value(_)), "{}", desk.screen());
    assert!(desk.screen().contains("test 9"), "{}", desk.screen());
    desk.press("end");
    assert!(desk.screen().contains("test 40"), "{}", desk.screen());
    desk.press("esc q o");
    assert_eq!(replay(&desk).only, Only::Skipped);
}

#[test]
fn types_lead_to_their_events_and_back() {
    let mut desk = rehearsal((120, 40), 100);
    assert!(!replay(&desk).by_event);
    desk.press("enter");
    let runs = Only::Type(ReplayMark::WouldExecute, "TestRunStarted".to_owned());
    assert_eq!((replay(&desk).by_event, &replay(&desk).only), (true, &runs));
    desk.press("q");
    assert!(!replay(&desk).by_event, "one step back");
    desk.press("e");
    assert_eq!((replay(&desk).by_event, &replay(&desk).only), (true, &Only::Telling));
    for only in [Only::Failed, Only::Skipped, Only::Run, Only::All, Only::Telling] {
        desk.press("o");
        assert_eq!(replay(&desk).only, only);
    }
    let told = replay(&desk).total();
    desk.press("N o o o o");
    assert_eq!(replay(&desk).total(), 101);
    assert!(told < 30, "{told}");
}

#[test]
fn closing_it_gives_the_screen_back_as_it_was() {
    let mut desk = Desk::new(&sample(200), (120, 40));
    desk.press("9 0 G tab v tab z");
    let before = desk.screen();
    let debugger = desk.debugger();
    let stood = (debugger.playhead, debugger.follow, debugger.focus, debugger.side);
    desk.press("g p");
    assert_eq!(desk.debugger().focus, Pane::Replay);
    tell(&desk, [outcome(&desk, 95, Status::Failed, "x")]);
    answer(&mut desk, 1.0, state(None));
    desk.press("o enter enter z");
    assert_ne!(desk.playhead(), 90);
    desk.press("g p esc esc");
    let debugger = desk.debugger();
    assert_eq!((debugger.playhead, debugger.follow, debugger.focus, debugger.side), stood);
    assert!(debugger.replay.is_none());
    assert_eq!(desk.screen(), before);
    desk.press("alt-left");
    assert_eq!(desk.playhead(), 95, "where one was is among the jumps");
}

#[test]
fn it_begins_here_behind_a_checkpoint_at_the_beginning_or_as_typed() {
    let mut desk = rehearsal((120, 40), 170);
    assert_eq!(replay(&desk).start, Start::Playhead);
    desk.press("s");
    assert_eq!((asked(&desk).from, asked(&desk).to), (160, 200));
    assert_eq!(replay(&desk).start, Start::Checkpoint("cp-code-complete".to_owned(), 159));
    desk.press("s");
    assert_eq!((asked(&desk).from, &replay(&desk).start), (1, &Start::Beginning));
    desk.press("s r");
    assert_eq!((asked(&desk).from, &replay(&desk).start), (170, &Start::Playhead));
    desk.press(":").type_text("replay 40 TestRunStarted:1").press("enter");
    assert_eq!((asked(&desk).from, asked(&desk).to), (40, 169));
    desk.press(":").type_text("replay 50").press("enter r");
    assert_eq!((asked(&desk).from, asked(&desk).to), (50, 200));
    let asked_for = desk.effects.len();
    for (text, told) in [
        ("9 5", "#5, before it begins at #9"),
        ("1 2 3", "FROM TO"),
        ("900", "900"),
        ("2036-01-01", "the last is #200"),
        ("2036-01-01 end", "#200, before it begins at #201"),
    ] {
        desk.press(":").type_text(&format!("replay {text}")).press("enter");
        assert!(desk.told().contains(told), "{}", desk.told());
    }
    assert_eq!(desk.effects.len(), asked_for);
}

#[test]
fn at_the_end_of_the_log_it_begins_at_the_last_checkpoint() {
    let mut desk = Desk::new(&sample(200), (120, 40));
    desk.press("g p");
    assert_eq!(replay(&desk).start, Start::Checkpoint("cp-before-fix".to_owned(), 185));
    let mut desk = Desk::new(&sample(20), (120, 40));
    desk.press("g p");
    assert_eq!((&replay(&desk).start, asked(&desk).from), (&Start::Beginning, 1));
    let mut desk = Desk::new("", (120, 40));
    desk.press("g p");
    assert_eq!(desk.told(), "there is nothing to replay");
}

#[test]
fn what_cannot_be_executed_from_here_says_why_and_gives_the_command() {
    let mut desk = Desk::new(&sample(200), (120, 40));
    desk.app.store = Some("/srv/my events".to_owned());
    desk.app.config = Some("/srv/my settings.yaml".to_owned());
    desk.press("1 9 6 G g p x");
    assert_eq!(desk.told(), "rehearse it first: r");
    tell(&desk, [outcome(&desk, 199, Status::Replayed, "it has no handler")]);
    answer(&mut desk, 1.0, state(None));
    desk.press("x");
    assert!(matches!(desk.app.mode, Mode::Normal));
    let why = "no program is set for any of these events (replay.handlers); y copies the command";
    assert_eq!(desk.told(), why);
    desk.press("y");
    let command = "chronoscope replay PROJ-123 --config '/srv/my settings.yaml' \
                   --store '/srv/my events' --from 196 --to 200 \
                   --handler ToolInvoked=PROGRAM --execute";
    assert_eq!(desk.effects.last(), Some(&Effect::Copy(command.to_owned())));
    // A store that is nobody's to write.
    let mut desk = rehearsal((120, 40), 165);
    desk.press("r");
    let refusal = Some("the store cannot be written".to_owned());
    let terms = Terms { refusal, ..terms() };
    let answer = Answer { success_rate: 1.0, state: state(None), terms, complaint: None };
    tell(&desk, [outcome(&desk, 169, Status::WouldExecute, RUN_TESTS)]);
    let replaying = asked(&desk);
    desk.act(Action::Replayed(replaying, Ok(Box::new(answer))));
    desk.press("x");
    assert!(matches!(desk.app.mode, Mode::Normal));
    assert_eq!(desk.told(), "the store cannot be written; y copies the command");
}

#[test]
fn a_rehearsal_is_stopped_at_once_and_what_comes_late_is_dropped() {
    let mut desk = Desk::new(&sample(200), (120, 40));
    desk.press("1 0 0 G g p");
    let replaying = asked(&desk);
    assert!(desk.app.patience().is_some(), "how far it is, is drawn");
    assert!(desk.screen().contains("reading the log"), "{}", desk.screen());
    tell(&desk, [outcome(&desk, 100, Status::Replayed, "x")]);
    desk.press("esc");
    assert!(replaying.progress.is_stopped());
    assert_eq!(desk.told(), "the rehearsal was stopped");
    assert!(matches!(replay(&desk).end, Some(End::Stopped)));
    assert!(desk.screen().contains("stopped after 1/101 events"), "{}", desk.screen());
    assert!(desk.app.patience().is_none());
    desk.act(Action::Replayed(replaying, stopped()));
    answer(&mut desk, 1.0, state(None));
    assert!(replay(&desk).state().is_none(), "nobody waits for it");
    // Another one takes the place of one that goes on.
    desk.press("r");
    let first = asked(&desk);
    desk.press("s");
    assert!(first.progress.is_stopped() && !asked(&desk).progress.is_stopped());
    desk.press("esc q q");
    assert_eq!(desk.effects.last(), Some(&Effect::Quit));
}

#[test]
fn an_execution_is_stopped_in_order_and_gone_on_with() {
    let mut desk = execution((120, 40));
    desk.press("q");
    assert_eq!(desk.told(), "programs are being run: esc stops that first");
    desk.press("r x tab q");
    assert!(replay(&desk).is_executing());
    desk.press("esc");
    assert!(asked(&desk).progress.is_stopped());
    assert!(desk.screen().contains("stopping at #171"), "{}", desk.screen());
    // What is waited for is told as long as it is so, whatever else is pressed.
    let waits =
        " ctrl-c twice ends it; stopping: the program of #171 is waited for, 300 s at most ";
    for keys in ["tab", "esc", "q", "r", "esc"] {
        desk.press(keys);
        assert!(status(&desk).starts_with(waits), "{keys}: {}", status(&desk));
        assert!(!status(&desk).contains("esc stops"), "{keys}: {}", status(&desk));
    }
    // Its program came to its end.
    tell(&desk, [outcome(&desk, 171, Status::Executed, "its handler succeeded")]);
    let replaying = asked(&desk);
    desk.act(Action::Replayed(replaying, stopped()));
    assert!(desk.screen().contains("stopped after 7/36 events"), "{}", desk.screen());
    assert!(!status(&desk).contains("stopping"), "{}", status(&desk));
    desk.press("g p");
    assert!(desk.screen().contains("x goes on with 5bd9cc65"), "{}", desk.screen());
    desk.press("y");
    let command = "chronoscope replay --resume 5bd9cc65-d3f6-4968-962f-2d7ea5b7eb50";
    assert_eq!(desk.effects.last(), Some(&Effect::Copy(command.to_owned())));
    desk.press("x");
    assert!(desk.screen().contains("stopped after 7"), "{}", desk.screen());
    desk.press("y");
    let id = "5bd9cc65-d3f6-4968-962f-2d7ea5b7eb50".to_owned();
    assert_eq!(asked(&desk).what, What::Resume(id, Decision::Fail));
}

/// The line at the bottom.
fn status(desk: &Desk) -> String {
    desk.screen().lines().last().unwrap().to_owned()
}

#[test]
fn the_key_that_executes_is_named_where_it_does_something() {
    let named = |desk: &Desk| status(desk).contains("x execute");
    let mut desk = Desk::new(&sample(200), (120, 40));
    desk.press("1 6 5 G g p");
    assert!(!named(&desk), "it is rehearsed yet: {}", status(&desk));
    let mut desk = rehearsal((120, 40), 165);
    assert!(named(&desk), "{}", status(&desk));
    // Why nothing can be executed is worth a key.
    desk.press("r");
    answer(&mut desk, 1.0, state(None));
    assert!(named(&desk), "{}", status(&desk));
    let mut desk = execution((120, 40));
    assert!(!named(&desk), "{}", status(&desk));
    answer(&mut desk, 1.0, state(None));
    assert!(!named(&desk), "{}", status(&desk));
    // Pressed all the same, it says what the pane says.
    desk.press("x");
    assert_eq!(desk.told(), "that run is over: r rehearses again");
    let mut desk = execution((120, 40));
    let replaying = asked(&desk);
    desk.act(Action::Replayed(replaying, stopped()));
    assert!(named(&desk), "{}", status(&desk));
}

#[test]
fn what_was_said_while_programs_ran_is_not_said_once_they_ended() {
    let mut desk = execution((120, 40));
    desk.press("q");
    assert_eq!(desk.told(), "programs are being run: esc stops that first");
    answer(&mut desk, 1.0, state(None));
    assert!(desk.screen().contains("done: 36 events"), "{}", desk.screen());
    assert!(!status(&desk).contains("programs are being run"), "{}", status(&desk));
    // Where the pane is not seen, the line tells the end.
    let mut desk = execution((40, 12));
    desk.press("tab");
    let replaying = asked(&desk);
    desk.act(Action::Replayed(replaying, stopped()));
    assert!(status(&desk).starts_with(" stopped after 6/36 events"), "{}", desk.screen());
}

#[test]
fn who_leaves_while_programs_run_waits_for_them_or_insists() {
    let mut desk = execution((120, 40));
    desk.press("ctrl-c");
    assert!(!desk.effects.contains(&Effect::Quit) && asked(&desk).progress.is_stopped());
    let replaying = asked(&desk);
    desk.act(Action::Replayed(replaying, stopped()));
    assert_eq!(desk.effects.last(), Some(&Effect::Quit));
    assert_eq!(
        farewell(&desk),
        "replay 5bd9cc65-d3f6-4968-962f-2d7ea5b7eb50 stopped after 6/36 events, 2.0 s, and nobody \
         knows how #171 ended; `chronoscope replay --resume 5bd9cc65-d3f6-4968-962f-2d7ea5b7eb50 \
         --on-unknown skip` goes on (or retry, if it is not done)"
    );
    let mut desk = execution((120, 40));
    desk.press("ctrl-c");
    let text = " ctrl-c again ends it; stopping: the program of #171 is waited for, 300 s at most";
    assert!(status(&desk).contains(text), "{}", status(&desk));
    desk.press("ctrl-c");
    assert!(!desk.effects.contains(&Effect::Quit) && asked(&desk).progress.is_ended());
    assert!(status(&desk).contains("is being ended"), "{}", status(&desk));
    desk.press("ctrl-c");
    assert_eq!(desk.effects.last(), Some(&Effect::Quit));
    let text = "was left while a program of it may still run, and nobody knows how #171 ended; `chronoscope";
    assert!(farewell(&desk).contains(text), "{}", farewell(&desk));
}

/// Of a program without end, that is what has to be known.
#[test]
fn what_ends_a_program_is_not_cut_off() {
    let mut desk = execution((80, 24));
    desk.press("esc");
    assert!(status(&desk).starts_with(" ctrl-c twice ends it; stopping"), "{}", status(&desk));
    desk.press("ctrl-c");
    assert!(status(&desk).starts_with(" ctrl-c again ends it; stopping"), "{}", status(&desk));
}

#[test]
fn no_editor_has_the_terminal_while_programs_run() {
    let mut desk = execution((120, 40));
    while desk.debugger().focus != Pane::Events {
        desk.press("tab");
    }
    for key in ["e", "i"] {
        desk.press(key);
        assert_eq!(desk.told(), "programs are being run: the editor waits until that is over");
    }
    assert!(!desk.effects.iter().any(|effect| matches!(effect, Effect::Edit(..))));
    answer(&mut desk, 1.0, state(None));
    desk.press("e");
    assert!(matches!(desk.effects.last(), Some(Effect::Edit(..))));
}

#[test]
fn that_the_log_is_still_read_is_said_as_long_as_it_is() {
    let mut desk = Desk::new(&sample(20), (120, 40));
    let (sender, woken) = channel();
    let store = Arc::new(desk.store.clone());
    let wake = move || {
        let _ = sender.send(());
    };
    let session = Session::open(store, ISSUE, wake).unwrap();
    // (No news are taken in before the key.)
    desk.app.debugger = Some(Box::new(Debugger::new(session, None, false)));
    desk.press("g p");
    assert_eq!(desk.told(), "the log is still being read: a replay needs all of it");
    while !desk.debugger().session.is_loaded() {
        woken.recv().unwrap();
        desk.act(Action::Pump);
    }
    assert_eq!(desk.told(), "");
}

#[test]
fn where_a_run_took_the_playhead_is_not_where_the_user_comes_back_to() {
    let mut desk = execution((120, 40));
    assert_eq!((desk.playhead(), desk.debugger().user_state().playhead), (171, Some(165)));
    desk.press("tab 2 0 G");
    assert_eq!(desk.debugger().user_state().playhead, Some(20));
}

#[test]
fn large_counts_and_long_reasons_are_seen_for_what_they_are() {
    let mut desk = Desk::new(&sample(200), (80, 24));
    desk.press("1 0 0 G g p");
    let long =
        "a long reason that says more than the foot of a small pane has room for, ".repeat(4);
    tell(&desk, [outcome(&desk, 100, Status::Failed, &long)]);
    answer(&mut desk, 1.0, state(None));
    let screen = desk.screen();
    let foot = screen.lines().rev().nth(2).unwrap();
    let told = foot.split('│').rev().nth(1).unwrap().trim_end();
    assert!(told.ends_with('…'), "{screen}");
    desk.press("r");
    let many = (1..=123_456).map(|position| Outcome {
        position,
        event_type: "ToolInvoked".into(),
        event_id: "".into(),
        status: Status::Replayed,
        reason: None,
        result: None,
    });
    tell(&desk, many);
    answer(&mut desk, 1.0, state(None));
    assert!(desk.screen().contains("◦ 123456 ToolInvoked"), "{}", desk.screen());
}

/// What is said once the terminal is given back.
pub(crate) fn farewell(desk: &Desk) -> &str {
    desk.app.farewells.last().map_or("", |(_, text)| text)
}

#[test]
fn what_was_stopped_and_gone_on_with_to_its_end_needs_no_word_at_the_end() {
    let mut desk = execution((120, 40));
    desk.press("esc");
    let replaying = asked(&desk);
    desk.act(Action::Replayed(replaying, stopped()));
    assert!(farewell(&desk).contains("stopped after 6/36"), "{}", farewell(&desk));
    desk.press("x s");
    asked(&desk).progress.name("5bd9cc65-d3f6-4968-962f-2d7ea5b7eb50");
    answer(&mut desk, 1.0, state(None));
    assert_eq!(farewell(&desk), "");
}

/// The mark of a replay, appended three days after what it replays.
fn mark(at: usize) -> String {
    let last = sample(at - 1).lines().last().unwrap().to_owned();
    let mut event: serde_json::Value = serde_json::from_str(&last).unwrap();
    event["event_id"] = format!("5bd9cc65-d3f6-4968-962f-{at:012}").into();
    event["event_type"] = "ReplayStarted".into();
    event["timestamp"] = "2026-11-23T12:00:00.000Z".into();
    event["event_sequence"] = at.into();
    event["metadata"] = serde_json::json!({ "replay_id": "5bd9cc65" });
    format!("{event}\n")
}

/// The timeline's title.
fn axis(desk: &Desk) -> String {
    desk.screen().lines().nth(1).unwrap().to_owned()
}

#[test]
fn the_timeline_covers_what_is_replayed_whatever_an_execution_appends() {
    for size in [(160, 50), (80, 24)] {
        let mut desk = rehearsal(size, 165);
        assert!(axis(&desk).contains("12:13–12:26 ── clock: time"), "{}", axis(&desk));
        desk.press("x y");
        let rail = |desk: &Desk| {
            let screen = desk.screen();
            screen.lines().find(|line| line.contains("│ rail")).unwrap().to_owned()
        };
        let before = rail(&desk);
        desk.append(&mark(201), 201);
        assert!(axis(&desk).contains("12:13–12:26 ── clock: time"), "{}", axis(&desk));
        assert_eq!(rail(&desk), before);
        // A range that was three days long by then is seen without the days between.
        answer(&mut desk, 1.0, state(None));
        desk.press("r");
        assert_eq!(asked(&desk).to, 201);
        assert!(axis(&desk).contains("clock: active"), "{}", axis(&desk));
        desk.press("esc esc");
        assert!(axis(&desk).contains("11-20"), "as it was: the whole log; {}", axis(&desk));
    }
}

#[test]
fn a_range_elsewhere_is_seen_once_the_playhead_has_come_there() {
    let mut desk = Desk::new(&sample(200), (120, 40));
    let whole = desk.debugger().timeline.clone();
    desk.press(":").type_text("replay 40 60").press("enter");
    let seen = |desk: &Desk| desk.debugger().timeline.window.unwrap();
    let reading = |desk: &Desk, at| {
        desk.debugger().session.timeline().clocks().at(desk.debugger().timeline.clock, at)
    };
    assert_eq!(seen(&desk), (reading(&desk, 40), reading(&desk, 200)), "the playhead is seen too");
    tell(&desk, [outcome(&desk, 40, Status::WouldExecute, RUN_TESTS)]);
    answer(&mut desk, 1.0, state(None));
    desk.press("x y");
    tell(&desk, [outcome(&desk, 40, Status::Executed, "its handler succeeded")]);
    desk.act(Action::Tick(Duration::from_secs(1)));
    assert_eq!(seen(&desk), (reading(&desk, 40), reading(&desk, 60)));
    answer(&mut desk, 1.0, state(None));
    // What the user looks at meanwhile is not kept.
    desk.press("t esc");
    assert_eq!(desk.debugger().timeline, whole);
}

#[test]
fn who_goes_elsewhere_is_not_taken_along() {
    let mut desk = execution((120, 40));
    desk.press("tab 2 0 G");
    tell(&desk, [outcome(&desk, 171, Status::Executed, "its handler succeeded")]);
    desk.act(Action::Tick(Duration::from_secs(3)));
    assert_eq!(desk.playhead(), 20);
    assert_eq!(replay(&desk).outcomes.last(), Some(171));
}

#[test]
fn what_goes_wrong_is_told_where_it_is_looked_for() {
    let mut desk = Desk::new(&sample(60), (80, 24));
    desk.press("4 0 G g p");
    let error = Error::not_found("the handler of tool, \"./again\", is no program that can run")
        .with_hint("a handler is a program and its arguments; there is no shell");
    let replaying = asked(&desk);
    desk.act(Action::Replayed(replaying, Err(error)));
    insta::assert_snapshot!("replay-fault-80x24", desk.screen());
}

#[test]
fn another_log_takes_the_replay_away() {
    let mut desk = execution((120, 40));
    let replaying = asked(&desk);
    desk.store.replace(ISSUE, sample(30).as_bytes());
    desk.pump_until(|debugger| debugger.replay.is_none());
    assert!(replaying.progress.is_stopped());
    assert_ne!(desk.debugger().focus, Pane::Replay);
    desk.act(Action::Replayed(replaying, stopped()));
    // A rehearsal, and what it was asked about, leave nothing behind.
    let mut desk = rehearsal((120, 40), 165);
    desk.press("x");
    desk.store.replace(ISSUE, sample(30).as_bytes());
    desk.pump_until(|debugger| debugger.replay.is_none());
    assert_eq!(desk.told(), "the log was cut or replaced: it is read anew");
    desk.press("q");
    assert_eq!(desk.effects.last(), Some(&Effect::Quit));
}

#[test]
fn another_log_stops_a_run_and_what_it_began_is_waited_for() {
    let mut desk = execution((120, 40));
    let replaying = asked(&desk);
    desk.store.replace(ISSUE, sample(30).as_bytes());
    desk.pump_until(|debugger| debugger.replay.is_none() && debugger.session.is_loaded());
    assert_eq!(desk.told(), "the log was cut or replaced: it is read anew, and the run is stopped");
    let waits =
        " ctrl-c twice ends it; stopping: the program of #171 is waited for, 300 s at most ";
    for keys in ["l", "esc", "q", "g p"] {
        desk.press(keys);
        assert!(status(&desk).starts_with(waits), "{keys}: {}", status(&desk));
    }
    assert!(!desk.effects.contains(&Effect::Quit) && desk.debugger().replay.is_none());
    assert!(desk.app.patience().is_some(), "what it waits for is drawn");
    // Another log once more changes nothing about that.
    desk.store.replace(ISSUE, sample(40).as_bytes());
    desk.pump_until(|debugger| debugger.head() == 40);
    desk.act(Action::Tick(Duration::from_secs(3)));
    desk.press("ctrl-c");
    let again = " ctrl-c again ends it; stopping: the program of #171 is waited for";
    assert!(status(&desk).starts_with(again), "{}", status(&desk));
    assert!(!desk.effects.contains(&Effect::Quit) && !replaying.progress.is_ended());
    // What cannot be read of another log is no other end than that.
    let torn = Error::new(ErrorKind::Integrity, "#172 cannot be read");
    desk.act(Action::Replayed(replaying, Err(torn)));
    assert_eq!(desk.effects.last(), Some(&Effect::Quit));
    assert_eq!(
        farewell(&desk),
        "replay 5bd9cc65-d3f6-4968-962f-2d7ea5b7eb50 stopped after 6/36 events, 3.0 s: the log was cut \
         or replaced, and nobody knows how #171 ended; `chronoscope replay --resume \
         5bd9cc65-d3f6-4968-962f-2d7ea5b7eb50 --on-unknown skip` goes on (or retry, if it is not done)"
    );
}

#[test]
fn once_a_run_has_stopped_whose_log_is_another_one_the_screen_goes_on() {
    let mut desk = execution((120, 40));
    let replaying = asked(&desk);
    desk.store.replace(ISSUE, sample(30).as_bytes());
    desk.pump_until(|debugger| debugger.replay.is_none() && debugger.session.is_loaded());
    tell(&desk, [outcome(&desk, 20, Status::Executed, "its handler succeeded")]);
    replaying.progress.leave(Rest::default());
    desk.act(Action::Replayed(replaying, stopped()));
    let end = "stopped after 7/36 events, 2.0 s: the log was cut or replaced";
    assert_eq!(desk.told(), end);
    assert!(farewell(&desk).ends_with("` goes on"), "{}", farewell(&desk));
    desk.press("1 0 G g p");
    assert_eq!((asked(&desk).what, asked(&desk).from, asked(&desk).to), (What::Rehearse, 10, 30));
}
