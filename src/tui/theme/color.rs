//! Colours in numbers: reading them, mixing them, measuring their contrast, and saying them to
//! terminals that know fewer.
//!
//! Lives here: arithmetic of colours. May not live here: which colour means what.

use ratatui::style::Color;

/// How many colours a terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// None: bold, reverse and underline only.
    None,
    /// The sixteen that the user's terminal theme defines.
    Ansi16,
    /// xterm's 256.
    Indexed,
    /// 24 bits.
    True,
}

/// Red, green and blue.
pub(super) type Rgb = (u8, u8, u8);

/// The colour that a theme file writes: `#rrggbb`, one of the sixteen by name, or `default`.
pub(super) fn parse(word: &str) -> Option<Color> {
    if let Some(hex) = word.strip_prefix('#') {
        if hex.len() != 6 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let part = |at: usize| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
        return Some(Color::Rgb(part(0)?, part(2)?, part(4)?));
    }
    Some(match word {
        "default" => Color::Reset,
        "black" => Color::Black,
        "red" => Color::Red,
        "green" => Color::Green,
        "yellow" => Color::Yellow,
        "blue" => Color::Blue,
        "magenta" => Color::Magenta,
        "cyan" => Color::Cyan,
        "white" => Color::Gray,
        "bright-black" => Color::DarkGray,
        "bright-red" => Color::LightRed,
        "bright-green" => Color::LightGreen,
        "bright-yellow" => Color::LightYellow,
        "bright-blue" => Color::LightBlue,
        "bright-magenta" => Color::LightMagenta,
        "bright-cyan" => Color::LightCyan,
        "bright-white" => Color::White,
        _ => return None,
    })
}

/// The numbers of a 24-bit colour; none of the others, which only the terminal knows.
pub(super) fn rgb(color: Color) -> Option<Rgb> {
    match color {
        Color::Rgb(r, g, b) => Some((r, g, b)),
        _ => None,
    }
}

/// `part` hundredths of `color` on `ground`.
pub(super) fn mix(color: Rgb, ground: Rgb, part: u16) -> Color {
    let one = |a: u8, b: u8| {
        let sum = u16::from(a) * part + u16::from(b) * (100 - part.min(100));
        u8::try_from(sum / 100).unwrap_or(u8::MAX)
    };
    Color::Rgb(one(color.0, ground.0), one(color.1, ground.1), one(color.2, ground.2))
}

/// The nearest that a terminal of this depth can show. Themes of sixteen colours are written as
/// such, so a 24-bit colour is never forced into them.
pub(super) fn reduce(color: Color, depth: Depth) -> Color {
    match (color, depth) {
        (_, Depth::None) => Color::Reset,
        (Color::Rgb(r, g, b), Depth::Indexed) => Color::Indexed(nearest_indexed((r, g, b))),
        (color, _) => color,
    }
}

/// The steps of the 6×6×6 cube of xterm's colours.
const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];

fn nearest_indexed(color: Rgb) -> u8 {
    let step = |v: u8| {
        let best = (0_u8..6).min_by_key(|i| STEPS[usize::from(*i)].abs_diff(v));
        best.unwrap_or_default()
    };
    let (r, g, b) = (step(color.0), step(color.1), step(color.2));
    let cube = (STEPS[usize::from(r)], STEPS[usize::from(g)], STEPS[usize::from(b)]);
    let mean = (u16::from(color.0) + u16::from(color.1) + u16::from(color.2)) / 3;
    let shade = u8::try_from((mean.max(8) - 8) / 10).unwrap_or(23).min(23);
    let level = 8 + shade * 10;
    if distance((level, level, level), color) < distance(cube, color) {
        232 + shade
    } else {
        16 + 36 * r + 6 * g + b
    }
}

fn distance(a: Rgb, b: Rgb) -> u32 {
    let square = |x: u8, y: u8| u32::from(x.abs_diff(y)).pow(2);
    square(a.0, b.0) + square(a.1, b.1) + square(a.2, b.2)
}

/// The contrast of two colours as WCAG 2 defines it: 1 to 21.
#[cfg(test)]
pub(super) fn contrast(a: Rgb, b: Rgb) -> f64 {
    let luminance = |(r, g, b): Rgb| {
        let channel = |v: u8| {
            let v = f64::from(v) / 255.0;
            if v <= 0.03928 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b)
    };
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_hex_and_names_only() {
        assert_eq!(parse("#0a10ff"), Some(Color::Rgb(10, 16, 255)));
        assert_eq!(parse("bright-black"), Some(Color::DarkGray));
        for bad in ["#12345", "#1234567", "#zzzzzz", "#+1+2+3", "#é1234", "teal", ""] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn finds_the_nearest_of_256() {
        for (color, index) in [
            ((0, 0, 0), 16),
            ((255, 255, 255), 231),
            ((255, 0, 0), 196),
            ((128, 128, 128), 244),
            ((18, 18, 18), 233),
            ((95, 135, 175), 67),
        ] {
            assert_eq!(nearest_indexed(color), index, "{color:?}");
        }
    }

    #[test]
    fn black_on_white_has_the_greatest_contrast() {
        assert!((contrast((0, 0, 0), (255, 255, 255)) - 21.0).abs() < 1e-9);
    }
}
