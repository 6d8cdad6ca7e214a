//! What comes from outside and means harm: text that steers terminals, keys that are paths, links
//! that lead elsewhere, lines without end, loose modes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use chronoscope::model::ids::is_control;
use serde_json::{Value, json};

use crate::cli_support::{Ran, TestEnvironment};
use crate::tui_support::Desk;

/// Texts that nobody wants on a terminal as they are.
const TEXTS: &[(&str, &str)] = &[
    ("colour", "\u{1b}[31mred\u{1b}[0m"),
    ("erase", "\u{1b}[2J\u{1b}[H"),
    ("clipboard", "\u{1b}]52;c;ZXZpbA==\u{7}"),
    ("title", "\u{1b}]0;evil\u{1b}\\"),
    ("link", "\u{1b}]8;;http://evil\u{1b}\\x"),
    ("c1", "\u{9b}31m\u{9d}52;c;x\u{9c}"),
    ("bidi", "abc\u{202e}fdp.exe\u{2066}x\u{2069}"),
    ("nul", "a\0b"),
    ("lines", "a\r\nb\u{85}c\u{2028}d\u{b}e\u{c}f\u{8}\u{8}g\u{7f}"),
    ("zero-width", "pay\u{200b}pal\u{feff}\u{2060}\u{ad}\u{e0041}"),
    ("tags", "\u{61c}\u{fff9}x\u{fffa}y\u{fffb}"),
];

/// A letter with more accents than anybody needs.
fn tall() -> String {
    format!("e{}", "\u{301}".repeat(3000))
}

/// A log of an issue with these texts wherever an event may have text.
fn log(key: &str) -> Vec<u8> {
    let mut log = Vec::new();
    let mut sequence = 0;
    let tall = tall();
    let long = "x".repeat(70_000);
    let texts = TEXTS.iter().map(|(_, text)| *text).chain([tall.as_str(), long.as_str()]);
    for text in texts {
        let mut add = |event_type: &str, metadata: Value| {
            sequence += 1;
            let event = json!({
                "event_id": format!("{sequence}-{text}"), "event_type": event_type,
                "event_version": "1.1.0", "timestamp": "2026-11-20T10:00:00.000Z",
                "event_sequence": sequence, "issue_key": key, "session_id": text,
                "correlation_id": text, "causation_id": text,
                "actor": {"type": "agent", "id": text, "model": text}, "git_sha": text,
                "metadata": metadata,
            });
            log.extend(event.to_string().into_bytes());
            log.push(b'\n');
        };
        add("OrchestrationStarted", json!({"issue_summary": text, "workflow_type": text}));
        add("PhaseStarted", json!({"phase": text, "phase_objective": text}));
        add("AgentSpawned", json!({"agent_name": text, "agent_type": text, "agent_task": text}));
        add("AgentFailed", json!({"agent_name": text, "failure_reason": text}));
        add("ErrorOccurred", json!({"error_type": text, "error_message": text, "severity": text}));
        add("CommitCreated", json!({"commit_sha": text, "commit_message": text, "branch": text}));
        add("GapIdentified", json!({"gap_id": text, "gap_type": text, "description": text}));
        add("ToolCalled", json!({"tool_name": text, "arguments": {text: text}}));
        add(&format!("Odd{text}"), json!({text: {text: [text]}}));
        log.extend(format!("no JSON {}\n", text.replace('\n', " ")).into_bytes());
    }
    log.extend(b"{\"event_id\":\"\xff\xfe\x9b31m\"}\n[\"\x1b[31m\"]\n");
    log
}

fn put(environment: &TestEnvironment, key: &str, log: &[u8]) {
    let folder = environment.store().join("2026-11-20").join(key);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("events.jsonl"), log).unwrap();
}

#[track_caller]
fn assert_harmless(what: &str, text: &str) {
    let found = text.chars().find(|c| is_control(*c) && *c != '\n');
    if let Some(found) = found {
        let at = text.find(found).unwrap();
        let from = text[..at].char_indices().rev().nth(60).map_or(0, |(at, _)| at);
        panic!("{what}: {found:?} after {:?}", &text[from..at]);
    }
}

#[track_caller]
fn assert_ran_harmless(what: &str, ran: &Ran) {
    assert!(ran.code.is_some_and(|code| code != 1), "{what}: {:?} {}", ran.code, ran.stderr);
    assert_harmless(what, &ran.stdout);
    assert_harmless(what, &ran.stderr);
}

