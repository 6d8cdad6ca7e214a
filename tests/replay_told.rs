//! `replay`: what is told of a run besides its result, and that nothing of the result is lost.

#![cfg(unix)]

use serde_json::Value;

use crate::cli_support::{Ran, TestEnvironment, ran};
use crate::pty_support::Terminal;
use crate::replay_support::{id, statuses};

#[test]
fn nothing_is_done_whose_result_cannot_be_written() {
    let environment = TestEnvironment::with_replayable();
    let tool = environment.noting("tool", "");
    for file in ["/no/such/r.json", "."] {
        let flags = ["--handler", &tool, "--execute", "--report", file];
        let error = environment.replay(&flags).error(7);
        assert!(error["message"].as_str().unwrap().contains(file), "{error}");
        environment
            .run(&["replay", "--all", "--into", "../x", "--execute", "--report", file])
            .message(7);
    }
    assert!(environment.ran().is_empty() && environment.journals().is_empty());
    assert!(!environment.path().join("x").exists());
}

#[test]
fn a_result_is_shown_though_its_file_takes_nothing() {
    let environment = TestEnvironment::with_replayable();
    let full = std::path::Path::new("/dev/full");
    if !full.exists() {
        return;
    }
    let ran = environment.replay(&["--report", "/dev/full"]);
    assert_eq!(ran.code, Some(7), "{ran:#?}");
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(statuses(&told).len(), 12);
    assert!(ran.stderr.contains("/dev/full"), "{ran:#?}");
}

#[test]
fn what_a_file_held_stays_until_there_is_a_result() {
    let environment = TestEnvironment::with_replayable();
    let file = environment.work().join("r.json");
    environment.replay(&["--to", "99", "--report", "r.json"]).error(3);
    assert!(!file.exists());
    let older = "x".repeat(1 << 16);
    std::fs::write(&file, &older).unwrap();
    environment.replay(&["--to", "99", "--report", "r.json"]).error(3);
    assert!(std::fs::read_to_string(&file).unwrap() == older);
    let told = environment.replay(&["--report", "r.json"]).json();
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), told);
    // A link may lead to a file that is not there yet.
    std::os::unix::fs::symlink("later.json", environment.work().join("link.json")).unwrap();
    environment.replay(&["--report", "link.json"]).ok();
    assert!(environment.work().join("later.json").is_file());
}

#[test]
fn the_id_of_a_run_is_told_in_every_format() {
    for format in [&[][..], &["--json"], &["--jsonl"]] {
        let environment = TestEnvironment::with_replayable();
        let ran = environment.run(&[&["replay", "R-1", "--execute"], format].concat());
        let said = format!("--resume {} goes on", environment.replay_id());
        assert!(ran.stderr.contains(&said), "{format:?}: {ran:#?}");
        assert!(!ran.ok().contains("--resume"));
        // A dry run has nothing to go on with.
        assert_eq!(environment.run(&[&["replay", "R-1"], format].concat()).stderr, "");
    }
}

#[test]
fn where_a_run_is_missing_those_are_named_that_did_not_end() {
    let environment = TestEnvironment::with_replayable();
    let missing = || {
        let error = environment.run(&["replay", "--resume", "abc", "--json"]).error(3);
        assert_eq!(error["message"], "this store has no run \"abc\"");
        error["hint"].as_str().unwrap().to_owned()
    };
    assert_eq!(missing(), "there is no run that did not come to its end");
    environment.replay(&["--execute"]).ok();
    assert_eq!(missing(), "there is no run that did not come to its end");
    // As one that was killed leaves it, a second older each.
    let journal = environment.journals().remove(0);
    let text = std::fs::read_to_string(&journal).unwrap();
    let (text, _) = text.trim_end().rsplit_once('\n').unwrap();
    for n in 0..7_u64 {
        let file = journal.with_file_name(format!("replay-run-{n}.jsonl"));
        std::fs::write(&file, format!("{text}\n")).unwrap();
        let age = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000 - n);
        std::fs::File::options().append(true).open(&file).unwrap().set_modified(age).unwrap();
    }
    let said = missing();
    assert!(said.ends_with(": run-0, run-1, run-2, run-3, run-4"), "{said}");
}

