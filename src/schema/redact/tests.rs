//! Secrets of many shapes, and what only looks like one.

use super::*;
use crate::model::Timestamp;
use crate::schema::Rules;

use super::support::secrets;

fn redact(text: &str) -> (String, Vec<&'static str>) {
    // The quick look must never clear what has a secret, in a string or in JSON.
    let secret = !find::secrets_in(text).is_empty();
    for written in [text.to_owned(), serde_json::json!({ "a": [text, 1] }).to_string()] {
        assert!(!(secret && clear::is_clear(&written)), "{written} is not clear");
        assert!(!(secret && clear::is_word_clear(&written)), "{written} is not clear");
    }
    Redactor::DEFAULT.without_secrets(text).unwrap_or_else(|| (text.to_owned(), Vec::new()))
}

#[test]
fn every_shape_is_found_wherever_it_stands() {
    let secrets = secrets();
    let kinds: std::collections::BTreeSet<&str> = secrets.iter().map(|(_, name)| *name).collect();
    assert!(kinds.len() >= 25, "{} kinds", kinds.len());
    for (secret, name) in &secrets {
        for (before, after) in
            [("", ""), ("with ", " it failed"), ("'", "'."), ("x=", "&y=1"), ("(", ")"), ("é", "é")]
        {
            let (text, names) = redact(&format!("{before}{secret}{after}"));
            let bare = secret.trim_start_matches("https://");
            assert!(!text.contains(bare), "{before}{secret}{after} became {text}");
            assert_eq!(names, [*name], "{before}{secret}{after} became {text}");
            assert!(text.starts_with(before) && text.ends_with(after), "{text}");
        }
    }
}

#[test]
fn one_character_less_or_within_a_word_is_none() {
    for (secret, name) in secrets() {
        if matches!(name, "slack-webhook" | "discord-webhook") {
            continue;
        }
        let within = format!("a{secret}");
        let (text, _) = redact(&within);
        assert!(name == "telegram-token" || text == within, "{within} became {text}");
        let (text, names) = redact(&secret[..secret.len() / 5]);
        assert!(names.is_empty(), "{text} {names:?}");
    }
}

#[test]
fn passwords_by_their_place() {
    let key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----";
    for (text, expected) in [
        ("postgres://app:s3cr3t@db:5432/x", "postgres://app:[redacted:password]@db:5432/x"),
        (
            "mongodb+srv://u:p%40ss@c.example/db?w=1",
            "mongodb+srv://u:[redacted:password]@c.example/db?w=1",
        ),
        ("redis://:hunter2@cache:6379", "redis://:[redacted:password]@cache:6379"),
        ("amqp://a:x/y@h", "amqp://a:[redacted:password]@h"),
        ("PASSWORD=hunter two", "PASSWORD=[redacted:password] two"),
        ("--password=hunter2 --yes", "--password=[redacted:password] --yes"),
        ("DB_PASSWORD='a b c'", "DB_PASSWORD='[redacted:password]'"),
        ("password: Hunter2!", "password: [redacted:password]"),
        ("MYSQL_ROOT_PASSWORD=a", "MYSQL_ROOT_PASSWORD=[redacted:password]"),
        ("{\"pwd\": \"x1\"}", "{\"pwd\": \"[redacted:password]\"}"),
        (
            "Server=db;User Id=sa;Password=p4ss;",
            "Server=db;User Id=sa;Password=[redacted:password];",
        ),
        (
            "AccountName=a;AccountKey=Zm9vYmFyMTIzNDU2Nzg5==;X=1",
            "AccountName=a;AccountKey=[redacted:secret];X=1",
        ),
        (
            "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCY",
            "aws_secret_access_key = [redacted:secret]",
        ),
        ("Authorization: Bearer abc.def-123_456", "Authorization: Bearer [redacted:authorization]"),
        (
            "curl -H 'authorization: basic dXNlcjpwYXNz1234'",
            "curl -H 'authorization: basic [redacted:authorization]'",
        ),
        ("CLIENT_SECRET=8f7g6h5j4k", "CLIENT_SECRET=[redacted:secret]"),
        ("apiKey: 'AbCdEfGhIj'", "apiKey: '[redacted:secret]'"),
        ("x-api-key: 0123456789abcdef", "x-api-key: [redacted:secret]"),
        (key, "[redacted:private-key]"),
        (&key[..50], "[redacted:private-key]"),
    ] {
        assert_eq!(redact(text).0, expected);
    }
}

