//! What caused what: causation ids first, then the correlation rules of the catalogue.
//!
//! Lives here: one cause per event at most, found as the events come, and the effects, which are
//! the same links the other way. May not live here: order within an actor and concurrency.

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::column::Column;
use super::ids::Ids;
use super::row::hash_text;
use crate::model::catalogue::{LinkKey, LinkRule};
use crate::model::septets::{from_signed, to_signed};
use crate::model::{Event, Kind, Position};

/// How a cause is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// The event names its cause in `causation_id`.
    Causation,
    /// A correlation rule links them; its name.
    Rule(&'static str),
}

impl std::fmt::Display for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Causation => f.write_str("causation"),
            Self::Rule(name) => write!(f, "rule:{name}"),
        }
    }
}

/// One end of a link: the event at the other end, and how the link is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cause {
    /// The other event.
    pub position: Position,
    /// How it is known.
    pub link: Link,
}

/// The number of the link of an event without a cause.
const NONE: u8 = 0;
/// The number of the link of an event that names its cause.
const CAUSATION: u8 = 1;
/// The number of the first rule's links.
const FIRST_RULE: u8 = 2;

/// The causes of all events of one log.
#[derive(Debug)]
pub struct Causes {
    rules: &'static [LinkRule],
    by_kind: ByKind,
    /// For each event how far back its cause is; see [`back`].
    back: Column,
    /// For each event the number of its link.
    links: Column,
    /// The causes that came after their effects. They are those that the effects name.
    late: FxHashMap<Position, Position>,
    /// The last event that a rule starts from, by rule and key.
    last: Ids,
    /// Events whose named cause has not been seen yet, by the cause's id.
    waiting: FxHashMap<u64, SmallVec<[Position; 4]>>,
}

impl Causes {
    /// No events yet, linked by these rules (the first that fits wins).
    #[must_use]
    pub fn new(rules: &'static [LinkRule]) -> Self {
        Self {
            rules,
            by_kind: ByKind::new(rules),
            back: Column::default(),
            links: Column::default(),
            late: FxHashMap::default(),
            last: Ids::default(),
            waiting: FxHashMap::default(),
        }
    }

    /// Links the next event, whose id has this hash if it has an id. `ids` knows it and the events
    /// before it.
    pub fn push(&mut self, event: &Event, id: Option<u64>, ids: &Ids) {
        let here = event.position;
        let (cause, link) = self.named_cause(event, ids).unwrap_or_else(|| self.ruled_cause(event));
        self.back.push(back(here, cause));
        self.links.push(link.into());
        self.note_starts(event);
        if let Some(effects) = id.and_then(|id| self.waiting.remove(&id)) {
            self.late.extend(effects.into_iter().map(|effect| (effect, here)));
        }
    }

    /// The cause that the event itself names, if this log has it.
    fn named_cause(&mut self, event: &Event, ids: &Ids) -> Option<(Position, u8)> {
        let hash = hash_text(event.causation.as_ref()?);
        if let Some(position) = ids.get(hash) {
            return Some((position, CAUSATION));
        }
        self.waiting.entry(hash).or_default().push(event.position);
        None
    }

    fn ruled_cause(&self, event: &Event) -> (Position, u8) {
        for (number, rule) in of_kind(&self.by_kind.go_on, event, self.rules) {
            if !rule.goes_on(event.kind, &event.type_name) {
                continue;
            }
            for key in keys(rule.key, event, End::Effect).into_iter().flatten() {
                if let Some(position) = self.last.get(of_rule(number, key)) {
                    return (position, number);
                }
            }
        }
        (0, NONE)
    }

    /// Whether a rule links an event to one of these, were it to come now.
    #[must_use]
    pub fn would_link(&self, event: &Event) -> bool {
        self.ruled_cause(event).0 != 0
    }

    fn note_starts(&mut self, event: &Event) {
        for (number, rule) in of_kind(&self.by_kind.begin, event, self.rules) {
            if !rule.begins(event.kind, &event.type_name) {
                continue;
            }
            for key in keys(rule.key, event, End::Cause).into_iter().flatten() {
                self.last.insert(of_rule(number, key), event.position);
            }
        }
    }

