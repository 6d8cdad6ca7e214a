use serde_json::json;

use super::*;
use crate::model::Path;

/// The state that the examples stand in, before their event and after it.
fn states() -> [Value; 2] {
    let before = json!({
        "orchestration": {"status": "in_progress", "current_phase": "CODE"},
        "agents": {
            "planner": {"status": "completed", "model": "opus", "runs": 1},
            "coder": {"status": "running", "model": "sonnet", "runs": 2},
            "tester": {"status": "running", "model": "sonnet", "runs": 1},
        },
        "tasks": {"T-1": {"status": "done"}, "T-2": {"status": "pending"}},
        "gaps": {"gap-1": {"status": "open", "severity": "high"}},
        "git": {"commits": {"abc": {"files_changed": 7}}},
        "usage": {"tokens": 120_000, "cost_usd": 1.5},
        "counters": {"events": 41},
    });
    let mut after = before.clone();
    after["agents"]["coder"]["status"] = json!("failed");
    after["counters"]["events"] = json!(42);
    [value(&before), value(&after)]
}

fn event() -> Value {
    value(&json!({
        "event_id": "00000000-0000-4000-8000-000000000000",
        "event_type": "AgentFailed",
        "timestamp": "2026-11-22T14:01:44.120Z",
        "event_sequence": 42,
        "issue_key": "PROJ-123",
        "actor": {"type": "system", "id": "orchestrator"},
        "metadata": {
            "agent_name": "coder",
            "failure_reason": "TypeError: cannot read property 'user' of undefined",
            "retry_scheduled": true,
            "error_details": {"file": "src/auth.ts", "line": 17},
        },
    }))
}

fn value(json: &serde_json::Value) -> Value {
    serde_json::from_str(&json.to_string()).unwrap()
}

fn run(text: &str) -> std::result::Result<Option<Value>, EvaluationFault> {
    let [before, state] = states();
    Expression::parse(text).unwrap_or_else(|e| panic!("{text}: {e}")).hit(Subject {
        event: &event(),
        state: &state,
        before: &before,
    })
}

fn output(text: &str) -> String {
    run(text).unwrap().map_or_else(|| "none".into(), |value| value.to_string())
}

fn refused(text: &str) -> String {
    Expression::parse(text).expect_err(text).to_string()
}

#[test]
fn the_examples_hold_where_they_should() {
    for example in EXAMPLES {
        assert_eq!(
            run(example.text).map(|hit| hit.is_some()),
            Ok(example.holds),
            "{}",
            example.text
        );
    }
    assert!(EXAMPLES.len() >= 20);
    assert!(EXAMPLES.iter().any(|example| !example.holds));
}

