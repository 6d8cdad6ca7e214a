//! What caused what: causation ids first, then the correlation rules of the catalogue.
//!
//! Lives here: one cause per event at most, found as the events come, and the effects, which are
//! the same links the other way. May not live here: order within an actor and concurrency.

use rustc_hash::FxHashMap;

use super::row::hash_text;
use crate::model::catalogue::{LinkKey, LinkRule};
use crate::model::{Event, Position};

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

const NONE: u8 = u8::MAX;
const CAUSATION: u8 = u8::MAX - 1;

/// The causes of all events of one log.
#[derive(Debug)]
pub struct Causes {
    rules: &'static [LinkRule],
    /// For each event the position of its cause; 0 for none.
    positions: Vec<Position>,
    /// For each event the number of the rule, or one of the two constants above.
    links: Vec<u8>,
    /// The last event that a rule starts from, by rule and key.
    last: FxHashMap<(u8, u64), Position>,
    /// Events whose named cause has not been seen yet, by the cause's id.
    waiting: FxHashMap<u64, Vec<Position>>,
}

impl Causes {
    /// No events yet, linked by these rules (the first that fits wins).
    #[must_use]
    pub fn new(rules: &'static [LinkRule]) -> Self {
        Self {
            rules,
            positions: Vec::new(),
            links: Vec::new(),
            last: FxHashMap::default(),
            waiting: FxHashMap::default(),
        }
    }

    /// Links the next event. `ids` knows the events before it.
    pub fn push(&mut self, event: &Event, ids: &FxHashMap<u64, Position>) {
        let here = event.position;
        let (cause, link) = self.named_cause(event, ids).unwrap_or_else(|| self.ruled_cause(event));
        self.positions.push(cause);
        self.links.push(link);
        self.note_starts(event);
        if !event.id.is_empty()
            && let Some(effects) = self.waiting.remove(&hash_text(&event.id))
        {
            for effect in effects {
                self.set(effect, here);
            }
        }
    }

    /// The cause that the event itself names, if this log has it.
    fn named_cause(
        &mut self,
        event: &Event,
        ids: &FxHashMap<u64, Position>,
    ) -> Option<(Position, u8)> {
        let hash = hash_text(event.causation.as_ref()?);
        if let Some(position) = ids.get(&hash) {
            return Some((*position, CAUSATION));
        }
        self.waiting.entry(hash).or_default().push(event.position);
        None
    }

    fn ruled_cause(&self, event: &Event) -> (Position, u8) {
        for (number, rule) in (0_u8..CAUSATION).zip(self.rules) {
            if !rule.goes_on(event.kind, &event.type_name) {
                continue;
            }
            for key in keys(rule.key, event, End::Effect).into_iter().flatten() {
                if let Some(position) = self.last.get(&(number, key)) {
                    return (*position, number);
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
        for (number, rule) in (0_u8..CAUSATION).zip(self.rules) {
            if !rule.begins(event.kind, &event.type_name) {
                continue;
            }
            for key in keys(rule.key, event, End::Cause).into_iter().flatten() {
                self.last.insert((number, key), event.position);
            }
        }
    }

    fn set(&mut self, effect: Position, cause: Position) {
        let Some(index) = (effect as usize).checked_sub(1) else { return };
        if let (Some(position), Some(link)) =
            (self.positions.get_mut(index), self.links.get_mut(index))
        {
            *position = cause;
            *link = CAUSATION;
        }
    }

    /// The cause of the event at `position`.
    #[must_use]
    pub fn of(&self, position: Position) -> Option<Cause> {
        let index = (position as usize).checked_sub(1)?;
        let cause = self.positions.get(index).copied().filter(|p| *p != 0)?;
        Some(Cause { position: cause, link: self.link(*self.links.get(index)?) })
    }

    fn link(&self, number: u8) -> Link {
        match self.rules.get(usize::from(number)) {
            Some(rule) => Link::Rule(rule.name),
            None => Link::Causation,
        }
    }

    /// The events caused by the one at `position`, in order.
    #[must_use]
    pub fn effects(&self, position: Position) -> Vec<Cause> {
        if position == 0 {
            return Vec::new();
        }
        let links = self.positions.iter().zip(&self.links).enumerate();
        links
            .filter(|(_, (cause, _))| **cause == position)
            .map(|(index, (_, link))| Cause {
                position: Position::try_from(index + 1).unwrap_or(Position::MAX),
                link: self.link(*link),
            })
            .collect()
    }
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