#[test]
fn words_about_secrets_are_none() {
    for text in [
        "unexpected token: semicolon",
        "password: must not be empty",
        "the secret: nobody knows",
        "process.env.LINEAR_API_KEY = originalLinearKey;",
        "tokens: 1234567890",
        "token = parser.next_token()",
        "https://example.com:8080/a@b",
        "http://localhost:3000/@scope/pkg",
        "git@github.com:owner/repo.git",
        "password=$PASSWORD password=<password> password=${DB_PASSWORD} password=****",
        "postgres://app:$DB_PASSWORD@db/x",
        "sk-learn is not a key, nor is risk-assessment-for-everybody-in-the-team",
        "3f9c2ab4d5e6f7a8b9c0d1e2f3a4b5c6d7e8f9a0",
        "de305d54-75b4-431b-adb2-eb6b9e546014",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "Basic authentication and bearer tokens were considered",
        "key-value store, cache-key-d41d8cd98f00b204e9800998ecf8427e",
        "-----BEGIN CERTIFICATE-----\nMIID\n-----END CERTIFICATE-----",
        "at 12:30:45 the build 20261120:AAA",
        "PWD=/work/app OLDPWD=/root pwd: /srv",
        "[redacted:password] stays, password=[redacted:password]",
    ] {
        assert_eq!(redact(text), (text.to_owned(), Vec::new()));
    }
}

fn event(metadata: &str) -> String {
    format!(
        r#"{{"event_type":"AgentProgressed","issue_key":"P-1","session_id":"5e551000-0000-4000-8000-000000000000","actor":{{"type":"agent","id":"a"}},"metadata":{metadata}}}"#
    )
}

fn rules(mode: Mode, patterns: &[&str]) -> Rules {
    let mut rules = Rules::new(Timestamp::from_millis(1_900_000_000_000));
    let patterns: Vec<String> = patterns.iter().map(|p| (*p).to_owned()).collect();
    rules.redactor = Redactor::new(mode, &patterns).unwrap();
    rules
}

#[test]
fn an_event_is_without_secrets_before_anybody_sees_it() {
    let (token, _) = &secrets()[2];
    let escaped = token.replacen('g', "\\u0067", 1);
    let text = event(&format!(
        r#"{{"agent_name":"a","env":{{"DB_PASSWORD":"x","list":["ok","{token}"],"{token}":1}},"log":"a\nb {escaped}\t\"q\"","n":1.50}}"#
    ));
    let draft = Draft::strict(&text, &rules(Mode::Redact, &[])).unwrap();
    let expected = concat!(
        r#"{"agent_name":"a","env":{"DB_PASSWORD":"[redacted:password]","list":["ok","[redacted:github-token]"],"#,
        r#""[redacted:github-token]":1},"log":"a\nb [redacted:github-token]\t\"q\"","n":1.50}"#
    );
    assert_eq!(draft.metadata(), expected);
    let places: Vec<&str> = draft.redacted().iter().map(|r| r.pointer.as_str()).collect();
    assert_eq!(
        places,
        [
            "/metadata/env/DB_PASSWORD",
            "/metadata/env/list/1",
            "/metadata/env/[redacted:github-token]",
            "/metadata/log"
        ]
    );
    // What was redacted has nothing left to redact.
    let again = Draft::strict(&event(expected), &rules(Mode::Redact, &[])).unwrap();
    assert_eq!((again.metadata(), again.redacted()), (expected, &[][..]));
}

#[test]
fn the_settings_say_what_becomes_of_secrets() {
    let text = event(r#"{"agent_name":"a","cmd":"login --password=hunter2","ref":"ACME-00017"}"#);
    let off = Draft::strict(&text, &rules(Mode::Off, &["ACME-[0-9]+"])).unwrap();
    assert!(off.metadata().contains("hunter2") && off.redacted().is_empty());
    let faults = Draft::strict(&text, &rules(Mode::Reject, &[])).unwrap_err();
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].pointer, "/metadata/cmd");
    assert!(faults[0].message.contains("secret"), "{}", faults[0]);
    let own = Draft::strict(&text, &rules(Mode::Redact, &["ACME-[0-9]+"])).unwrap();
    assert!(own.metadata().contains(r#""ref":"[redacted:custom]""#), "{}", own.metadata());
    assert!(Redactor::new(Mode::Redact, &["(".to_owned()]).is_err());
}

#[test]
fn words_of_the_envelope_are_looked_at_too() {
    let (token, _) = &secrets()[2];
    let text =
        event(r#"{"agent_name":"a"}"#).replace(r#""id":"a""#, &format!(r#""id":"a {token}""#));
    let draft = Draft::strict(&text, &rules(Mode::Redact, &[])).unwrap();
    assert_eq!(draft.actor_id(), "a [redacted:github-token]");
    assert_eq!(draft.redacted()[0].pointer, "/actor/id");
}

/// A part of a text, of which some make secrets.
fn part() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::prelude::*;
    let shapes: Vec<&str> = shapes::SHAPES.iter().map(|shape| shape.prefix).collect();
    let names = [shapes::PASSWORDS, shapes::KEYS, &["pwd", "issue_key", "event_version"]].concat();
    let others = vec![
        "-----BEGIN ",
        "PRIVATE KEY-----",
        "-----END ",
        "Bearer ",
        "basic ",
        "://",
        "u:p",
        "@",
        "AA",
        "12345678",
        ": ",
        ":",
        "=",
        " = ",
        "'",
        "\"",
        " ",
        "_",
        "-",
        ".",
        "/",
        ",",
        "\n",
        "é",
        "\\",
    ];
    prop_oneof![
        proptest::sample::select(shapes).prop_map(str::to_owned),
        proptest::sample::select(names).prop_map(str::to_owned),
        proptest::sample::select(others).prop_map(str::to_owned),
        "[a-zA-Z0-9]{1,60}",
        "[a-f0-9]{10,50}",
        "[a-z ]{500,530}",
    ]
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(2000))]
    #[test]
    fn what_is_clear_has_no_secrets(
        key in proptest::collection::vec(part(), 1..4),
        text in proptest::collection::vec(part(), 1..9),
    ) {
        let (key, text) = (key.concat(), text.concat());
        let secret = !find::secrets_in(&text).is_empty();
        proptest::prop_assert!(!(secret && (clear::is_clear(&text) || clear::is_word_clear(&text))));
        let object = serde_json::json!({ "l": [1, &text], &key: &text }).to_string();
        let named = find::named(&key, &text).is_some();
        let secret = secret || named || !find::secrets_in(&key).is_empty();
        proptest::prop_assert!(!(secret && clear::is_clear(&object)), "{}", object);
    }
}

