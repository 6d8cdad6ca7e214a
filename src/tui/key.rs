//! Keys of a keyboard and their text form.
//!
//! Lives here: [`Key`], sequences of keys, reading and showing them. May not live here: what keys do
//! (see [`super::keymap`]).

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// One key with its modifiers, in one normal form: letters carry their case, never a shift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    code: KeyCode,
    modifiers: KeyModifiers,
}

/// The names of keys that are no character.
const NAMED: &[(&str, KeyCode)] = &[
    ("backspace", KeyCode::Backspace),
    ("enter", KeyCode::Enter),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pageup", KeyCode::PageUp),
    ("pagedown", KeyCode::PageDown),
    ("tab", KeyCode::Tab),
    ("delete", KeyCode::Delete),
    ("insert", KeyCode::Insert),
    ("esc", KeyCode::Esc),
    ("space", KeyCode::Char(' ')),
];

/// What people read for some keys: shorter than the name, and plain where plain signs are wanted.
const SIGNS: &[(&str, &str)] = &[
    ("left", "←"),
    ("right", "→"),
    ("up", "↑"),
    ("down", "↓"),
    ("pageup", "PgUp"),
    ("pagedown", "PgDn"),
    ("enter", "Enter"),
];

impl Key {
    /// The key of a terminal's event.
    #[must_use]
    pub fn of(event: KeyEvent) -> Self {
        let mods = KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT;
        Self { code: event.code, modifiers: event.modifiers & mods }.normal()
    }

    /// The event of a terminal that this key stands for.
    #[must_use]
    pub fn event(self) -> KeyEvent {
        KeyEvent::new(self.code, self.modifiers)
    }

    /// A key without modifiers.
    #[must_use]
    pub fn plain(code: KeyCode) -> Self {
        Self { code, modifiers: KeyModifiers::NONE }.normal()
    }

    fn normal(mut self) -> Self {
        match self.code {
            KeyCode::BackTab => {
                self.code = KeyCode::Tab;
                self.modifiers |= KeyModifiers::SHIFT;
            }
            KeyCode::Char(c) => {
                self.modifiers -= KeyModifiers::SHIFT;
                if self.modifiers.contains(KeyModifiers::CONTROL) {
                    self.code = KeyCode::Char(c.to_ascii_lowercase());
                }
            }
            _ => {}
        }
        self
    }

    /// Reads a key: `l`, `G`, `ctrl-o`, `shift-tab`, `space`, `f1`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut modifiers = KeyModifiers::NONE;
        let mut name = text;
        while let Some((prefix, rest)) = name.split_once('-').filter(|(_, rest)| !rest.is_empty()) {
            modifiers |= match prefix {
                "ctrl" => KeyModifiers::CONTROL,
                "alt" => KeyModifiers::ALT,
                "shift" => KeyModifiers::SHIFT,
                _ => return None,
            };
            name = rest;
        }
        let mut chars = name.chars();
        let code = match (chars.next(), chars.next()) {
            (Some(c), None) => KeyCode::Char(c),
            _ => match NAMED.iter().find(|(n, _)| *n == name) {
                Some((_, code)) => *code,
                None => {
                    let number = name.strip_prefix('f')?.parse::<u8>().ok()?;
                    KeyCode::F((1..=24).contains(&number).then_some(number)?)
                }
            },
        };
        Some(Self { code, modifiers }.normal())
    }

    /// The digit, if it is one without modifiers.
    #[must_use]
    pub fn digit(self) -> Option<u32> {
        match self.code {
            KeyCode::Char(c) if self.modifiers.is_empty() => c.to_digit(10),
            _ => None,
        }
    }

    /// The character, if it is one without control or alt.
    #[must_use]
    pub fn character(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if self.modifiers.is_empty() => Some(c),
            _ => None,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (modifier, name) in [
            (KeyModifiers::CONTROL, "ctrl-"),
            (KeyModifiers::ALT, "alt-"),
            (KeyModifiers::SHIFT, "shift-"),
        ] {
            if self.modifiers.contains(modifier) {
                f.write_str(name)?;
            }
        }
        if let Some((name, _)) = NAMED.iter().find(|(_, code)| *code == self.code) {
            return f.write_str(name);
        }
        match self.code {
            KeyCode::Char(c) => write!(f, "{c}"),
            KeyCode::F(n) => write!(f, "f{n}"),
            other => write!(f, "{other}"),
        }
    }
}

/// Keys that are pressed one after the other.
pub type Sequence = Vec<Key>;

/// Reads keys that are pressed one after the other, parted by blanks.
#[must_use]
pub fn parse_sequence(text: &str) -> Option<Sequence> {
    let keys: Option<Sequence> = text.split_whitespace().map(Key::parse).collect();
    keys.filter(|keys| !keys.is_empty())
}

/// A sequence as people read it: `g g`, `ctrl-o`, and arrows for arrows; their names where signs
/// must be plain, as `>` is a key of its own.
#[must_use]
pub fn sequence_text(keys: &[Key], ascii: bool) -> String {
    let mut out = String::new();
    for key in keys {
        let name = key.to_string();
        let base = name.rsplit_once('-').filter(|(_, b)| !b.is_empty());
        let (prefix, base) = base.map_or(("", name.as_str()), |(p, b)| (&name[..=p.len()], b));
        let known = SIGNS.iter().find(|(name, sign)| *name == base && (!ascii || sign.is_ascii()));
        let sign = known.map_or(base, |(_, sign)| sign);
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(prefix);
        out.push_str(sign);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_one_normal_form() {
        let shifted = KeyEvent::new(KeyCode::Char('G'), KeyModifiers::SHIFT);
        assert_eq!(Key::of(shifted), Key::parse("G").unwrap());
        let back_tab = KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT);
        assert_eq!(Key::of(back_tab), Key::parse("shift-tab").unwrap());
        let ctrl = KeyEvent::new(KeyCode::Char('O'), KeyModifiers::CONTROL);
        assert_eq!(Key::of(ctrl), Key::parse("ctrl-o").unwrap());
        assert_eq!(Key::parse("-").unwrap().to_string(), "-");
        for wrong in ["", "hyper-x", "f0", "f99", "ll"] {
            assert_eq!(Key::parse(wrong), None, "{wrong}");
        }
    }
}
