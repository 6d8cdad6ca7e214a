//! `replay --into`: what is told of copies that are not plainly what they are copied from, and of
//! folders that cannot have one.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::cli_support::TestEnvironment;
use crate::replay_support::report;

fn log(environment: &TestEnvironment, store: &str) -> PathBuf {
    environment.path().join(store).join("2026-11-20/R-1/events.jsonl")
}

/// With a log of which four events are copied with something new about them, and one stays behind.
fn with_odd_log() -> TestEnvironment {
    let environment = TestEnvironment::with_replayable();
    let there = log(&environment, "events");
    let text = fs::read_to_string(&there).unwrap();
    let mut all: Vec<String> = text.lines().map(str::to_owned).collect();
    let secret = ["ghp", "_16C7e42F292c6912E7710c838347Ae178B4a"].concat();
    all[2] = all[2].replacen("\"metadata\":{", &format!("\"metadata\":{{\"x\":\"{secret}\","), 1);
    all[3] = all[3].replacen('{', "{\"mood\":\"good\",", 1);
    all[4] = all[4].replacen("2026-11-20T10:00:05.000Z", "yesterday", 1);
    all[5] = all[5].replacen("\"session_id\"", "\"other_id\"", 1);
    all[8] = "{".to_owned();
    fs::write(&there, all.join("\n") + "\n").unwrap();
    // It was written by others: nothing says that it was recorded in another way.
    fs::remove_dir_all(environment.path().join("events/.chronoscope")).unwrap();
    environment
}

#[test]
fn the_text_of_a_copy_names_what_is_new_about_it_and_what_stays_behind() {
    let environment = with_odd_log();
    for (more, copied) in [(&[][..], "would be copied"), (&["--execute"], "copied")] {
        let args = ["replay", "R-1", "--into", "../copy"];
        let ran = environment.run(&[&args, more].concat());
        let text = &ran.stdout;
        assert!(!text.contains("as they are recorded"), "{text}");
        let counts = [
            format!("7 {copied} plainly\n"),
            format!("4 {copied} with something new:\n  #3 "),
            "1 cannot be copied:\n  #9 ".to_owned(),
        ];
        assert!(counts.iter().all(|count| text.contains(count)), "{text}");
        for reason in ["secrets were taken", "mood", "time of the event before", "no session_id"] {
            assert!(text.contains(reason), "{reason}: {text}");
        }
    }
    // A copy of what has nothing odd has nothing to name.
    let text = TestEnvironment::with_replayable().run(&["replay", "R-1", "--into", "../copy"]).ok();
    assert!(text.starts_with("12 would be copied plainly\nreplay "), "{text}");
}

#[test]
fn of_many_odd_events_the_text_names_the_first() {
    let environment = TestEnvironment::with_replayable();
    let there = log(&environment, "events");
    let line = fs::read_to_string(&there).unwrap().lines().next().unwrap().to_owned();
    let line = |n: u64| {
        let line = line.replace(&crate::replay_support::id(1), &crate::replay_support::id(n));
        line.replacen('{', "{\"mood\":1,", 1) + "\n"
    };
    fs::write(&there, (1..=50).map(line).collect::<String>()).unwrap();
    let text = environment.run(&["replay", "R-1", "--into", "../copy"]).stdout;
    assert!(text.starts_with("50 would be copied with something new"), "{text}");
    assert!(text.contains("\n  and 30 more; --json has all\n"), "{text}");
    assert_eq!(text.matches("stay behind: mood").count(), 20, "{text}");
}

/// What a copy says of itself, but for its own id and whether it was made.
fn told(environment: &TestEnvironment, more: &[&str]) -> (Option<i32>, Value) {
    let ran = environment.run(&[&["replay", "R-1", "--json", "--into", "../copy"], more].concat());
    let mut told = report(&ran);
    let told_keys = told.as_object_mut().unwrap();
    told_keys.retain(|key, _| key != "replay_id" && key != "dry_run");
    (ran.code, told)
}

/// The dry run of a copy foretells its state and its exit code, whichever way it is made, and
/// whatever its folder has already.
#[test]
fn a_dry_run_comes_to_what_the_copy_comes_to() {
    // Calls without ids are known by their places, which are others in a part.
    let without_ids = |environment: TestEnvironment| {
        let there = log(&environment, "events");
        let text = fs::read_to_string(&there).unwrap();
        fs::write(&there, text.replace("\"tool_use_id\"", "\"tool\"")).unwrap();
        environment
    };
    let plain: fn() -> TestEnvironment = TestEnvironment::with_replayable;
    let ways = [
        &[][..],
        &["--from", "start"],
        &["--from", "4"],
        &["--to", "7"],
        &["--type", "ToolInvoked"],
        &["--verify-steps"],
        &["--from", "3", "--verify-steps"],
    ];
    let mut others = 0;
    for (name, make) in [("plain", plain), ("odd", with_odd_log)] {
        for ids in [true, false] {
            for before in [None, Some(["--to", "5"]), Some(["--from", "5"])] {
                for way in ways {
                    let environment = if ids { make() } else { without_ids(make()) };
                    if let Some(before) = before {
                        told(&environment, &[&before[..], &["--execute"]].concat());
                    }
                    let dry = told(&environment, way);
                    let real = told(&environment, &[way, &["--execute"]].concat());
                    assert_eq!(dry, real, "{name} {ids} {before:?} {way:?}");
                    others += usize::from(real.1["final_state"]["matches"] == false);
                }
            }
        }
    }
    assert!(others > 10, "{others}");
}

/// What `--into` names is looked at before anything is read, and nothing is made of it; it makes no
/// difference whether the copy would be made.
#[test]
fn where_no_folder_can_be_no_copy_begins() {
    let environment = TestEnvironment::with_replayable();
    fs::write(environment.work().join("file"), "").unwrap();
    let mut wrong = vec![
        ("nats://localhost/x", "stores on NATS are not compiled in"),
        ("s3://x", "s3://x is no store"),
        ("file", "--into names file, which is no folder"),
        ("file/below/it", "--into names file/below/it, and file is no folder"),
    ];
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("nowhere", environment.work().join("link")).unwrap();
        wrong.push(("link", "--into names link, which is a link that leads nowhere"));
        wrong.push(("link/x", "--into names link/x, and link is a link that leads nowhere"));
    }
    let here = || fs::read_dir(environment.work()).unwrap().count();
    let before = here();
    for (into, said) in wrong {
        // (It would be missed, were it looked for.)
        for what in ["R-1", "--all", "NONE-1"] {
            for more in [&[][..], &["--execute", "--report", "r.json"]] {
                let args = ["replay", what, "--json", "--into", into];
                let error = environment.run(&[&args, more].concat()).error(2);
                assert_eq!(error["message"], said, "{what} {more:?}");
                assert!(error["hint"].as_str().unwrap().contains("name a folder"), "{error}");
            }
        }
    }
    environment.run(&["demo", "--dir", "nats://localhost/x"]).message(2);
    assert_eq!(here(), before);
}

#[test]
fn a_folder_that_cannot_be_made_is_that_of_the_other_store() {
    let environment = TestEnvironment::with_replayable();
    // No name is so long.
    let into = format!("../{}", "x".repeat(300));
    for what in ["R-1", "--all"] {
        let args = ["replay", what, "--json", "--into", &into, "--execute"];
        let error = environment.run(&args).error(7);
        let said = error["message"].as_str().unwrap();
        assert!(said.starts_with("into the other store: cannot create "), "{error}");
    }
}
