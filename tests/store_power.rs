//! Power cuts: what is left on a disk after any of them, and whether the store stands it.
//!
//! The program runs through a scenario and notes all it does to files. From every point of that
//! trace, disks are made that a power cut could leave (see [`crate::disk_support`]), and the store
//! has to go on from each. With `CHRONOSCOPE_LONG_TESTS=1` there are some ten thousand of them.

#![cfg(all(unix, debug_assertions))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chronoscope::clock::Clock;
use chronoscope::model::Timestamp;
use chronoscope::schema::{Draft, Rules};
use chronoscope::store::local::{LocalStore, SYNCS, is_store};
use chronoscope::store::{AppendOptions, EventStore};

use crate::cli_support::{NOW, SESSION, TestEnvironment};
use crate::disk_support::{Chance, Disk, Fate, Image, Step, trace};
use crate::store_support::{append, drain, is_long, plain};

/// Where a run goes wrong, by the first operation that these words begin.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    None,
    /// Killed at the operation of this number.
    At(u64),
    Error(&'static [&'static str]),
    Kill(&'static [&'static str]),
    Half(&'static [&'static str]),
    Short(&'static [&'static str]),
}

use Trouble::{Error, Half, Kill, Short};

/// The sync of the log; the word between is the file.
const LOG_SYNC: &[&str] = &["sync", "", "log"];
/// A write of an event.
const EVENT: &[&str] = &["write", "", "", "{\"event_id\""];

/// One run of the program.
#[derive(Debug, Clone)]
struct Run {
    args: Vec<&'static str>,
    events: Vec<String>,
    durable: bool,
    trouble: Trouble,
    /// Whether each event is sent after the last was acknowledged.
    paced: bool,
}

impl Run {
    fn but(self, trouble: Trouble) -> Self {
        Self { trouble, ..self }
    }
}

fn id(n: u32) -> String {
    format!("00000000-0000-4000-8000-{n:012}")
}

fn event(key: &str, n: u32, day: u32) -> String {
    // Some are longer than a sector, and some of those than two.
    let note = "x".repeat((n as usize * 370) % 1300);
    format!(
        "{{\"event_id\":\"{}\",\"event_type\":\"PhaseStarted\",\
         \"timestamp\":\"2026-11-{day}T10:00:00.000Z\",\"issue_key\":\"{key}\",\
         \"session_id\":\"{SESSION}\",\"actor\":{{\"type\":\"system\",\"id\":\"o\"}},\
         \"metadata\":{{\"phase\":\"CODE\",\"note\":\"{note}\"}}}}",
        id(n)
    )
}

fn sync(events: &[String]) -> Run {
    let args = vec!["append", "--no-git"];
    Run { args, events: events.to_vec(), durable: true, trouble: Trouble::None, paced: false }
}

fn os(events: &[String]) -> Run {
    let run = sync(events);
    Run { args: vec!["append", "--no-git", "--durability", "os"], durable: false, ..run }
}

fn stream(events: &[String]) -> Run {
    Run { args: vec!["append", "--no-git", "--stream"], ..sync(events) }
}

/// A long-lived writer, which signs after each event: otherwise it depends on the time when.
fn paced(events: &[String]) -> Run {
    Run { paced: true, ..stream(events) }
}

