//! Pictures of the real screens, for the README and for looking at.
//!
//! `UPDATE_SCREENS=1 cargo test pictures` runs the real program on the sample store in a terminal
//! emulator, drives it to each scene below, and writes `assets/screens/*.svg`. Without it, the
//! pictures that are checked in are checked: each scene has one, it has the scene's size, and it
//! shows what the scene is about.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on must fail")]

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::pty_support::Terminal;

#[path = "support/svg.rs"]
mod svg;

/// After the sample store's histories, so that nothing in it lies ahead.
const CLOCK: &str = "2026-11-22T09:30:00Z";

/// A picture.
struct Scene {
    /// Its name, which with size and theme is the file's.
    name: &'static str,
    /// What it shows, in words.
    title: &'static str,
    /// What the program is called with, after the store.
    arguments: &'static [&'static str],
    /// Keys to press, and what to wait for after each.
    steps: &'static [(&'static str, &'static str)],
    /// Columns and rows.
    sizes: &'static [(u16, u16)],
    /// What must stand on the picture.
    shows: &'static [&'static str],
}

const SIZES: &[(u16, u16)] = &[(80, 24), (120, 40), (200, 50)];

const SCENES: &[Scene] = &[
    Scene {
        name: "browser",
        title: "chronoscope: the list of issues",
        arguments: &[],
        steps: &[("", "PROJ-123")],
        sizes: SIZES,
        shows: &["issues", "PROJ-123"],
    },
    Scene {
        name: "debugger",
        title: "chronoscope: an issue at the moment where it went wrong",
        arguments: &["PROJ-123", "--at", "PhaseFailed"],
        steps: &[("", "PhaseFailed")],
        sizes: SIZES,
        shows: &["PROJ-123", "timeline"],
    },
    Scene {
        name: "what-if",
        title: "chronoscope: as if the event had not happened",
        arguments: &["PROJ-123", "--at", "96"],
        steps: &[("", "#96/"), ("x", "BRANCH"), ("lv", "orphaned:")],
        sizes: &[(120, 40)],
        shows: &["BRANCH", "orphaned"],
    },
    Scene {
        name: "replay",
        title: "chronoscope: a rehearsal of a replay",
        arguments: &[
            "PROJ-123",
            "--at",
            "165",
            "--config",
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/replay/settings.yaml"),
        ],
        steps: &[("", "#165/"), ("gp", "state as recorded")],
        sizes: &[(120, 40)],
        shows: &["nothing is executed, nothing is written", "skipped"],
    },
    Scene {
        name: "compare",
        title: "chronoscope: two runs side by side",
        arguments: &["PROJ-118"],
        steps: &[
            ("", "PROJ-118"),
            ("gc", "compare with"),
            ("119", "PROJ-119"),
            ("", "KiB"),
            ("\r", "difference 1/"),
        ],
        sizes: &[(120, 40)],
        shows: &["PROJ-119", "difference 1/"],
    },
];

/// Theme, and the colours of its text and ground.
const THEMES: [(&str, svg::Rgb, svg::Rgb); 2] = [
    ("dark", (0xc6, 0xcc, 0xd6), (0x14, 0x17, 0x1c)),
    ("light", (0x2c, 0x32, 0x3b), (0xfb, 0xfa, 0xf7)),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/screens")
}

/// Every picture: its file, its scene, its size, its theme.
fn pictures() -> impl Iterator<Item = (PathBuf, &'static Scene, (u16, u16), &'static str)> {
    SCENES.iter().flat_map(|scene| {
        scene.sizes.iter().flat_map(move |size| {
            THEMES.iter().map(move |(theme, ..)| {
                let file = format!("{}-{}x{}-{theme}.svg", scene.name, size.0, size.1);
                (folder().join(file), scene, *size, *theme)
            })
        })
    })
}

