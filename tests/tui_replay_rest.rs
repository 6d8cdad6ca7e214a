//! Runs that did not come to their end, on the screen: what is said of them, and going on.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use chronoscope::error::{Error, ErrorKind};
use chronoscope::replay::{Decision, Status};
use chronoscope::tui::action::Action;
use chronoscope::tui::app::Mode;
use chronoscope::tui::effect::Effect;
use chronoscope::tui::replay::{
    Answer, Looking, Others, Program, Question, Replaying, Rest, Start, Terms, Unfinished, What,
};

use crate::tui_replay::{
    RUN_TESTS, SIZES, asked, execution, farewell, outcome, replay, state, stopped, tell, terms,
};
use crate::tui_support::{Desk, sample};

/// A rehearsal that found a run of another time, #165 to #180, of which this is left.
fn with_unfinished(size: (u16, u16), rest: Rest) -> Desk {
    with_runs(size, Some(rest), Others::default())
}

/// A rehearsal that found these runs of another time.
fn with_runs(size: (u16, u16), rest: Option<Rest>, others: Others) -> Desk {
    let mut desk = Desk::new(&sample(200), size);
    desk.type_text("190").press("G g p");
    let terms = found(rest, others);
    tell(&desk, [outcome(&desk, 195, Status::WouldExecute, RUN_TESTS)]);
    let answer = Answer { success_rate: 1.0, state: state(None), terms, complaint: None };
    let replaying = asked(&desk);
    desk.act(Action::Replayed(replaying, Ok(Box::new(answer))));
    desk
}

/// What is found where there are these runs.
fn found(rest: Option<Rest>, others: Others) -> Terms {
    let (command, type_name) = ("/srv/old/run-tests".to_owned(), "TestRunStarted".to_owned());
    let unfinished = rest.map(|rest| Unfinished {
        replay_id: "0c0ffee0-d3f6-4968-962f-2d7ea5b7eb50".to_owned(),
        from: 165,
        to: 180,
        done: 6,
        events: 16,
        rest,
        programs: vec![Program { command, type_name, events: None }],
        terms: Box::new(terms()),
    });
    Terms { unfinished, others, ..terms() }
}

#[test]
fn a_run_of_another_time_that_did_not_end_is_told_and_gone_on_with_or_begun_anew() {
    for size in SIZES {
        let mut desk = Desk::new(&sample(200), size);
        desk.type_text("190").press("G g p");
        let (command, type_name) = ("/srv/old/run-tests".to_owned(), "TestRunStarted".to_owned());
        let id = "0c0ffee0-d3f6-4968-962f-2d7ea5b7eb50";
        let unfinished = Unfinished {
            replay_id: id.to_owned(),
            from: 165,
            to: 180,
            done: 5,
            events: 16,
            rest: Rest::default(),
            programs: vec![Program { command, type_name, events: None }],
            terms: Box::new(Terms { timeout: Duration::from_secs(7), ..terms() }),
        };
        let told = Terms { unfinished: Some(unfinished), ..terms() };
        let rehearsed = |desk: &mut Desk| {
            tell(desk, [outcome(desk, 195, Status::WouldExecute, RUN_TESTS)]);
            let (state, terms) = (state(None), told.clone());
            let answer = Answer { success_rate: 1.0, state, terms, complaint: None };
            let replaying = asked(desk);
            desk.act(Action::Replayed(replaying, Ok(Box::new(answer))));
        };
        rehearsed(&mut desk);
        let text = "run 0c0ffee0… of #165 to #180 stopped after 5/16 events";
        assert_eq!(desk.told(), format!("{text}: x goes on, or begins anew"));
        desk.press("x");
        insta::assert_snapshot!(format!("unfinished-{}x{}", size.0, size.1), desk.screen());
        desk.press("n x");
        assert!(matches!(desk.app.mode, Mode::Confirm(_)), "nothing was executed");
        // Going on takes the place of what was rehearsed.
        desk.press("y");
        let Replaying { what, from, to, .. } = asked(&desk);
        assert_eq!((what, from, to), (What::Resume(id.to_owned(), Decision::Fail), 165, 180));
        assert_eq!(replay(&desk).start, Start::Begun);
        // What it came to at another time is to be decided by somebody.
        let replaying = asked(&desk);
        replaying.progress.leave(Rest { unknown: vec![171], is_held: false });
        let error = Error::new(ErrorKind::Assertion, "nobody knows how #171 ended");
        desk.act(Action::Replayed(replaying, Err(error)));
        assert_eq!(replay(&desk).question(), Question::Decide);
        let text = format!(
            "replay {id} could not go on, and nobody knows how #171 ended; \
             `chronoscope replay --resume {id} --on-unknown skip` goes on (or retry"
        );
        assert!(farewell(&desk).starts_with(&text), "{}", farewell(&desk));
        // Or another run is asked about, as ever.
        desk.press("r");
        rehearsed(&mut desk);
        desk.press("x a");
        assert!(matches!(desk.app.mode, Mode::Confirm(_)));
        assert!(desk.screen().contains("y runs them"), "{}", desk.screen());
        desk.press("y");
        assert_eq!(asked(&desk).what, What::Execute);
    }
}