    /// The cause of the event at `position`.
    #[must_use]
    pub fn of(&self, position: Position) -> Option<Cause> {
        let index = (position as usize).checked_sub(1)?;
        let cause = self.position_of(position, self.back.get(index)?)?;
        Some(Cause { position: cause, link: self.link(position, index) })
    }

    /// The event before the one at `position` that was its cause when it came: what is added behind it
    /// makes no difference.
    #[must_use]
    pub fn earlier(&self, position: Position) -> Option<Position> {
        let back = self.back.get((position as usize).checked_sub(1)?)?;
        before(position, back).filter(|cause| *cause < position)
    }

    /// Where the cause of the event at `position` is, which is so far back.
    fn position_of(&self, position: Position, back: u64) -> Option<Position> {
        self.late.get(&position).copied().or_else(|| before(position, back))
    }

    fn link(&self, position: Position, index: usize) -> Link {
        let number = self.links.get(index).and_then(|link| usize::try_from(link).ok());
        let rule = number.and_then(|number| number.checked_sub(usize::from(FIRST_RULE)));
        match rule.and_then(|rule| self.rules.get(rule)) {
            Some(rule) if !self.late.contains_key(&position) => Link::Rule(rule.name),
            _ => Link::Causation,
        }
    }

    /// The events caused by the one at `position`, in order.
    #[must_use]
    pub fn effects(&self, position: Position) -> Vec<Cause> {
        if position == 0 {
            return Vec::new();
        }
        let all = (1..).zip(self.back.iter()).enumerate();
        all.filter(|(_, (effect, back))| self.position_of(*effect, *back) == Some(position))
            .map(|(index, (effect, _))| Cause { position: effect, link: self.link(effect, index) })
            .collect()
    }
}

/// For each kind the numbers of the rules that an event of it may begin or go on with, in order: no
/// event is held against all rules.
#[derive(Debug)]
struct ByKind {
    begin: Vec<SmallVec<[u8; 8]>>,
    go_on: Vec<SmallVec<[u8; 8]>>,
}

impl ByKind {
    fn new(rules: &[LinkRule]) -> Self {
        let kinds = Kind::Unreadable as usize + 1;
        let mut begin = vec![SmallVec::new(); kinds];
        let mut go_on = begin.clone();
        for (number, rule) in (FIRST_RULE..=u8::MAX).zip(rules) {
            let note = |lists: &mut [SmallVec<[u8; 8]>], kinds: &[Kind], own: &[&str]| {
                // Of a type outside the catalogue only the name tells.
                let unknown = (!own.is_empty()).then_some(&Kind::Unknown);
                for kind in kinds.iter().chain(unknown) {
                    let list = &mut lists[*kind as usize];
                    if list.last() != Some(&number) {
                        list.push(number);
                    }
                }
            };
            note(&mut begin, rule.from, rule.own.0);
            note(&mut go_on, rule.to, rule.own.1);
        }
        Self { begin, go_on }
    }
}

/// The rules in one of these lists that are about the kind of an event, with their numbers.
fn of_kind<'a>(
    lists: &'a [SmallVec<[u8; 8]>],
    event: &Event,
    rules: &'static [LinkRule],
) -> impl Iterator<Item = (u8, &'static LinkRule)> + use<'a> {
    let list = lists.get(event.kind as usize).into_iter().flatten();
    list.filter_map(|number| Some((*number, rules.get(usize::from(*number - FIRST_RULE))?)))
}

/// How far back from here a cause is, as a small number; 0 for none.
fn back(here: Position, cause: Position) -> u64 {
    if cause == 0 { 0 } else { from_signed(i64::from(here) - i64::from(cause)) + 1 }
}

/// The cause that is so far back from here.
fn before(here: Position, back: u64) -> Option<Position> {
    let back = to_signed(back.checked_sub(1)?);
    Position::try_from(i64::from(here) - back).ok()
}

/// The hash of a key within one rule.
fn of_rule(number: u8, key: u64) -> u64 {
    // An odd number: the keys of one rule stay as different as they are.
    (key ^ u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15 | 1)
}

/// The ends of a link: the one that causes and the one that is caused.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Cause,
    Effect,
}