#[test]
fn the_items_of_a_list_go_under_its_name() {
    let metadata =
        r#"{"agent_name":"a","password":["correct",["horse"],{"battery":"staple"}],"x":["y"]}"#;
    let draft = Draft::strict(&event(metadata), &rules(Mode::Redact, &[])).unwrap();
    let marked = r#"["[redacted:password]",["[redacted:password]"],{"battery":"staple"}]"#;
    let expected = format!(r#"{{"agent_name":"a","password":{marked},"x":["y"]}}"#);
    assert_eq!(draft.metadata(), expected);
    let mut value = serde_json::from_str(metadata).unwrap();
    Redactor::DEFAULT.clean(&mut value);
    assert_eq!(value, serde_json::from_str::<serde_json::Value>(&expected).unwrap());
}

#[test]
fn a_password_that_is_a_number_is_a_password() {
    let metadata = r#"{"agent_name":"a","password":12345678,"db":{"passwd":[-1.5e3,"x",true]},"n":12345678,"tokens":1234567890,"access_token":1234567890}"#;
    let draft = Draft::strict(&event(metadata), &rules(Mode::Redact, &[])).unwrap();
    let expected = concat!(
        r#"{"agent_name":"a","password":"[redacted:password]","#,
        r#""db":{"passwd":["[redacted:password]","[redacted:password]",true]},"#,
        r#""n":12345678,"tokens":1234567890,"access_token":1234567890}"#
    );
    assert_eq!(draft.metadata(), expected);
    let places: Vec<&str> = draft.redacted().iter().map(|r| r.pointer.as_str()).collect();
    assert_eq!(places, ["/metadata/password", "/metadata/db/passwd/0", "/metadata/db/passwd/1"]);
    let mut value = serde_json::from_str(metadata).unwrap();
    Redactor::DEFAULT.clean(&mut value);
    assert_eq!(value, serde_json::from_str::<serde_json::Value>(expected).unwrap());
    let mut sieve = Redactor::DEFAULT.sieve();
    sieve.learn_json(r#"{"n" : 7654321, "password" : 12345678 , "list":["passwd"]}"#);
    assert_eq!(sieve.words("not 12345678 but 7654321"), "not [redacted:password] but 7654321");
}

#[test]
fn secrets_in_json_that_was_escaped_are_found_however_often_that_was_done() {
    let json = |password: &str| {
        serde_json::json!({"a": 1, "password": password, "api_key": "aB3dE5gH7jK9", "b": "\\"})
            .to_string()
    };
    // With a quote in it, and a backslash at its end.
    for password in ["hunter two", "hun\"ter", "hunter\\", "\\\"hunter"] {
        let (mut text, mut expected) = (json(password), json("[redacted:password]"));
        expected = expected.replace("aB3dE5gH7jK9", "[redacted:secret]");
        for _ in 0..4 {
            assert_eq!(redact(&text), (expected.clone(), vec!["secret", "password"]), "{text}");
            let metadata = serde_json::json!({"agent_name": "a", "body": text}).to_string();
            let draft = Draft::strict(&event(&metadata), &rules(Mode::Redact, &[])).unwrap();
            let of = serde_json::json!({"agent_name": "a", "body": expected}).to_string();
            assert_eq!(draft.metadata(), of);
            // As it stands in a string of JSON.
            (text, expected) =
                (serde_json::json!(text).to_string(), serde_json::json!(expected).to_string());
        }
    }
    for (text, expected) in [
        (r#"{\"password\":12345678,\"x\":1}"#, r#"{\"password\":[redacted:password],\"x\":1}"#),
        (r#"{\"cmd\":\"PASSWORD=abc\"}"#, r#"{\"cmd\":\"PASSWORD=[redacted:password]\"}"#),
        (
            r#"bash -c "login --password=\"abc\"""#,
            r#"bash -c "login --password=\"[redacted:password]\"""#,
        ),
    ] {
        assert_eq!(redact(text).0, expected);
    }
}