#[test]
fn every_scene_has_its_picture() {
    if std::env::var_os("UPDATE_SCREENS").is_some() {
        take_all();
    }
    let mut expected = Vec::new();
    for (file, scene, (columns, rows), theme) in pictures() {
        let text = std::fs::read_to_string(&file).unwrap_or_else(|fault| {
            panic!("{}: {fault}; UPDATE_SCREENS=1 cargo test pictures", file.display())
        });
        let ground = THEMES.iter().find(|(name, ..)| *name == theme).map(|(.., ground)| *ground);
        let empty = svg::Grid {
            columns: columns.into(),
            rows: rows.into(),
            cells: Vec::new(),
            ink: (0, 0, 0),
            ground: ground.unwrap(),
            title: scene.title.into(),
        };
        let head = empty.to_svg();
        let head = head.strip_suffix("</svg>\n").unwrap();
        assert!(text.starts_with(head), "{} has another size, theme or form", file.display());
        check_tags(&file, &text);
        let shown = shown_text(&text);
        for part in scene.shows {
            assert!(shown.contains(part), "{} does not show {part}", file.display());
        }
        expected.push(file);
    }
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        assert!(expected.contains(&path), "{} belongs to no scene", path.display());
    }
}

/// Every tag that is opened is closed, and nothing stands outside.
fn check_tags(file: &Path, text: &str) {
    let mut open = Vec::new();
    for tag in text.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').unwrap_or_else(|| panic!("{}: {tag}", file.display()));
        let name = tag.trim_start_matches('/').split_whitespace().next().unwrap_or_default();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "{}", file.display());
        } else if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{}: {open:?} not closed", file.display());
}

/// The texts of a picture, one a line.
fn shown_text(text: &str) -> String {
    let lines = text.lines().filter(|line| line.starts_with("<text"));
    let texts = lines.filter_map(|line| line.split_once('>')?.1.strip_suffix("</text>"));
    texts.collect::<Vec<_>>().join("\n")
}

fn take_all() {
    let home = tempfile::tempdir().unwrap();
    let store = home.path().join("sample");
    let made = Command::new(env!("CARGO_BIN_EXE_chronoscope"))
        .args(["demo", "--json", "--dir"])
        .arg(&store)
        .env("CHRONOSCOPE_FIXED_CLOCK", CLOCK)
        .env("HOME", home.path())
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    std::fs::create_dir_all(folder()).unwrap();
    for (file, scene, size, theme) in pictures() {
        // What a scene leaves behind must not change the next.
        let user = tempfile::tempdir().unwrap();
        let store = store.to_str().unwrap();
        let arguments: Vec<&str> =
            ["--store", store].iter().chain(scene.arguments).copied().collect();
        let variables = [("CHRONOSCOPE_FIXED_CLOCK", CLOCK), ("CHRONOSCOPE_THEME", theme)];
        let mut terminal = Terminal::start(size, user.path(), &variables, &arguments);
        for (keys, text) in scene.steps {
            terminal.press(keys);
            terminal.wait_for_text(text);
        }
        terminal.settle();
        let (_, ink, ground) = THEMES.iter().find(|(name, ..)| *name == theme).unwrap();
        let grid = grid_of(terminal.screen(), scene.title, *ink, *ground);
        std::fs::write(file, grid.to_svg()).unwrap();
        terminal.press("\u{3}");
        assert_eq!(terminal.wait_for_end(), 0, "{}", scene.name);
    }
}

/// The emulator's screen as a grid. Blanks at the ends of rows stay: they have a ground.
fn grid_of(screen: &vt100::Screen, title: &str, ink: svg::Rgb, ground: svg::Rgb) -> svg::Grid {
    let (rows, columns) = screen.size();
    let (rows, columns) = (rows.get(), columns.get());
    let cells = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
    let cell = |(row, column)| {
        let Some(cell) = screen.cell(row, column) else { return svg::Cell::default() };
        let text = match cell.contents() {
            "" if cell.is_wide_continuation() => "",
            "" => " ",
            text => text,
        };
        svg::Cell {
            text: text.to_owned(),
            ink: color(cell.fgcolor()),
            ground: color(cell.bgcolor()),
            bold: cell.bold(),
            dim: cell.dim(),
            italic: cell.italic(),
            underline: cell.underline(),
            reverse: cell.inverse(),
        }
    };
    svg::Grid {
        columns: columns.into(),
        rows: rows.into(),
        cells: cells.map(cell).collect(),
        ink,
        ground,
        title: title.to_owned(),
    }
}

/// The themes of the pictures name all colours in 24 bits.
fn color(color: vt100::Color) -> Option<svg::Rgb> {
    match color {
        vt100::Color::Rgb(r, g, b) => Some((r, g, b)),
        vt100::Color::Default | vt100::Color::Idx(_) => None,
    }
}