#[test]
fn what_events_say_steers_no_terminal() {
    let environment = TestEnvironment::new();
    put(&environment, "P-1", &log("P-1"));
    let commands: &[&[&str]] = &[
        &["P-1"],
        &["state", "P-1"],
        &["state", "P-1", "--path", "/agents"],
        &["timeline", "P-1", "--window", "200"],
        &["diff", "P-1", "start", "end"],
        &["why", "P-1", "/orchestration"],
        &["why", "P-1", "/agents"],
        &["why", "P-1", "/orchestration/summary"],
        &["query"],
        &["query", "--issue", "P-1", "--limit", "500"],
        &["query", "--group-by", "actor"],
        &["query", "--group-by", "type"],
        &["query", "--group-by", "session"],
        &["tail", "-n", "500"],
        &["verify"],
        &["store", "stats"],
        &["store", "repair"],
        &["store", "doctor"],
        &["snapshot", "list"],
    ];
    for command in commands {
        for format in [None, Some("--json"), Some("--jsonl")] {
            // These print the stored bytes, by contract; on a terminal they are escaped.
            if format == Some("--jsonl") && matches!(command[0], "query" | "tail") {
                continue;
            }
            let mut args = command.to_vec();
            args.extend(format);
            let ran = environment.run(&args);
            assert_ran_harmless(&args.join(" "), &ran);
            if format == Some("--json") && !ran.stdout.is_empty() {
                let read = serde_json::from_str::<Value>(&ran.stdout);
                assert!(read.is_ok(), "{args:?}: {read:?}");
            }
        }
    }
}

#[test]
fn what_is_asked_for_comes_back_harmless_in_errors() {
    let environment = TestEnvironment::with_history();
    for (name, text) in TEXTS.iter().filter(|(_, text)| !text.contains('\0')) {
        let path = format!("/{text}");
        for args in [
            &["state", text][..],
            &["state", "PROJ-1", "--at", text],
            &["state", "PROJ-1", "--path", &path],
            &["why", "PROJ-1", &path],
            &["diff", "PROJ-1", text, "end"],
            &["query", "--type", text],
            &["query", "--where", text],
            &["query", "--issue", text],
            &["store", "repair", text],
            &["verify", text],
            &["import", "--from", text, text],
            &["append", "--type", text, "--issue", text, "--session", text, "--actor", text],
            &["append", "--no-git", "--meta", text],
            &["--store", text, "query"],
            &["--config", text, "query"],
            &[text],
            &["state", "PROJ-1", text],
        ] {
            for format in [None, Some("--json")] {
                let mut args = args.to_vec();
                args.extend(format);
                assert_ran_harmless(&format!("{name}: {args:?}"), &environment.run(&args));
            }
        }
    }
}

#[test]
fn what_is_imported_or_appended_comes_back_harmless() {
    let environment = TestEnvironment::new();
    let file = environment.work().join("foreign.jsonl");
    fs::write(&file, log("P-1")).unwrap();
    let file = file.display().to_string();
    for format in [None, Some("--json"), Some("--jsonl")] {
        for mapping in ["generic", "fleet", "claude-transcript"] {
            let mut args = vec!["import", "--from", mapping, "--issue", "P-2", &file];
            args.extend(format);
            assert_ran_harmless(&args.join(" "), &environment.run(&args));
        }
    }
    let events = String::from_utf8_lossy(&log("P-1")).into_owned();
    for line in events.lines() {
        for format in [None, Some("--json")] {
            let mut args = vec!["append", "--no-git"];
            args.extend(format);
            let ran = environment.run_with(&args, &format!("{line}\n"));
            assert_ran_harmless("append", &ran);
        }
    }
}

#[test]
fn the_screen_shows_nothing_that_steers_it() {
    let log = String::from_utf8_lossy(&log("PROJ-123")).into_owned();
    let mut desk = Desk::new(&log, (140, 40));
    let head = desk.debugger().head();
    assert!(head > 100);
    for _ in 0..head {
        let screen = desk.screen();
        assert_harmless(&format!("the screen at {}", desk.playhead()), &screen);
        desk.press("h");
    }
    assert!(desk.playhead() < 5, "{}", desk.playhead());
}

