//! Import of foreign logs: each built-in mapping on excerpts of real ones, damage, identity,
//! and own mappings.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use chronoscope::clock::Clock;
use chronoscope::error::ErrorKind;
use chronoscope::import::{FaultKind, ImportOptions, ImportReport, Importer, Mapping};
use chronoscope::model::Timestamp;
use chronoscope::schema::validate::check_stored_line;
use chronoscope::store::EventStore;
use chronoscope::store::local::LocalStore;
use serde_json::{Value, json};

fn now() -> Timestamp {
    Timestamp::parse("2026-11-22T10:00:00Z").unwrap()
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/import").join(name)
}

/// A store in a folder that goes away with it, and a place for sources.
struct Bench {
    dir: tempfile::TempDir,
    store: LocalStore,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = LocalStore::at(dir.path().join("events"), Clock::Fixed(now()));
        Self { dir, store }
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    fn run(&self, mapping: &Mapping, files: &[PathBuf], options: ImportOptions) -> ImportReport {
        let importer = Importer::new(mapping, options).unwrap();
        importer.run(files, Some(&self.store), &mut |_| {}).unwrap()
    }

    fn import(&self, mapping: &str, files: &[PathBuf]) -> ImportReport {
        self.run(&Mapping::named(mapping).unwrap(), files, options())
    }

    /// All stored lines, by issue and in the order of the logs.
    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for key in self.store.keys().unwrap() {
            let mut tail = self.store.tail(&key).unwrap();
            loop {
                let chunk = tail.poll(1 << 20).unwrap();
                lines.extend(chunk.lines.iter().map(|line| {
                    String::from_utf8(chunk.bytes[line.range.clone()].to_vec()).unwrap()
                }));
                if chunk.at_end {
                    break;
                }
            }
        }
        lines
    }

    fn events(&self) -> Vec<Value> {
        self.lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn options() -> ImportOptions {
    ImportOptions { now: now(), ..ImportOptions::default() }
}

fn types(events: &[Value]) -> BTreeMap<&str, usize> {
    let mut types = BTreeMap::new();
    for event in events {
        *types.entry(event["event_type"].as_str().unwrap()).or_default() += 1;
    }
    types
}

/// `kind@line` of each fault.
fn faults(report: &ImportReport) -> Vec<String> {
    report.faults.kept().iter().map(|fault| format!("{}@{}", fault.kind, fault.line)).collect()
}

fn of_type<'e>(events: &'e [Value], name: &str) -> Vec<&'e Value> {
    events.iter().filter(|event| event["event_type"] == name).collect()
}

/// Imports twice, and checks what holds for every log: nothing is added the second time, each
/// line is valid, ids differ, and causes that are named are there, earlier (but for as many as an
/// excerpt cut off).
fn import_twice(mapping: &str, files: &[PathBuf], cut_off: usize) -> (ImportReport, Vec<Value>) {
    let mut missing = 0;
    let bench = Bench::new();
    let first = bench.import(mapping, files);
    let lines = bench.lines();
    assert_eq!(first.appended, lines.len() as u64);
    assert_eq!(first.duplicates, 0);
    let again = bench.import(mapping, files);
    assert_eq!((again.appended, again.duplicates), (0, first.appended), "{mapping}");
    assert_eq!(bench.lines(), lines, "{mapping}");
    let mut seen = std::collections::HashSet::new();
    let events = bench.events();
    for (line, event) in lines.iter().zip(&events) {
        assert_eq!(check_stored_line(line, true), [], "{line}");
        let cause = event["causation_id"].as_str();
        missing += usize::from(cause.is_some_and(|cause| !seen.contains(cause)));
        assert!(seen.insert(event["event_id"].as_str().unwrap().to_owned()), "{line}");
        assert_eq!(event["metadata"]["import"]["mapping"], mapping);
    }
    assert_eq!(missing, cut_off, "{mapping}: causes that are not before their effects");
    (first, events)
}

