//! Signed notes, as C2SP's signed-note has them: a text, an empty line, signatures.
//!
//! Lives here: [`Verifier`], [`Signer`], writing and opening notes. May not live here: what the
//! text says (see [`super::checkpoint`]), where keys are kept (see [`super::key`]).

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use super::hashes::{from_base64, to_base64};

/// The byte that says that a key is one of Ed25519.
const ED25519: u8 = 1;
/// How signature lines begin: an em dash.
const DASH: &str = "\u{2014} ";
/// The beginning of a private key's text.
const PRIVATE: &str = "PRIVATE+KEY+";

/// A key that signatures are checked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verifier {
    name: String,
    key: VerifyingKey,
}

impl Verifier {
    /// Reads `name+hash+base64`, in which others pass such keys on.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (name, hash, key) = parts(text.trim_end())?;
        let key = VerifyingKey::from_bytes(&key).ok()?;
        let verifier = Self { name: name.to_owned(), key };
        (hash == format!("{:08x}", verifier.id())).then_some(verifier)
    }

    /// The name that its signatures bear.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The key as text.
    pub(crate) fn text(&self) -> String {
        let key = [&[ED25519][..], self.key.as_bytes()].concat();
        format!("{}+{:08x}+{}", self.name, self.id(), to_base64(&key))
    }

    fn id(&self) -> u32 {
        let hash = Sha256::new()
            .chain_update(&self.name)
            .chain_update([b'\n', ED25519])
            .chain_update(self.key.as_bytes())
            .finalize();
        u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])
    }

    /// The text of a note that this key signed; else why it is not to be believed.
    pub(crate) fn open<'a>(&self, note: &'a str) -> Result<&'a str, String> {
        let (text, lines) = parse(note).ok_or("it is no signed note")?;
        let mut good = false;
        for (_, _, signature) in
            lines.iter().filter(|(name, id, _)| *name == self.name && *id == self.id())
        {
            let signature = Signature::from_slice(signature).ok();
            let holds = |s| self.key.verify_strict(text.as_bytes(), &s).is_ok();
            if !signature.is_some_and(holds) {
                return Err(format!("the signature of {} does not fit it", self.name));
            }
            good = true;
        }
        if good { Ok(text) } else { Err(format!("it is not signed by {}", self.text())) }
    }
}

/// A key that signs.
pub(crate) struct Signer {
    name: String,
    key: SigningKey,
}

impl Signer {
    /// The key that comes of 32 random bytes, named after itself.
    pub(crate) fn new(seed: &[u8; 32]) -> Self {
        let key = SigningKey::from_bytes(seed);
        let hash = Sha256::digest(key.verifying_key().as_bytes());
        let id: String = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        Self { name: format!("chronoscope/{id}"), key }
    }

    /// Reads the text of a private key.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (name, hash, seed) = parts(text.trim_end().strip_prefix(PRIVATE)?)?;
        let signer = Self { name: name.to_owned(), key: SigningKey::from_bytes(&seed) };
        (hash == format!("{:08x}", signer.verifier().id())).then_some(signer)
    }

    /// The private key as text.
    pub(crate) fn text(&self) -> String {
        let key = [&[ED25519][..], self.key.as_bytes()].concat();
        format!("{PRIVATE}{}+{:08x}+{}", self.name, self.verifier().id(), to_base64(&key))
    }

    /// The key that its signatures are checked with.
    pub(crate) fn verifier(&self) -> Verifier {
        Verifier { name: self.name.clone(), key: self.key.verifying_key() }
    }

    /// A note of this text, which ends with a line feed.
    pub(crate) fn sign(&self, text: &str) -> String {
        let signature = self.key.sign(text.as_bytes());
        let id = self.verifier().id().to_be_bytes();
        let signature = to_base64(&[&id[..], &signature.to_bytes()].concat());
        format!("{text}\n{DASH}{} {signature}\n", self.name)
    }
}

/// Name, hash and the 32 bytes of a key.
fn parts(text: &str) -> Option<(&str, &str, [u8; 32])> {
    let (name, rest) = text.split_once('+')?;
    let (hash, key) = rest.split_once('+')?;
    let key = from_base64(key)?;
    let (kind, key) = key.split_first()?;
    let named = !name.is_empty() && !name.contains(char::is_whitespace);
    (named && *kind == ED25519).then_some((name, hash, key.try_into().ok()?))
}

type Line<'a> = (&'a str, u32, Vec<u8>);

/// The text of a note and its signatures, checked for their form alone.
pub(crate) fn parse(note: &str) -> Option<(&str, Vec<Line<'_>>)> {
    if note.chars().any(|c| c < ' ' && c != '\n') {
        return None;
    }
    let at = note.rfind("\n\n")?;
    let (text, signatures) = (&note[..=at], note[at + 2..].strip_suffix('\n')?);
    let lines = signatures.split('\n').map(|line| {
        let (name, signature) = line.strip_prefix(DASH)?.split_once(' ')?;
        let bytes = from_base64(signature)?;
        let (id, signature) = bytes.split_first_chunk::<4>()?;
        let named = !name.is_empty() && !name.contains('+');
        named.then(|| (name, u32::from_be_bytes(*id), signature.to_vec()))
    });
    Some((text, lines.collect::<Option<Vec<_>>>()?))
}
