//! The README's tables are those of the program. `UPDATE_README=1 cargo test readme` writes them.

use std::fmt::Write;

use chronoscope::error::ErrorKind;
use chronoscope::query::expression::{EXAMPLES, FUNCTIONS};
use chronoscope::tui::action::{COMMANDS, Context};
use chronoscope::tui::keymap::Keymap;
use chronoscope::tui::share::Part;

fn key_table() -> String {
    let keymap = Keymap::default();
    let mut table = String::from("| where | keys | what |\n|---|---|---|\n");
    for context in Context::ALL {
        for spec in COMMANDS.iter().filter(|spec| spec.context == *context) {
            let keys = keymap.keys_of(spec.command, false);
            let keys: Vec<String> =
                keys.iter().map(|key| format!("`{}`", key.replace('|', "\\|"))).collect();
            if !keys.is_empty() {
                let _ = writeln!(table, "| {context} | {} | {} |", keys.join(" "), spec.doc);
            }
        }
    }
    table
}

fn exit_table() -> String {
    let mut table = String::from("| exit | kind |\n|---|---|\n| 0 | done |\n");
    for kind in ErrorKind::ALL {
        let _ = writeln!(table, "| {} | {kind} |", kind.exit_code());
    }
    table
}

fn expression_table() -> String {
    let mut table = String::from("| expression | finds |\n|---|---|\n");
    for example in EXAMPLES {
        let _ = writeln!(table, "| `{}` | {} |", example.text.replace('|', "\\|"), example.finds);
    }
    table
}

fn function_list() -> String {
    let mut names: Vec<&str> = FUNCTIONS.iter().map(|function| function.name).collect();
    names.dedup();
    format!(
        "Functions: {}.\n",
        names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(" ")
    )
}

fn view_table() -> String {
    let mut table = String::from("| part of a view | what |\n|---|---|\n");
    for part in Part::ALL {
        let _ = writeln!(table, "| `{part}` | {} |", part.meaning());
    }
    table
}

/// The text with what stands between the marks `name: begin` and `name: end` replaced.
fn with_table(text: &str, name: &str, table: &str) -> String {
    let (begin, end) = (format!("<!-- {name}: begin -->\n"), format!("<!-- {name}: end -->"));
    let start = text.find(&begin).unwrap() + begin.len();
    let stop = text.find(&end).unwrap();
    format!("{}{table}{}", &text[..start], &text[stop..])
}

#[test]
fn readme_tables_are_those_of_the_program() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = std::fs::read_to_string(&file).unwrap();
    let made = with_table(&text, "keys", &key_table());
    let made = with_table(&made, "exit codes", &exit_table());
    let made = with_table(&made, "expressions", &expression_table());
    let made = with_table(&made, "view", &view_table());
    let made = with_table(&made, "functions", &function_list());
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(&file, made).unwrap();
        return;
    }
    assert!(text == made, "run UPDATE_README=1 cargo test readme");
}

#[test]
fn every_file_the_readme_names_is_there() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("README.md")).unwrap();
    let mut named = 0;
    for part in text.split(['(', '"', ')']).filter(|part| part.starts_with("assets/")) {
        assert!(root.join(part).exists(), "{part}");
        named += 1;
    }
    assert!(named >= 12, "{named}");
}

/// All Rust files below a folder, as one text.
fn sources(folder: &std::path::Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text += &sources(&path);
        } else if path.extension().is_some_and(|e| e == "rs") {
            text += &std::fs::read_to_string(&path).unwrap();
        }
    }
    text
}

#[test]
fn each_promise_names_tests_that_there_are() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let code = sources(&root.join("src")) + &sources(&root.join("tests"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let (_, promises) = readme.split_once("| promise |").unwrap();
    let rows: Vec<&str> = promises.lines().skip(2).take_while(|l| l.starts_with('|')).collect();
    assert!(rows.len() >= 8, "{} promises", rows.len());
    for row in rows {
        let tests = row.trim_end_matches(['|', ' ']).rsplit('|').next().unwrap();
        let names: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "{row}");
        for name in names {
            assert!(code.contains(&format!("fn {name}(")), "no test is named {name}");
        }
    }
}
