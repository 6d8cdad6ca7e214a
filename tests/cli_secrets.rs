//! Secrets in events that are refused, and in every text of those that are not: nothing of them is
//! printed, and nothing of them reaches the disk.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::too_many_lines, reason = "tables of cases")]

use std::fs;
use std::path::{Path, PathBuf};

use chronoscope::model::envelope::FIELDS;
use serde_json::{Value, json};

use crate::cli_support::{Ran, SESSION, TestEnvironment};

#[path = "support/secrets.rs"]
mod support;

/// So much of a secret tells too much.
const TELLING: usize = 12;

/// The secrets by their shape, and one that only its name tells.
fn secrets() -> Vec<String> {
    support::secrets().into_iter().map(|(secret, _)| secret).collect()
}

/// A secret that is known by what it is called alone.
const NAMED: &str = "correct-horse-battery";

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let entries = entries.map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Looks for anything telling of the secrets.
struct Search(Vec<(String, memchr::memmem::Finder<'static>)>);

impl Search {
    fn new(secrets: &[String]) -> Self {
        let mut windows = std::collections::BTreeSet::new();
        for secret in secrets {
            let bare = secret.trim_start_matches("https://");
            for at in 0..=bare.len() - TELLING {
                // (A marker in capital letters.)
                if !"AGE-SECRET-KEY".contains(&bare[at..at + TELLING]) {
                    windows.insert(&bare[at..at + TELLING]);
                }
            }
        }
        let finder = |window: &str| memchr::memmem::Finder::new(window).into_owned();
        Self(windows.into_iter().map(|window| (window.to_owned(), finder(window))).collect())
    }

    #[track_caller]
    fn nothing_in(&self, text: &[u8], what: &str) {
        for (window, finder) in &self.0 {
            assert!(
                finder.find(text).is_none(),
                "{what} tells {window}: {}",
                String::from_utf8_lossy(text)
            );
        }
    }

    #[track_caller]
    fn nothing_told(&self, ran: &Ran, what: &str) {
        self.nothing_in(ran.stdout.as_bytes(), &format!("stdout of {what}"));
        self.nothing_in(ran.stderr.as_bytes(), &format!("stderr of {what}"));
    }

    #[track_caller]
    fn nothing_kept(&self, environment: &TestEnvironment) {
        for path in files(&environment.store()) {
            let name = path.display().to_string();
            self.nothing_in(name.as_bytes(), "a name");
            self.nothing_in(&fs::read(&path).unwrap(), &name);
        }
    }
}

fn sound() -> Value {
    json!({
        "event_type": "AgentProgressed", "issue_key": "P-1", "session_id": SESSION,
        "actor": {"type": "agent", "id": "a"}, "metadata": {"agent_name": "a"}
    })
}

/// Events that are refused, each with the secret at another place.
fn wrong(secret: &str) -> Vec<Value> {
    // What precedes it moves it over the place where messages cut.
    let padded = format!("{} {secret}", "x".repeat(48));
    let mut all = Vec::new();
    for value in [secret, &padded] {
        for name in FIELDS.iter().chain(&["password"]) {
            let mut event = sound();
            event[*name] = value.into();
            event["unknown"] = true.into();
            all.push(event);
        }
        for pointer in ["/actor/type", "/actor/id"] {
            let mut event = sound();
            *event.pointer_mut(pointer).unwrap() = value.into();
            event["unknown"] = true.into();
            all.push(event);
        }
        let mut events = [sound(), sound(), sound(), sound(), sound(), sound()];
        events[0][value] = 1.into();
        events[1]["actor"][value] = 1.into();
        events[2]["metadata"][value] = "a\u{0}b".into();
        events[3]["metadata"]["agent_name"] = json!({ value: value });
        events[4]["metadata"]["progress_percent"] = value.into();
        events[5]["event_type"] = "PhaseStarted".into();
        events[5]["metadata"] = json!({ "phase": value });
        for event in &mut events[2..] {
            event["unknown"] = true.into();
        }
        all.extend(events);
    }
    all
}

/// Texts that are no event, with the secret in them.
fn broken(secret: &str) -> Vec<String> {
    let whole = sound().to_string();
    vec![
        secret.to_owned(),
        format!("\"{secret}\""),
        format!("[\"{secret}\"]"),
        format!("{{\"password\": {secret}}}"),
        format!("{{{secret}: 1}}"),
        whole.replace("\"P-1\"", &format!("\"P-1\" \"{secret}\"")),
        format!("{whole} {secret}"),
        format!("{}\"{secret}", whole.trim_end_matches('}')),
        format!("{{\"token\":\"{secret}\",\"x\":1e999}}"),
        whole.replace("\"a\"", &format!("\"\\ud800{secret}\"")),
    ]
}

#[test]
fn what_is_refused_is_not_quoted_with_its_secrets() {
    let environment = TestEnvironment::new();
    let secrets = secrets();
    let search = Search::new(&secrets);
    let events: Vec<String> =
        secrets.iter().flat_map(|s| wrong(s)).map(|event| event.to_string()).collect();
    let broken: Vec<String> = secrets.iter().flat_map(|s| broken(s)).collect();
    for (name, lines) in [("wrong events", &events), ("broken events", &broken)] {
        let text = lines.join("\n") + "\n";
        for args in [
            &["append", "--no-git"][..],
            &["append", "--no-git", "--json"],
            &["append", "--no-git", "--dry-run"],
            &["append", "--no-git", "--stream"],
            &["append", "--no-git", "--stream", "--json"],
            &["schema", "check", "-"],
            &["schema", "check", "-", "--json"],
        ] {
            let ran = environment.run_with(args, &text);
            assert_eq!(ran.code, Some(4), "{args:?} of {name}");
            search.nothing_told(&ran, &format!("{args:?} of {name}"));
            if args.contains(&"--stream") {
                assert_eq!(ran.stderr.lines().count(), lines.len(), "{args:?} of {name}");
            }
        }
    }
    search.nothing_kept(&environment);
}

#[test]
fn a_password_is_not_quoted_either() {
    let environment = TestEnvironment::new();
    let search = Search::new(&[NAMED.to_owned()]);
    let mut event = sound();
    event["password"] = NAMED.into();
    event["session_id"] = format!("postgres://me:{NAMED}@db/x").into();
    event["timestamp"] = format!("PASSWORD={NAMED}").into();
    event["issue_key"] = NAMED.into();
    for args in [&["append"][..], &["append", "--json"], &["append", "--stream"]] {
        let ran = environment.run_with(args, &event.to_string());
        assert_eq!(ran.code, Some(4));
        search.nothing_told(&ran, &format!("{args:?}"));
    }
    for field in [format!("password:={NAMED}"), format!("env.DB_PASSWORD:={{{NAMED}")] {
        let ran = environment.append_phase("P-1", "A", &["--meta", &field]);
        assert_eq!(ran.code, Some(2));
        search.nothing_told(&ran, &field);
    }
    search.nothing_kept(&environment);
}

#[test]
fn flags_are_not_quoted_with_their_secrets() {
    let environment = TestEnvironment::new();
    let secrets = secrets();
    let search = Search::new(&secrets);
    for (n, secret) in secrets.iter().enumerate() {
        let actor = format!("agent:{secret}@{secret}");
        let [text, json, file, assigned] = [
            format!("n={secret}"),
            format!("n:={secret}"),
            format!("@{secret}"),
            format!("{secret}=1"),
        ];
        let all = [
            "--type",
            secret,
            "--issue",
            secret,
            "--session",
            secret,
            "--correlation",
            secret,
            "--causation",
            secret,
            "--event-id",
            secret,
            "--timestamp",
            secret,
            "--actor",
            &actor,
            "--meta",
            &text,
            "--meta",
            &assigned,
        ];
        let typed = ["--type", "PhaseStarted", "--issue", "P-1"];
        let cases: [(&[&str], i32); 10] = [
            (&all, 4),
            (&["--actor", secret], 2),
            (&["--lock-timeout", secret], 2),
            (&["--durability", secret], 2),
            (&["--expect-sequence", secret], 2),
            (&["--meta", &json], 2),
            (&["--meta", secret], 2),
            (&["--metadata", secret], 2),
            (&["--metadata", &file], 2),
            (&[secret], 2),
        ];
        for (more, code) in cases {
            let mut args = vec!["append", "--no-git"];
            if code == 2 {
                args.extend(typed);
            }
            args.extend(more);
            if n % 2 == 1 {
                args.push("--json");
            }
            let ran = environment.run(&args);
            // (One with a colon in it may be an actor's type and name.)
            let split = code == 2 && secret.contains(':') && ran.code == Some(4);
            assert!(ran.code == Some(code) || split, "{args:?} {ran:#?}");
            search.nothing_told(&ran, &format!("{more:?}"));
        }
    }
    search.nothing_kept(&environment);
}

#[test]
fn secrets_in_any_text_of_an_event_are_taken_out() {
    let environment = TestEnvironment::new();
    let secrets = secrets();
    let search = Search::new(&secrets);
    let git = environment.work().join(".git");
    for (n, secret) in secrets.iter().enumerate() {
        // The repository's own branch, which the store stamps.
        let branch = secret.trim_start_matches("https://");
        fs::create_dir_all(git.join("refs/heads")).unwrap();
        fs::write(git.join("HEAD"), format!("ref: refs/heads/fix/{branch}\n")).unwrap();
        let heads = git.join("packed-refs");
        fs::write(heads, format!("{} refs/heads/fix/{branch}\n", "a".repeat(40))).unwrap();
        let mut event = sound();
        for name in ["correlation_id", "causation_id", "branch"] {
            event[name] = secret.as_str().into();
        }
        event["actor"] = json!({"type": "agent", "id": secret, "model": secret});
        event["metadata"][secret] = json!([secret, {secret: secret}]);
        event["codebase_state"] = json!({secret: secret});
        let mut unbranched = event.clone();
        unbranched.as_object_mut().unwrap().remove("branch");
        let text = format!("{event}\n{unbranched}\n");
        let ran = environment.run_with(&["append", "--dry-run"], &text);
        search.nothing_told(&ran, secret);
        ran.ok();
        let args = if n % 2 == 0 { &["append"][..] } else { &["append", "--stream"] };
        let ran = environment.run_with(args, &text);
        search.nothing_told(&ran, secret);
        ran.ok();
        environment.run(&["snapshot", "P-1"]).ok();
    }
    search.nothing_kept(&environment);
    let log = fs::read_to_string(environment.store().join("2026-11-22/P-1/events.jsonl")).unwrap();
    assert_eq!(log.lines().count(), 2 * secrets.len());
    assert!(log.contains("\"branch\":\"fix/[redacted:github-token]\""), "{log}");
}

/// A UUID that the user calls a secret.
const OWN: &str = "9c0c1d2e-93b1-4c5d-a77f-d08192a3b4c5";

#[test]
fn where_no_marker_can_stand_the_event_is_refused() {
    let environment = TestEnvironment::new();
    let key = format!("AK{}-7", "IAABCDEFGHIJKLMNOP");
    let search = Search::new(&[key.clone(), OWN.to_owned()]);
    let ran = environment.append_phase(&key, "A", &[]);
    search.nothing_in(ran.stderr.as_bytes(), "a key");
    let message = ran.message(4);
    assert!(message.contains("/issue_key holds what looks like a secret (aws-access-key)"));
    // An import has no other place for it either.
    let record = json!({"at": 1_795_000_000, "what": "Note", "ticket": key}).to_string();
    fs::write(environment.work().join("log.jsonl"), record + "\n").unwrap();
    let args = ["import", "--from", "generic", "log.jsonl", "--json", "--field", "issue=/ticket"];
    let more = ["--field", "timestamp=/at", "--field", "type=/what"];
    let args: Vec<&str> = args.into_iter().chain(more).collect();
    let ran = environment.run(&args);
    search.nothing_told(&ran, "an import");
    let report = ran.json();
    assert_eq!((&report["appended"], &report["faults"][0]["kind"]), (&json!(0), &json!("refused")));
    let strict: Vec<&str> = args.into_iter().chain(["--strict"]).collect();
    let ran = environment.run(&strict);
    assert_eq!(ran.code, Some(4));
    search.nothing_told(&ran, "a strict import");
    // The user's own patterns may mean an id or a commit.
    let settings = "event_sourcing: {redaction: {patterns: ['9c0c1d2e-.*', 'bad+c0ffee']}}";
    fs::write(environment.work().join("event-sourcing.yaml"), settings).unwrap();
    let mut event = sound();
    event["event_id"] = OWN.into();
    event["session_id"] = OWN.into();
    event["git_sha"] = "baddc0ffee".into();
    let ran = environment.run_with(&["append"], &event.to_string());
    search.nothing_told(&ran, "an id");
    let message = ran.message(4);
    for pointer in ["/event_id", "/session_id", "/git_sha"] {
        let refused = format!("{pointer} holds what looks like a secret (custom)");
        assert!(message.contains(&refused), "{message}");
    }
    search.nothing_kept(&environment);
}

#[test]
fn an_import_quotes_and_keeps_no_secret() {
    let environment = TestEnvironment::new();
    let secrets = secrets();
    let search = Search::new(&secrets);
    let mut text = String::new();
    for (n, secret) in secrets.iter().enumerate() {
        let sound = json!({"at": 1_795_000_000 + n, "what": "Note", "ticket": format!("P-{n}")});
        for name in ["id", "at", "what", "ticket", "who", "line", "run"] {
            // A mapping takes the first line, up to 200 characters: the secret goes over its end.
            for before in ["", &"x ".repeat(95)] {
                let mut record = sound.clone();
                record[name] = format!("{before}{secret}").into();
                text += &(record.to_string() + "\n");
            }
        }
        let mut record = sound.clone();
        record[secret] = 1.into();
        text += &format!("{record}\n{secret}\n[\"{secret}\"]\n{{\"a\":\"{secret}\n");
        // The same id with other content is told of by that id.
        for what in ["A", "B"] {
            text += &(json!({"at": 1_795_000_000, "what": what, "ticket": "P-1", "id": secret})
                .to_string()
                + "\n");
        }
    }
    fs::write(environment.work().join("log.jsonl"), text).unwrap();
    let fields = [
        "id=/id",
        "timestamp=/at",
        "type=/what",
        "issue=/ticket",
        "actor=/who",
        "session=/run",
        "metadata.line={/line as line}",
        "metadata.key={/line as key}",
        "metadata.up={/line as upper}",
    ];
    for more in [&["--dry-run"][..], &["--json", "--strict"], &[], &["--json"]] {
        let mut args = vec!["import", "--from", "generic", "log.jsonl"];
        for field in &fields {
            args.extend(["--field", field]);
        }
        args.extend(more);
        let ran = environment.run(&args);
        search.nothing_told(&ran, &format!("{more:?}"));
        let code = if more.contains(&"--strict") { 4 } else { 0 };
        assert_eq!(ran.code, Some(code), "{more:?} {ran:#?}");
    }
    search.nothing_kept(&environment);
    assert!(files(&environment.store()).len() > secrets.len());
}
