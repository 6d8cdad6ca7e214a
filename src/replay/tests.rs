//! Runs with a clock that only counts, and programs of a shell.

use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::journal::{Known, Verdict};
use super::process::Bounds;
use super::*;
use crate::clock::Clock;
use crate::error::{ErrorKind, Result};
use crate::fold::State;
use crate::model::{Event, Position, Timestamp, ids};
use crate::schema::{Redactor, upcast};
use crate::store::local::LocalStore;

/// A clock that goes on when it is waited for, and remembers how long each time.
#[derive(Default)]
struct Counting {
    now: Mutex<Duration>,
    waits: Mutex<Vec<Duration>>,
    /// After so many waits the user stops it.
    stop_after: Option<usize>,
}

impl Ticker for Counting {
    fn elapsed(&self) -> Duration {
        *self.now.lock().unwrap()
    }

    fn wait(&self, time: Duration) -> bool {
        *self.now.lock().unwrap() += time;
        let mut waits = self.waits.lock().unwrap();
        waits.push(time);
        self.stop_after.is_none_or(|most| waits.len() <= most)
    }
}

fn seconds(all: &[f64]) -> Vec<Duration> {
    all.iter().map(|s| Duration::from_secs_f64(*s)).collect()
}

#[test]
fn the_pace_is_that_of_the_record_so_many_times_as_fast() {
    let times = [0, 1000, 500, 4000].map(Timestamp::from_millis);
    for (speed, waits) in
        [(None, vec![]), (Some(1.0), seconds(&[1.0, 3.0])), (Some(2.0), seconds(&[0.5, 1.5]))]
    {
        let ticker = Counting { now: Mutex::new(Duration::from_secs(9)), ..Counting::default() };
        let mut pace = Pace::new(speed);
        assert!(times.iter().all(|at| pace.turn(*at, &ticker)));
        assert_eq!(*ticker.waits.lock().unwrap(), waits, "{speed:?}");
    }
    // What takes longer than the record took is not waited for.
    let ticker = Counting::default();
    let mut pace = Pace::new(Some(1.0));
    assert!(pace.turn(times[0], &ticker));
    *ticker.now.lock().unwrap() += Duration::from_millis(1500);
    assert!(pace.turn(times[1], &ticker));
    assert!(ticker.waits.lock().unwrap().is_empty());
    let mut slow = Pace::new(Some(f64::MIN_POSITIVE));
    assert!(slow.turn(times[0], &ticker) && slow.turn(times[1], &ticker), "no panic");
    let stopped = Counting { stop_after: Some(0), ..Counting::default() };
    let mut pace = Pace::new(Some(1.0));
    assert!(pace.turn(times[0], &stopped) && !pace.turn(times[1], &stopped));
}

/// An issue in memory: tool calls, each of its own.
struct Calls;

impl Events for Calls {
    fn event(&mut self, position: Position) -> Result<Event> {
        let line = self.line(position)?;
        let text = String::from_utf8(line).unwrap();
        Ok(upcast::read_event(&text, position, Timestamp::default()).0)
    }

    fn line(&mut self, position: Position) -> Result<Vec<u8>> {
        let event = serde_json::json!({
            "event_id": format!("id-{position}"), "event_type": "ToolInvoked",
            "timestamp": Timestamp::from_millis(second(position) * 1000).to_string(),
            "issue_key": "P-1", "session_id": "s",
            "actor": {"type": "agent", "id": "a"},
            "metadata": {"tool_use_id": format!("t{position}"), "tool_name": "Bash"},
        });
        Ok(event.to_string().into_bytes())
    }
}

/// When an event came: longer and longer after the one before.
fn second(position: Position) -> i64 {
    i64::from(position * position)
}

/// The first events of an issue, one by one.
pub(super) fn plan(to: Position, handlers: Handlers) -> Plan {
    Plan {
        issue_key: "P-1".to_owned(),
        from: 1,
        to,
        start: State::new(),
        selected: None,
        causes: Vec::new(),
        repeated: Default::default(),
        broken: Default::default(),
        order: Order::OneByOne,
        policies: Policies::default(),
        handlers,
    }
}

struct Bench {
    folder: tempfile::TempDir,
    store: LocalStore,
    /// No other test's: what runs of it is looked for.
    replay_id: String,
    speed: Option<f64>,
}

