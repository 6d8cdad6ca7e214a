//! The store's own key: made when the first checkpoint is signed, readable by its owner alone.
//!
//! Lives here: where keys are kept. May not live here: signing (see [`super::note`]).

use std::path::Path;

use super::note::{Signer, Verifier};
use crate::error::{Error, ErrorKind, Result};
use crate::store::local::io::{read_if_there, replace};

/// The file with the private key.
pub(crate) const FILE: &str = "key";
/// The file with the public key, in the form that others take.
pub(crate) const PUBLIC: &str = "key.pub";

/// The key of a log; a new one where it has none and may.
///
/// # Errors
/// Integrity, when it is damaged, or gone although something was signed with it; unavailable,
/// when it cannot be read or made.
pub(crate) fn obtain(log: &Path, may_make: bool) -> Result<Signer> {
    let path = log.join(FILE);
    let fault = |what: &str| {
        Error::new(ErrorKind::Integrity, format!("{} {what}", path.display())).with_hint(format!(
            "put back a copy of it; or move {} away, to begin a signed history anew",
            log.display()
        ))
    };
    if let Some(bytes) = read_if_there(&path)? {
        let text = String::from_utf8_lossy(&bytes);
        return Signer::parse(&text).ok_or_else(|| fault("is no private key"));
    }
    if !may_make {
        return Err(fault("is gone, although checkpoints were signed with it"));
    }
    let mut seed = [0; 32];
    crate::model::ids::random(&mut seed)
        .map_err(|e| Error::new(ErrorKind::Unavailable, format!("no random bytes: {e}")))?;
    let signer = Signer::new(&seed);
    replace(&path, format!("{}\n", signer.text()).as_bytes(), true)?;
    replace(&log.join(PUBLIC), format!("{}\n", signer.verifier().text()).as_bytes(), true)?;
    Ok(signer)
}

/// The key that a log's checkpoints are checked with: of the private key, or where that is not at
/// hand, the public one. Else why there is none.
pub(crate) fn verifier(log: &Path) -> Result<Verifier, String> {
    let read = |name: &str| match read_if_there(&log.join(name)) {
        Ok(bytes) => bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        Err(_) => None,
    };
    if let Some(text) = read(FILE) {
        return Signer::parse(&text).map(|s| s.verifier()).ok_or("it is no private key".into());
    }
    let text = read(PUBLIC).ok_or("there is no key")?;
    Verifier::parse(&text).ok_or_else(|| "it is no public key".into())
}

/// Whether others than the owner may read the private key.
pub(crate) fn is_exposed(log: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        std::fs::metadata(log.join(FILE)).is_ok_and(|key| key.mode() & 0o077 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = log;
        false
    }
}
