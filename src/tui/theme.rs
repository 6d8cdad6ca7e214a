//! How things look, by meaning: a style for every [`Role`], a sign for every [`Glyph`].
//!
//! Lives here: the theme files, which of them a terminal gets, and their reading. May not live
//! here: which part of the screen has which meaning; the views say so.

mod color;
mod glyph;
mod role;

use std::collections::BTreeMap;

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

use crate::error::{Error, Result};

pub use color::Depth;
pub use glyph::{Glyph, bars};
pub use role::Role;

/// The themes that come with the program: name and file.
const BUILT_IN: [(&str, &str); 4] = [
    ("dark", include_str!("../../assets/themes/dark.toml")),
    ("light", include_str!("../../assets/themes/light.toml")),
    ("ansi16", include_str!("../../assets/themes/ansi16.toml")),
    ("none", include_str!("../../assets/themes/none.toml")),
];

/// What decides the look: what the user asked for and what the terminal can do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wish {
    /// A built-in theme's name or the path of a theme file; none lets the terminal decide.
    pub theme: Option<String>,
    /// Plain signs.
    pub ascii: bool,
    /// `NO_COLOR` is set and not empty, or colour was refused by flag.
    pub no_color: bool,
    /// `$COLORTERM`; empty when not set.
    pub colorterm: String,
    /// `$TERM`; empty when not set.
    pub term: String,
    /// `$COLORFGBG`; empty when not set.
    pub colorfgbg: String,
}

impl Wish {
    /// Reads the environment, for a theme and signs that were asked for.
    #[must_use]
    pub fn from_environment(theme: Option<String>, ascii: bool) -> Self {
        let text = |name| std::env::var(name).unwrap_or_default();
        Self {
            theme,
            ascii,
            no_color: !text("NO_COLOR").is_empty(),
            colorterm: text("COLORTERM"),
            term: text("TERM"),
            colorfgbg: text("COLORFGBG"),
        }
    }

    /// How many colours the terminal shows, as far as it says.
    #[must_use]
    pub fn depth(&self) -> Depth {
        if self.no_color || self.term == "dumb" {
            Depth::None
        } else if matches!(self.colorterm.as_str(), "truecolor" | "24bit")
            || self.term.ends_with("-direct")
        {
            Depth::True
        } else if self.term.contains("256") {
            Depth::Indexed
        } else {
            Depth::Ansi16
        }
    }

    /// Whether the terminal says that its background is light: the last of `COLORFGBG`'s numbers.
    fn is_light(&self) -> bool {
        let ground = self.colorfgbg.rsplit(';').next().and_then(|n| n.parse::<u8>().ok());
        matches!(ground, Some(7 | 9..=15))
    }
}

/// A theme file as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    name: String,
    /// The built-in theme that gives what this one leaves out.
    base: Option<String>,
    depth: Option<String>,
    #[serde(default)]
    colors: BTreeMap<String, String>,
    #[serde(default)]
    styles: BTreeMap<String, String>,
    #[serde(default)]
    lanes: LaneColors,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LaneColors {
    #[serde(default)]
    phases: Vec<String>,
    #[serde(default)]
    agents: Vec<String>,
}

/// A look: a style for every meaning, in the colours that the terminal can show.
#[derive(Debug, Clone, PartialEq)]
pub struct Theme {
    name: String,
    depth: Depth,
    ascii: bool,
    styles: Vec<Style>,
    phases: Vec<Style>,
    agents: Vec<Style>,
}

impl Theme {
    /// The theme that was asked for, or that fits the terminal.
    ///
    /// # Errors
    /// Not found, when there is no theme or file of that name; usage, when the file is not a theme.
    pub fn choose(wish: &Wish) -> Result<Self> {
        let depth = wish.depth();
        let name = match (&wish.theme, depth) {
            (_, Depth::None) => "none",
            (Some(name), _) if name == "16" => "ansi16",
            (Some(name), _) => name,
            (None, Depth::Ansi16) => "ansi16",
            (None, _) if wish.is_light() => "light",
            (None, _) => "dark",
        };
        let mut theme = match BUILT_IN.iter().find(|(known, _)| *known == name) {
            Some((name, text)) => Self::parse(name, text)?,
            None => Self::parse(name, &read_file(name)?)?,
        };
        // A terminal that does not say what it can do gets what the user asked for, in 256 colours.
        let depth = if depth == Depth::Ansi16 { Depth::Indexed } else { depth };
        theme.reduce(depth);
        theme.ascii = wish.ascii;
        Ok(theme)
    }

