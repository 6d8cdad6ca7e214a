//! `trace` and `races`, and what they say of a real log.
//!
//! `fleet-one-task.jsonl` read by hand: the task was claimed by mike (five times: each attempt
//! failed or crashed, and he gave up), by oscar (who failed once, then completed it), by alpha (of
//! whom nothing more is heard) and by hotel (three timeouts, then completed). Nothing hands the task
//! from one to the next: the claims of different workers are concurrent.

use serde_json::Value;

use crate::cli_support::{SESSION, TestEnvironment};

fn with_task() -> TestEnvironment {
    let environment = TestEnvironment::new();
    let log = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/import/fleet-one-task.jsonl");
    environment.run(&["import", "--from", "fleet", log]).ok();
    environment
}

fn json(environment: &TestEnvironment, args: &[&str]) -> Value {
    let mut all = args.to_vec();
    all.push("--json");
    serde_json::from_str(&environment.run(&all).ok()).unwrap()
}

#[test]
fn who_failed_the_task_before_another_completed_it() {
    let environment = with_task();
    let who = |what: &str| -> Vec<(u64, String)> {
        let expression = format!(".event_type == \"{what}\" | select(.) // empty");
        let answer = json(&environment, &["find", "cg-4mp0h", &expression]);
        let matches = answer["matches"].as_array().unwrap().iter();
        matches
            .map(|m| {
                (m["position"].as_u64().unwrap(), m["actor"]["id"].as_str().unwrap().to_owned())
            })
            .collect()
    };
    let owned = |list: &[(u64, &str)]| -> Vec<(u64, String)> {
        list.iter().map(|(at, name)| (*at, (*name).to_owned())).collect()
    };
    assert_eq!(
        who("AgentFailed"),
        owned(&[
            (1, "mike"),
            (4, "mike"),
            (7, "mike"),
            (10, "mike"),
            (13, "mike"),
            (16, "oscar"),
            (24, "hotel"),
            (27, "hotel"),
            (30, "hotel"),
        ])
    );
    assert_eq!(who("AgentCompleted"), owned(&[(19, "oscar"), (33, "hotel")]));
    for (worker, completed) in [("oscar", 19), ("hotel", 33)] {
        let expression = format!("$state.agents.{worker}.status == \"completed\"");
        let turned = json(&environment, &["find", "cg-4mp0h", &expression]);
        assert_eq!(turned["matches"][0]["position"], completed, "{worker}");
        assert_eq!(turned["matches"][0]["actor"]["id"], worker);
    }
}

#[test]
fn races_name_the_task_that_several_workers_claimed() {
    let environment = with_task();
    let answer = json(&environment, &["races", "cg-4mp0h"]);
    let mut pairs: Vec<(String, String)> = answer["races"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|race| race["path"] == "/tasks/cg-4mp0h/assigned_to")
        .map(|race| {
            let name = |side: &str| race[side]["actor"]["id"].as_str().unwrap().to_owned();
            (name("a"), name("b"))
        })
        .collect();
    pairs.sort();
    let expected = [
        ("alpha", "hotel"),
        ("mike", "alpha"),
        ("mike", "hotel"),
        ("mike", "oscar"),
        ("oscar", "alpha"),
        ("oscar", "hotel"),
    ];
    let expected: Vec<_> =
        expected.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    assert_eq!(pairs, expected);
    let text = environment.run(&["races", "cg-4mp0h"]).ok();
    assert!(text.contains("/tasks/cg-4mp0h/assigned_to"), "{text}");
}

