//! Loading from files and environments that tests make up.

use super::*;

fn sources(folder: &Path, text: &str) -> Sources {
    let file = folder.join("config");
    std::fs::create_dir_all(&file).unwrap();
    std::fs::write(file.join("event-sourcing.yaml"), text).unwrap();
    Sources { directory: folder.to_owned(), ..Sources::default() }
}

fn load(text: &str) -> Result<Config> {
    let folder = tempfile::tempdir().unwrap();
    Config::load(&sources(folder.path(), text))
}

#[test]
fn without_a_file_the_defaults_hold() {
    let folder = tempfile::tempdir().unwrap();
    let config =
        Config::load(&Sources { directory: folder.path().to_owned(), ..Sources::default() });
    let config = config.unwrap();
    assert_eq!(config.count(Setting::DefaultPageSize), 100);
    assert_eq!(config.value(Setting::DefaultPageSize).1, Origin::Default);
    assert_eq!(config.store(), None);
    assert!(config.warnings().is_empty());
}

#[test]
fn the_file_is_found_upwards_and_its_paths_are_relative_to_the_project() {
    let folder = tempfile::tempdir().unwrap();
    let mut sources = sources(
        folder.path(),
        "event_sourcing:\n  storage:\n    base_path: sessions/events\n  query: {default_page_size: 7}\n",
    );
    sources.directory = folder.path().join("a/b");
    let config = Config::load(&sources).unwrap();
    assert_eq!(config.store().unwrap(), folder.path().join("sessions/events"));
    let (value, origin) = config.value(Setting::DefaultPageSize);
    assert_eq!(value.unwrap(), 7);
    let file = folder.path().join("config/event-sourcing.yaml");
    assert_eq!(origin, Origin::File(file, 4));
}

#[test]
fn environment_beats_file_and_flag_beats_environment() {
    let folder = tempfile::tempdir().unwrap();
    let mut sources = sources(folder.path(), "event_sourcing: {storage: {base_path: a}}");
    sources.environment = vec![
        ("CHRONOSCOPE_STORE".into(), "b".into()),
        ("CHRONOSCOPE_QUERY_MAX_PAGE_SIZE".into(), "12".into()),
        ("CHRONOSCOPE_SNAPSHOTS_ENABLED".into(), "0".into()),
        ("CHRONOSCOPE_ISSUE".into(), "PROJ-1".into()),
    ];
    let mut config = Config::load(&sources).unwrap();
    assert_eq!(config.store().unwrap(), Path::new("b"));
    assert_eq!(config.count(Setting::MaxPageSize), 12);
    assert!(!config.flag(Setting::SnapshotsEnabled));
    config.give_flag(Setting::BasePath, "--store", "c".into()).unwrap();
    assert_eq!(config.store().unwrap(), Path::new("c"));
    assert_eq!(config.value(Setting::BasePath).1, Origin::Flag("--store"));
}

#[test]
fn a_variable_that_does_not_fit_is_refused_by_name() {
    let sources = Sources {
        environment: vec![("CHRONOSCOPE_QUERY_MAX_PAGE_SIZE".into(), "many".into())],
        directory: "/".into(),
        ..Sources::default()
    };
    let error = Config::load(&sources).unwrap_err();
    assert!(error.message().starts_with("$CHRONOSCOPE_QUERY_MAX_PAGE_SIZE: "), "{error}");
}

#[test]
fn a_wrong_value_names_file_and_line() {
    let error = load("event_sourcing:\n  query:\n    default_page_size: lots\n").unwrap_err();
    assert_eq!(error.kind(), crate::error::ErrorKind::Usage);
    assert!(error.message().contains("event-sourcing.yaml:3: query.default_page_size"), "{error}");
}

#[test]
fn unknown_keys_are_warned_about_once_each() {
    let text = "event_sourcing:\n  query: {colour: red}\n  wings: 2\nlogging: {a: 1}\n";
    let config = load(text).unwrap();
    let warnings = config.warnings();
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    assert!(warnings[0].contains(":2: there is no setting `query.colour`"), "{warnings:?}");
    assert!(warnings[1].contains("`wings`") && warnings[2].contains("`logging`"), "{warnings:?}");
}

#[test]
fn what_would_weaken_the_store_loads_and_is_not_obeyed() {
    let config = load(
        "event_sourcing:\n  performance: {async_writes: true}\n  storage: {partition_by: session, \
         format: parquet}\n  cleanup: {enabled: true, delete_after_days: 365}\n  validation: \
         {validate_on_write: false}\n",
    )
    .unwrap();
    assert_eq!(config.warnings().len(), 5, "{:?}", config.warnings());
    assert_eq!(config.value(Setting::Format), (Some("jsonl".into()), Origin::Default));
    assert_eq!(config.value(Setting::AsyncWrites), (Some(false.into()), Origin::Default));
    assert_eq!(config.given(Setting::Format).unwrap().value, "parquet");
}