#[test]
fn keys_that_are_no_names_make_nothing() {
    let environment = TestEnvironment::new();
    let long = "K".repeat(500);
    let keys = [
        "../x",
        "a/b",
        ".",
        "..",
        "...",
        "/etc/x",
        "a\\b",
        "C:x",
        "CON",
        "nul.json",
        "-x",
        " x",
        "x ",
        "x.",
        "",
        "index.json",
        "x\u{202e}y",
        "x\ny",
        "$HOME/x",
        &long,
    ];
    let before = || {
        let mut names: Vec<_> =
            fs::read_dir(environment.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        // An import that comes to nothing may have made an empty store.
        names.retain(|name| name != "events");
        names.sort();
        names
    };
    let foreign = environment.work().join("foreign.jsonl");
    fs::write(&foreign, "{\"timestamp\":\"2026-11-20T10:00:00Z\",\"type\":\"x\"}\n").unwrap();
    let foreign = foreign.display().to_string();
    let outside = before();
    for key in keys {
        let ran = environment.append_phase(key, "CODE", &["--json"]);
        assert!(matches!(ran.code, Some(2 | 4)), "{key:?}: {ran:?}");
        assert_harmless(key, &ran.stderr);
        for args in [&["state", "--json", "--", key][..], &["verify", "--json", "--", key]] {
            let ran = environment.run(args);
            assert!(matches!(ran.code, Some(2 | 3)), "{key:?}: {ran:?}");
        }
        // Imports take any key that is safe as a folder's name.
        let args = ["import", "--from", "generic", "--issue", key, &foreign];
        assert_ne!(environment.run(&args).code, Some(0), "{key:?}");
        let days = fs::read_dir(environment.store()).map_or(0, |entries| {
            let names = entries.map(|entry| entry.unwrap().file_name());
            names.filter(|name| name.to_string_lossy().starts_with("20")).count()
        });
        assert_eq!(days, 0, "{key:?}");
    }
    assert_eq!(before(), outside);
}

#[test]
fn lines_without_end_or_bottom_are_named_and_passed_by() {
    let deep = format!("{{\"metadata\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let objects = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    let keys = format!("{{\"{}\":1}}", "k".repeat(2 << 20));
    let text = format!("{{\"metadata\":{{\"a\":\"{}\"}}}}", "t".repeat(2 << 20));
    let many = (0..50_000).map(|n| format!("\"k{n}\":1")).collect::<Vec<_>>().join(",");
    let many = format!("{{\"metadata\":{{{many}}}}}");
    let number = format!("{{\"event_sequence\":{}}}", "9".repeat(5000));
    let opened = "[".repeat(200_000);
    for (name, line) in [
        ("deep", deep),
        ("objects", objects),
        ("keys", keys),
        ("text", text),
        ("many", many),
        ("number", number),
        ("opened", opened),
    ] {
        let environment = TestEnvironment::with_history();
        let sound = fs::read_to_string(environment.log()).unwrap();
        fs::write(environment.log(), format!("{line}\n{sound}")).unwrap();
        for args in [
            &["state", "PROJ-1", "--json"][..],
            &["timeline", "PROJ-1"],
            &["diff", "PROJ-1", "start", "end"],
            &["query"],
            &["verify", "--json"],
            &["store", "repair"],
        ] {
            let ran = environment.run(args);
            assert!(
                matches!(ran.code, Some(0 | 6)),
                "{name} {args:?}: {:?} {}",
                ran.code,
                ran.stderr
            );
        }
        // As an event of its own it is refused, and nothing is written.
        let ran = environment.run_with(&["append", "--no-git", "--json"], &line);
        assert!(matches!(ran.code, Some(2 | 4)), "{name}: {:?} {}", ran.code, ran.stderr);
    }
}

#[cfg(unix)]
mod on_unix {
    use std::os::unix::fs::{MetadataExt, symlink};

    use super::*;

    fn terminal(environment: &TestEnvironment, args: &[&str]) -> crate::pty_support::Terminal {
        let store = environment.store().display().to_string();
        let args = [args, &["--store", &store, "--color", "never"]].concat();
        crate::pty_support::Terminal::start((160, 50), &environment.work(), &[], &args)
    }

    #[test]
    fn on_a_terminal_even_the_stored_bytes_are_shown_harmlessly() {
        let environment = TestEnvironment::new();
        put(&environment, "P-1", &log("P-1"));
        for args in [&["query", "--jsonl"][..], &["tail", "--jsonl", "-n", "500"]] {
            let mut terminal = terminal(&environment, args);
            assert_eq!(terminal.wait_for_end(), 0);
            let printed = String::from_utf8_lossy(terminal.printed()).replace('\r', "");
            assert!(printed.contains("ErrorOccurred"), "{args:?}");
            assert_harmless(&args.join(" "), &printed);
        }
    }

    #[test]
    fn a_repair_asks_on_a_terminal() {
        for (answer, done) in [("n\r", false), ("\r", false), ("y\r", true)] {
            let environment = TestEnvironment::with_history();
            let sound = fs::read(environment.log()).unwrap();
            let harmed = [&sound[..], b"garbage\n"].concat();
            fs::write(environment.log(), &harmed).unwrap();
            let mut terminal = terminal(&environment, &["store", "repair"]);
            terminal.wait_for_text("[y/N]");
            terminal.press(answer);
            assert_eq!(terminal.wait_for_end(), if done { 0 } else { 6 }, "{answer:?}");
            let wanted = if done { &sound } else { &harmed };
            assert_eq!(fs::read(environment.log()).unwrap(), *wanted, "{answer:?}");
        }
    }

    #[test]
    fn links_lead_nowhere() {
        for swapped in ["2026-11-20", "2026-11-20/PROJ-1", "2026-11-20/PROJ-1/events.jsonl"] {
            let environment = TestEnvironment::with_history();
            let outside = environment.path().join("outside");
            let inside = environment.store().join(swapped);
            fs::rename(&inside, &outside).unwrap();
            symlink(&outside, &inside).unwrap();
            let real = if swapped.ends_with("jsonl") {
                outside.clone()
            } else if swapped.ends_with("PROJ-1") {
                outside.join("events.jsonl")
            } else {
                outside.join("PROJ-1/events.jsonl")
            };
            let before = fs::read(&real).unwrap();
            environment.append_phase("PROJ-1", "CODE", &[]).message(6);
            for args in [
                &["state", "PROJ-1"][..],
                &["timeline", "PROJ-1"],
                &["verify"],
                &["store", "repair", "--yes"],
                &["store", "doctor"],
            ] {
                let ran = environment.run(args);
                assert_eq!(ran.code, Some(6), "{swapped} {args:?}: {ran:?}");
            }
            assert_eq!(fs::read(&real).unwrap(), before, "{swapped}");
        }
    }

    #[test]
    fn a_folder_in_anothers_place_is_noticed() {
        let environment = TestEnvironment::with_history();
        let day = environment.store().join("2026-11-20");
        fs::rename(day.join("PROJ-1"), day.join("PROJ-2")).unwrap();
        let ran = environment.run(&["verify", "PROJ-2"]);
        assert_eq!(ran.code, Some(6));
        assert!(ran.stdout.contains("other-issue"), "{ran:?}");
    }

    fn each(path: &Path, look: &mut dyn FnMut(&Path, &fs::Metadata)) {
        let metadata = fs::symlink_metadata(path).unwrap();
        look(path, &metadata);
        if metadata.is_dir() {
            for entry in fs::read_dir(path).unwrap() {
                each(&entry.unwrap().path(), look);
            }
        }
    }

    #[test]
    fn whatever_the_umask_a_store_is_its_owners() {
        for umask in ["000", "022", "077"] {
            let environment = TestEnvironment::new();
            let program = env!("CARGO_BIN_EXE_chronoscope");
            let run = |args: &[&str], stdin: &str| {
                let script = format!("umask {umask}; exec \"$0\" \"$@\"");
                let inner = environment.command(args);
                let mut command = std::process::Command::new("/bin/sh");
                command.args(["-c", &script, program]).args(inner.get_args()).env_clear();
                for (name, value) in inner.get_envs() {
                    command.env(name, value.unwrap());
                }
                command.current_dir(environment.work());
                environment.feed(command, stdin).ok();
            };
            run(&["append", "--no-git"], crate::cli_support::PROJ_1);
            run(&["snapshot", "PROJ-1"], "");
            run(&["store", "checkpoint"], "");
            run(&["store", "rebuild"], "");
            let log = fs::read(environment.log()).unwrap();
            fs::write(environment.log(), [&log[..], b"garbage\n"].concat()).unwrap();
            run(&["store", "repair", "--yes"], "");
            let mut count = 0;
            each(&environment.store(), &mut |path, metadata| {
                let wanted = if metadata.is_dir() { 0o700 } else { 0o600 };
                assert_eq!(metadata.mode() & 0o777, wanted, "{umask}: {}", path.display());
                count += 1;
            });
            assert!(count > 15, "{count}");
        }
    }
}
