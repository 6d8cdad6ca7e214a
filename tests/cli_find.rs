//! Expressions on the command line: `find`, `query --where`, `tail --where`, `state --assert`.
//!
//! The history is that of `fixtures/cli/proj-1.jsonl`: twelve events, `api-integ` spawned at 3 and
//! 9, failed at 6, completed at 10; `test-writer` spawned at 4, completed at 12.

use serde_json::Value;

use crate::cli_support::TestEnvironment;

fn positions(environment: &TestEnvironment, args: &[&str]) -> Vec<u64> {
    let mut all = vec!["find", "PROJ-1"];
    all.extend(args);
    all.push("--json");
    let answer: Value = serde_json::from_str(&environment.run(&all).ok()).unwrap();
    let matches = answer["matches"].as_array().unwrap();
    matches.iter().map(|found| found["position"].as_u64().unwrap()).collect()
}

#[test]
fn find_names_the_places() {
    let environment = TestEnvironment::with_history();
    let at = |args: &[&str]| positions(&environment, args);
    assert_eq!(at(&[".event_type == \"AgentSpawned\""]), [3, 4, 9]);
    assert_eq!(at(&[".event_type == \"AgentSpawned\"", "--first"]), [3]);
    assert_eq!(at(&[".event_type == \"AgentSpawned\"", "--last"]), [9]);
    assert_eq!(at(&[".event_type == \"AgentSpawned\"", "--since", "4", "--until", "8"]), [4]);
    assert_eq!(at(&["$state.agents[\"api-integ\"].status == \"running\""]), [3, 9]);
    assert_eq!(at(&["$state.agents[\"api-integ\"].status == \"failed\""]), [6]);
    let both = "[$state.agents[]? | select(.status == \"running\")] | length == 2";
    assert_eq!(at(&[both]), [4, 9]);
    assert_eq!(at(&[".event_type == \"Nothing\""]), [] as [u64; 0]);
}

#[test]
fn find_gives_events_and_values_in_all_formats() {
    let environment = TestEnvironment::with_history();
    let lines = environment.run(&["find", "PROJ-1", ".metadata.agent_name", "--jsonl"]).ok();
    let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(first["position"], 3);
    assert_eq!(first["event_type"], "AgentSpawned");
    assert_eq!(first["value"], "api-integ");
    assert!(first["event_id"].is_string() && first["actor"]["id"].is_string());
    let text = environment.run(&["find", "PROJ-1", ".event_type == \"AgentFailed\""]).ok();
    assert!(text.starts_with("#6 ") && text.contains("AgentFailed"), "{text}");
}

#[test]
fn what_fails_is_no_match_and_is_told() {
    let environment = TestEnvironment::with_history();
    let ran = environment.run(&["find", "PROJ-1", ".event_type + 1 == 2"]);
    assert_eq!(ran.code, Some(0));
    assert!(
        ran.stderr.contains("failed 12 times, which is no match; first at #1:"),
        "{}",
        ran.stderr
    );
    let ran = environment.run(&["query", "--where", ".event_type + 1 == 2", "--count"]);
    assert_eq!((ran.code, ran.stdout.trim()), (Some(0), "0"));
    assert!(ran.stderr.contains("failed 12 times"), "{}", ran.stderr);
}

#[test]
fn a_fault_of_the_expression_is_2_with_a_caret() {
    let environment = TestEnvironment::with_history();
    for args in [
        &["find", "PROJ-1", ". | lenght"][..],
        &["query", "--where", ". | lenght"],
        &["tail", "--where", ". | lenght"],
        &["state", "PROJ-1", "--assert", ". | lenght"],
    ] {
        let message = environment.run(args).message(2);
        assert!(message.contains("\n  . | lenght\n      ^^^^^^"), "{message}");
    }
    let error = environment.run(&["find", "PROJ-1", ". | lenght", "--json"]).error(2);
    assert_eq!(error["details"]["at"], 4);
}

#[test]
fn queries_take_expressions_over_events_and_states() {
    let environment = TestEnvironment::with_history();
    let count = |args: &[&str]| {
        let mut all = vec!["query", "--count"];
        all.extend(args);
        environment.run(&all).ok().trim().parse::<u64>().unwrap()
    };
    assert_eq!(count(&["--where", ".metadata.agent_name == \"api-integ\""]), 4);
    assert_eq!(count(&["--where", ".metadata.agent_name", "--type", "AgentSpawned"]), 3);
    assert_eq!(count(&["--where", "$state.agents[\"api-integ\"].status == \"running\""]), 2);
    let both = ["--where", ".actor.id != null", "--where", ".event_type == \"AgentFailed\""];
    assert_eq!(count(&both), 1);
    let lines = environment.run(&["tail", "--where", ".event_type == \"AgentFailed\"", "--jsonl"]);
    assert_eq!(lines.ok().lines().count(), 1);
}

#[test]
fn an_assertion_that_is_false_is_8() {
    let environment = TestEnvironment::with_history();
    let failed = "$state.agents[\"api-integ\"].status == \"failed\"";
    environment.run(&["state", "PROJ-1", "--at", "6", "--assert", failed]).ok();
    environment.run(&["state", "PROJ-1", "--at", "7", "--assert", failed]).ok();
    let message = environment.run(&["state", "PROJ-1", "--assert", failed]).message(8);
    assert!(message.contains("at position 12 of PROJ-1"), "{message}");
    let error = environment.run(&["state", "PROJ-1", "--assert", failed, "--json"]).error(8);
    assert_eq!(error["kind"], "assertion");
    assert_eq!(error["details"]["position"], 12);
    environment.run(&["state", "PROJ-1", "--at", "0", "--assert", "$state == {}"]).ok();
    environment.run(&["state", "PROJ-1", "--assert", ".event_type + 1"]).message(8);
}