#[test]
fn fleet() {
    let (report, events) = import_twice("fleet", &[fixture("fleet.jsonl")], 0);
    assert_eq!((report.read, report.appended, report.issues), (58, 58, 19));
    assert_eq!(faults(&report), [""; 0]);
    assert!(report.unmapped.is_empty(), "{:?}", report.unmapped);
    let expected =
        [("AgentCompleted", 8), ("AgentFailed", 11), ("AgentSpawned", 20), ("TaskCreated", 19)];
    assert_eq!(types(&events), BTreeMap::from(expected));
    let reasons: std::collections::BTreeSet<&str> = of_type(&events, "AgentFailed")
        .iter()
        .map(|event| event["metadata"]["failure_reason"].as_str().unwrap())
        .collect();
    assert_eq!(reasons.into_iter().collect::<Vec<_>>(), ["crash", "fail", "timeout"]);

    // One task: it failed for a worker that began before this log, and was done in a run.
    let task: Vec<&Value> = events.iter().filter(|e| e["issue_key"] == "cg-5ol6").collect();
    assert_eq!(task[0]["event_type"], "AgentFailed");
    assert_eq!(task[0].get("causation_id"), None);
    let (claim, spawned, completed) = (task[1], task[2], task[3]);
    assert_eq!(claim["metadata"]["assigned_to"], "oscar");
    assert_eq!(spawned["actor"], json!({"type":"agent","id":"oscar","model":"glm-4.7"}));
    assert_eq!(spawned["causation_id"], claim["event_id"]);
    assert_eq!(completed["causation_id"], spawned["event_id"]);
    assert_eq!(completed["session_id"], spawned["session_id"]);
    assert_ne!(claim["session_id"], spawned["session_id"]);
    assert_eq!(claim["session_id"], task[0]["session_id"], "one session per worker and day");
    assert_eq!(completed["metadata"]["duration_seconds"], 73);
    assert_eq!(claim["timestamp"], "2026-08-06T04:12:45.184Z");
}