/// What an event is remembered by (as a cause) or looked up by (as an effect); the first that is
/// found counts.
fn keys(key: LinkKey, event: &Event, end: End) -> [Option<u64>; 2] {
    let hash = |text: Option<&smol_str::SmolStr>| text.map(|text| hash_text(text));
    match key {
        LinkKey::Agent => [hash(event.agent()), None],
        LinkKey::Phase => [hash(event.text("phase")), None],
        LinkKey::Field(name) => [field_key(event, name), None],
        LinkKey::ErrorRecovery => {
            let own = match end {
                End::Cause => Some(&event.id).filter(|id| !id.is_empty()),
                End::Effect => event.text("recovery_from"),
            };
            [hash(event.correlation.as_ref()), hash(own)]
        }
        LinkKey::Branch => [hash(event.text("head_branch").or(event.branch.as_ref())), None],
        LinkKey::Session => [Some(hash_text(&event.session)), None],
        LinkKey::Correlation => [hash(event.correlation.as_ref()), None],
        LinkKey::Actor => [hash(Some(&event.actor).filter(|actor| !actor.is_empty())), None],
        LinkKey::Issue => [Some(0), None],
    }
}

fn field_key(event: &Event, name: &str) -> Option<u64> {
    let mut names = name.split('.');
    // A field whose own name has dots counts first.
    let whole = event.get(name);
    let value = whole.or_else(|| {
        let first = event.get(names.next()?)?;
        names.try_fold(first, |value, name| value.get(name))
    })?;
    Some(value.as_text().map_or_else(|| hash_text(&value.to_json()), |text| hash_text(text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::catalogue;
    use crate::schema::upcast;
    use proptest::prelude::*;

    /// An event of this kind and agent, with the id and the cause of these numbers.
    fn event(position: Position, said: (bool, u8, u16, Option<u16>)) -> Event {
        let (spawned, agent, id, cause) = said;
        let name = if spawned { "AgentSpawned" } else { "AgentProgressed" };
        let cause = cause.map_or(String::new(), |cause| format!(r#","causation_id":"{cause}""#));
        let text = format!(
            r#"{{"event_id":"{id}","event_type":"{name}"{cause},"metadata":{{"agent_name":"a{agent}"}}}}"#
        );
        let (event, _) = upcast::read_event(&text, position, Default::default());
        event
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn causes_are_those_that_a_slow_search_finds(
            said in proptest::collection::vec(
                (any::<bool>(), 0_u8..3, 0_u16..700, proptest::option::weighted(0.3, 0_u16..700)),
                0..520,
            ),
        ) {
            let events: Vec<Event> = (1..).zip(said).map(|(n, said)| event(n, said)).collect();
            let (mut causes, mut ids) = (Causes::new(catalogue::LINKS), Ids::default());
            for event in &events {
                let id = hash_text(&event.id);
                ids.insert_new(id, event.position);
                causes.push(event, Some(id), &ids);
            }
            let mut found = Vec::new();
            for (index, event) in events.iter().enumerate() {
                let named = events.iter().find(|cause| Some(&cause.id) == event.causation.as_ref());
                let begins = |other: &&Event| {
                    other.kind == Kind::AgentSpawned && other.agent() == event.agent()
                };
                let spawn = events[..index].iter().rfind(begins);
                let ruled = spawn.filter(|_| event.kind == Kind::AgentProgressed);
                let named = named.map(|cause| (cause.position, Link::Causation));
                let ruled = ruled.map(|cause| (cause.position, Link::Rule("agent-run")));
                let cause = named.or(ruled).map(|(position, link)| Cause { position, link });
                prop_assert_eq!(causes.of(event.position), cause, "{}", event.position);
                found.push(cause);
            }
            for event in &events {
                let effects: Vec<Cause> = (1..)
                    .zip(&found)
                    .filter_map(|(effect, cause)| {
                        let cause = cause.filter(|cause| cause.position == event.position)?;
                        Some(Cause { position: effect, ..cause })
                    })
                    .collect();
                prop_assert_eq!(causes.effects(event.position), effects);
            }
        }
    }
}