    /// The built-in theme of this name with 24-bit colours where it has them; the dark one for
    /// other names.
    #[must_use]
    pub fn built_in(name: &str) -> Self {
        let (name, text) =
            BUILT_IN.iter().find(|(known, _)| *known == name).unwrap_or(&BUILT_IN[0]);
        // The files are part of the program, and a test reads them all.
        Self::parse(name, text).unwrap_or_else(|_| Self::plain())
    }

    /// No colour and no emphasis at all.
    fn plain() -> Self {
        Self {
            name: "none".into(),
            depth: Depth::None,
            ascii: false,
            styles: vec![Style::new(); Role::ALL.len()],
            phases: vec![Style::new()],
            agents: vec![Style::new()],
        }
    }

    /// The names of the built-in themes.
    #[must_use]
    pub fn names() -> [&'static str; 4] {
        BUILT_IN.map(|(name, _)| name)
    }

    /// Reads a theme file; `origin` names it in errors.
    ///
    /// # Errors
    /// Usage, naming the place and what is wrong there.
    pub fn parse(origin: &str, text: &str) -> Result<Self> {
        let file: File = toml::from_str(text)
            .map_err(|fault| Error::usage(format!("theme {origin}: {}", fault.message())))?;
        let known = BUILT_IN.iter().any(|(name, built_in)| *name == origin && *built_in == text);
        let mut theme = match &file.base {
            Some(base) if !known => match BUILT_IN.iter().find(|(name, _)| name == base) {
                Some((name, text)) => Self::parse(name, text)?,
                None => {
                    return Err(Error::usage(format!(
                        "theme {origin}: no theme {base:?} to build on"
                    ))
                    .with_hint(format!("the built-in themes are {}", Self::names().join(", "))));
                }
            },
            None if !known => Self::built_in("dark"),
            _ => Self::plain(),
        };
        theme.apply(origin, &file)?;
        Ok(theme)
    }

    fn apply(&mut self, origin: &str, file: &File) -> Result<()> {
        if !file.name.is_empty() {
            self.name.clone_from(&file.name);
        }
        self.depth = match file.depth.as_deref() {
            None => self.depth,
            Some("none") => Depth::None,
            Some("16") => Depth::Ansi16,
            Some("truecolor") => Depth::True,
            Some(other) => {
                return Err(Error::usage(format!("theme {origin}: depth {other:?}"))
                    .with_hint("depth is none, 16 or truecolor"));
            }
        };
        let style = |place: &str, text: &str| {
            parse_style(text, &file.colors).map_err(|word| {
                Error::usage(format!("theme {origin}: {place}: {word:?} is no colour or emphasis"))
            })
        };
        for (name, text) in &file.styles {
            let role = Role::from_name(name).ok_or_else(|| {
                let names: Vec<&str> = Role::ALL.iter().map(|r| r.name()).collect();
                Error::usage(format!("theme {origin}: nothing is called {name:?}"))
                    .with_hint(format!("styles are given to {}", names.join(", ")))
            })?;
            if let Some(slot) = self.styles.get_mut(role as usize) {
                *slot = style(name, text)?;
            }
        }
        for (list, texts, name) in [
            (&mut self.phases, &file.lanes.phases, "lanes.phases"),
            (&mut self.agents, &file.lanes.agents, "lanes.agents"),
        ] {
            if !texts.is_empty() {
                *list = texts.iter().map(|text| style(name, text)).collect::<Result<_>>()?;
            }
        }
        Ok(())
    }

    fn reduce(&mut self, depth: Depth) {
        self.depth = self.depth.min(depth);
        let depth = self.depth;
        let all = self.styles.iter_mut().chain(&mut self.phases).chain(&mut self.agents);
        for style in all {
            style.fg = style.fg.map(|c| color::reduce(c, depth));
            style.bg = style.bg.map(|c| color::reduce(c, depth));
        }
    }

    /// The theme's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether signs are plain.
    #[must_use]
    pub fn is_ascii(&self) -> bool {
        self.ascii
    }

    /// The same look with plain signs, or without.
    #[must_use]
    pub fn with_ascii(mut self, ascii: bool) -> Self {
        self.ascii = ascii;
        self
    }

