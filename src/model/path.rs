//! Places in the state tree, and their text form: JSON pointers (RFC 6901).
//!
//! Lives here: [`Path`]. May not live here: look-up in a tree (see [`crate::model::value`]).

use std::fmt;

use smallvec::SmallVec;

use super::value::Key;

/// The keys from the root to one value; empty for the root itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Path(SmallVec<[Key; 5]>);

/// A text that is no JSON pointer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a JSON pointer: it starts with \"/\", and ~ is written ~0, / in a key ~1")]
pub struct PathFault(pub String);

impl Path {
    /// The root.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// The path with these keys.
    pub fn of<K: Into<Key>>(keys: impl IntoIterator<Item = K>) -> Self {
        Self(keys.into_iter().map(Into::into).collect())
    }

    /// Its keys, outermost first.
    #[must_use]
    pub fn keys(&self) -> &[Key] {
        &self.0
    }

    /// How many keys it has.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.0.len()
    }

    /// Whether it is the root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The innermost key; none for the root.
    #[must_use]
    pub fn last(&self) -> Option<&Key> {
        self.0.last()
    }

    /// This path one key deeper.
    #[must_use]
    pub fn child(&self, key: impl Into<Key>) -> Self {
        let mut keys = self.0.clone();
        keys.push(key.into());
        Self(keys)
    }

    /// One key up; none for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let mut keys = self.0.clone();
        keys.pop().map(|_| Self(keys))
    }

    /// Adds a key in place.
    pub fn push(&mut self, key: impl Into<Key>) {
        self.0.push(key.into());
    }

    /// Removes the innermost key in place.
    pub fn pop(&mut self) -> Option<Key> {
        self.0.pop()
    }

    /// Whether `other` is this path or below it.
    #[must_use]
    pub fn contains(&self, other: &Path) -> bool {
        other.0.starts_with(&self.0)
    }

    /// Reads a JSON pointer: `/agents/api~1v2/status`, or the empty text for the root.
    ///
    /// # Errors
    /// [`PathFault`] when it does not start with `/` or has a stray `~`.
    pub fn parse(pointer: &str) -> Result<Self, PathFault> {
        if pointer.is_empty() {
            return Ok(Self::root());
        }
        let fault = || PathFault(pointer.to_owned());
        let body = pointer.strip_prefix('/').ok_or_else(fault)?;
        body.split('/')
            .map(|part| unescape(part).ok_or_else(fault))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for key in &self.0 {
            f.write_str("/")?;
            f.write_str(&escape(key))?;
        }
        Ok(())
    }
}

/// One key as it stands in a JSON pointer.
#[must_use]
pub fn escape(key: &str) -> std::borrow::Cow<'_, str> {
    if key.contains(['~', '/']) {
        key.replace('~', "~0").replace('/', "~1").into()
    } else {
        key.into()
    }
}

fn unescape(part: &str) -> Option<Key> {
    if !part.contains('~') {
        return Some(part.into());
    }
    let mut out = String::with_capacity(part.len());
    let mut chars = part.chars();
    while let Some(c) = chars.next() {
        out.push(match c {
            '~' => match chars.next()? {
                '0' => '~',
                '1' => '/',
                _ => return None,
            },
            other => other,
        });
    }
    Some(out.into())
}

impl serde::Serialize for Path {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointer_text_escapes_what_it_must() {
        let path = Path::of(["agents", "a/b~c", ""]);
        assert_eq!(path.to_string(), "/agents/a~1b~0c/");
        assert_eq!(Path::parse("/agents/a~1b~0c/"), Ok(path));
    }

    #[test]
    fn refuses_what_is_no_pointer() {
        assert!(Path::parse("agents").is_err());
        assert!(Path::parse("/a~2").is_err());
        assert!(Path::parse("/a~").is_err());
    }

    #[test]
    fn contains_itself_and_what_is_below() {
        let agents = Path::of(["agents"]);
        assert!(agents.contains(&agents));
        assert!(agents.contains(&agents.child("x")));
        assert!(!agents.contains(&Path::of(["agent"])));
        assert!(Path::root().contains(&agents));
    }

    proptest::proptest! {
        #[test]
        fn text_and_back(keys in proptest::collection::vec("[a~/ é\"]{0,4}", 0..5)) {
            let path = Path::of(keys);
            proptest::prop_assert_eq!(Path::parse(&path.to_string()), Ok(path));
        }
    }
}
