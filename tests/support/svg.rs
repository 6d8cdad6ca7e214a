//! A grid of terminal cells as an SVG picture.
//!
//! Lives here: the picture. May not live here: where the cells come from; a terminal emulator and
//! a drawing buffer are both turned into a [`Grid`].
//!
//! Frames and bars are drawn as shapes, so that they join whatever font the viewer has; letters
//! are text, each run stretched to exactly the columns it takes.
#![allow(unreachable_pub, reason = "two test binaries share this file")]

use std::fmt::Write;

/// Red, green, blue.
pub type Rgb = (u8, u8, u8);

/// One column of one row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cell {
    /// What stands there; empty for the second column of a wide character.
    pub text: String,
    /// The ink; none for the picture's own.
    pub ink: Option<Rgb>,
    /// The ground; none for the picture's own.
    pub ground: Option<Rgb>,
    pub bold: bool,
    pub dim: bool,
    pub italic: bool,
    pub underline: bool,
    pub reverse: bool,
}

/// A screen.
#[derive(Debug, Clone)]
pub struct Grid {
    pub columns: usize,
    pub rows: usize,
    /// Row by row.
    pub cells: Vec<Cell>,
    /// The colours where a cell names none.
    pub ink: Rgb,
    pub ground: Rgb,
    /// What the picture is of, for those who cannot see it.
    pub title: String,
}

/// The size of a cell, and of the rim around all.
const WIDTH: f64 = 8.4;
const HEIGHT: f64 = 18.0;
const RIM: f64 = 10.0;

fn hex((r, g, b): Rgb) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

impl Grid {
    fn colors(&self, cell: &Cell) -> (Rgb, Rgb) {
        let (ink, ground) = (cell.ink.unwrap_or(self.ink), cell.ground.unwrap_or(self.ground));
        let (ink, ground) = if cell.reverse { (ground, ink) } else { (ink, ground) };
        let half = |a: u8, b: u8| u8::midpoint(a, b);
        let faded = (half(ink.0, ground.0), half(ink.1, ground.1), half(ink.2, ground.2));
        (if cell.dim { faded } else { ink }, ground)
    }

    /// The picture.
    pub fn to_svg(&self) -> String {
        let width = WIDTH * self.columns as f64 + 2.0 * RIM;
        let height = HEIGHT * self.rows as f64 + 2.0 * RIM;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.1} {height:.1}\" \
             width=\"{width:.0}\" height=\"{height:.0}\" role=\"img\">\n<title>{}</title>\n\
             <style>text{{font:14px ui-monospace,'SF Mono',Menlo,Consolas,'DejaVu Sans Mono',\
             'Liberation Mono',monospace}}.b{{font-weight:700}}.i{{font-style:\
             italic}}.u{{text-decoration:underline}}.m{{text-anchor:middle}}</style>\n\
             <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{}\"/>\n",
            escape(&self.title),
            hex(self.ground)
        );
        for (row, cells) in self.cells.chunks(self.columns.max(1)).enumerate() {
            self.grounds(&mut svg, row, cells);
            self.inks(&mut svg, row, cells);
        }
        svg.push_str("</svg>\n");
        svg
    }

    fn grounds(&self, svg: &mut String, row: usize, cells: &[Cell]) {
        let mut at = 0;
        for run in cells.chunk_by(|a, b| self.colors(a).1 == self.colors(b).1) {
            let ground = self.colors(&run[0]).1;
            if ground != self.ground {
                let (x, y) = (RIM + at as f64 * WIDTH, RIM + row as f64 * HEIGHT);
                let width = run.len() as f64 * WIDTH;
                let fill = hex(ground);
                let _ = writeln!(
                    svg,
                    "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{HEIGHT:.1}\" fill=\"{fill}\"/>"
                );
            }
            at += run.len();
        }
    }

    fn inks(&self, svg: &mut String, row: usize, cells: &[Cell]) {
        let y = RIM + row as f64 * HEIGHT;
        let mut at = 0;
        while at < cells.len() {
            let cell = &cells[at];
            let x = RIM + at as f64 * WIDTH;
            let fill = hex(self.colors(cell).0);
            if is_letter(&cell.text) {
                let alike = |c: &&Cell| {
                    is_letter(&c.text)
                        && c.bold == cell.bold
                        && c.italic == cell.italic
                        && c.underline == cell.underline
                        && self.colors(c).0 == self.colors(cell).0
                };
                let run: String =
                    cells[at..].iter().take_while(alike).map(|c| c.text.as_str()).collect();
                // Single blanks only: viewers differ in what they make of several.
                let blanks = run.len() - run.trim_start_matches(' ').len();
                if blanks > 0 {
                    at += blanks;
                    continue;
                }
                let words = run.split("  ").next().unwrap_or_default().trim_end_matches(' ');
                let length = words.len() as f64 * WIDTH;
                let _ = writeln!(
                    svg,
                    "<text x=\"{x:.1}\" y=\"{:.1}\"{} fill=\"{fill}\" textLength=\"{length:.1}\" \
                     lengthAdjust=\"spacingAndGlyphs\">{}</text>",
                    y + 13.5,
                    class(cell, false),
                    escape(words)
                );
                at += words.len();
                continue;
            }
            let same = cells[at..].iter().take_while(|c| **c == *cell).count().max(1);
            if let Some(shape) = shape(&cell.text, x, y, same) {
                let _ = writeln!(svg, "{}", shape.replace("INK", &fill));
                at += same;
                continue;
            }
            if !cell.text.trim().is_empty() {
                let wide = cells.get(at + 1).is_some_and(|next| next.text.is_empty());
                let middle = x + if wide { WIDTH } else { WIDTH / 2.0 };
                let class = class(cell, true);
                let _ = writeln!(
                    svg,
                    "<text x=\"{middle:.1}\" y=\"{:.1}\"{class} fill=\"{fill}\">{}</text>",
                    y + 13.5,
                    escape(&cell.text)
                );
            }
            at += 1;
        }
    }
}