#[test]
fn values_behave_as_in_jq() {
    for (text, expected) in [
        ("1 + 2", "3"),
        ("9223372036854775807 + 1", "9.223372036854776e+18"),
        ("7 / 2", "3.5"),
        ("6 / 2", "3"),
        ("7 % 3", "1"),
        ("-7 % 3", "-1"),
        ("1 == 1.0", "true"),
        ("[1, 2.5, \"a\", null] | sort | tojson", r#""[null,1,2.5,\"a\"]""#),
        (
            "null < false and false < true and true < 0 and 0 < \"\" and \"\" < [] and [] < {}",
            "true",
        ),
        ("[3, 1, 2] | max", "3"),
        ("[3, 1, 2] | min", "1"),
        ("[{a: 1, b: 2}, {a: 0, b: 3}] | min_by(.a).b", "3"),
        ("[1, 1, 2] | unique | length", "2"),
        ("[[1, [2]], 3] | flatten | tojson", "\"[1,2,3]\""),
        ("{a: 1} * {b: {c: 2}} * {b: {d: 3}} | tojson", r#""{\"a\":1,\"b\":{\"c\":2,\"d\":3}}""#),
        ("{a: 1} + {a: 2} | .a", "2"),
        ("[1, 2, 3] - [2] | tojson", "\"[1,3]\""),
        ("[1, 2, 3][-1]", "3"),
        ("[1, 2, 3][1:] | tojson", "\"[2,3]\""),
        ("\"abcd\"[1:3]", "\"bc\""),
        ("\"a,b\" / \",\" | tojson", r#""[\"a\",\"b\"]""#),
        ("[\"a\", 1, null] | join(\"-\")", "\"a-1-\""),
        ("{a: [1, {b: 2}]} | [.. | numbers] | add", "3"),
        ("\"Hello \\(1 + 1)\"", "\"Hello 2\""),
        ("[1, 2] | contains([1])", "true"),
        ("\"foobar\" | contains(\"bar\")", "true"),
        ("{a: {b: 1}} | has(\"a\")", "true"),
        ("\"x\" | in({x: 1})", "true"),
        ("\"ABC\" | ascii_downcase", "\"abc\""),
        ("\" a \" | trim", "\"a\""),
        ("\"v1.2\" | ltrimstr(\"v\") | tonumber", "1.2"),
        ("\"TypeError\" | test(\"^type\"; \"i\")", "true"),
        ("\"2026-11-22T14:00:00Z\" | fromdate", "1795356000"),
        ("1795356000 | todate", "\"2026-11-22T14:00:00.000Z\""),
        ("[{k: 1}, {k: 2}, {k: 1}] | group_by(.k) | length", "2"),
        ("{a: 1} | to_entries | from_entries | .a", "1"),
        ("[first(1, 2), last(1, 2)] | tojson", "\"[1,2]\""),
        ("[limit(2; 1, 2, 3)] | length", "2"),
        ("(1, null) // 2", "1"),
        ("null // 2", "2"),
        ("try error(\"x\") catch .", "\"x\""),
        ("(.a.b.c)?", "none"),
        ("if 0 then \"yes\" else \"no\" end", "\"yes\""),
        ("[true, false] | any, all", "true"),
        (". as {event_type: $t} | $t", "\"AgentFailed\""),
        ("label $out | 1, break $out", "1"),
        ("3.7 | floor, ceil, round", "3"),
        ("-3 | abs", "3"),
        ("[1, 2] | add", "3"),
        ("\"text\" | length", "4"),
        ("null", "none"),
        ("empty", "none"),
        ("false, null, 7", "7"),
    ] {
        assert_eq!(output(text), expected, "{text}");
    }
}

#[test]
fn what_is_read_is_known_before_anything_runs() {
    let reads = |text: &str| Expression::parse(text).unwrap().reads().clone();
    let paths =
        |text: &str| -> Vec<String> { reads(text).state.iter().map(Path::to_string).collect() };
    assert_eq!(paths(".event_type == \"X\""), Vec::<String>::new());
    assert!(reads(".event_type == \"X\"").event);
    assert_eq!(paths("$state.agents.coder.status == \"failed\""), ["/agents/coder/status"]);
    assert!(!reads("$state.agents.coder.status == \"failed\"").event);
    assert_eq!(paths("$state[\"agents\"] | length > 2"), ["/agents"]);
    assert_eq!(paths("$state | .agents.x, .tasks"), ["/agents/x", "/tasks"]);
    assert_eq!(paths("$state.agents[] | .status == \"failed\""), ["/agents"]);
    assert_eq!(paths("$state.agents as $a | $a.coder.status"), ["/agents/coder/status"]);
    assert_eq!(paths("$state.agents[.metadata.agent_name].status"), ["/agents"]);
    assert!(reads("$state.agents[.metadata.agent_name].status").event);
    assert_eq!(paths("any($state.tasks[]; .status == \"done\")"), ["/tasks"]);
    assert_eq!(paths("[$state] | length"), [""], "the whole state");
    assert_eq!(paths("$before.git.head != $state.git.head"), ["/git/head"]);
    assert!(reads("$before.git.head != $state.git.head").before);
    assert_eq!(paths("$state.git, $state.git.head"), ["/git"], "what is below is with it");
    assert_eq!(paths("if $state.paused then 1 else $state.tasks end"), ["/paused", "/tasks"]);
    assert_eq!(paths("\"\\($state.tasks)\""), ["/tasks"]);
    let types = |text: &str| -> Option<Vec<String>> {
        reads(text).types.map(|types| types.iter().map(ToString::to_string).collect())
    };
    assert_eq!(types(".event_type == \"A\" and .x"), Some(vec!["A".into()]));
    assert_eq!(
        types("\"A\" == .event_type or .event_type == \"B\""),
        Some(vec!["A".into(), "B".into()])
    );
    assert_eq!(types("select(.event_type == \"A\") | .metadata.x"), Some(vec!["A".into()]));
    assert_eq!(types(".event_type == \"A\" or .x"), None);
    assert_eq!(types(".event_type == \"A\" | not"), None);
    assert_eq!(types("(.event_type == \"A\") == false"), None);
}

#[test]
fn faults_name_the_place() {
    for (text, why, carets) in [
        ("", "the expression is empty", "  ^"),
        (".event_type =", "term is expected at the end", "               ^"),
        (".event_type == \"x", "closing quote is expected here", ""),
        (". | foo", "there is no function foo", "      ^^^"),
        (". | lenght", "did you mean length?", "      ^^^^^^"),
        ("map(.x; .y)", "map takes 1 arguments, not 2", "  ^^^"),
        ("$x.a", "there is no variable $x", "  ^^"),
        (".a = 1", "an expression changes nothing", ""),
        (".a |= 1", "an expression changes nothing", ""),
        ("def f: f; f", "functions cannot be defined", ""),
        ("reduce .[] as $x (0; . + $x)", "`reduce` and `foreach` are not allowed", ""),
        ("range(10)", "there is no function range", "  ^^^^^"),
        ("env", "there is no function env", ""),
        ("input", "there is no function input", ""),
        ("now", "there is no function now", ""),
        ("@base64", "there is no function @base64", ""),
        ("@base64 \"x\"", "there are no formats here", ""),
        ("[1, 2", "closing bracket", ""),
        ("1 2", "this does not belong here", "    ^"),
        (". é", "", ""),
    ] {
        let message = refused(text);
        assert!(message.contains(why), "{text}: {message}");
        assert!(message.lines().last().unwrap().starts_with(carets), "{text}:\n{message}");
    }
}

#[test]
fn nothing_runs_without_end() {
    let big = (0..2000).map(|n| (n.to_string(), json!({"a": [1, 2, 3]}))).collect();
    let state = value(&serde_json::Value::Object(big));
    let run = |text: &str| {
        let expression = Expression::parse(text).unwrap();
        expression.hit(Subject { event: &Value::Null, state: &state, before: &state })
    };
    assert_eq!(run("$state | length"), Ok(Some(Value::Int(2000))));
    let cube = "[$state[] as $a | $state[] as $b | $state[] as $c | 1] | length";
    assert_eq!(run(cube), Err(EvaluationFault::TooMuch));
    // What swallows errors does not swallow this one, and does not go on for long.
    assert_eq!(run(&format!("try ({cube}) catch 1")), Err(EvaluationFault::TooMuch));
    assert_eq!(run(&format!("({cube})? // 1")), Err(EvaluationFault::TooMuch));
    // Texts and lists that double.
    let doubled = format!("\"0123456789\"{}", " | . + . + . + .".repeat(16));
    assert!(matches!(run(&doubled), Err(EvaluationFault::Failed(_))));
    let doubled = format!("[1, 2]{}", " | . + . + . + .".repeat(16));
    assert!(run(&doubled).is_err());
    assert!(matches!(run("\"x\" * 1000000000"), Err(EvaluationFault::Failed(_))));
    assert!(matches!(run("1 / 0"), Err(EvaluationFault::Failed(_))));
}

#[test]
fn who_asks_it_to_stop_is_heard() {
    let big = (0..2000).map(|n| (n.to_string(), json!(n))).collect();
    let state = value(&serde_json::Value::Object(big));
    let expression = Expression::parse("[$state[] as $a | $state[] as $b | 1] | length").unwrap();
    let stop = Arc::new(AtomicBool::new(true));
    listen(Some(Arc::clone(&stop)));
    let subject = Subject { event: &Value::Null, state: &state, before: &state };
    assert_eq!(expression.hit(subject), Err(EvaluationFault::Stopped));
    listen(None);
    assert_eq!(expression.hit(subject), Err(EvaluationFault::TooMuch));
}

#[test]
fn deep_and_long_expressions_do_not_end_the_process() {
    for text in [
        "(".repeat(4000),
        "[".repeat(4000),
        "-".repeat(4000) + "1",
        "- ".repeat(2000) + "1",
        "\"\\(".repeat(1000),
        ".a|".repeat(1300) + ".",
        ".a and ".repeat(500) + ".",
        ".a,".repeat(1300) + ".",
        "1+".repeat(2000) + "1",
        "if ".repeat(1300),
        "try ".repeat(1000) + "1",
        ". as $x | ".repeat(400) + "1",
        "label $x | ".repeat(370) + "1",
        ".".repeat(4000),
        ".a".repeat(2000),
        "{a:".repeat(1300),
        "x".repeat(5000),
        "not|".repeat(1000) + "not",
        ".a?".repeat(1300),
        "1//".repeat(1300) + "1",
    ] {
        if let Ok(expression) = Expression::parse(&text) {
            let _ = expression.hit(Subject {
                event: &Value::Null,
                state: &Value::Null,
                before: &Value::Null,
            });
        }
    }
}

#[test]
fn every_function_of_the_table_can_be_called() {
    for function in FUNCTIONS {
        let arguments = vec![".x"; function.arity].join("; ");
        let call = if function.arity == 0 { String::new() } else { format!("({arguments})") };
        let text = format!("{}{call}", function.name);
        Expression::parse(&text).unwrap_or_else(|e| panic!("{text}: {e}"));
    }
    let sorted = FUNCTIONS.is_sorted_by_key(|function| (function.name, function.arity));
    assert!(sorted, "the table is not in order");
}