fn command(args: &[&'static str]) -> Run {
    Run { args: args.to_vec(), ..sync(&[]) }
}

/// What is played, with names to tell of failures.
fn scenarios() -> Vec<(&'static str, Vec<Run>)> {
    let p = |n, day| event("P-1", n, day);
    let q = |n, day| event("Q-1", n, day);
    let one = |n| [p(n, 20)];
    let many = [p(2, 20), p(3, 20), p(4, 20), q(5, 20), p(6, 21), p(7, 21)];
    vec![
        ("singles", vec![sync(&one(1)), sync(&one(2)), sync(&[q(3, 20)]), sync(&one(4))]),
        (
            "batches",
            vec![sync(&[p(1, 20), p(2, 20), p(3, 21)]), sync(&[p(4, 21), p(5, 21), p(6, 22)])],
        ),
        ("mixed", vec![os(&one(1)), os(&one(2)), sync(&one(3)), os(&one(4)), sync(&one(5))]),
        ("days", vec![sync(&one(1)), os(&[p(2, 21)]), sync(&[p(3, 22)]), sync(&[p(4, 22)])]),
        ("os, then days", vec![os(&one(1)), os(&one(2)), sync(&one(2)), sync(&[p(3, 21)])]),
        ("retry", vec![os(&one(1)), sync(&one(1)), sync(&one(1)), os(&one(2)), sync(&one(2))]),
        (
            "stream",
            vec![stream(&[p(1, 20), q(2, 20), p(3, 20), q(4, 21), p(5, 21)]), stream(&[p(6, 21)])],
        ),
        ("a long-lived writer", vec![sync(&one(1)), paced(&many), sync(&[p(8, 21)])]),
        (
            "failed sync",
            vec![sync(&one(1)), sync(&one(2)).but(Error(LOG_SYNC)), sync(&one(3)), sync(&one(2))],
        ),
        ("first sync fails", vec![sync(&one(1)).but(Error(LOG_SYNC)), sync(&one(2))]),
        ("killed at a sync", vec![sync(&one(1)), sync(&one(2)).but(Kill(LOG_SYNC)), sync(&one(3))]),
        ("killed in a write", vec![sync(&one(1)), sync(&one(2)).but(Half(EVENT)), sync(&one(3))]),
        (
            "killed in a batch",
            vec![
                sync(&one(1)),
                sync(&[p(2, 20), p(3, 20), p(4, 21)]).but(Half(EVENT)),
                sync(&one(5)),
                sync(&one(6)),
            ],
        ),
        (
            "no room for a batch",
            vec![
                sync(&one(1)),
                sync(&[p(2, 20), p(3, 20)]).but(Short(EVENT)),
                sync(&one(5)),
                sync(&one(6)),
            ],
        ),
        (
            "no room for the first",
            vec![sync(&[p(1, 20), p(2, 20)]).but(Short(EVENT)), sync(&one(3)), sync(&one(4))],
        ),
        (
            "killed while the store is made",
            vec![sync(&one(1)).but(Kill(&["syncdir", "", "parent"])), sync(&one(2))],
        ),
        ("snapshot", vec![sync(&one(1)), sync(&one(2)), command(&["snapshot", "P-1"])]),
        ("a new store", vec![command(&["store", "init"])]),
    ]
}

/// Scenarios with partitions that are archived.
fn archiving() -> Vec<(&'static str, Vec<Run>)> {
    let p = |n, day| event("P-1", n, day);
    let signed = || vec![sync(&[p(1, 20), p(2, 20), p(3, 21)]), command(&["store", "checkpoint"])];
    let archive = || command(&["store", "archive", "--yes"]);
    let restore = command(&["store", "archive", "--restore", "--yes"]);
    let next = || sync(&[p(4, 21)]);
    let and_back = [signed(), vec![archive(), next(), restore]].concat();
    let killed = [signed(), vec![archive().but(Kill(&["remove"])), archive(), next()]].concat();
    vec![("archive and restore", and_back), ("killed while archiving", killed)]
}

/// What a scenario did.
struct Recorded {
    name: &'static str,
    environment: TestEnvironment,
    /// Each step, and whether it is of a run whose events are durable when told.
    steps: Vec<(bool, Step)>,
    events: Vec<String>,
}

/// Runs a scenario and gives what it did, each run by itself.
fn play(runs: &[Run], faults: &str) -> (TestEnvironment, Vec<Vec<Step>>) {
    let environment = TestEnvironment::new();
    let mut traces = Vec::new();
    for (at, run) in runs.iter().enumerate() {
        let path = environment.path().join(format!("work/trace-{at}"));
        let place = |words: &[&str]| {
            // The same without the trouble tells where it has to be.
            let mut calm = runs[..=at].to_vec();
            calm[at].trouble = Trouble::None;
            let traces = play(&calm, faults).1;
            let found = traces[at].iter().find(|step| begins(step, words));
            found.unwrap_or_else(|| panic!("no {words:?}: {:?}", traces[at])).number
        };
        let trouble = match run.trouble {
            Trouble::None => String::new(),
            Trouble::At(number) => format!("kill:{number},"),
            Error(words) => format!("error:{}:EIO,", place(words)),
            Kill(words) => format!("kill:{},", place(words)),
            Half(words) => format!("half:{},", place(words)),
            Short(words) => format!("short:{},", place(words)),
        };
        let fault = format!("{trouble}{faults}boot:before,trace:{}", path.display());
        let mut command = environment.command(&run.args);
        command.env("CHRONOSCOPE_FAULT", fault);
        let ran = if run.paced {
            command.env("CHRONOSCOPE_INTEGRITY_CHECKPOINT_EVERY", "1");
            environment.converse(command, run.events.iter().map(String::as_str), |_| {})
        } else {
            environment.feed(command, &(run.events.join("\n") + "\n"))
        };
        let calm = matches!(run.trouble, Trouble::None);
        assert_eq!(ran.code == Some(0), calm, "{:?}: {ran:#?}", run.args);
        traces.push(trace(&path));
    }
    (environment, traces)
}

fn begins(step: &Step, words: &[&str]) -> bool {
    let fits = |(word, wanted): (&String, &&str)| {
        wanted.is_empty()
            || word == wanted
            || (wanted.starts_with('{') && word.starts_with(&hex(wanted)))
    };
    step.words.len() >= words.len() && step.words.iter().zip(words).all(fits)
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn record(name: &'static str, runs: &[Run], faults: &str) -> Recorded {
    let (environment, traces) = play(runs, faults);
    let steps = traces.into_iter().zip(runs);
    let steps = steps.flat_map(|(steps, run)| steps.into_iter().map(|step| (run.durable, step)));
    let steps = steps.collect();
    let events = runs.iter().flat_map(|run| run.events.clone()).collect();
    Recorded { name, environment, steps, events }
}

/// What somebody was told, and relies on.
#[derive(Debug, Clone, Default, Hash)]
struct Told {
    events: BTreeSet<String>,
    store: bool,
    files: BTreeMap<PathBuf, Vec<u8>>,
}

impl Told {
    fn hear(&mut self, text: &str, durable: bool, disk: &Disk) {
        if text == "a store" {
            self.store = true;
        } else if text.starts_with('/') {
            self.files.extend(disk.seen_below(&disk.relative(text)));
        } else if durable {
            self.events.insert(text.to_owned());
            // What was taken out of the log is where it was put.
            let aside = disk.seen_below(Path::new("events/.chronoscope/quarantine"));
            self.files.extend(aside);
        }
    }
}

/// Goes through the points of a trace with some fates at each; gives how many disks were looked
/// at, or what was wrong with one.
fn cut(recorded: &Recorded, fates: &mut dyn FnMut(bool) -> Vec<Fate>) -> Result<usize, String> {
    let mut disk = Disk::new(recorded.environment.path());
    let mut told = Told::default();
    let mut done = HashSet::new();
    for (at, (durable, step)) in recorded.steps.iter().enumerate() {
        disk.apply(step);
        if step.what() == "mark" {
            told.hear(&step.words[1], *durable, &disk);
        } else if step.what() == "remove" {
            // What the program itself removes is not missed.
            told.files.remove(&disk.relative(&step.words[1]));
        }
        if step.what() != "mark" && !step.changes() {
            continue;
        }
        for mut fate in fates(step.what() == "mark") {
            let image = disk.image(&mut fate);
            let mut hasher = DefaultHasher::new();
            (&image, &told).hash(&mut hasher);
            if !done.insert(hasher.finish()) {
                continue;
            }
            look(recorded, &disk, &image, &told).map_err(|fault| {
                let before: Vec<String> = recorded.steps[..=at].iter().map(brief).collect();
                format!(
                    "{}, {fate:?}: {fault}\nafter:\n{}\nleft:\n{}",
                    recorded.name,
                    before.join("\n"),
                    told_of(&image)
                )
            })?;
        }
    }
    Ok(done.len())
}

fn brief((_, step): &(bool, Step)) -> String {
    let words = step.words.iter().map(|w| w.chars().take(90).collect::<String>());
    format!("{:>4} {}", step.number, words.collect::<Vec<_>>().join(" "))
}

fn told_of(image: &Image) -> String {
    let line = |(path, content): (&PathBuf, &Option<Vec<u8>>)| {
        let text = content.as_ref().map(|c| String::from_utf8_lossy(c).escape_debug().to_string());
        let text = text.map(|t| t.chars().take(400).collect::<String>());
        format!("{} {}", path.display(), text.unwrap_or_default())
    };
    image.iter().filter(|(p, _)| !p.ends_with("schemas")).map(line).collect::<Vec<_>>().join("\n")
}

fn scratch() -> tempfile::TempDir {
    // Memory will do: nothing here depends on whether a sync really happens.
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn key_of(event: &str) -> &str {
    if event.contains("\"Q-1\"") { "Q-1" } else { "P-1" }
}

fn draft(event: &str) -> Draft {
    Draft::strict(event, &Rules::new(Timestamp::parse(NOW).unwrap())).unwrap()
}

/// How often each id is there, or what is there and is no event that was written.
fn ids(store: &LocalStore, recorded: &Recorded) -> Result<BTreeMap<String, usize>, String> {
    let mut found = BTreeMap::new();
    for key in ["P-1", "Q-1"] {
        let Ok(mut tail) = store.tail(key) else { continue };
        for line in drain(tail.as_mut(), 1 << 20).0 {
            // A line that is damaged is shown as that, not as an event.
            let Ok(event) = serde_json::from_str::<serde_json::Value>(&line) else { continue };
            let id = event["event_id"].as_str().unwrap_or_default().to_owned();
            let sent = recorded.events.iter().find(|event| event.contains(&id));
            let whole = sent.is_none_or(|sent| {
                let sent: serde_json::Value = serde_json::from_str(sent).unwrap();
                ["event_id", "timestamp", "issue_key", "metadata"]
                    .iter()
                    .all(|f| event[f] == sent[f])
            });
            if !whole {
                return Err(format!("is shown, but was never written: {line}"));
            }
            *found.entry(id).or_default() += 1;
        }
    }
    Ok(found)
}

fn all_there(found: &BTreeMap<String, usize>, told: &Told) -> Result<(), String> {
    let missing = told.events.iter().find(|id| !found.contains_key(*id));
    let twice = found.iter().find(|(_, count)| **count > 1);
    match (missing, twice) {
        (Some(id), _) => Err(format!("{id} was acknowledged, and is lost")),
        (_, Some((id, _))) => Err(format!("{id} is there twice")),
        _ => Ok(()),
    }
}

/// Looks at what is left of a store, and goes on with it.
fn look(recorded: &Recorded, disk: &Disk, image: &Image, told: &Told) -> Result<(), String> {
    for (path, bytes) in &told.files {
        if image.get(path) != Some(&Some(bytes.clone())) {
            return Err(format!("{} was told of, and is lost or torn", path.display()));
        }
    }
    let folder = scratch();
    disk.write(image, folder.path());
    let root = folder.path().join("events");
    if told.store && !is_store(&root) {
        return Err("a store was told of, and is lost".into());
    }
    let store = LocalStore::at(&root, Clock::Fixed(Timestamp::parse(NOW).unwrap()));
    all_there(&ids(&store, recorded)?, told)?;
    let failed = |what: &str, e: chronoscope::error::Error| format!("{what}: {}", e.message());
    let options = AppendOptions::default();
    let mut keys: BTreeSet<&str> = recorded.events.iter().map(|event| key_of(event)).collect();
    keys.insert("P-1");
    for key in &keys {
        append(&store, vec![plain(key, "next")], &options).map_err(|e| failed("an append", e))?;
    }
    // What puts the log in order must not take out what stands there.
    all_there(&ids(&store, recorded)?, told)?;
    // Each is tried again, and is there once.
    for event in &recorded.events {
        append(&store, vec![draft(event)], &options).map_err(|e| failed("a retry", e))?;
    }
    let found = ids(&store, recorded)?;
    all_there(&found, told)?;
    let sent = |event: &&String| !found.keys().any(|id| event.contains(id.as_str()));
    if let Some(event) = recorded.events.iter().find(sent) {
        return Err(format!("{event} was tried again, and is not there"));
    }
    store.publish_all(Duration::from_secs(9)).map_err(|e| failed("publishing", e))?;
    let global = std::fs::read_to_string(root.join("global/events.jsonl")).unwrap_or_default();
    // Damaged lines are in it too, as they are in the log.
    let mut published = BTreeMap::<String, usize>::new();
    for line in global.lines() {
        let Ok(event) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        let id = event["event_id"].as_str().unwrap_or_default().to_owned();
        *published.entry(id).or_default() += 1;
    }
    match found.keys().find(|id| published.get(*id) != Some(&1)) {
        Some(id) => {
            let order: Vec<_> = global.lines().map(|l| l.get(14..50)).collect();
            Err(format!("{id} is not in the global log once: {order:?}"))
        }
        None => Ok(()),
    }
}

#[test]
fn no_power_cut_loses_what_was_acknowledged() {
    let mut chance = Chance(0x2545_f491_4f6c_dd1d);
    let (mut looked_at, mut points) = (0, 0);
    for (name, runs) in scenarios().into_iter().chain(archiving()) {
        let recorded = record(name, &runs, "");
        let mut fates = |told: bool| {
            points += 1;
            let more = |chance: &mut Chance| {
                chance.below(1 << 20);
                Fate::Chance(Chance(chance.0 | 1))
            };
            // Notes in lock files are never synced: any that was written may be what is left.
            let old = (0..24).map(Fate::Old);
            let old = old.filter(|_| told && (is_long() || name.contains("no room")));
            if is_long() {
                let all = [Fate::Lost, Fate::Kept, Fate::Zeros].into_iter().chain(old);
                return all.chain((0..16).map(|_| more(&mut chance))).collect();
            }
            // Every other point, and all where something was told.
            match points % 4 {
                _ if told => [Fate::Lost, more(&mut chance)].into_iter().chain(old).collect(),
                0 => vec![Fate::Zeros],
                2 => vec![more(&mut chance)],
                _ => vec![],
            }
        };
        looked_at += cut(&recorded, &mut fates).unwrap_or_else(|fault| panic!("{fault}"));
    }
    assert!(looked_at >= if is_long() { 10_000 } else { 200 }, "only {looked_at} disks");
}

/// Who goes on after somebody who was killed must not rely on what that one had not made durable.
#[test]
fn a_kill_and_then_a_power_cut_lose_nothing_acknowledged() {
    for (what, before, killed) in [
        ("a first append", vec![], vec![event("P-1", 1, 20)]),
        ("a batch", vec![event("P-1", 1, 20)], vec![event("P-1", 2, 20), event("P-1", 3, 21)]),
    ] {
        let mut runs = Vec::new();
        if !before.is_empty() {
            runs.push(sync(&before));
        }
        let next = runs.len();
        runs.push(sync(&killed));
        let steps = play(&runs, "").1.remove(next);
        let all = steps.iter().filter(|step| step.changes()).map(|step| step.number);
        for number in all.step_by(if is_long() { 1 } else { 4 }) {
            runs.truncate(next);
            runs.push(sync(&killed).but(Trouble::At(number)));
            runs.push(sync(&[event("P-1", 4, 21)]));
            let recorded = record("a kill", &runs, "");
            let mut chance = Chance(number | 1 << 40);
            let mut fates = |told| match (told, is_long()) {
                (false, false) => vec![],
                (true, false) => vec![Fate::Lost],
                (_, true) => {
                    chance.below(2);
                    vec![Fate::Lost, Fate::Zeros, Fate::Chance(chance.clone())]
                }
            };
            let fault = cut(&recorded, &mut fates).err();
            assert!(fault.is_none(), "{what}, killed at {number}: {}", fault.unwrap_or_default());
        }
    }
}

/// A sync that nothing fails without would be a sync for nothing; and a model that lets a store
/// pass without one would show nothing.
#[test]
fn each_sync_is_missed_when_it_is_left_out() {
    let mut recorded: Vec<(Recorded, Vec<Run>)> = Vec::new();
    for (name, runs) in scenarios().into_iter().chain(archiving()) {
        recorded.push((record(name, &runs, ""), runs));
    }
    recorded.sort_by_key(|(recorded, _)| recorded.steps.len());
    let mut unmissed = Vec::new();
    // Those of journals are missed in `replay_kill.rs`.
    for site in SYNCS.iter().filter(|site| !site.starts_with("journal")) {
        let has = |steps: &[(bool, Step)]| {
            steps.iter().any(|(_, step)| {
                step.what().starts_with("sync") && step.words.last().is_some_and(|w| w == site)
            })
        };
        // Short ones first: most syncs are missed at once.
        let missed = recorded.iter().filter(|(r, _)| has(&r.steps)).any(|(r, runs)| {
            let without = record(r.name, runs, &format!("skip:{site},"));
            // What is lost shows where somebody was told something, or it is never seen.
            let mut fates = |told| if told { vec![Fate::Lost, Fate::Zeros] } else { vec![] };
            // Other faults are not those of a sync that was left out.
            cut(&without, &mut fates).is_err_and(|fault| fault.contains("lost"))
        });
        if !missed {
            unmissed.push(*site);
        }
    }
    assert!(unmissed.is_empty(), "nothing is lost without {unmissed:?}");
}
