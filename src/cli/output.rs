//! What goes to the terminal: formats, colour, escaping, JSON, columns.
//!
//! Lives here: everything that decides how text looks. May not live here: what is said. Text that
//! comes from events passes through [`escape`] on its way; JSON has its control characters escaped
//! as JSON does.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use serde::Serialize;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::model::ids::is_control;

/// What the result looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// One JSON document.
    Json,
    /// One JSON value a line.
    Jsonl,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What a piece of text is; its colour follows from that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Of lesser interest.
    Dim,
    /// A heading, or what was asked for.
    Strong,
    /// A name: an issue, an agent, a path.
    Name,
    /// A phase.
    Phase,
    /// Under way.
    Running,
    /// Ended well.
    Done,
    /// Failed.
    Failed,
    /// Calls for attention.
    Warned,
    /// Came to be.
    Added,
    /// Is gone.
    Removed,
    /// Is another than before.
    Changed,
}

/// Whether to colour, and with which glyphs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Paint {
    /// Whether to write colour.
    pub colour: bool,
    /// Whether to keep to ASCII.
    pub ascii: bool,
}

impl Paint {
    /// No colour.
    pub(crate) const PLAIN: Self = Self { colour: false, ascii: false };

    /// What the flags, the environment and the terminal ask for.
    #[must_use]
    pub(crate) fn choose(choice: ColorChoice, ascii: bool, terminal: bool) -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|v| !v.is_empty());
        let forced =
            || std::env::var_os("CLICOLOR_FORCE").is_some_and(|v| !v.is_empty() && v != "0");
        let dumb = || std::env::var_os("TERM").is_some_and(|v| v == "dumb");
        let colour = match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto if set("NO_COLOR") => false,
            ColorChoice::Auto => forced() || (terminal && !dumb()),
        };
        Self { colour, ascii }
    }

    /// The text in the colour of its role.
    #[must_use]
    pub(crate) fn of(self, role: Role, text: &str) -> String {
        if !self.colour || text.is_empty() {
            return text.to_owned();
        }
        let code = match role {
            Role::Dim => "2",
            Role::Strong => "1",
            Role::Name => "36",
            Role::Phase => "35",
            Role::Running => "34",
            Role::Done | Role::Added => "32",
            Role::Failed | Role::Removed => "31",
            Role::Warned | Role::Changed => "33",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    /// One of two glyphs.
    #[must_use]
    pub(crate) fn glyph(self, glyph: &'static str, ascii: &'static str) -> &'static str {
        if self.ascii { ascii } else { glyph }
    }
}

/// Text as it may stand on a terminal, in one line: control characters, and those that steer the
/// direction of text, are spelled out.
#[must_use]
pub(crate) fn escape(text: &str) -> String {
    if !text.chars().any(is_control) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if is_control(c) => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{{{:x}}}", c as u32);
            }
            c => out.push(c),
        }
    }
    out
}

/// JSON text whose control characters are all escaped, so that it can stand on a terminal.
#[must_use]
pub(crate) fn json_text(value: &impl Serialize, pretty: bool) -> String {
    // The values that are printed have text keys and no failing parts.
    let json =
        if pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
    escape_json(json.unwrap_or_default())
}

/// JSON text with the control characters that JSON itself lets through escaped as `\u001b` is.
#[must_use]
pub(crate) fn escape_json(json: String) -> String {
    let stray = |c: char| is_control(c) && c != '\n';
    if !json.chars().any(stray) {
        return json;
    }
    let mut out = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if stray(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// The text cut to `columns`, with an ellipsis where something is missing.
#[must_use]
pub(crate) fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for cluster in text.graphemes(true) {
        used += cluster.width();
        if used + 1 > columns {
            break;
        }
        out.push_str(cluster);
    }
    if columns > 0 {
        out.push('…');
    }
    out
}

/// A table: columns as wide as they need to be; the last one is cut to the width of the terminal.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<(Option<Role>, String)>>,
    indent: &'static str,
}

impl Table {
    /// An empty table, each line beginning with `indent`.
    #[must_use]
    pub(crate) fn new(indent: &'static str) -> Self {
        Self { rows: Vec::new(), indent }
    }

    /// Adds a row; the texts are escaped here.
    pub(crate) fn row<const N: usize>(&mut self, cells: [(Option<Role>, &str); N]) {
        self.rows.push(cells.iter().map(|(role, text)| (*role, escape(text))).collect());
    }