#[test]
fn the_source_object_is_kept_as_it_is_written() {
    let bench = Bench::new();
    let line = r#"{"n":1.50,"big":123456789012345678901234567890,"ts":"2026-01-01T00:00:00Z","s":"\u00e9"}"#;
    // White space between tokens is all that may go.
    let spaced = line.replace(",\"", " ,\t\"").replace(':', ": ").replace("00: 00: ", "00:00:");
    bench.import("generic", &[bench.write("x.jsonl", spaced)]);
    let stored = bench.lines();
    assert!(stored[0].contains(&format!(r#""source":{line}"#)), "{}", stored[0]);
}

#[test]
fn esaa() {
    let (report, events) = import_twice("esaa", &[fixture("esaa.jsonl")], 0);
    assert_eq!((report.read, report.appended, report.issues), (40, 40, 28));
    assert_eq!(report.unmapped["orchestrator.file.write"], 1);
    let types = types(&events);
    assert_eq!(
        (types["TaskCreated"], types["TaskCompleted"], types["ApprovalGranted"]),
        (28, 1, 1)
    );
    let project = of_type(&events, "QualityCheckCompleted");
    assert!(project.iter().all(|event| event["issue_key"] == "esaa-project"));
    let first: Vec<&Value> = events.iter().filter(|e| e["issue_key"] == "QA-1804").collect();
    let names: Vec<&str> = first.iter().map(|e| e["event_type"].as_str().unwrap()).collect();
    let chain = [
        "TaskCreated",
        "TaskCreated",
        "TaskCompleted",
        "orchestrator.file.write",
        "ApprovalGranted",
    ];
    assert_eq!(names, chain);
    assert_eq!(first[1]["metadata"]["assigned_to"], "agent-qa");
    assert_eq!(first[2]["causation_id"], first[1]["event_id"]);
    assert_eq!(
        (&first[1]["actor"]["type"], &first[0]["actor"]["type"]),
        (&json!("agent"), &json!("system"))
    );
}

#[test]
fn claude_transcript() {
    let (report, events) = import_twice("claude-transcript", &[fixture("transcript.jsonl")], 2);
    assert_eq!((report.read, report.issues), (63, 1));
    assert_eq!(faults(&report), ["missing-time@1"]);
    assert_eq!(events[0]["issue_key"], "session-253fd5ef-38bf-4f4a-804a-98df5088a868");
    let first_time = "2026-02-03T03:49:21.951Z";
    assert_eq!(
        (&events[0]["timestamp"], &events[1]["timestamp"]),
        (&json!(first_time), &json!(first_time))
    );

    let types = types(&events);
    assert_eq!((types["AgentSpawned"], types["AgentCompleted"], types["PRCreated"]), (1, 1, 1));
    assert_eq!((types["ToolInvoked"], types["ToolCompleted"], types["ToolFailed"]), (24, 23, 1));
    let spawned = of_type(&events, "AgentSpawned")[0];
    assert_eq!(spawned["metadata"]["agent_name"], "Explore-a0853aa");
    let task = of_type(&events, "ToolInvoked")[0];
    assert_eq!(
        (&task["metadata"]["tool_name"], &task["actor"]["id"]),
        (&json!("Task"), &json!("claude"))
    );
    assert_eq!(spawned["causation_id"], task["event_id"]);
    let done = of_type(&events, "AgentCompleted")[0];
    assert_eq!(done["metadata"]["duration_seconds"], 41);
    assert_eq!(done["causation_id"], spawned["event_id"]);
    let own: Vec<&Value> =
        events.iter().filter(|e| e["metadata"]["agent_name"] == "Explore-a0853aa").collect();
    assert!(
        own.iter().any(|e| e["event_type"] == "ToolInvoked"
            && e["actor"]["model"] == "claude-haiku-4-5-20251001")
    );

    // Usage stands on every block of a message, and is counted once.
    let messages: Vec<&Value> =
        of_type(&events, "UsageRecorded").iter().map(|e| &e["metadata"]["message_id"]).collect();
    let once: std::collections::HashSet<String> =
        messages.iter().map(ToString::to_string).collect();
    assert_eq!(messages.len(), once.len());

    // A record of several events has its source in the first, and the others point to it.
    let part = of_type(&events, "AgentCompleted")[0];
    let record = &part["metadata"]["import"]["record"];
    let first = events.iter().find(|event| event["event_id"] == *record).unwrap();
    assert!(part["metadata"].get("source").is_none() && first["metadata"]["source"].is_object());
}

#[test]
fn claude_hooks() {
    let (report, events) = import_twice("claude-hooks", &[fixture("hooks.json")], 0);
    assert_eq!((report.read, report.appended), (14, 14));
    assert_eq!(faults(&report), ["no-times@2"], "said once per file");
    assert!(events.iter().all(|event| event["timestamp"] == now().to_string()));
    let started = of_type(&events, "SessionStarted")[0];
    assert_eq!(started["metadata"]["source"], "resume", "the type's own field keeps its name");
    assert_eq!(started["metadata"]["import"]["source"]["hook_event_name"], "SessionStart");
    assert_eq!(types(&events)["AgentBlocked"], 2);

    // Imported again at another time: the same records.
    let bench = Bench::new();
    let mapping = Mapping::builtin("claude-hooks").unwrap();
    bench.run(&mapping, &[fixture("hooks.json")], options());
    let later = ImportOptions { now: now().plus_millis(86_400_000), ..options() };
    let again = bench.run(&mapping, &[fixture("hooks.json")], later);
    assert_eq!((again.appended, again.duplicates), (0, 14));
}

#[test]
fn hooks_without_ids_pair_up_by_tool_and_input() {
    let bench = Bench::new();
    let hook = |event: &str, file: &str| json!({"session_id":"s","hook_event_name":event,"tool_name":"Read","tool_input":{"file":file}});
    let hooks = json!([
        hook("PreToolUse", "a"),
        hook("PreToolUse", "b"),
        hook("PostToolUse", "b"),
        hook("PostToolUse", "a"),
    ]);
    bench.import("claude-hooks", &[bench.write("h.json", hooks.to_string())]);
    let events = bench.events();
    for (call, result) in [(0, 3), (1, 2)] {
        assert_eq!(events[result]["causation_id"], events[call]["event_id"]);
        assert_eq!(
            events[result]["metadata"]["tool_use_id"],
            events[call]["metadata"]["tool_use_id"]
        );
    }
}

#[test]
fn temporal() {
    let file = fixture("temporal.json");
    let (report, events) = import_twice("temporal", std::slice::from_ref(&file), 0);
    assert_eq!((report.read, report.appended, report.issues), (15, 15, 1));
    assert_eq!(faults(&report), [""; 0]);
    assert!(events.iter().all(|e| e["issue_key"] == "temporal"));
    let names: Vec<&str> = events.iter().map(|e| e["event_type"].as_str().unwrap()).collect();
    assert_eq!(
        names[..4],
        [
            "OrchestrationStarted",
            "WorkflowTaskScheduled",
            "WorkflowTaskStarted",
            "WorkflowTaskCompleted"
        ]
    );
    assert_eq!(names[14], "OrchestrationCompleted");
    assert_eq!(events[3]["causation_id"], events[2]["event_id"], "startedEventId");
    assert_eq!(events[14]["causation_id"], events[3]["event_id"], "workflowTaskCompletedEventId");
    assert_eq!(events[5]["session_id"], "196a40e4-39d2-43c9-99bb-f97ccde89afc");

    // Event ids of one history mean nothing in another: they are namespaced by the issue.
    let bench = Bench::new();
    let other = bench.dir.path().join("other.json");
    fs::copy(&file, &other).unwrap();
    let report = bench.import("temporal", &[file, other]);
    assert_eq!((report.appended, report.issues), (30, 2));
}

#[test]
fn an_issue_given_takes_the_whole_file() {
    let bench = Bench::new();
    let mapping = Mapping::builtin("fleet").unwrap();
    let given = ImportOptions { issue: Some("PROJ-123".into()), ..options() };
    let report = bench.run(&mapping, &[fixture("fleet.jsonl")], given.clone());
    assert_eq!((report.appended, report.issues), (58, 1));
    let sequences: Vec<u64> =
        bench.events().iter().map(|e| e["event_sequence"].as_u64().unwrap()).collect();
    assert_eq!(sequences, (1..=58).collect::<Vec<_>>());
    let times: Vec<String> =
        bench.events().iter().map(|e| e["metadata"]["source"]["ts"].to_string()).collect();
    let source = fs::read_to_string(fixture("fleet.jsonl")).unwrap();
    let order: Vec<String> = source
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["ts"].to_string())
        .collect();
    assert_eq!(times, order, "in the source's own order");
    let unsafe_key = ImportOptions { issue: Some("../x".into()), ..options() };
    assert_eq!(Importer::new(&mapping, unsafe_key).unwrap_err().kind(), ErrorKind::Usage);
}

/// A copy of a log with ids, damaged in every way that was seen in the wild.
fn damaged() -> Vec<u8> {
    let source = fs::read_to_string(fixture("esaa.jsonl")).unwrap();
    let lines: Vec<&str> = source.lines().collect();
    let mut out: Vec<Vec<u8>> = Vec::new();
    out.push(lines[0].into()); //                                              1 sound
    out.push(lines[1].as_bytes()[..60].to_vec()); //                           2 cut
    out.push(format!("{}{}", lines[2], lines[3]).into()); //                   3 two on one line
    out.push([b"\0\0\0", lines[4].as_bytes()].concat()); //                    4 NUL bytes
    out.push(lines[5].replace("verify", "v\u{e9}rify").chars().map(|c| c as u32 as u8).collect()); // 5 Latin-1
    out.push(lines[0].replace("task.create", "claim").into()); //              6 an id used again
    out.push(lines[6].replace("2026-05-23T15", "2026-05-23T09").into()); //    7 hours back
    out.push(b"[1,2]".to_vec()); //                                            8 no object
    out.push(b"what?".to_vec()); //                                            9 no JSON
    out.push(Vec::new()); //                                                  10 blank
    out.push(lines[7].replace("QA-1804", "../QA").into()); //                 11 an unsafe key
    out.push(format!("{}{}", &lines[8][..70], lines[9]).into()); //           12 cut, and written on
    out.push(lines[10].replace("\"ts\":\"2026-05-23T15:17:57Z\"", "\"ts\":\"soon\"").into()); // 13 no time
    out.push(lines[11].into()); //                                            14 sound
    out.push(lines[11].into()); //                                            15 the same once more
    out.push(lines[12].as_bytes()[..50].to_vec()); //                         16 torn tail
    out.join(&b'\n')
}

#[test]
fn what_is_sound_in_a_damaged_log_comes_in_and_each_fault_is_named() {
    let bench = Bench::new();
    let file = bench.write("activity.jsonl", damaged());
    let report = bench.import("esaa", std::slice::from_ref(&file));
    assert_eq!(
        faults(&report),
        [
            "cut-line@2",
            "several-on-one-line@3",
            "nul-bytes@4",
            "invalid-utf8@5",
            "reused-id@6",
            "time-runs-back@7",
            "not-an-object@8",
            "not-json@9",
            "unsafe-issue-key@11",
            "cut-line@12",
            "bad-time@13",
            "cut-line@16",
        ]
    );
    let place = report.faults.first().unwrap();
    assert_eq!(place.file, file.display().to_string());
    // Sound: 1, both of 3, 4, 5, 6 (under an id of its own), 7, 11, the second of 12, 13, 14.
    assert_eq!((report.read, report.appended, report.duplicates), (17, 11, 1));
    let keys: Vec<String> = bench.store.keys().unwrap();
    assert_eq!(keys, ["QA-1804", "QA-a729443f", "esaa-project"], "no way out of the store");
    for line in bench.lines() {
        assert_eq!(check_stored_line(&line, true), [], "{line}");
    }
    let before = bench.lines();
    let again = bench.import("esaa", &[file]);
    assert_eq!((again.appended, again.duplicates), (0, 12));
    assert_eq!(bench.lines(), before);
}

#[test]
fn damaged_elements_of_a_document_are_named_by_their_lines() {
    let bench = Bench::new();
    let source = fs::read_to_string(fixture("hooks.json")).unwrap();
    // The second payload loses the end of a text with its line, the fifth its closing brace.
    let mut lines: Vec<String> = source.lines().map(str::to_owned).collect();
    lines[10] = lines[10][..20].to_owned();
    let brace = lines.iter().enumerate().filter(|(_, l)| *l == " },").nth(4).unwrap().0;
    lines.remove(brace);
    let report = bench.import("claude-hooks", &[bench.write("h.json", lines.join("\n"))]);
    assert_eq!(faults(&report)[..1], ["no-times@2"]);
    assert_eq!(report.faults.count(FaultKind::NotJson), 2, "{:?}", faults(&report));
    assert_eq!((report.read, report.appended), (14, 12));
}

#[test]
fn a_changed_mapping_adds_nothing() {
    let bench = Bench::new();
    let files = [fixture("fleet.jsonl")];
    bench.import("fleet", &files);
    let before = bench.lines();
    let text = Mapping::text("fleet").unwrap();
    let changed = text.replace("type = \"TaskCreated\"", "type = \"BeadClaimed\"");
    assert_ne!(text, changed);
    for text in [changed, text.replace("name = \"fleet\"", "name = \"mine\"")] {
        let path = bench.write("my.toml", text);
        let report = bench.import(path.to_str().unwrap(), &files);
        assert_eq!((report.appended, report.duplicates), (0, 58));
    }
    assert_eq!(bench.lines(), before);
}

#[test]
fn a_grown_log_adds_what_is_new() {
    let bench = Bench::new();
    let source = fs::read_to_string(fixture("fleet.jsonl")).unwrap();
    let half: String = source.lines().take(30).map(|line| format!("{line}\n")).collect();
    let file = bench.write("events.jsonl", half);
    assert_eq!(bench.import("fleet", std::slice::from_ref(&file)).appended, 30);
    bench.write("events.jsonl", &source);
    let report = bench.import("fleet", &[file]);
    assert_eq!((report.appended, report.duplicates), (28, 30));
    let whole = Bench::new();
    whole.import("fleet", &[fixture("fleet.jsonl")]);
    assert_eq!(bench.lines(), whole.lines(), "in two steps or one");
}

#[test]
fn an_id_that_an_earlier_import_gave_to_something_else_is_named() {
    let bench = Bench::new();
    let one =
        bench.write("one.jsonl", r#"{"id":"e1","ts":1700000000,"issue":"A-1","type":"x","n":1}"#);
    let two =
        bench.write("two.jsonl", r#"{"id":"e1","ts":1700000001,"issue":"A-1","type":"x","n":2}"#);
    bench.import("generic", std::slice::from_ref(&one));
    let report = bench.import("generic", std::slice::from_ref(&two));
    assert_eq!((faults(&report), report.appended), (vec!["reused-id@1".to_owned()], 1));
    for files in [vec![one.clone()], vec![two.clone()], vec![two, one]] {
        assert_eq!(bench.import("generic", &files).appended, 0);
    }
    assert_eq!(bench.events().len(), 2);
}

#[test]
fn identical_lines_without_ids_are_as_many_records() {
    let bench = Bench::new();
    let line = "{\"ts\":1700000000,\"issue\":\"A-1\",\"type\":\"tick\"}\n";
    let three = bench.write("three.jsonl", line.repeat(3));
    assert_eq!(bench.import("generic", std::slice::from_ref(&three)).appended, 3);
    assert_eq!(bench.import("generic", &[three]).appended, 0);
    let four = bench.write("four.jsonl", line.repeat(4));
    assert_eq!(bench.import("generic", &[four.clone(), four]).appended, 1);
}

#[test]
fn generic_finds_usual_names_and_takes_assignments() {
    let bench = Bench::new();
    let log = r#"{"events":[
        {"uuid":"a","created_at":"2026-01-01 10:00:00","ticket":"T-1","kind":"opened","user":"ada","data":{"x":1}},
        {"uuid":"b","created_at":1767261600500,"ticket":"T-1","kind":"ErrorOccurred","agent":"bot","parent":"a",
         "data":{"error_type":"net","error_message":"down"}},
        {"uuid":"c","created_at":1767261601,"ticket":"T-1","kind":"ErrorOccurred","data":{"error_type":"net"}}
    ]}"#;
    let report = bench.import("generic", &[bench.write("log.json", log)]);
    assert_eq!(faults(&report), ["zoneless-time@2", "incomplete-type@5"]);
    let events = bench.events();
    assert_eq!(events[0]["actor"], json!({"type":"user","id":"ada"}));
    assert_eq!(events[0]["metadata"]["x"], 1);
    assert_eq!(events[1]["event_type"], "ErrorOccurred");
    assert_eq!(events[1]["causation_id"], events[0]["event_id"]);
    assert_eq!(events[1]["timestamp"], "2026-01-01T10:00:00.500Z");
    assert_eq!(events[2]["event_type"], "source.ErrorOccurred", "without what the type must have");

    let bench = Bench::new();
    let mut mapping = Mapping::builtin("generic").unwrap();
    for field in [
        "timestamp=meta.when",
        "issue=/meta/key",
        "type=verb",
        "actor=who.name",
        "metadata.note=text",
    ] {
        mapping.assign(field).unwrap();
    }
    let line = r#"{"meta":{"when":1700000000,"key":"K-7"},"verb":"said","who":{"name":"eve"},"text":"hi","left":1}"#;
    let report = bench.run(&mapping, &[bench.write("x.jsonl", line)], options());
    let event = &bench.events()[0];
    assert_eq!((&event["issue_key"], &event["event_type"]), (&json!("K-7"), &json!("said")));
    assert_eq!((&event["actor"]["id"], &event["metadata"]["note"]), (&json!("eve"), &json!("hi")));
    assert_eq!(report.unmapped, BTreeMap::from([("/left".into(), 1), ("said".into(), 1)]));
    for bad in ["nonsense", "colour=x", "issue=", "type={/x"] {
        assert_eq!(mapping.assign(bad).unwrap_err().kind(), ErrorKind::Usage, "{bad}");
    }
}

#[test]
fn strict_writes_nothing_at_the_first_fault() {
    let bench = Bench::new();
    let file = bench.write("activity.jsonl", damaged());
    let mapping = Mapping::builtin("esaa").unwrap();
    let strict = ImportOptions { strict: true, ..options() };
    let importer = Importer::new(&mapping, strict.clone()).unwrap();
    let error = importer.run(&[file], Some(&bench.store), &mut |_| {}).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.message().contains("activity.jsonl:2: cut-line"), "{error}");
    assert!(bench.store.keys().unwrap().is_empty());
    let sound = bench.run(&mapping, &[fixture("esaa.jsonl")], strict);
    assert_eq!(sound.appended, 40);
}

#[test]
fn a_dry_run_writes_nothing_and_knows_what_is_there() {
    let bench = Bench::new();
    let mapping = Mapping::builtin("fleet").unwrap();
    let dry = ImportOptions { dry_run: true, ..options() };
    let report = bench.run(&mapping, &[fixture("fleet.jsonl")], dry.clone());
    assert_eq!((report.appended, report.duplicates), (58, 0));
    assert!(bench.store.keys().unwrap().is_empty());
    bench.import("fleet", &[fixture("fleet.jsonl")]);
    let report = bench.run(&mapping, &[fixture("fleet.jsonl")], dry.clone());
    assert_eq!((report.appended, report.duplicates), (0, 58));
    let alone = Importer::new(&mapping, dry).unwrap();
    let report = alone.run(&[fixture("fleet.jsonl")], None, &mut |_| {}).unwrap();
    assert_eq!(report.appended, 58);
}

#[test]
fn an_interrupted_import_keeps_what_it_has_and_goes_on_later() {
    let bench = Bench::new();
    let mapping = Mapping::builtin("generic").unwrap();
    let lines: String = (0..1000)
        .map(|n| format!("{{\"id\":{n},\"ts\":{},\"issue\":\"A-1\"}}\n", 1_700_000_000 + n))
        .collect();
    let file = bench.write("log.jsonl", lines);
    let stopping = options();
    let interrupt = stopping.interrupt.clone();
    let importer = Importer::new(&mapping, stopping).unwrap();
    let error = importer
        .run(std::slice::from_ref(&file), Some(&bench.store), &mut |progress| {
            assert!(progress.bytes <= progress.total);
            interrupt.store(true, Ordering::Relaxed);
        })
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    let kept = bench.lines().len() as u64;
    assert!(kept > 0 && kept < 1000, "{kept}");
    let rest = bench.run(&mapping, &[file], options());
    assert_eq!((rest.appended, rest.duplicates), (1000 - kept, kept));
}

#[test]
fn a_line_over_the_limit_is_passed_over() {
    let bench = Bench::new();
    let long = format!("{{\"id\":1,\"ts\":1700000000,\"text\":\"{}\"}}", "x".repeat(17 << 20));
    let text = format!("{long}\n{{\"id\":2,\"ts\":1700000001}}\n");
    let report = bench.import("generic", &[bench.write("long.jsonl", text)]);
    assert_eq!((faults(&report), report.appended), (vec!["too-long@1".to_owned()], 1));
}

#[test]
fn own_mappings_are_read_from_files_and_their_mistakes_are_placed() {
    let bench = Bench::new();
    let mapping = r#"
        name = "mine"
        title = "test results"
        type = "{/what}"
        [issue]
        value = "{/suite}"
        [time]
        value = "{/at}"
        unit = "s"
        [[rule]]
        when = [{ "/what" = "run", "/passed" = { above = 0 } }, { "/what" = { starts_with = "run:" } }]
        for_each = "{/tests}"
        type = "TestRunCompleted"
        metadata = { test_suite = "{/suite}", total_tests = { "$sum" = ["{/passed}", "{/failed}"] }, passed = "{/passed}", failed = { "$first" = ["{/failed}", 0] }, verdict = { "$pick" = "{/failed}", "0" = "green", "*" = "red" } }
        each = [{ when = { "item/ok" = { not = true } }, type = "TestFailed", metadata = { name = "{item/name} of {/suite}" } }]
        [[rule]]
        when = { "/what" = "noise" }
        skip = "noise"
    "#;
    let path = bench.write("mine.toml", mapping);
    let log = concat!(
        r#"{"what":"run","suite":"auth","at":1700000000.5,"passed":3,"failed":1,"tests":[{"name":"a","ok":true},{"name":"b"}]}"#,
        "\n",
        r#"{"what":"noise","suite":"auth","at":1700000001}"#,
    );
    let report = bench.import(path.to_str().unwrap(), &[bench.write("log.jsonl", log)]);
    assert_eq!((report.read, report.appended, report.unmapped["noise"]), (2, 2, 1));
    let events = bench.events();
    assert_eq!(events[0]["metadata"]["name"], "b of auth");
    let expected =
        json!({"test_suite":"auth","total_tests":4,"passed":3,"failed":1,"verdict":"red"});
    let mut metadata = events[1]["metadata"].clone();
    metadata.as_object_mut().unwrap().remove("import");
    assert_eq!(metadata, expected);

    for (text, wanted) in [
        (mapping.replace("{/what}", "{what}"), "names nothing"),
        (mapping.replace("starts_with", "begins"), "begins is no test"),
        (mapping.replace("unit = \"s\"", "unit = \"h\""), "line 9"),
        (mapping.replace("skip =", "skpi ="), "skpi"),
        (mapping.replace("$sum", "$total"), "$total"),
        (format!("{mapping}\nforget = [\"x\"]"), "memory.x"),
    ] {
        let path = bench.write("bad.toml", text);
        let error = Mapping::named(path.to_str().unwrap()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.message().contains(wanted), "{wanted}: {error}");
    }
    assert_eq!(Mapping::named("fleeet").unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(Mapping::named("./no.toml").unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn the_built_in_mappings_are_listed() {
    let listed = Mapping::list().unwrap();
    let names: Vec<&str> = listed.iter().map(|mapping| mapping.name.as_str()).collect();
    let expected = ["fleet", "esaa", "claude-transcript", "claude-hooks", "temporal", "generic"];
    assert_eq!(names, expected);
    assert!(listed.iter().all(|mapping| !mapping.title.is_empty()));
}

/// With the folder of the full samples in `CHRONOSCOPE_SAMPLES`: their numbers.
#[test]
fn full_samples_where_they_are_at_hand() {
    let Some(samples) = std::env::var_os("CHRONOSCOPE_SAMPLES").map(PathBuf::from) else { return };
    let hooks = [
        "session_start",
        "user_prompt_submit",
        "pre_tool_use",
        "post_tool_use",
        "notification",
        "subagent_stop",
        "stop",
    ];
    let hooks: Vec<PathBuf> =
        hooks.iter().map(|name| samples.join(format!("hooks/{name}.json"))).collect();
    let temporal = ["parallel-local-activities", "workflow_loop_task"];
    let temporal =
        temporal.iter().map(|name| samples.join(format!("temporal/{name}.json"))).collect();
    for (mapping, files, read, appended, issues) in [
        ("fleet", vec![samples.join("fleet/events.jsonl")], 11_343, 11_343, 305),
        ("esaa", vec![samples.join("esaa/activity.jsonl")], 1_821, 1_821, 146),
        ("claude-transcript", vec![samples.join("transcripts/session.jsonl")], 566, 712, 1),
        ("claude-hooks", hooks, 355, 355, 13),
        ("temporal", temporal, 443, 443, 2),
    ] {
        let (report, _) = import_twice(mapping, &files, 0);
        assert_eq!(
            (report.read, report.appended, report.issues),
            (read, appended, issues),
            "{mapping}"
        );
    }
}