/// Who gives the same command again after a crash would execute once more what was executed.
#[test]
fn a_run_that_did_not_end_is_told_before_another_begins() {
    let environment = TestEnvironment::with_replayable();
    let test = environment.noting("test", "");
    environment.replay(&["--handler", &test, "--execute"]).ok();
    let again = |more: &[&str]| environment.replay(&[&["--handler", &test], more].concat()).stderr;
    assert_eq!(again(&[]), "");
    // As one that was killed behind its first event leaves it.
    let journal = environment.journals().remove(0);
    let text = std::fs::read_to_string(&journal).unwrap();
    let id = environment.replay_id();
    let unknown = "10 of 12 events, and nobody knows how #11 ended";
    for (lines, told) in [(2, unknown), (3, "11 of 12 events")] {
        let begun: Vec<&str> = text.lines().take(lines).collect();
        std::fs::write(&journal, begun.join("\n") + "\n").unwrap();
        let said = format!("replay {id} of R-1 ended after {told}; --resume {id} goes on");
        assert!(again(&[]).contains(&said), "{}", again(&[]));
    }
    // The beginning of its id is enough.
    let args = ["replay", "--resume", &id[..8], "--json"];
    environment.run_with_path(&args, "").ok();
    assert_eq!(environment.ran(), ["11.1", "12.1", "12.1"]);
    assert_eq!(again(&[]), "");
}

#[test]
fn a_handler_that_can_never_run_is_named_with_the_reason() {
    let environment = TestEnvironment::with_replayable();
    let notes = |more: &[&str]| {
        let ran = environment.replay(more);
        assert_eq!(ran.code, Some(0), "{ran:#?}");
        ran.stderr
    };
    for (handlers, more, said) in [
        (&["AgentSpawned=sh"][..], &[][..], Some("is only ever taken as it is recorded")),
        (&["agent=sh"], &[], Some("area agent is only ever taken as it is recorded")),
        (&["CommentPosted=sh"], &[], Some("is never executed (replay.non_replayable_events)")),
        (&["TestRunFailed=sh"], &[], Some("no event of type \"TestRunFailed\" is asked for")),
        (&["quality=sh"], &[], Some("no event of area quality is asked for")),
        (&["ToolInvoked=sh"], &["--to", "4"], Some("no event of type \"ToolInvoked\"")),
        (&["tool=sh"], &["--type", "TestRunStarted"], Some("no event of area tool is asked for")),
        (&["TestRunStartet=sh"], &[], Some("there is no event of type \"TestRunStartet\"")),
        (
            &["test=sh", "TestRunStarted=sh", "TestRunCompleted=sh"],
            &[],
            Some("area test has handlers of its own for each type"),
        ),
        (&["test=sh", "TestRunStarted=sh"], &[], None),
        (&["tool=sh"], &[], None),
        (&["ToolInvoked=sh"], &["--type", "ToolInvoked"], None),
    ] {
        let flags: Vec<&str> = handlers.iter().flat_map(|one| ["--handler", one]).collect();
        let told = notes(&[&flags[..], more].concat());
        match said {
            Some(said) => assert!(told.contains(said), "{handlers:?}: {told}"),
            None => assert_eq!(told, "", "{handlers:?}"),
        }
        assert_eq!(told.lines().count(), usize::from(said.is_some()), "{told}");
    }
}