fn class(cell: &Cell, middle: bool) -> String {
    let names = [(cell.bold, "b"), (cell.italic, "i"), (cell.underline, "u"), (middle, "m")];
    let names: Vec<&str> =
        names.into_iter().filter(|(yes, _)| *yes).map(|(_, name)| name).collect();
    if names.is_empty() { String::new() } else { format!(" class=\"{}\"", names.join(" ")) }
}

fn is_letter(text: &str) -> bool {
    text.len() == 1 && text.as_bytes()[0].is_ascii() && !text.as_bytes()[0].is_ascii_control()
}

/// A piece of a frame or a bar as a shape over `count` cells; the lower ones are drawn one by one.
fn shape(text: &str, x: f64, y: f64, count: usize) -> Option<String> {
    let (cx, cy) = (x + WIDTH / 2.0, y + HEIGHT / 2.0);
    let (right, bottom) = (x + WIDTH, y + HEIGHT);
    let width = WIDTH * count as f64;
    // In eighths of the height.
    if let Some(eighths) = "▁▂▃▄▅▆▇█".chars().position(|bar| text.chars().eq([bar]))
    {
        let high = HEIGHT * (eighths + 1) as f64 / 8.0;
        let top = bottom - high;
        return Some(format!(
            "<rect x=\"{x:.1}\" y=\"{top:.2}\" width=\"{width:.1}\" height=\"{high:.2}\" fill=\"INK\"/>"
        ));
    }
    let line = |d: String, weight: f64, dash: &str| {
        Some(format!(
            "<path d=\"{d}\" stroke=\"INK\" stroke-width=\"{weight}\"{dash} fill=\"none\"/>"
        ))
    };
    let end = x + width;
    let fine = " stroke-dasharray=\"2 2.2\"";
    match text {
        "─" => return line(format!("M{x:.1} {cy:.1}H{end:.1}"), 1.2, ""),
        "━" => return line(format!("M{x:.1} {cy:.1}H{end:.1}"), 2.6, ""),
        "┄" | "┅" | "╌" => return line(format!("M{x:.1} {cy:.1}H{end:.1}"), 1.2, fine),
        _ => {}
    }
    let many = |d: &str, weight: f64, dash: &str| {
        let steps: String = (0..count)
            .map(|n| {
                let by = WIDTH * n as f64;
                d.replace("CX", &format!("{:.1}", cx + by))
                    .replace("RX", &format!("{:.1}", right + by))
                    .replace("LX", &format!("{:.1}", x + by))
            })
            .collect();
        line(steps, weight, dash)
    };
    let (cy, y, bottom) = (format!("{cy:.1}"), format!("{y:.1}"), format!("{bottom:.1}"));
    match text {
        "│" => many(&format!("MCX {y}V{bottom}"), 1.2, ""),
        "┃" => many(&format!("MCX {y}V{bottom}"), 2.4, ""),
        "┆" => many(&format!("MCX {y}V{bottom}"), 1.2, " stroke-dasharray=\"3 3\""),
        "┌" | "╭" => many(&format!("MRX {cy}HCXV{bottom}"), 1.2, ""),
        "┐" | "╮" => many(&format!("MLX {cy}HCXV{bottom}"), 1.2, ""),
        "└" | "╰" => many(&format!("MRX {cy}HCXV{y}"), 1.2, ""),
        "┘" | "╯" => many(&format!("MLX {cy}HCXV{y}"), 1.2, ""),
        "├" => many(&format!("MCX {y}V{bottom}MCX {cy}HRX"), 1.2, ""),
        "┤" => many(&format!("MCX {y}V{bottom}MCX {cy}HLX"), 1.2, ""),
        "┬" => many(&format!("MLX {cy}HRXMCX {cy}V{bottom}"), 1.2, ""),
        "┴" => many(&format!("MLX {cy}HRXMCX {cy}V{y}"), 1.2, ""),
        "┼" => many(&format!("MLX {cy}HRXMCX {y}V{bottom}"), 1.2, ""),
        _ => None,
    }
}
