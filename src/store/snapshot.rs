//! Snapshots: the state at a position, kept so that it need not be folded again.
//!
//! Lives here: [`Snapshot`], its text form with a digest of its own, and which ones to let go.
//! May not live here: files (see [`super::local`]), or folding.

use std::io::{self, Read};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::model::{Timestamp, Value, ids};

/// What the text of a file begins with: the digest of the rest, so many bytes, follows.
const HEAD: &[u8] = b"{\"digest\":\"";
const DIGEST: usize = "sha256:".len() + 64;

/// The versions that a snapshot must have to be of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// The version of the state's schema.
    pub state_schema: u32,
    /// The version of the fold that made the state.
    pub fold: u32,
}

/// The bytes of a log that a snapshot stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogAnchor {
    /// How many bytes the issue's log has up to the snapshot, over all partitions.
    pub log_bytes: u64,
    /// SHA-256 (hex) of the hash (as hex) at the last place in `chain`, and the bytes after it; of
    /// the bytes alone where the chain is empty.
    pub log_hash: String,
    /// Where the hashes of the snapshots before were made, the earliest first: whoever has the
    /// log can make this hash of it, whether or not those snapshots are still there.
    pub chain: Vec<u64>,
}

/// The signed log of the store, as it was when a snapshot was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedLog {
    /// How many events it signs.
    pub size: u64,
    /// The root of their tree, as base64.
    pub root: String,
}

/// The state of an issue at a position of its log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The issue.
    pub issue_key: String,
    /// The position of the last event that is in it.
    pub position: u64,
    /// That event's sequence number; its position where it has none.
    pub event_sequence: u64,
    /// The running maximum of the time up to it.
    pub timestamp: Timestamp,
    /// The versions it was made with.
    #[serde(flatten)]
    pub versions: Versions,
    /// What it stands for.
    #[serde(flatten)]
    pub anchor: LogAnchor,
    /// The last checkpoint, where the store has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<SignedLog>,
    /// SHA-256 of the state's compact JSON with sorted keys, as `sha256:` and hex.
    pub state_digest: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// The state.
    pub state: Value,
}

impl Snapshot {
    /// The text of its file: one line of JSON that begins with a digest of the rest.
    #[must_use]
    pub fn to_text(&self) -> String {
        // Serialising to memory cannot fail: all keys are strings.
        let body = serde_json::to_string(self).unwrap_or_default();
        let digest = ids::sha256_text(body.as_bytes());
        format!("{{\"digest\":\"{digest}\",{}\n", body.get(1..).unwrap_or_default())
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// Why it is not to be believed: no snapshot, or a digest that does not fit.
    pub fn parse(text: impl Read) -> Result<Self, String> {
        let mut text = io::BufReader::with_capacity(1 << 16, text);
        let mut head = [0; HEAD.len() + DIGEST + 2];
        text.read_exact(&mut head).map_err(|e| format!("it is damaged: {e}"))?;
        let digest = head.strip_prefix(HEAD).and_then(|rest| rest.strip_suffix(b"\","));
        let Some(digest) = digest else {
            return Err("not a snapshot: it does not begin with its digest".to_owned());
        };
        let mut body = Hashed { inner: b"{".chain(text), hash: Sha256::new(), held: false };
        let snapshot: Self =
            serde_json::from_reader(io::BufReader::with_capacity(1 << 14, &mut body)).map_err(
                |e| match e.is_io() || e.is_eof() {
                    true => format!("it is damaged: {e}"),
                    false => format!("not a snapshot: {e}"),
                },
            )?;
        if format!("sha256:{}", ids::hex(&body.hash.finalize())).as_bytes() != digest {
            return Err("its digest does not fit".to_owned());
        }
        if ids::sha256_json(&snapshot.state) != snapshot.state_digest {
            return Err("the digest of its state does not fit".to_owned());
        }
        Ok(snapshot)
    }
}

/// Hashes what is read of it, but for a line feed at the end.
struct Hashed<R> {
    inner: R,
    hash: Sha256,
    /// Whether a line feed was read that may be the last.
    held: bool,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(room)?;
        let Some((last, before)) = room.get(..got).and_then(<[u8]>::split_last) else {
            return Ok(got);
        };
        if std::mem::replace(&mut self.held, *last == b'\n') {
            self.hash.update(b"\n");
        }
        self.hash.update(before);
        if !self.held {
            self.hash.update([*last]);
        }
        Ok(got)
    }
}

/// Which snapshots are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// So many of the newest of each issue are kept in any case.
    pub newest: usize,
    /// Older ones are kept while they are younger than so many days.
    pub days: i64,
}

impl Retention {
    /// Which of an issue's snapshots, given as their times of making, newest position first, are
    /// to be let go at `now`.
    #[must_use]
    pub fn expired(&self, made: &[Timestamp], now: Timestamp) -> Vec<bool> {
        let limit = self.days.saturating_mul(crate::model::time::DAY_MS);
        made.iter()
            .enumerate()
            .map(|(n, at)| n >= self.newest && now.millis().saturating_sub(at.millis()) > limit)
            .collect()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn sample(key: &str, position: u64) -> Snapshot {
        let state: Value =
            serde_json::from_str(r#"{"b":[1,18446744073709551615],"a":1.5}"#).unwrap();
        Snapshot {
            issue_key: key.to_owned(),
            position,
            event_sequence: position,
            timestamp: Timestamp::from_millis(1_700_000_000_000),
            versions: Versions { state_schema: 1, fold: 1 },
            anchor: LogAnchor { log_bytes: 10, log_hash: "00".into(), chain: vec![4] },
            signed: Some(SignedLog { size: 3, root: "x".into() }),
            state_digest: ids::sha256_text(state.to_json().as_bytes()),
            created_at: Timestamp::from_millis(1_700_000_000_000),
            state,
        }
    }

    #[test]
    fn text_and_back_and_any_flipped_bit_is_noticed() {
        let snapshot = sample("P-1", 7);
        let text = snapshot.to_text().into_bytes();
        assert_eq!(Snapshot::parse(&text[..]).unwrap(), snapshot);
        for at in 0..text.len() - 1 {
            let mut damaged = text.clone();
            damaged[at] ^= 1;
            assert!(Snapshot::parse(&damaged[..]).is_err(), "byte {at}");
        }
        let mut other = sample("P-1", 7);
        other.state = Value::Null;
        assert!(Snapshot::parse(other.to_text().as_bytes()).unwrap_err().contains("state"));
    }

    #[test]
    fn the_newest_are_kept_whatever_their_age() {
        let day = |n: i64| Timestamp::from_millis(n * crate::model::time::DAY_MS);
        let retention = Retention { newest: 2, days: 30 };
        let made = [day(10), day(9), day(80), day(8)];
        assert_eq!(retention.expired(&made, day(100)), [false, false, false, true]);
    }
}