#[test]
fn names_of_the_settings_that_stand_for_nothing_are_told() {
    let environment = TestEnvironment::with_replayable();
    let log = environment.store().join("2026-11-20/R-1/events.jsonl");
    let text = std::fs::read_to_string(&log).unwrap();
    std::fs::write(&log, text.replace("TestRunCompleted", "acme.Deployed")).unwrap();
    let file = environment.work().join("event-sourcing.yaml");
    let set = |text: &str| {
        std::fs::write(&file, format!("event_sourcing: {{replay: {{{text}}}}}")).unwrap();
        environment.replay(&[]).stderr
    };
    let told = set("non_replayable_events: [CommentPosted, acme.Deployed, ComentPosted]");
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(told.contains("replay.non_replayable_events names \"ComentPosted\""), "{told}");
    // The settings are for all issues: that this one has no such event says nothing.
    assert_eq!(set("handlers: {TestRunFailed: sh, quality: sh}"), "");
    assert!(set("handlers: {TestRunFaild: sh}").contains("\"TestRunFaild\""));
    assert!(set("handlers: {AgentSpawned: sh}").contains("as it is recorded"));
}

#[test]
fn that_nothing_was_selected_is_said() {
    let environment = TestEnvironment::with_replayable();
    let into = ["--into", "../copy"];
    for more in [&[][..], &["--execute"], &into, &[&into[..], &["--execute"]].concat()] {
        let args = ["replay", "R-1", "--type", "NoSuchType"];
        let told = environment.run(&[&args[..], more].concat()).ok();
        assert!(told.contains("no event was selected") && !told.contains('%'), "{told}");
    }
    assert!(environment.run(&["replay", "R-1"]).ok().contains("100.0 %"));
}

/// Runs the program into a pipe whose other end has no width.
fn piped(environment: &TestEnvironment, args: &[&str]) -> Ran {
    let mut command = environment.command(args);
    ran(command.env_remove("COLUMNS").env("PATH", "/usr/bin:/bin").output().unwrap())
}

#[test]
fn nothing_of_a_result_is_cut_where_there_is_no_terminal() {
    let environment = TestEnvironment::with_replayable();
    let name =
        "a-name-that-is-longer-than-the-lines-of-a-terminal-of-a-hundred-columns-as-there-are-some";
    let tool =
        environment.handler(name, "echo first >&2; echo >&2; echo '\u{1b}[31mlast' >&2; exit 3");
    let tool = format!("tool={}", tool.split_once('=').unwrap().1);
    let ran = piped(&environment, &["replay", "R-1", "--handler", &tool]);
    assert!(ran.ok().contains(&format!("{name}.sh")));
    let ran = piped(&environment, &["replay", "R-1", "--handler", &tool, "--execute"]);
    assert_eq!(ran.code, Some(8));
    let digest = |line: &str| line.split_once("sha256:").is_some_and(|(_, hex)| hex.len() == 64);
    assert!(ran.stdout.lines().any(digest), "{}", ran.stdout);
    assert!(!ran.stdout.contains('…'), "{}", ran.stdout);
    // What the handler complained of stands below its event.
    let wanted = "#5  failed   ToolInvoked    its handler failed with exit 3\n    first\n    \\u{1b}[31mlast\n";
    assert!(ran.stdout.contains(wanted), "{}", ran.stdout);
    let copies = piped(&environment, &["replay", "--all", "--into", "../copy"]).ok();
    assert!(copies.lines().any(digest), "{copies}");
}

#[test]
fn of_a_long_complaint_the_end_is_shown() {
    let environment = TestEnvironment::with_replayable();
    let script = "for n in 1 2 3 4 5 6 7 8; do echo line $n >&2; done
        printf '%02000d\\n' 0 >&2; exit 1";
    let tool = environment.handler("TestRunStarted", script);
    let ran = piped(&environment, &["replay", "R-1", "--handler", &tool, "--execute"]);
    let told: Vec<&str> = ran.stdout.lines().skip(2).take(6).collect();
    assert_eq!(told[..4], ["    line 5", "    line 6", "    line 7", "    line 8"], "{ran:#?}");
    assert_eq!(told[4].chars().count(), 404, "{ran:#?}");
    assert!(told[5].starts_with("#12"), "{ran:#?}");
}