#[test]
fn a_trace_goes_up_to_the_causes_and_down_to_the_effects() {
    let environment = with_task();
    let answer = json(&environment, &["trace", "19", "--issue", "cg-4mp0h"]);
    assert_eq!(answer["event"]["position"], 19);
    // Claim 17 made spawn 18, whose run ended with 19.
    let spawn = &answer["causes"][0];
    assert_eq!((&spawn["position"], &spawn["event_type"]), (&18.into(), &"AgentSpawned".into()));
    assert_eq!(spawn["children"][0]["position"], 17);
    // Before the claim there is but what oscar did before: his failure at 16.
    let before = &spawn["children"][0]["children"][0];
    assert_eq!((&before["position"], &before["link"]), (&16.into(), &"actor".into()));
    let down = json(&environment, &["trace", "17", "--issue", "cg-4mp0h", "--effects"]);
    assert!(down.get("causes").is_none());
    assert_eq!(down["effects"][0]["position"], 18);
    assert_eq!(down["effects"][0]["children"][0]["position"], 19);
    assert_eq!(down["effects"][0]["children"][0]["children"], Value::Array(vec![]));
    let id = answer["event"]["event_id"].as_str().unwrap();
    let by_id = json(&environment, &["trace", &id[..8]]);
    assert_eq!(by_id, answer);
    environment.run(&["trace", "00000000"]).message(3);
    let text = environment.run(&["trace", &id[..8], "--causes"]).ok();
    assert!(text.lines().last().unwrap().starts_with("→ #19"), "{text}");
}

#[test]
fn causes_that_go_in_a_circle_end() {
    let environment = TestEnvironment::new();
    environment.run(&["store", "init"]).ok();
    let folder = environment.store().join("2026-11-20/X-1");
    std::fs::create_dir_all(&folder).unwrap();
    let event = |n: u8, cause: u8| {
        format!(
            r#"{{"event_id":"id-{n}","event_type":"ErrorOccurred","timestamp":"2026-11-20T10:00:0{n}Z","event_sequence":{n},"issue_key":"X-1","session_id":"s","actor":{{"type":"agent","id":"a{n}"}},"causation_id":"id-{cause}","metadata":{{}}}}"#
        )
    };
    let lines = [event(1, 2), event(2, 3), event(3, 1), event(4, 4)].join("\n");
    std::fs::write(folder.join("events.jsonl"), lines + "\n").unwrap();
    for n in ["1", "2", "3", "4"] {
        let answer = json(&environment, &["trace", n, "--issue", "X-1"]);
        assert_eq!(answer["event"]["position"].to_string(), n);
    }
    json(&environment, &["races", "X-1"]);
}

#[test]
fn a_chain_as_long_as_the_log_is_told_in_part() {
    let environment = TestEnvironment::new();
    environment.run(&["store", "init"]).ok();
    let folder = environment.store().join("2026-11-20/X-1");
    std::fs::create_dir_all(&folder).unwrap();
    let event = |n: u32| {
        let cause = n - 1;
        format!(
            r#"{{"event_id":"id-{n}","event_type":"DecisionMade","timestamp":"2026-11-20T10:00:00Z","event_sequence":{n},"issue_key":"X-1","session_id":"s","actor":{{"type":"agent","id":"a"}},"causation_id":"id-{cause}","metadata":{{"decision_id":"d","chosen":"{n}"}}}}"#
        )
    };
    let lines: Vec<String> = (1..=2000).map(event).collect();
    std::fs::write(folder.join("events.jsonl"), lines.join("\n") + "\n").unwrap();
    let depth_of = |answer: &Value| {
        let (mut depth, mut at) = (0, &answer["causes"][0]);
        while at.is_object() {
            (depth, at) = (depth + 1, &at["children"][0]);
        }
        depth
    };
    let deepest = json(&environment, &["trace", "end", "--issue", "X-1"]);
    assert_eq!((depth_of(&deepest), &deepest["cut"]), (60, &Value::Bool(true)));
    let whole = json(&environment, &["trace", "9", "--issue", "X-1", "--causes"]);
    assert_eq!((depth_of(&whole), &whole["cut"]), (8, &Value::Null));
    environment.run(&["trace", "end", "--issue", "X-1", "--depth", "61"]).message(2);
    let why = json(&environment, &["why", "X-1", "/decisions/d/chosen", "--limit", "1"]);
    let writer = &why["writers"][0];
    assert_eq!(writer["causes"].as_array().unwrap().len(), 100);
    assert_eq!(writer["causes_left_out"], 1899);
}

