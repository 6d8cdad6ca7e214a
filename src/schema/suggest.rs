//! Words for people: which names are near to a misspelt one, and lists of choices.
//!
//! Lives here: wording that several checks share. May not live here: the checks.

use super::SchemaFault;
use super::words::quote;
use crate::model::Kind;

/// The fault of a type that the catalogue does not have, with the names that are near to it.
pub(super) fn unknown_type(name: &str) -> SchemaFault {
    let near = nearest(name);
    let advice = if near.is_empty() {
        "“chronoscope schema list” names them all".to_owned()
    } else {
        format!("did you mean {}?", one_of(&near))
    };
    SchemaFault::new("/event_type", format!("{} is not in the catalogue: {advice}", quote(name)))
}

/// The names of the catalogue that are near to `name`, nearest first; three at most.
fn nearest(name: &str) -> Vec<&'static str> {
    nearest_of(name, Kind::CATALOGUED.iter().map(|kind| kind.name()))
}

/// Those of `names` that are near to a misspelt one, nearest first; three at most. Case and
/// everything that is neither letter nor digit do not count.
pub fn nearest_of<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let plain = |text: &str| -> Vec<char> {
        text.chars().take(80).flat_map(char::to_lowercase).filter(|c| c.is_alphanumeric()).collect()
    };
    let wanted = plain(name);
    let mut near: Vec<(usize, &str)> = names
        .map(|candidate| (distance(&wanted, &plain(candidate)), candidate))
        .filter(|(distance, _)| *distance <= (name.len() / 3).max(2))
        .collect();
    near.sort_unstable();
    // Where one is clearly meant, the others only distract.
    let best = near.first().map_or(0, |(distance, _)| *distance);
    near.into_iter().filter(|(d, _)| *d <= best + 1).take(3).map(|(_, name)| name).collect()
}

/// How many letters must be added, removed or replaced to make one text the other.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

/// A list of choices: `a`, `a or b`, `a, b or c`.
pub(super) fn one_of(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [rest @ .., last] => format!("{} or {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelt_types_find_their_names() {
        assert_eq!(nearest("AgentSpawnd"), ["AgentSpawned"]);
        assert_eq!(nearest("agent_spawned"), ["AgentSpawned"]);
        assert_eq!(nearest("PrMerged"), ["PRMerged"]);
        assert!(nearest("Zzz").is_empty());
        assert_eq!(
            unknown_type("GapResolve").message,
            "\"GapResolve\" is not in the catalogue: did you mean GapResolved?"
        );
    }
}
