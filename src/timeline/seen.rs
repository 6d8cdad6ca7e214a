//! Events of which only the beginning was read: the picture of a long log before it is folded.
//!
//! Lives here: [`Seen`], what a light look tells, and a timeline's rows and lanes made from it. May
//! not live here: states, writers and causes; nobody knows them before the events were folded.

use super::column::grow;
use super::row::{Symbol, Symbols, id_head};
use super::{Row, Timeline};
use crate::model::{Kind, Position, Timestamp};
use crate::store::Locator;

/// What a light look at an event told; texts are empty where there is nothing.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// Where its bytes stand in the log.
    pub locator: Locator,
    /// Its own time, where it can be read.
    pub at: Option<Timestamp>,
    /// Its id.
    pub id: &'a str,
    /// What happened.
    pub kind: Kind,
    /// The type's name as written.
    pub type_name: &'a str,
    /// Who acted.
    pub actor: &'a str,
    /// The session.
    pub session: &'a str,
    /// The agent it speaks of.
    pub agent: &'a str,
    /// The phase that it names.
    pub phase: &'a str,
    /// The phase that it puts into force.
    pub enters: &'a str,
}

/// Events that follow one another in a log, as a light look sees them. Parts of one log can be
/// made on several threads at once.
#[derive(Debug, Default)]
pub struct SeenPart {
    words: Symbols,
    events: Vec<Glance>,
}

/// One of them; its symbols are those of the part.
#[derive(Debug)]
struct Glance {
    row: Row,
    /// Whether `row.at` was read.
    has_time: bool,
    enters: Symbol,
}

impl SeenPart {
    /// Adds the next event.
    pub fn push(&mut self, seen: &Seen<'_>) {
        let mut word = |text: &str| self.words.intern(text);
        let at = seen.at.unwrap_or_default();
        self.events.push(Glance {
            row: Row {
                locator: seen.locator,
                at,
                clock: at,
                id_head: id_head(seen.id),
                content: 0,
                kind: seen.kind,
                has_anomaly: seen.kind == Kind::Unreadable,
                type_name: word(seen.type_name),
                actor: word(seen.actor),
                session: word(seen.session),
                agent: word(seen.agent),
                phase: word(seen.phase),
            },
            has_time: seen.at.is_some(),
            enters: word(seen.enters),
        });
    }

    /// How many events there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
}

impl Timeline {
    /// Adds events that were only seen: their rows, lanes and times, and nothing else. To a
    /// timeline that has such events none can be added by [`Timeline::push`].
    pub fn push_seen(&mut self, part: &SeenPart) {
        let words: Vec<Symbol> = part.words.all().map(|word| self.symbols.intern(word)).collect();
        let known = |local: Symbol| words.get(local.0 as usize).copied().unwrap_or_default();
        for Glance { row, has_time, enters } in &part.events {
            let last = (!*has_time).then(|| self.row(self.head())).flatten();
            let at = last.map_or(row.at, |last| last.at);
            let clock = self.last_clock().map_or(at, |last| last.max(at));
            let (named, enters) = (known(row.phase), known(*enters));
            if !enters.is_empty() {
                self.phase_seen = enters;
            }
            let here = self.head() + 1;
            let agent = known(row.agent);
            self.lanes.push(row.kind, named, agent, here);
            self.clocks.push(clock, None);
            self.note_kind(row.kind, here);
            self.rows.push(&Row {
                at,
                clock,
                type_name: known(row.type_name),
                actor: known(row.actor),
                session: known(row.session),
                agent,
                phase: if named.is_empty() { self.phase_seen } else { named },
                ..*row
            });
        }
    }

    /// Notes where an event of this kind stands.
    pub(super) fn note_kind(&mut self, kind: Kind, position: Position) {
        if let Some(list) = self.by_kind.get_mut(kind as usize) {
            grow(list, 1);
            list.push(position);
        }
    }
}