#[test]
fn of_what_has_no_known_end_the_user_says_whether_it_is_done() {
    for size in SIZES {
        let rest = Rest { unknown: vec![171], is_held: false };
        for (key, decision) in [("s", Decision::Skip), ("r", Decision::Retry)] {
            let mut desk = with_unfinished(size, rest.clone());
            let text = "run 0c0ffee0… of #165 to #180 stopped after 6/16 events, #171 unknown: \
                        x asks what became of #171 and goes on, or begins anew";
            assert_eq!(desk.told(), text);
            desk.press("x");
            insta::assert_snapshot!(format!("unknown-{}x{}", size.0, size.1), desk.screen());
            assert!(desk.screen().contains("nobody knows how #171 ended"), "{}", desk.screen());
            let before = desk.effects.len();
            desk.press("y x esc x");
            assert_eq!(desk.effects.len(), before, "that is no decision");
            desk.press(key);
            let id = "0c0ffee0-d3f6-4968-962f-2d7ea5b7eb50".to_owned();
            assert_eq!(asked(&desk).what, What::Resume(id, decision));
        }
        let mut desk = with_unfinished(size, rest);
        desk.press("x a");
        assert!(desk.screen().contains("y runs them"), "{}", desk.screen());
    }
    // The same of a run that was stopped on this screen.
    let mut desk = execution((120, 40));
    let replaying = asked(&desk);
    replaying.progress.end();
    desk.act(Action::Replayed(replaying, stopped()));
    assert!(desk.screen().contains("stopped after 6/36 events"), "{}", desk.screen());
    assert!(desk.screen().contains("x asks what became of #171"), "{}", desk.screen());
    desk.press("y");
    let command = "chronoscope replay --resume 5bd9cc65-d3f6-4968-962f-2d7ea5b7eb50 \
                   --on-unknown skip";
    assert_eq!(desk.effects.last(), Some(&Effect::Copy(command.to_owned())));
    assert!(desk.told().ends_with("skip (or retry, if it is not done)"), "{}", desk.told());
    desk.press("x r");
    assert!(matches!(asked(&desk).what, What::Resume(_, Decision::Retry)));
}

#[test]
fn one_answer_for_several_events_is_said_to_hold_for_all() {
    for size in SIZES {
        let mut desk = with_unfinished(size, Rest { unknown: vec![171, 174], is_held: false });
        desk.press("x");
        let screen = desk.screen();
        assert!(screen.contains("nobody knows how #171, #174 e"), "{screen}");
        let keys = ["skip them; r: none is", "s skip all, r rerun all, a anew"];
        assert!(keys.iter().any(|keys| screen.contains(keys)), "{screen}");
        desk.press("esc y");
        assert!(desk.told().ends_with("(for all of them; or retry, if none is done)"));
    }
}