    /// The lines, none wider than `columns` where the last column alone can see to it.
    #[must_use]
    pub(crate) fn lines(&self, paint: Paint, columns: usize) -> Vec<String> {
        let count = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widest = |column: usize| {
            self.rows
                .iter()
                .filter_map(|r| r.get(column))
                .map(|(_, t)| t.width())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..count).map(widest).collect();
        self.rows.iter().map(|row| self.line(row, &widths, paint, columns)).collect()
    }

    fn line(
        &self,
        row: &[(Option<Role>, String)],
        widths: &[usize],
        paint: Paint,
        columns: usize,
    ) -> String {
        let mut line = self.indent.to_owned();
        let mut used = self.indent.len();
        for (column, (role, text)) in row.iter().enumerate() {
            let last = column + 1 == row.len();
            let room = columns.saturating_sub(used).max(8);
            let text = if last { cut(text, room) } else { text.clone() };
            let filler = if last { 0 } else { widths[column] - text.width() + 2 };
            used += text.width() + filler;
            line += &role.map_or_else(|| text.clone(), |role| paint.of(role, &text));
            line += &" ".repeat(filler);
        }
        line.trim_end().to_owned()
    }
}

/// The standard output, with all that decides how it looks.
pub(crate) struct Output {
    /// What the result looks like.
    pub format: Format,
    /// Colour and glyphs.
    pub paint: Paint,
    /// How many columns a line may take.
    pub columns: usize,
    /// Whether stdout is a terminal.
    pub terminal: bool,
    out: io::BufWriter<io::StdoutLock<'static>>,
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output").field("format", &self.format).finish_non_exhaustive()
    }
}

impl Output {
    /// The standard output of this process.
    #[must_use]
    pub(crate) fn new(format: Format, color: ColorChoice, ascii: bool) -> Self {
        let stdout = io::stdout();
        let terminal = stdout.is_terminal();
        Self {
            format,
            paint: Paint::choose(color, ascii, terminal),
            columns: columns(terminal),
            terminal,
            out: io::BufWriter::with_capacity(64 * 1024, stdout.lock()),
        }
    }

    /// Writes one line that is fit for a terminal.
    ///
    /// # Errors
    /// When the output is closed or full.
    pub(crate) fn line(&mut self, line: impl AsRef<str>) -> io::Result<()> {
        self.out.write_all(line.as_ref().as_bytes())?;
        self.out.write_all(b"\n")
    }

    /// Writes the lines of a table.
    ///
    /// # Errors
    /// When the output is closed or full.
    pub(crate) fn table(&mut self, table: &Table) -> io::Result<()> {
        table.lines(self.paint, self.columns).iter().try_for_each(|line| self.line(line))
    }

    /// Writes one JSON document: indented on a terminal, else in one line.
    ///
    /// # Errors
    /// When the output is closed or full.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        let pretty = self.terminal && self.format == Format::Json;
        self.line(json_text(value, pretty))
    }

    /// Writes bytes of the log as they are; on a terminal with control characters escaped.
    ///
    /// # Errors
    /// When the output is closed or full.
    pub(crate) fn raw_line(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.terminal {
            let text = String::from_utf8_lossy(bytes).into_owned();
            return self.line(escape_json(text));
        }
        self.out.write_all(bytes)?;
        self.out.write_all(b"\n")
    }

    /// Writes bytes as they are.
    ///
    /// # Errors
    /// When the output is closed or full.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)
    }

    /// Hands over everything that was written.
    ///
    /// # Errors
    /// When the output is closed or full.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Text in the colour of its role, escaped.
    #[must_use]
    pub(crate) fn paint(&self, role: Role, text: &str) -> String {
        self.paint.of(role, &escape(text))
    }
}

/// The width of lines: `COLUMNS`, else that of the terminal. Without one nothing is cut: what goes into
/// a pipe or a file is searched and compared there.
fn columns(terminal: bool) -> usize {
    let wanted = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok()).filter(|c| *c >= 20);
    let size = || terminal_size::terminal_size().map_or(100, |(width, _)| usize::from(width.0));
    wanted.unwrap_or_else(|| if terminal { size().max(20) } else { usize::MAX })
}

#[cfg(test)]
mod tests;