/// Keeps what became of the events.
fn keep(outcomes: &mut Vec<Outcome>, heard: Heard) {
    if let Heard::Settled(outcome) = heard {
        outcomes.push(outcome);
    }
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = LocalStore::create(folder.path().join("events"), Clock::default()).unwrap();
        Self { folder, store, replay_id: ids::new_event_id(), speed: None }
    }

    /// What the shell does for each tool call; what it appends to `ran` is read by [`Bench::ran`].
    fn handlers(&self, script: &str) -> Handlers {
        let mut handlers = Handlers::default();
        let script = script.replace("RAN", &self.folder.path().join("ran").display().to_string());
        handlers.add("tool", &["sh".into(), "-c".into(), script], Path::new("")).unwrap();
        handlers
    }

    fn ran(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("ran")).unwrap_or_default()
    }

    fn header(&self) -> Header {
        Header {
            journal: 1,
            replay_id: self.replay_id.clone(),
            issue_key: "P-1".to_owned(),
            from: 1,
            to: 1,
            selected: None,
            never: Vec::new(),
            handlers: Vec::new(),
            timeout_ms: 0,
            attempts: 4,
            retry_delay_ms: 0,
            output_bytes: 64,
            digest: String::new(),
            markers: false,
            folder: None,
            jobs: 3,
            speed: self.speed,
            events: None,
            causes: None,
        }
    }

    fn run(
        &self,
        plan: &Plan,
        ticker: &Counting,
        history: Option<History>,
    ) -> Result<(Run, Vec<Outcome>)> {
        let (journal, history) = match history {
            Some(history) => (RunJournal::open(&self.store, &self.replay_id).unwrap().0, history),
            None => {
                let header = self.header();
                let journal = RunJournal::create(&self.store, &header).unwrap();
                (journal, History::new(header))
            }
        };
        let execute = Execute {
            journal: Mutex::new(journal),
            history: &history,
            jobs: 3,
            limits: Limits {
                bounds: Bounds { timeout: Duration::from_secs(60), output: 64 },
                attempts: 4,
                retry_delay: Duration::from_secs(1),
            },
            replay_id: self.replay_id.clone(),
            environment: Vec::new(),
            folder: None,
            end_now: Arc::default(),
        };
        let mut outcomes = Vec::new();
        let run = Runner {
            plan,
            events: &mut Calls,
            execute: Some(&execute),
            redactor: &Redactor::default(),
            pace: Pace::new(self.speed),
            ticker,
            interrupt: Arc::new(AtomicBool::new(false)),
            progress: &mut |_| {},
            heard: &mut |heard| keep(&mut outcomes, heard),
        }
        .run()?;
        Ok((run, outcomes))
    }

    fn history(&self) -> History {
        RunJournal::open(&self.store, &self.replay_id).unwrap().1
    }
}

#[cfg(unix)]
#[test]
fn who_wants_to_be_tried_again_is_with_growing_pauses_and_then_fails() {
    let bench = Bench::new();
    let script = "echo $CHRONOSCOPE_ATTEMPT >> RAN; exit 75";
    let plan = plan(1, bench.handlers(script));
    let ticker = Counting::default();
    let (run, outcomes) = bench.run(&plan, &ticker, None).unwrap();
    assert_eq!(bench.ran(), "1\n2\n3\n4\n");
    assert_eq!(*ticker.waits.lock().unwrap(), seconds(&[1.0, 2.0, 4.0]));
    assert_eq!((run.tally.failed, run.gone.len()), (1, 1));
    let reason = outcomes[0].reason.as_deref().unwrap();
    assert_eq!(reason, "its handler wants to be tried again (exit 75), and was tried 4 times");
}