#[test]
fn other_runs_that_did_not_end_are_named_too() {
    let older = ["1c0ffee0-d3f6", "2c0ffee0-d3f6"].map(str::to_owned).to_vec();
    let unreadable = vec!["3c0ffee0-d3f6".to_owned()];
    let said = "older runs did not end either: 1c0ffee0…, 2c0ffee0…";
    for size in SIZES {
        let others = Others { older: older.clone(), unreadable: Vec::new() };
        let mut desk = with_runs(size, Some(Rest::default()), others);
        assert!(desk.told().ends_with(&format!("or begins anew; {said}")), "{}", desk.told());
        desk.press("x");
        assert!(desk.screen().contains("older runs did not end either"), "{}", desk.screen());
        desk.press("y");
        let replaying = asked(&desk);
        replaying.progress.leave(Rest::default());
        desk.act(Action::Replayed(replaying, stopped()));
        desk.press("x");
        assert!(
            !desk.screen().contains("older runs"),
            "it was asked about another: {}",
            desk.screen()
        );
        let others = Others { older: Vec::new(), unreadable: unreadable.clone() };
        let mut desk = with_runs(size, None, others);
        let said = "unreadable journals: 3c0ffee0…";
        assert_eq!(desk.told(), said);
        desk.press("x");
        assert!(desk.screen().contains(said), "{}", desk.screen());
    }
}

#[test]
fn what_somebody_is_still_at_is_not_offered_to_be_gone_on_with() {
    let rest = Rest { unknown: vec![171], is_held: true };
    for size in SIZES {
        let mut desk = with_unfinished(size, rest.clone());
        let text = "run 0c0ffee0… of #165 to #180 is still at work elsewhere, after 6/16 events: \
                    x begins another";
        assert_eq!(desk.told(), text);
        desk.press("y");
        assert!(desk.told().contains("--from 190 --to 200 --execute"), "{}", desk.told());
        let before = desk.effects.len();
        for key in ["y", "s", "r"] {
            desk.press("x");
            assert!(!desk.screen().contains("goes on"), "{}", desk.screen());
            desk.press(key);
            assert_eq!((desk.told(), desk.effects.len()), ("nothing was executed", before));
        }
        desk.press("x a y");
        assert_eq!(asked(&desk).what, What::Execute);
    }
    let mut desk = execution((120, 40));
    let replaying = asked(&desk);
    replaying.progress.leave(rest);
    desk.act(Action::Replayed(replaying, stopped()));
    assert!(desk.screen().contains("is still at work elsewhere: r looks again"));
    assert!(farewell(&desk).contains("it is still at work elsewhere"), "{}", farewell(&desk));
    desk.press("x");
    assert!(matches!(desk.app.mode, Mode::Normal), "{}", desk.screen());
}

#[test]
fn what_could_not_be_gone_on_with_is_not_promised_again() {
    for (kind, next, promise) in [
        (ErrorKind::Integrity, "r rehearses again", false),
        (ErrorKind::Unavailable, "x tries once more", true),
    ] {
        let mut desk = with_unfinished((120, 40), Rest::default());
        desk.press("x y");
        let replaying = asked(&desk);
        replaying.progress.leave(Rest::default());
        desk.act(Action::Replayed(replaying, Err(Error::new(kind, "it is another log"))));
        let screen = desk.screen();
        assert!(screen.contains("could not go on") && screen.contains(next), "{screen}");
        assert!(!screen.contains("goes on"), "{screen}");
        assert!(!farewell(&desk).contains("` goes on"), "{}", farewell(&desk));
        desk.press("x");
        assert_eq!(matches!(desk.app.mode, Mode::Confirm(_)), promise);
    }
}

#[test]
fn an_event_that_is_to_be_tried_once_more_is_not_unknown() {
    let mut desk = execution((120, 40));
    desk.press("esc");
    let replaying = asked(&desk);
    // So its journal says: the program ended, and wants to be tried again.
    replaying.progress.leave(Rest::default());
    desk.act(Action::Replayed(replaying, stopped()));
    assert_eq!(replay(&desk).outcomes.at(171), None);
    assert!(desk.screen().contains("stopped after 6/36 events"), "{}", desk.screen());
    assert!(farewell(&desk).ends_with("` goes on"), "{}", farewell(&desk));
}