/// `transcript.jsonl` read by hand: the prompt on its fourth line leads to a thought, a message and
/// a `Task` call, which starts the agent `Explore-a0853aa`; all that this agent does follows from that.
#[test]
fn a_transcripts_subagents_form_a_tree() {
    let environment = TestEnvironment::new();
    let log = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/import/transcript.jsonl");
    environment.run(&["import", "--from", "claude-transcript", "--issue", "T-1", log]).ok();
    let answer = json(&environment, &["trace", "AgentSpawned:1", "--issue", "T-1"]);
    let mut chain = Vec::new();
    let mut next = &answer["causes"][0];
    while next.is_object() && next["link"] != "actor" {
        chain.push(next["event_type"].as_str().unwrap().to_owned());
        next = &next["children"][0];
    }
    let expected = ["ToolInvoked", "AssistantMessage", "AssistantThinking", "PromptSubmitted"];
    assert_eq!(chain[..4], expected);
    let mut open: Vec<&Value> = answer["effects"].as_array().unwrap().iter().collect();
    let mut tools = 0;
    while let Some(node) = open.pop() {
        // Its own doing, or a hook's around it; never the agent's that started it.
        let actor = node["actor"]["id"].as_str().unwrap();
        assert!(["Explore-a0853aa", "claude-code"].contains(&actor), "{node}");
        tools += usize::from(node["event_type"] == "ToolInvoked");
        open.extend(node["children"].as_array().unwrap());
    }
    assert!(tools >= 5, "{tools}");
}

#[test]
fn the_users_rules_link_events_and_are_named() {
    let environment = TestEnvironment::new();
    let rules = "event_sourcing:
  validation: {allow_unknown_event_types: true}
  correlation_rules:
    - name: build
      source_event: BuildStarted
      target_events: [BuildFailed, AgentCompleted]
      correlation_key: metadata.build.id
    - {name: agent-run, source_event: AgentSpawned, target_events: [AgentFailed], correlation_key: agent}
";
    std::fs::write(environment.work().join("event-sourcing.yaml"), rules).unwrap();
    let event = |kind: &str, metadata: &str| {
        let actor = r#""actor":{"type":"system","id":"ci"}"#;
        format!(
            r#"{{"event_type":"{kind}","issue_key":"PROJ-7","session_id":"{SESSION}",{actor},"metadata":{metadata}}}"#
        )
    };
    let agent = r#""agent_name":"a","task_status":"done""#;
    let spawned = r#"{"agent_name":"a","agent_type":"t","agent_model":"m","spawn_reason":"r","assigned_task":"t"}"#;
    let lines = [
        event("BuildStarted", r#"{"build":{"id":1}}"#),
        event("BuildStarted", r#"{"build":{"id":2}}"#),
        event("AgentSpawned", spawned),
        event("BuildFailed", r#"{"build":{"id":1}}"#),
        event("AgentCompleted", &format!(r#"{{{agent},"build":{{"id":2}}}}"#)),
    ];
    environment.run_with(&["append", "--quiet"], &lines.join("\n")).ok();
    let cause = |event: &str| {
        let trace = environment.run(&["trace", event, "--issue", "PROJ-7", "--json"]).json();
        let cause = &trace["causes"][0];
        (cause["position"].as_u64(), cause["link"].as_str().map(str::to_owned))
    };
    assert_eq!(cause("BuildFailed"), (Some(1), Some("rule:build".into())));
    assert_eq!(cause("AgentCompleted"), (Some(2), Some("rule:build".into())));
    // Without them there is no such link, and the catalogue's own rule is back.
    std::fs::remove_file(environment.work().join("event-sourcing.yaml")).unwrap();
    assert_eq!(cause("BuildFailed").1.as_deref(), Some("actor"));
    assert_eq!(cause("AgentCompleted"), (Some(3), Some("rule:agent-run".into())));
}