#[cfg(unix)]
#[test]
fn a_run_that_is_stopped_between_two_tries_goes_on_with_the_next() {
    let bench = Bench::new();
    let script = "echo $CHRONOSCOPE_POSITION.$CHRONOSCOPE_ATTEMPT >> RAN; echo told
        [ $CHRONOSCOPE_POSITION.$CHRONOSCOPE_ATTEMPT != 2.1 ] || exit 75";
    let plan = plan(3, bench.handlers(script));
    let stopped = Counting { stop_after: Some(0), ..Counting::default() };
    let error = bench.run(&plan, &stopped, None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    assert_eq!(bench.ran(), "1.1\n2.1\n");
    let history = bench.history();
    assert!(history.unknown().is_empty() && !history.over);
    assert!(matches!(history.known[&2], Known::Ended { verdict: Verdict::Again, .. }));
    // Who only looks does not keep what programs wrote.
    let seen = RunJournal::read(&bench.store, &bench.replay_id).unwrap();
    let wrote = |history: &History| match &history.known[&2] {
        Known::Ended { result, .. } => result.stdout.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!((wrote(&history), wrote(&seen)), ("told\n".to_owned(), String::new()));
    let (run, outcomes) = bench.run(&plan, &Counting::default(), Some(history)).unwrap();
    assert_eq!(bench.ran(), "1.1\n2.1\n2.2\n3.1\n");
    assert_eq!(run.tally, Tally { replayed: 3, skipped: 0, failed: 0 });
    assert_eq!(outcomes[1].result.as_ref().unwrap().attempts, 2);
}

#[cfg(unix)]
#[test]
fn a_decision_holds() {
    for (decision, ran, status) in
        [(Decision::Skip, "2\n", Status::Skipped), (Decision::Retry, "1\n2\n", Status::Executed)]
    {
        let bench = Bench::new();
        let plan = plan(2, bench.handlers("echo $CHRONOSCOPE_POSITION >> RAN"));
        let mut journal = RunJournal::create(&bench.store, &bench.header()).unwrap();
        journal.begin(1, 1).unwrap();
        journal.decide(1, 1, decision).unwrap();
        drop(journal);
        // What is to be executed again, and was not yet, is as unknown as before.
        let open = if decision == Decision::Retry { &[1][..] } else { &[] };
        assert_eq!(bench.history().unknown(), open);
        let (_, outcomes) = bench.run(&plan, &Counting::default(), Some(bench.history())).unwrap();
        assert_eq!((bench.ran().as_str(), outcomes[0].status), (ran, status));
    }
}

#[cfg(unix)]
#[test]
fn who_has_time_until_its_turn_does_not_hold_up_the_others() {
    let bench = Bench { speed: Some(1.0), ..Bench::new() };
    let mut plan = plan(5, bench.handlers("echo $CHRONOSCOPE_POSITION >> RAN"));
    // Each of the first four waits for the one before; the fifth for nobody.
    let after = vec![vec![1], vec![2], vec![3], vec![], vec![]];
    plan.order = Order::Causal { before: vec![0, 1, 1, 1, 0], after };
    let ticker = Counting::default();
    bench.run(&plan, &ticker, None).unwrap();
    assert_eq!(bench.ran(), "1\n2\n3\n4\n5\n");
    assert_eq!(*ticker.waits.lock().unwrap(), seconds(&[3.0, 5.0, 7.0, 9.0]));
}

#[cfg(unix)]
#[test]
fn what_is_done_is_not_waited_for_again() {
    let bench = Bench { speed: Some(1.0), ..Bench::new() };
    let plan = plan(5, bench.handlers("echo $CHRONOSCOPE_POSITION >> RAN"));
    let stopped = Counting { stop_after: Some(2), ..Counting::default() };
    assert!(bench.run(&plan, &stopped, None).is_err());
    assert_eq!(bench.ran(), "1\n2\n3\n");
    let ticker = Counting::default();
    bench.run(&plan, &ticker, Some(bench.history())).unwrap();
    assert_eq!(bench.ran(), "1\n2\n3\n4\n5\n");
    assert_eq!(*ticker.waits.lock().unwrap(), seconds(&[9.0]));
}

/// It was no part of the run, by other rules perhaps.
#[cfg(unix)]
#[test]
fn a_run_that_is_over_executes_nothing_more() {
    let bench = Bench { speed: Some(1.0), ..Bench::new() };
    let plan = plan(2, bench.handlers("echo $CHRONOSCOPE_POSITION >> RAN"));
    let mut journal = RunJournal::create(&bench.store, &bench.header()).unwrap();
    journal.over().unwrap();
    drop(journal);
    let ticker = Counting::default();
    let (run, outcomes) = bench.run(&plan, &ticker, Some(bench.history())).unwrap();
    assert_eq!((bench.ran().as_str(), run.tally.failed), ("", 2));
    assert_eq!(outcomes[0].reason.as_deref(), Some("the run came to its end without it"));
    assert!(ticker.waits.lock().unwrap().is_empty());
}

#[test]
fn what_cannot_be_read_of_a_journal_is_damage() {
    let bench = Bench::new();
    let mut journal = RunJournal::create(&bench.store, &bench.header()).unwrap();
    journal.begin(3, 1).unwrap();
    journal.over().unwrap();
    drop(journal);
    assert_eq!(bench.history().unknown(), [3]);
    let file = format!("journals/replay-{}.jsonl", bench.replay_id);
    let file = bench.store.layout().service(&file);
    let text = std::fs::read_to_string(&file).unwrap();
    for damaged in [text.replace("\"begin\"", "\"bogus\""), text.replace("{\"at\"", "{at")] {
        std::fs::write(&file, damaged).unwrap();
        let error = RunJournal::open(&bench.store, &bench.replay_id).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Integrity);
        assert!(error.message().contains("line 2"), "{error}");
    }
}

#[test]
fn an_event_that_cannot_be_read_is_named_and_the_others_go_on() {
    struct Broken(Calls);
    impl Events for Broken {
        fn event(&mut self, position: Position) -> Result<Event> {
            if position == 2 {
                return Ok(upcast::unreadable_event(2, Timestamp::default(), "x"));
            }
            self.0.event(position)
        }
        fn line(&mut self, position: Position) -> Result<Vec<u8>> {
            self.0.line(position)
        }
    }
    let plan = plan(3, Handlers::default());
    let mut outcomes = Vec::new();
    let run = Runner {
        plan: &plan,
        events: &mut Broken(Calls),
        execute: None,
        redactor: &Redactor::default(),
        pace: Pace::new(None),
        ticker: &Counting::default(),
        interrupt: Arc::new(AtomicBool::new(false)),
        progress: &mut |_| {},
        heard: &mut |heard| keep(&mut outcomes, heard),
    }
    .run()
    .unwrap();
    let told: Vec<_> = outcomes.iter().map(|o| (o.position, o.status)).collect();
    assert_eq!(told, [(1, Status::Replayed), (2, Status::Failed), (3, Status::Replayed)]);
    assert_eq!(run.tally.success_rate(), 2.0 / 3.0);
}