/// The screen asked what has come since the rehearsal, and this was found.
fn look(desk: &mut Desk, found: Terms) {
    let looking: Looking = desk.looks.as_mut().unwrap().pop().unwrap();
    desk.act(Action::Looked(looking, Ok(Box::new(found))));
}

#[test]
fn a_run_that_was_begun_elsewhere_since_the_rehearsal_is_told_when_it_is_asked() {
    let held = Rest { unknown: vec![171], is_held: true };
    for size in SIZES {
        let mut desk = with_runs(size, None, Others::default());
        desk.looks = Some(Vec::new());
        let before = desk.effects.len();
        desk.press("x");
        assert!(desk.screen().contains("y runs them"), "{}", desk.screen());
        look(&mut desk, found(Some(held.clone()), Others::default()));
        // The words are those of a rehearsal that found it.
        assert!(desk.screen().contains("run 0c0ffee0… of #165 to #180 i"), "{}", desk.screen());
        assert!(desk.screen().contains("a begins another run"), "{}", desk.screen());
        desk.press("y");
        assert_eq!((desk.told(), desk.effects.len()), ("nothing was executed", before));
        // What was answered before it was known is not done, but asked again.
        let mut desk = with_runs(size, None, Others::default());
        desk.looks = Some(Vec::new());
        desk.press("x y");
        assert_eq!(desk.effects.len(), before);
        assert!(desk.screen().contains("looking at other runs and"), "{}", desk.screen());
        look(&mut desk, found(Some(Rest::default()), Others::default()));
        assert_eq!(desk.told(), "this has come up meanwhile: nothing was executed yet");
        assert_eq!((desk.effects.len(), replay(&desk).question()), (before, Question::GoOn));
        // Who wants another run all the same was told.
        desk.press("a");
        look(&mut desk, found(Some(Rest::default()), Others::default()));
        desk.press("y");
        let Replaying { what, told, .. } = asked(&desk);
        assert_eq!((what, told.len()), (What::Execute, 1));
    }
}

#[test]
fn what_was_answered_before_it_was_looked_is_done_where_there_is_nothing_new() {
    let mut desk = with_runs((120, 40), None, Others::default());
    desk.looks = Some(Vec::new());
    let before = desk.effects.len();
    // Who goes back meanwhile has executed nothing.
    desk.press("x y n");
    look(&mut desk, terms());
    assert_eq!((desk.told(), desk.effects.len()), ("nothing was executed", before));
    desk.press("x y");
    // (What was looked for before is of no use any more.)
    let last = desk.looks.as_mut().unwrap().pop().unwrap();
    let older = Looking { number: last.number - 1, ..last.clone() };
    desk.act(Action::Looked(older, Ok(Box::new(terms()))));
    assert_eq!(desk.effects.len(), before);
    desk.act(Action::Looked(last, Ok(Box::new(terms()))));
    assert_eq!(asked(&desk).what, What::Execute);
    assert!(matches!(desk.app.mode, Mode::Normal));
    // A run of this screen that somebody else has taken up is not gone on with.
    let mut desk = execution((120, 40));
    let replaying = asked(&desk);
    replaying.progress.name("0c0ffee0-d3f6-4968-962f-2d7ea5b7eb50");
    replaying.progress.leave(Rest::default());
    desk.act(Action::Replayed(replaying, stopped()));
    desk.looks = Some(Vec::new());
    let before = desk.effects.len();
    desk.press("x y");
    look(&mut desk, found(Some(Rest { unknown: vec![], is_held: true }), Others::default()));
    assert_eq!(desk.told(), "run 0c0ffee0… is still at work elsewhere: r looks again");
    assert_eq!(desk.effects.len(), before);
}

