//! Where one JSON value ends, told byte by byte and as soon as it cannot end well any more.
//!
//! Lives here: [`Grammar`], a pushdown automaton over bytes. May not live here: what a value
//! holds, or where the bytes come from. Numbers and words are taken loosely: who parses the value
//! afterwards checks them.

/// What a run over some bytes came to. Places count from the beginning of those bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The value goes on.
    More,
    /// The value ends before this place.
    End(usize),
    /// The byte at this place cannot stand there.
    Bad(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Value,
    ItemOrEnd,
    KeyOrEnd,
    Key,
    Colon,
    CommaOrEnd,
    Text { key: bool },
    Escape { key: bool },
    Bare,
}

/// Deeper values than this are refused: no reader of JSON takes them.
const MAX_DEPTH: usize = 1024;

/// Reads one value, over as many runs as its bytes come in.
#[derive(Debug)]
pub(super) struct Grammar {
    /// One entry per open container: whether it is an object.
    open: Vec<bool>,
    state: State,
}

impl Grammar {
    /// At the first byte of a value.
    pub(super) fn new() -> Self {
        Self { open: Vec::new(), state: State::Value }
    }

    /// Goes over the next bytes.
    pub(super) fn run(&mut self, bytes: &[u8]) -> Outcome {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            match self.state {
                State::Text { key } => {
                    match bytes[at..].iter().position(|b| matches!(b, b'"' | b'\\' | 0..=0x1f)) {
                        None => return Outcome::More,
                        Some(skip) => at += skip,
                    }
                    match bytes[at] {
                        b'\\' => self.state = State::Escape { key },
                        b'"' if key => self.state = State::Colon,
                        b'"' => {
                            if self.after_value() {
                                return Outcome::End(at + 1);
                            }
                        }
                        _ => return Outcome::Bad(at),
                    }
                }
                State::Escape { key } => self.state = State::Text { key },
                State::Bare
                    if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.') => {}
                State::Bare => {
                    if self.after_value() {
                        return Outcome::End(at);
                    }
                    continue;
                }
                _ if matches!(byte, b' ' | b'\t' | b'\r' | b'\n') => {}
                _ => match self.structural(byte) {
                    Some(false) => {}
                    Some(true) => return Outcome::End(at + 1),
                    None => return Outcome::Bad(at),
                },
            }
            at += 1;
        }
        Outcome::More
    }

    /// At the end of the input: whether a bare word or number just ended the value.
    pub(super) fn ends_here(&self) -> bool {
        self.state == State::Bare && self.open.is_empty()
    }

    /// A byte outside texts: whether it ends the value; none when it cannot stand here.
    fn structural(&mut self, byte: u8) -> Option<bool> {
        match (self.state, byte) {
            (State::ItemOrEnd, b']') | (State::KeyOrEnd, b'}') => return Some(self.close()),
            (State::CommaOrEnd, b']') if self.open.last() == Some(&false) => {
                return Some(self.close());
            }
            (State::CommaOrEnd, b'}') if self.open.last() == Some(&true) => {
                return Some(self.close());
            }
            (State::CommaOrEnd, b',') => {
                self.state = if *self.open.last()? { State::Key } else { State::Value };
            }
            (State::Colon, b':') => self.state = State::Value,
            (State::Key | State::KeyOrEnd, b'"') => self.state = State::Text { key: true },
            (State::Value | State::ItemOrEnd, _) => match byte {
                b'{' | b'[' if self.open.len() < MAX_DEPTH => {
                    self.open.push(byte == b'{');
                    self.state = if byte == b'{' { State::KeyOrEnd } else { State::ItemOrEnd };
                }
                b'"' => self.state = State::Text { key: false },
                b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => self.state = State::Bare,
                _ => return None,
            },
            _ => return None,
        }
        Some(false)
    }

    fn close(&mut self) -> bool {
        self.open.pop();
        self.after_value()
    }

    /// A value is complete: whether it is the outermost one.
    fn after_value(&mut self) -> bool {
        self.state = State::CommaOrEnd;
        self.open.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str) -> Outcome {
        Grammar::new().run(text.as_bytes())
    }

    #[test]
    fn values_end_where_they_end() {
        assert_eq!(run(r#"{"a":[1,{"b":"}]"}],"c":null} ,{"#), Outcome::End(29));
        assert_eq!(run("12.5e3,"), Outcome::End(6));
        assert_eq!(run(r#""a\"b" "#), Outcome::End(6));
        assert_eq!(run("[]]"), Outcome::End(2));
        assert_eq!(run(r#"{"a":1"#), Outcome::More);
        assert_eq!(run("12"), Outcome::More);
    }

    #[test]
    fn damage_is_told_at_its_first_byte() {
        assert_eq!(run("{\"a\":\"cu\n"), Outcome::Bad(8));
        assert_eq!(run(r#"{"a":1,{"#), Outcome::Bad(7));
        assert_eq!(run(r#"{"a":[1}"#), Outcome::Bad(7));
        assert_eq!(run(r#"{"a" 1}"#), Outcome::Bad(5));
        assert_eq!(run(r#"{"a":"x"y"#), Outcome::Bad(8));
        assert_eq!(run(&"[".repeat(MAX_DEPTH + 1)), Outcome::Bad(MAX_DEPTH));
    }

    proptest::proptest! {
        #[test]
        fn agrees_with_serde_in_any_pieces(text in r#"[\[\]{}",:a1 \\]{0,24}"#, cut in 0_usize..24) {
            let text = text.trim_start();
            let sound = serde_json::from_str::<serde_json::Value>(text).is_ok();
            let bytes = text.as_bytes();
            let cut = cut.min(bytes.len());
            let mut grammar = Grammar::new();
            let outcome = match grammar.run(&bytes[..cut]) {
                Outcome::More => match grammar.run(&bytes[cut..]) {
                    Outcome::End(at) => Outcome::End(at + cut),
                    Outcome::Bad(at) => Outcome::Bad(at + cut),
                    Outcome::More => Outcome::More,
                },
                other => other,
            };
            proptest::prop_assert_eq!(outcome, Grammar::new().run(bytes));
            if sound {
                let whole = matches!(outcome, Outcome::End(at) if text[at..].trim().is_empty())
                    || (outcome == Outcome::More && grammar.ends_here());
                proptest::prop_assert!(whole, "{text:?} {outcome:?}");
            }
        }
    }
}