#[test]
fn a_bar_tells_how_fast_it_goes() {
    let environment = TestEnvironment::with_replayable();
    // The second waits until somebody has looked.
    let script =
        "[ $CHRONOSCOPE_POSITION = 5 ] || [ -e go ] || { mkfifo gate; read x < gate; }; touch go";
    let tool = environment.handler("tool", script);
    let store = environment.store();
    let variables = [("CHRONOSCOPE_STORE", store.to_str().unwrap()), ("PATH", "/usr/bin:/bin")];
    let args = ["replay", "R-1", "--handler", &tool, "--execute"];
    let mut terminal = Terminal::start((100, 30), &environment.work(), &variables, &args);
    terminal.wait_for("rate", |screen| {
        let text = screen.contents();
        text.contains("/12 events") && text.contains("/s")
    });
    let gate = environment.work().join("gate");
    std::fs::write(gate, "x\n").unwrap();
    assert_eq!(terminal.wait_for_end(), 0);
    assert!(terminal.text().contains("as it is recorded"), "{}", terminal.text());
}

/// What was recorded before anything looked for secrets is in the log; it is not in what is told.
#[test]
fn nothing_of_a_result_quotes_a_secret_of_old() {
    let environment = TestEnvironment::with_replayable();
    let log = environment.store().join("2026-11-20/R-1/events.jsonl");
    let secret = ["ghp", "_16C7e42F292c6912E7710c838347Ae178B4a"].concat();
    let text = std::fs::read_to_string(&log).unwrap();
    let named = |from: &str, to: &str| (from.to_owned(), to.replace('*', &secret));
    let changes = [
        // An id, a type that nobody knows, and a name that is the key of a state.
        (id(3), secret.clone()),
        named("\"CheckpointCreated\"", "\"acme.*\""),
        named("\"tool_name\":\"Read\"", "\"tool_name\":\"*\""),
        // An agent that was never spawned.
        named("\"CommentPosted\"", "\"AgentProgressed\""),
        named("\"comment_id\":\"c1\"", "\"agent_name\":\"*\",\"progress\":\"p\""),
    ];
    let text = changes.iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    });
    std::fs::write(&log, text).unwrap();
    let handlers = [
        environment.handler("tool", "[ $(($CHRONOSCOPE_POSITION % 2)) = 0 ]"),
        environment.handler("gap", "exit 0"),
        environment.handler("acme", "exit 0").replacen("acme=", &format!("acme.{secret}="), 1),
    ];
    let flags: Vec<&str> = handlers.iter().flat_map(|one| ["--handler", one]).collect();
    let run = |more: &[&str]| {
        let args = [&["replay", "R-1"], &flags[..], more].concat();
        let ran = environment.run_with_path(&args, "");
        assert!(!ran.stdout.contains(&secret), "{more:?}: {ran:#?}");
        ran.stdout
    };
    for how in [&[][..], &["--execute"]] {
        let told: Value = serde_json::from_str(&run(&[how, &["--json"]].concat())).unwrap();
        assert_eq!(told["results"][2]["event_id"], "[redacted:github-token]");
        let reason = told["results"][8]["reason"].as_str().unwrap();
        assert!(reason.contains("agent [redacted:github-token] was never spawned"), "{reason}");
        let path = told["final_state"]["first_difference"]["path"].as_str();
        assert_eq!(path.is_some(), !how.is_empty(), "{told}");
        if let Some(path) = path {
            assert!(path.contains("[redacted:github-token]"), "{path}");
        }
        assert!(run(how).contains("acme.[redacted:github-token]"));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_program_whose_path_is_no_utf8_is_not_executed() {
    use std::os::unix::ffi::OsStrExt;
    let environment = TestEnvironment::with_replayable();
    let folder = environment.path().join(std::ffi::OsStr::from_bytes(b"\xff"));
    std::fs::create_dir(&folder).unwrap();
    std::os::unix::fs::symlink("/bin/sh", folder.join("runner")).unwrap();
    let run = |more: &[&str]| {
        let args = [&["replay", "R-1", "--json", "--handler", "test=runner"], more].concat();
        let mut command = environment.command(&args);
        command.env("PATH", &folder);
        environment.feed(command, "")
    };
    let error = run(&["--execute"]).error(2);
    assert_eq!(error["message"], "the path of the handler of test is no UTF-8");
    assert!(environment.journals().is_empty());
    run(&[]).ok();
}

#[test]
fn a_replay_from_a_time_begins_with_no_event_before_it() {
    let environment = TestEnvironment::with_replayable();
    let test = environment.noting("test", "");
    let flags = ["--handler", &test, "--execute"];
    for (from, count) in [
        ("2026-11-20T10:00:11Z", 2),
        ("2026-11-20T10:00:10.500Z", 2),
        ("10:00:12", 1),
        ("-500ms", 1),
        ("10:00:13", 0),
        ("2026-11-21", 0),
        ("2026-11-19", 12),
    ] {
        let told = environment.replay(&["--from", from]).json();
        assert_eq!(told["results"].as_array().unwrap().len(), count, "{from}");
    }
    let find = |since: &str| {
        let args = ["find", "R-1", ".event_id", "--since", since, "--json"];
        environment.run(&args).json()["matches"].as_array().unwrap().len()
    };
    let found = ["10:00:11.500", "10:00:12", "2026-11-21", "-1h"].map(find);
    assert_eq!(found, [1, 1, 0, 12]);
    let none = environment.replay(&[&["--from", "2026-11-21"], &flags[..]].concat()).json();
    assert_eq!((none["replayed_count"].as_u64(), environment.ran().len()), (Some(0), 0));
    // Where it ends is the last event that is not after it.
    let between = ["--from", "2026-11-20T10:00:10.500Z", "--to", "2026-11-20T10:00:11.500Z"];
    let told = environment.replay(&[&between, &flags[..]].concat()).json();
    assert_eq!(
        (told["replayed_count"].as_u64(), environment.ran()),
        (Some(1), vec!["11.1".into()])
    );
    environment.replay(&["--from", "2026-11-21", "--to", "5"]).error(2);
}

#[test]
fn who_executes_from_a_log_that_was_changed_is_told() {
    let environment = TestEnvironment::with_replayable();
    let test = environment.handler("test", "cat >> seen");
    let flags = ["--handler", &test, "--execute", "--to", "11"];
    let untouched = environment.replay(&flags);
    assert!(!untouched.stderr.contains("what was recorded"), "{untouched:#?}");
    let log = environment.log().parent().unwrap().with_file_name("R-1").join("events.jsonl");
    let text = std::fs::read_to_string(&log).unwrap();
    std::fs::write(&log, text.replacen("\"test_suite\":\"unit\"", "\"test_suite\":\"zzzz\"", 1))
        .unwrap();
    let told = environment.replay(&flags);
    assert!(
        told.stderr.contains("line-changed at ") && told.stderr.contains("events.jsonl:11"),
        "{told:#?}"
    );
    let seen = std::fs::read_to_string(environment.work().join("seen")).unwrap();
    assert!(seen.contains("unit") && seen.contains("zzzz"), "{seen}");
    // So is who goes on with a run; of one that is over nothing is executed.
    let id = told.stderr.split("--resume ").nth(1).unwrap().split(' ').next().unwrap();
    let go_on = || environment.run_with_path(&["replay", "--resume", id, "--json"], "");
    assert!(!go_on().stderr.contains("what was recorded"));
    let mut journals = environment.journals();
    journals.retain(|journal| journal.to_str().unwrap().contains(id));
    let whole = std::fs::read_to_string(&journals[0]).unwrap();
    std::fs::write(&journals[0], whole.split_inclusive('\n').next().unwrap()).unwrap();
    let told = go_on();
    assert_eq!(told.code, Some(0), "{told:#?}");
    assert!(told.stderr.contains("line-changed at "), "{told:#?}");
    let again = std::fs::read_to_string(environment.work().join("seen")).unwrap();
    assert_eq!(again.matches("zzzz").count(), 2, "{again}");
}