#[test]
fn that_the_log_is_not_what_was_recorded_is_said_before_programs_run() {
    let lines =
        ["the log is not what was recorded: programs get what stands there now", "and where"];
    let changed = || lines.map(str::to_owned).to_vec();
    for size in SIZES {
        for rest in [None, Some(Rest::default())] {
            let mut desk = with_runs(size, rest.clone(), Others::default());
            desk.looks = Some(Vec::new());
            let before = desk.effects.len();
            desk.press("x y");
            look(&mut desk, Terms { changed: changed(), ..found(rest, Others::default()) });
            assert_eq!(desk.effects.len(), before, "nothing runs before it is seen");
            desk.press("j");
            for line in lines {
                assert!(desk.screen().contains(&line[..9]), "{}", desk.screen());
            }
            desk.press("y");
            assert_eq!(desk.effects.len(), before + 1, "who has seen it decides");
        }
    }
    // Of a run that is gone on with on the same screen it is said, too.
    let mut desk = with_unfinished((120, 40), Rest::default());
    desk.press("x y");
    let replaying = asked(&desk);
    replaying.progress.leave(Rest::default());
    desk.act(Action::Replayed(replaying, stopped()));
    desk.looks = Some(Vec::new());
    desk.press("x");
    let rest = Rest::default();
    look(&mut desk, Terms { changed: changed(), ..found(Some(rest), Others::default()) });
    assert!(desk.screen().contains(lines[0]), "{}", desk.screen());
}

#[test]
fn only_what_a_run_does_itself_counts_for_its_rate() {
    let mut desk = with_unfinished((120, 40), Rest::default());
    desk.press("x y");
    let replaying = asked(&desk);
    let second = |desk: &mut Desk, n| desk.act(Action::Tick(Duration::from_secs(n)));
    // Reading the log takes its time, and is no part of it.
    second(&mut desk, 1);
    replaying.progress.go_on_behind(170);
    let recorded = |desk: &Desk, p| outcome(desk, p, Status::Replayed, "a record");
    let (done, all): (Vec<_>, Vec<_>) =
        ((165..171).map(|p| recorded(&desk, p)).collect(), (171..=180).collect());
    tell(&desk, done);
    second(&mut desk, 2);
    let screen = desk.screen();
    let line = screen.lines().find(|line| line.contains("6/16")).unwrap();
    assert!(!line.contains("/s"), "{screen}");
    for (position, time) in all.iter().take(4).zip(3..) {
        tell(&desk, [recorded(&desk, *position)]);
        second(&mut desk, time);
    }
    assert!(desk.screen().contains("10/16  1.0/s"), "{}", desk.screen());
    replaying.progress.leave(Rest::default());
    let stops = replaying.clone();
    desk.act(Action::Replayed(stops, stopped()));
    let end = "stopped after 10/16 events, 4 of them in 6.0 s";
    assert!(desk.screen().contains(end), "{}", desk.screen());
    // Nor does a run that was done at another time count for another one.
    desk.press("r");
    tell(&desk, [recorded(&desk, 165), recorded(&desk, 166)]);
    second(&mut desk, 8);
    assert!(desk.screen().contains("2/16  1.0/s"), "{}", desk.screen());
}

#[test]
fn where_nothing_was_done_that_is_said_and_no_filter_is() {
    for size in SIZES {
        let mut desk = with_unfinished(size, Rest::default());
        desk.press("x y");
        let replaying = asked(&desk);
        replaying.progress.leave(Rest { unknown: Vec::new(), is_held: true });
        let held = Error::new(ErrorKind::Unavailable, "another process holds the journal");
        desk.act(Action::Replayed(replaying, Err(held)));
        let screen = desk.screen();
        assert!(screen.contains("could not go on") && !screen.contains("0/0"), "{screen}");
        assert!(screen.contains("nothing was done in this screen"), "{screen}");
        assert!(!screen.contains("no event is like that"), "{screen}");
    }
    // A filter that nothing fits is still named as that.
    let mut desk = execution((120, 40));
    desk.press("o o");
    let replaying = asked(&desk);
    replaying.progress.leave(Rest::default());
    desk.act(Action::Replayed(replaying, stopped()));
    let screen = desk.screen();
    assert!(screen.contains("no event is like that") && screen.contains("0/0"), "{screen}");
}