#[test]
fn some_settings_take_any_shape() {
    let config = load(
        "event_sourcing:\n  snapshots: {compression: false}\n  performance: {cache_snapshots: 5}\n  \
         event_types:\n    AgentFailed: {severity: critical}\n  state_projections:\n    - name: x\n",
    )
    .unwrap();
    assert!(config.warnings().is_empty(), "{:?}", config.warnings());
    assert_eq!(config.value(Setting::EventTypes).0.unwrap()["AgentFailed"]["severity"], "critical");
}

#[test]
fn a_file_that_is_named_must_be_there() {
    let sources = Sources {
        file: Some("no/such.yaml".into()),
        directory: std::env::temp_dir(),
        ..Sources::default()
    };
    let error = Config::load(&sources).unwrap_err();
    assert_eq!(error.hint(), Some("--config names the configuration file"));
}

/// The default file as the table says it.
fn rendered() -> String {
    use std::fmt::Write;
    let mut out = String::from(
        "# The settings of chronoscope and their defaults. Copy this file to\n# \
         config/event-sourcing.yaml of a project, or to the user's configuration folder.\n# \
         `chronoscope config show` prints every value in force and where it comes from.\n\n\
         event_sourcing:\n",
    );
    let mut last = "";
    for spec in Setting::TABLE {
        let (section, name) = spec.key.split_once('.').unwrap_or(("", spec.key));
        let indent = if section.is_empty() { "  " } else { "    " };
        if section != last || section.is_empty() {
            out.push('\n');
        }
        if section != last && !section.is_empty() {
            writeln!(out, "  {section}:").unwrap();
        }
        last = section;
        writeln!(out, "{indent}# {}", spec.doc).unwrap();
        if let Type::OneOf(words) = spec.ty {
            writeln!(out, "{indent}# One of {}.", words.join(", ")).unwrap();
        }
        match spec.standing {
            Standing::Obeyed => {}
            Standing::NoEffect(why) => writeln!(out, "{indent}# No effect: {why}.").unwrap(),
            Standing::Fixed(why) => writeln!(out, "{indent}# Cannot be changed: {why}.").unwrap(),
        }
        match spec.default.to_json() {
            Some(value) => writeln!(out, "{indent}{name}: {value}").unwrap(),
            None => writeln!(out, "{indent}# {name}:").unwrap(),
        }
    }
    out
}

/// To write it anew after a change of the table: `UPDATE_DEFAULT_CONFIG=1 cargo test default_file`.
#[test]
fn the_default_file_says_what_the_table_says() {
    if std::env::var_os("UPDATE_DEFAULT_CONFIG").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/event-sourcing.yaml");
        std::fs::write(path, rendered()).unwrap();
        return;
    }
    assert_eq!(DEFAULT_FILE, rendered());
    let config = load(DEFAULT_FILE).unwrap();
    assert!(config.warnings().is_empty(), "{:?}", config.warnings());
    for spec in Setting::TABLE {
        assert_eq!(config.value(spec.setting).0, spec.default.to_json(), "{}", spec.key);
    }
}

const RULES: &str = "event_sourcing:
  correlation_rules:
    - name: build
      source_event: BuildStarted
      target_events: [BuildFailed, BuildPassed]
      correlation_key: metadata.build.id
    - {name: review, source_event: PRCreated, target_events: CommentPosted, correlation_key: session_id, since: 3}
";

#[test]
fn correlation_rules_are_read_in_their_order() {
    let config = load(RULES).unwrap();
    let [build, review] = config.rules() else { panic!("{:?}", config.rules()) };
    assert_eq!((build.name.as_str(), build.key.as_str()), ("build", "metadata.build.id"));
    assert_eq!((&build.sources[..], build.targets.len()), (&["BuildStarted".to_owned()][..], 2));
    assert_eq!(review.targets, ["CommentPosted"]);
    let [warning] = config.warnings() else { panic!("{:?}", config.warnings()) };
    assert!(warning.contains(".yaml:7: correlation_rules: a rule has no `since`"), "{warning}");
}

#[test]
fn what_is_no_rule_is_told_with_its_line() {
    let with = |from: &str, to: &str| load(&RULES.replace(from, to)).unwrap_err().to_string();
    for (from, to, why) in [
        (
            "name: review",
            "name: build",
            ":7: correlation_rules rule 2 has the name \"build\" of another",
        ),
        (
            "      source_event: BuildStarted\n",
            "",
            ":3: correlation_rules has a rule without source_event",
        ),
        (
            "metadata.build.id",
            "[a]",
            ":6: correlation_rules has a rule whose correlation_key is not a text",
        ),
        (
            "[BuildFailed, BuildPassed]",
            "[1]",
            ":5: correlation_rules has a rule whose target_events",
        ),
        (
            "[BuildFailed, BuildPassed]",
            "[]",
            ":5: correlation_rules has a rule whose target_events",
        ),
        (
            "- {name: review",
            "- 7\n    - {name: review",
            ":7: correlation_rules has an item that is no rule",
        ),
    ] {
        let error = with(from, to);
        assert!(error.contains(why), "{error}");
    }
    let error = load("event_sourcing: {correlation_rules: {a: 1}}").unwrap_err();
    assert!(error.to_string().contains("is no list of rules"), "{error}");
}
