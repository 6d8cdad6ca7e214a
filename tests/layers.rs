//! The rules of the architecture that no compiler checks: imports point one way, only the command
//! line prints, only the screen names a terminal library, no test file is forgotten.

use std::fs;
use std::path::{Path, PathBuf};

/// The layers, lowest first; those that stand together do not import each other.
const LAYERS: &[&[&str]] = &[
    &["error", "signals"],
    &["config"],
    &["model"],
    &["clock"],
    &["schema"],
    &["store"],
    &["fold"],
    &["timeline"],
    &["diff", "query", "replay", "import", "watch"],
    &["session"],
    &["demo"],
    &["cli", "tui"],
];

/// Imports that the order forbids and that are wanted all the same.
const ALLOWED: &[(&str, &str, &str)] =
    &[("cli", "tui", "the command line opens the screen, through cli::screen alone")];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Whether a file holds only tests, which may reach for whatever they compare with.
fn is_test(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "tests" || part.as_os_str() == "testing")
        || path.file_name().is_some_and(|name| name == "tests.rs" || name == "testing.rs")
}

/// Every source file: its layer, its path, its text without comments and without its own tests.
fn files() -> Vec<(String, String, String)> {
    let src = root().join("src");
    let mut paths = Vec::new();
    sources(&src, &mut paths);
    paths.retain(|path| !is_test(path.strip_prefix(&src).unwrap()));
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let relative = path.strip_prefix(&src).unwrap();
            let layer = relative.components().next().unwrap().as_os_str().to_str().unwrap();
            let layer = layer.strip_suffix(".rs").unwrap_or(layer).to_owned();
            let text = fs::read_to_string(path).unwrap();
            (layer, relative.display().to_string(), code(&text))
        })
        .collect()
}

/// The text without comments, and without the module of tests at its end.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let code = |line: &str| !line.trim_start().starts_with("//");
    text.lines().filter(|line| code(line)).collect::<Vec<_>>().join("\n")
}

fn level(layer: &str) -> Option<usize> {
    LAYERS.iter().position(|level| level.contains(&layer))
}

