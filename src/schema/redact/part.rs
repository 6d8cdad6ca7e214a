//! What is shown of a text that is cut, without the secrets that the cut goes through.
//!
//! Lives here: [`Redactor::conceal_part`]. May not live here: where a text is cut.
//!
//! Half of a secret has no shape, and its name may stand before the cut. So secrets are looked for in
//! more of the text than is shown.

use std::ops::Range;

use super::find::Secret;
use super::{Mode, Redactor, marker};

/// The longest title of a block of PEM.
const LONGEST_TITLE: usize = 64;

impl Redactor {
    /// A part of a text, with a marker for each secret of the whole that reaches into it. Where it
    /// does not begin with the text, what is before the text is not known either: of a private key
    /// whose beginning is missing, everything up to its last line is taken for the key.
    #[must_use]
    pub fn conceal_part(&self, text: &str, part: Range<usize>) -> String {
        let mut secrets = match self.mode {
            Mode::Off => Vec::new(),
            Mode::Redact | Mode::Reject => self.secrets_of(text),
        };
        if self.mode != Mode::Off
            && part.start > 0
            && let Some(end) = end_of_headless_key(text)
        {
            secrets.retain(|secret| secret.range.end > end);
            let range = 0..secrets.first().map_or(end, |secret| secret.range.start.min(end));
            secrets.insert(0, Secret { range, name: "private-key" });
        }
        let (mut out, mut shown) = (String::new(), part.start);
        for Secret { range, name } in secrets {
            if range.end > part.start && range.start < part.end {
                out.push_str(text.get(shown..range.start).unwrap_or_default());
                out.push_str(&marker(name));
                shown = range.end;
            }
        }
        out.push_str(text.get(shown..part.end).unwrap_or_default());
        out
    }
}

/// Where a private key ends whose beginning is not in the text.
fn end_of_headless_key(text: &str) -> Option<usize> {
    const END: &str = "-----END ";
    text.match_indices(END).find_map(|(at, _)| {
        let title = &text[at + END.len()..];
        let title = &title[..title.find("-----")?];
        let is_key = title.len() <= LONGEST_TITLE && title.contains("PRIVATE KEY");
        let begin = format!("-----BEGIN {title}-----");
        let end = at + END.len() + title.len() + "-----".len();
        (is_key && !text[..at].contains(&begin)).then_some(end)
    })
}

#[cfg(test)]
mod tests {
    use super::super::support::secrets;
    use super::*;

    /// A key in PEM. (Put together, so that no scanner takes this file for a leak.)
    fn key() -> String {
        let lines: String = (0..20).map(|n| format!("MIIEvQ{n:058}\n")).collect();
        format!("-----BEGIN {0}-----\n{lines}-----END {0}-----", "PRIVATE KEY")
    }

    #[test]
    fn a_secret_is_known_wherever_the_cut_goes_through_it() {
        let redactor = Redactor::DEFAULT;
        for (secret, name) in secrets().into_iter().chain([(key(), "private-key")]) {
            let text = format!("first {secret} last");
            let whole = redactor.conceal(&text).into_owned();
            let at = whole.find(&marker(name)).unwrap_or_else(|| panic!("{whole}"));
            let tail = &whole[at..];
            let end = text.len() - (tail.len() - marker(name).len());
            for cut in at + 1..end {
                assert_eq!(redactor.conceal_part(&text, cut..text.len()), tail, "{cut} of {text}");
                let head = redactor.conceal_part(&text, 0..cut);
                assert_eq!(head, whole[..at + marker(name).len()], "{cut} of {text}");
            }
            assert_eq!(redactor.conceal_part(&text, 0..text.len()), whole);
            assert_eq!(redactor.conceal_part(&text, 0..6), "first ");
            assert_eq!(redactor.conceal_part(&text, text.len() - 5..text.len()), " last");
        }
    }

    #[test]
    fn of_a_key_without_its_beginning_nothing_is_shown() {
        let redactor = Redactor::DEFAULT;
        let key = key();
        for gone in [1, 30, 200, key.len() - 60] {
            let text = format!("{} and then token=aB3dE5gH7jK9mN1pQ2r", &key[gone..]);
            let shown = redactor.conceal_part(&text, 1..text.len());
            assert_eq!(shown, "[redacted:private-key] and then token=[redacted:secret]");
        }
        // What is behind it stands, and what only looks like it.
        let text = format!("x {key} y -----END CERTIFICATE-----");
        let shown = redactor.conceal_part(&text, 1..text.len());
        assert_eq!(shown, " [redacted:private-key] y -----END CERTIFICATE-----");
        let off = Redactor::new(Mode::Off, &[]).unwrap();
        assert_eq!(off.conceal_part(&key, 30..key.len()), key[30..]);
    }
}
