//! `replay`: what is told of runs that did not come to their end, and what their journals may say.

#![cfg(unix)]

use crate::cli_support::TestEnvironment;

/// Journals as runs leave them that did not end, each noted a second before the one above.
struct Journals {
    environment: TestEnvironment,
    /// That of a run that came to its end.
    whole: String,
    id: String,
    made: u64,
}

impl Journals {
    fn new() -> Self {
        let environment = TestEnvironment::with_replayable();
        let test = environment.noting("test", "");
        environment.replay(&["--handler", &test, "--execute"]).ok();
        let (id, journal) = (environment.replay_id(), environment.journals().remove(0));
        let whole = std::fs::read_to_string(&journal).unwrap();
        std::fs::remove_file(journal).unwrap();
        Self { environment, whole, id, made: 0 }
    }

    /// One of these lines, and where it stands.
    fn add(&mut self, id: &str, text: &str) -> std::path::PathBuf {
        let folder = self.environment.store().join(".chronoscope/journals");
        let file = folder.join(format!("replay-{id}.jsonl"));
        std::fs::write(&file, text.replace(&self.id, id)).unwrap();
        self.made += 1;
        let age = std::time::Duration::from_secs(1_700_000_000 - self.made);
        let open = std::fs::File::options().append(true).open(&file).unwrap();
        open.set_modified(std::time::UNIX_EPOCH + age).unwrap();
        file
    }

    /// The first lines of that of the whole run.
    fn first(&self, lines: usize) -> String {
        self.whole.split_inclusive('\n').take(lines).collect()
    }

    fn told(&self) -> String {
        let ran = self.environment.replay(&[]);
        assert_eq!(ran.code, Some(0), "{ran:#?}");
        ran.stderr
    }
}

#[test]
fn every_run_that_did_not_end_is_told_and_no_other() {
    let mut journals = Journals::new();
    let whole = journals.whole.clone();
    // Of what is over nothing more is read than that.
    let damaged = whole.replacen("{\"at\":\"begin\"", "{\"at\":\"begun\"", 1);
    journals.add("over", &damaged);
    journals.add("other", &journals.first(3).replace("\"R-1\"", "\"R-2\""));
    journals.add("empty", "");
    journals.add("torn", whole.lines().next().unwrap());
    assert_eq!(journals.told(), "");
    let held = journals.add("held", &journals.first(3));
    let held = std::fs::File::options().append(true).open(held).unwrap();
    held.lock().unwrap();
    journals.add("kept", &journals.first(2));
    let told = journals.told();
    let said = [
        "replay held of R-1 is still at work, after 11 of 12 events",
        "replay kept of R-1 ended after 10 of 12 events, and nobody knows how #11 ended; \
         --resume kept goes on",
    ];
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines.len(), said.len(), "{told}");
    assert!(lines.iter().zip(said).all(|(line, said)| line.contains(said)), "{told}");
    for n in 0..7 {
        journals.add(&format!("old-{n}"), &journals.first(3));
    }
    let told = journals.told();
    assert!(told.contains("replay old-0 of R-1 ended after 11 of 12"), "{told}");
    let more = "older runs of R-1 did not end either: old-1, old-2, old-3, old-4, old-5 and 1 more";
    assert!(told.trim_end().ends_with(more) && told.lines().count() == 4, "{told}");
}

#[test]
fn a_journal_that_cannot_be_read_is_told() {
    let mut journals = Journals::new();
    let begun = journals.first(3);
    journals.add("bad", &begun.replacen("{\"at\":\"end\"", "{\"at\":\"emd\"", 1));
    journals.add("odd", "{}\n");
    journals.add("new", &begun.replacen("\"journal\":1", "\"journal\":2", 1));
    let told = journals.told();
    let said =
        "what was executed by runs whose journals cannot be read is not known: bad, odd, new";
    assert!(told.trim_end().ends_with(said) && told.lines().count() == 1, "{told}");
}

/// Who goes on with such a run learns where to look, and what the way out would do.
#[test]
fn a_journal_that_cannot_be_read_is_named_with_its_line() {
    let mut journals = Journals::new();
    let begun = journals.first(4);
    for line in [1, 3] {
        let lines = begun.lines().zip(1..).map(|(text, n)| if n == line { "{" } else { text });
        let file = journals.add("bad", &lines.map(|text| format!("{text}\n")).collect::<String>());
        let args = ["replay", "--resume", "bad", "--json"];
        let error = journals.environment.run_with_path(&args, "").error(6);
        let said = error["message"].as_str().unwrap();
        let named = format!("line {line} of the journal {} cannot be read: ", file.display());
        assert!(said.starts_with(&named), "{error}");
        let hint = error["hint"].as_str().unwrap();
        assert!(hint.contains("executes again what this one executed"), "{error}");
    }
}

#[test]
fn a_plan_that_no_run_can_have_is_damage() {
    let mut journals = Journals::new();
    let begun = journals.first(1);
    for (from, to) in [
        ("\"selected\":null", "\"selected\":[[1,2000]]"),
        ("\"selected\":null", "\"selected\":[[4,3]]"),
        ("\"selected\":null", "\"selected\":[[1,3],[3,4]]"),
        ("\"selected\":null", "\"selected\":[[0,3]]"),
        ("\"selected\":null", "\"selected\":[[1,4294967295]]"),
        ("\"to\":12,\"selected\":null", "\"to\":2000,\"selected\":null"),
        ("\"to\":12,\"selected\":null", "\"to\":4294967295,\"selected\":[[1,4294967295]]"),
    ] {
        assert!(begun.contains(from), "{begun}");
        journals.add("bad", &begun.replacen(from, to, 1));
        let args = ["replay", "--resume", "bad", "--json"];
        let error = journals.environment.run_with_path(&args, "").error(6);
        assert!(error["hint"].as_str().unwrap().contains("begin another replay"), "{error}");
        journals.told();
    }
}

#[test]
fn what_is_decided_about_several_events_is_said_to_hold_for_all() {
    let mut journals = Journals::new();
    let (first, second) = (journals.first(2), journals.whole.lines().nth(3).unwrap().to_owned());
    let resume = |environment: &TestEnvironment| {
        let args = ["replay", "--resume", "run", "--json"];
        environment.run_with_path(&args, "").error(8)["hint"].as_str().unwrap().to_owned()
    };
    journals.add("run", &first);
    assert!(!resume(&journals.environment).contains("all"));
    journals.add("run", &format!("{first}{second}\n"));
    let hint = resume(&journals.environment);
    assert!(hint.contains("all are done") && hint.contains("all that are named"), "{hint}");
}