/// The layers that a text names: `crate::x` and `use crate::{x, y::z}`.
fn named(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        // `$crate::` in a macro is the same crate; `foo_crate::` is not.
        if text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &text[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut name = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => found.push(std::mem::take(&mut name)),
                    c if depth == 0 => name.push(c),
                    _ => {}
                }
            }
            found.push(name);
        } else {
            found.push(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    let first = |name: &String| {
        let name = name.trim();
        name.split("::").next().unwrap_or_default().split(' ').next().unwrap_or_default().to_owned()
    };
    found.iter().map(first).filter(|name| !name.is_empty()).collect()
}

fn faults() -> Vec<String> {
    let mut faults = Vec::new();
    for (layer, path, text) in files() {
        if layer == "lib" || layer == "main" {
            continue;
        }
        let Some(own) = level(&layer) else {
            faults.push(format!("{path}: no layer is named {layer}"));
            continue;
        };
        for name in named(&text) {
            let Some(other) = level(&name) else { continue };
            let allowed = ALLOWED.iter().any(|(from, to, _)| *from == layer && *to == name);
            if name != layer && other >= own && !allowed {
                faults.push(format!("{path}: {layer} must not import {name}"));
            }
        }
    }
    faults
}

#[test]
fn imports_point_one_way() {
    let faults = faults();
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn the_reader_of_imports_sees_them() {
    let text = "use crate::store::local;\nuse crate::{fold::{self, State}, error::Error};\n\
                fn f() -> crate::session::Session { other_crate::tui() }";
    assert_eq!(named(text), ["store", "fold", "error", "session"]);
    assert_eq!(
        code("a // b\n// use crate::cli\n#[cfg(test)]\nmod tests { use crate::tui; }"),
        "a // b"
    );
}

#[test]
fn only_the_screen_names_a_terminal_library() {
    for (layer, path, text) in files() {
        let named = ["ratatui", "crossterm"].iter().find(|name| text.contains(*name));
        assert!(layer == "tui" || named.is_none(), "{path} names {named:?}");
    }
}

#[test]
fn only_the_command_line_prints() {
    let printing = ["print!(", "println!(", "eprint!(", "eprintln!(", "stdout()", "stderr()"];
    for (layer, path, text) in files() {
        let found = printing.iter().find(|name| text.contains(*name));
        let may = ["cli", "tui", "main"].contains(&layer.as_str());
        assert!(may || found.is_none(), "{path} uses {found:?}");
        // Even there a closed pipe must not become a panic.
        let macros = printing[..4].iter().find(|name| text.contains(*name));
        assert!(macros.is_none(), "{path} uses {macros:?}");
    }
}

#[test]
fn only_the_clock_reads_the_time_of_day() {
    for (layer, path, text) in files() {
        let reads =
            ["SystemTime::now", "Utc::now", "Local::now"].iter().find(|n| text.contains(*n));
        assert!(layer == "clock" || reads.is_none(), "{path} uses {reads:?}");
    }
}

#[test]
fn one_place_changes_the_files_of_a_store() {
    let forbidden = [
        "Write;",
        "Write}",
        "Write,",
        "OpenOptions",
        "DirBuilder",
        "File::create",
        "File::options",
        "tempfile::",
        "NamedTempFile",
        ".set_len(",
        ".set_permissions(",
        ".sync_data()",
        ".sync_all()",
        ".write_all(",
        ".write_at(",
        ".persist(",
        ".try_lock()",
        "fs::write",
        "fs::remove",
        "fs::rename",
        "fs::create_dir",
        "fs::copy",
        "fs::hard_link",
    ];
    let io = |path: &str| path.starts_with("store/local/io");
    let store: Vec<_> =
        files().into_iter().filter(|(_, path, _)| path.starts_with("store/local/")).collect();
    let found = |text: &str| forbidden.iter().find(|name| text.contains(*name)).copied();
    for (_, path, text) in store.iter().filter(|(_, path, _)| !io(path)) {
        assert_eq!(
            found(text),
            None,
            "{path}: store/local/io does this, where faults can reach it"
        );
    }
    // The reader of sources sees them where they are.
    assert!(store.iter().any(|(_, path, text)| io(path) && found(text).is_some()));
}

#[test]
fn the_entry_point_stays_small() {
    let text = fs::read_to_string(root().join("src/main.rs")).unwrap();
    assert!(text.lines().count() <= 40);
}

#[test]
fn no_test_file_is_forgotten() {
    let runner = fs::read_to_string(root().join("tests/runner.rs")).unwrap();
    for entry in fs::read_dir(root().join("tests")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let is_module = path.extension().is_some_and(|e| e == "rs") || path.join("mod.rs").exists();
        if is_module && name != "runner" {
            assert!(
                runner.contains(&format!("mod {name};")),
                "tests/runner.rs lacks `mod {name};`"
            );
        }
    }
}

/// The parts of a name as the compiler writes them: each with its length before it.
fn parts_of(mut name: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    while let Some(digits) = name.find(|c: char| !c.is_ascii_digit()).filter(|end| *end > 0) {
        let (length, rest) = name.split_at(digits);
        let Some((part, rest)) = rest.split_at_checked(length.parse().unwrap()) else { break };
        parts.push(part);
        name = rest;
    }
    parts
}

#[test]
fn the_order_of_an_append_names_functions_that_are_there() {
    let order = fs::read_to_string(root().join("assets/link/append.ld")).unwrap();
    let all: String = files().into_iter().map(|(_, _, text)| text).collect();
    let ours = order.lines().filter_map(|line| line.split_once("_ZN11chronoscope"));
    let functions: Vec<&str> = ours
        .filter_map(|(_, rest)| parts_of(rest).into_iter().rfind(|part| !part.contains("..")))
        .filter(|name| !name.starts_with(['{', '_', '$']) && !name.contains('$'))
        .collect();
    assert!(functions.len() > 100, "{} functions are named", functions.len());
    let there =
        |name: &&&str| all.contains(&format!("fn {name}(")) || all.contains(&format!("fn {name}<"));
    let lost: Vec<_> = functions.iter().filter(|name| !there(name)).collect();
    // A few names do no harm; so many mean that an append has become slower unseen.
    assert!(
        lost.len() * 10 <= functions.len(),
        "assets/link/append.ld is old; write it anew with update.sh: {lost:?}"
    );
}