    /// The style of a meaning.
    #[must_use]
    pub fn style(&self, role: Role) -> Style {
        self.styles.get(role as usize).copied().unwrap_or_default()
    }

    /// The sign of a meaning.
    #[must_use]
    pub fn glyph(&self, glyph: Glyph) -> &'static str {
        if self.ascii { glyph.ascii() } else { glyph.unicode() }
    }

    /// Eight heights of a bar.
    #[must_use]
    pub fn bars(&self) -> [&'static str; 8] {
        bars(self.ascii)
    }

    /// Gives every sign of a drawn screen its plain variant, where plain signs were asked for:
    /// those of frames, and those in words (`…`, `→`), wherever they come from. Letters stay.
    pub fn finish(&self, buffer: &mut Buffer) {
        if !self.ascii {
            return;
        }
        for cell in buffer.content.iter_mut().filter(|cell| !cell.symbol().is_ascii()) {
            if let Some(plain) = glyph::plain(cell.symbol()) {
                cell.set_symbol(plain);
            }
        }
    }

    /// The colour of a phase: the well-known phases in their usual order, others by name.
    #[must_use]
    pub fn phase(&self, name: &str) -> Style {
        const USUAL: [&str; 6] = ["EXPLORE", "PLAN", "CODE", "TEST", "FIX", "DOCUMENT"];
        let index = USUAL.iter().position(|usual| *usual == name);
        pick(&self.phases, index.unwrap_or_else(|| spread(name)))
    }

    /// The colour of an agent: by its place in the order of first runs.
    #[must_use]
    pub fn agent(&self, index: usize) -> Style {
        pick(&self.agents, index)
    }

    /// The same colour as a block: on a tint of itself where the terminal can mix colours,
    /// else as it is.
    #[must_use]
    pub fn block(&self, style: Style, part: u16) -> Style {
        let ground = self.style(Role::Text).bg;
        match (style.fg.and_then(color::rgb), ground.and_then(color::rgb)) {
            (Some(color), Some(ground)) => style.bg(color::mix(color, ground, part)),
            _ => style,
        }
    }
}

fn pick(list: &[Style], index: usize) -> Style {
    index.checked_rem(list.len()).and_then(|at| list.get(at)).copied().unwrap_or_default()
}

/// A number that is always the same for a name (FNV-1a), so that colours stay across runs.
fn spread(name: &str) -> usize {
    let hash =
        name.bytes().fold(0x811c_9dc5_u32, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193));
    hash as usize
}

fn read_file(name: &str) -> Result<String> {
    let path = std::path::Path::new(name);
    let hint = || {
        format!("the built-in themes are {}; anything else is a file", Theme::names().join(", "))
    };
    std::fs::read_to_string(path)
        .map_err(|fault| Error::not_found(format!("no theme {name:?}: {fault}")).with_hint(hint()))
}

/// Reads a style's words.
///
/// # Errors
/// The word that is neither a colour nor an emphasis.
fn parse_style<'a>(text: &'a str, colors: &BTreeMap<String, String>) -> Result<Style, &'a str> {
    let mut style = Style::new();
    let mut on = false;
    for word in text.split_whitespace() {
        // A theme's own name for a colour goes before an emphasis of the same name (`dim`).
        if let Some(color) = color::parse(colors.get(word).map_or(word, String::as_str)) {
            let slot = if on { &mut style.bg } else { &mut style.fg };
            *slot = Some(color);
            on = false;
            continue;
        }
        match word {
            "on" => on = true,
            _ => style = style.add_modifier(emphasis(word).ok_or(word)?),
        }
    }
    if on { Err("on") } else { Ok(style) }
}

fn emphasis(word: &str) -> Option<Modifier> {
    Some(match word {
        "bold" => Modifier::BOLD,
        "dim" => Modifier::DIM,
        "italic" => Modifier::ITALIC,
        "underline" => Modifier::UNDERLINED,
        "reverse" => Modifier::REVERSED,
        "crossed" => Modifier::CROSSED_OUT,
        _ => return None,
    })
}

/// The colour that a style's text has where it names none: that of the terminal.
#[must_use]
pub fn is_default(color: Option<Color>) -> bool {
    matches!(color, None | Some(Color::Reset))
}

#[cfg(test)]
mod tests;
