//! The rows of a log, packed: some thirteen bytes an event.
//!
//! Lives here: [`Rows`]. May not live here: what a row means (see [`super::row`]); the running
//! maximum of the times, which the clocks have already.

use rustc_hash::FxHashMap;

use super::column::Column;
use super::row::{Row, Symbol};
use crate::model::septets::{from_signed, to_signed};
use crate::model::{Kind, Timestamp};
use crate::store::Locator;

/// What is known of every event. What events have in common is kept once; of a length and of a time
/// only how far it is from what the rows around it tell, which is mostly nothing.
#[derive(Debug, Default)]
pub(super) struct Rows {
    offsets: Column,
    /// How much longer each event but the last is than up to the line feed before the next one.
    longer: Column,
    /// Where the last event begins, and its length: the next one tells the rest.
    last: Option<(u64, u32)>,
    id_heads: Column,
    contents: Column,
    facets: Shared<Facet>,
    surroundings: Shared<Surroundings>,
    /// For each event how much older it says it is than one before it.
    late: Column,
}

/// What it is about that many events of a log, near or far, have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Facet {
    type_name: Symbol,
    actor: Symbol,
    agent: Symbol,
    kind: Kind,
    has_anomaly: bool,
}

/// What an event has in common with those around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Surroundings {
    segment: u32,
    session: Symbol,
    phase: Symbol,
}

/// Things of which events have one each, and of which there are few different ones.
#[derive(Debug)]
struct Shared<T> {
    /// For each event the number of its thing.
    numbers: Column,
    all: Vec<T>,
    known: FxHashMap<T, u32>,
    /// The number that came last.
    last: u32,
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        let (numbers, known) = (Column::default(), FxHashMap::default());
        Self { numbers, all: Vec::new(), known, last: 0 }
    }
}

impl<T: Copy + Eq + std::hash::Hash> Shared<T> {
    fn push(&mut self, thing: T) {
        if self.all.get(self.last as usize) != Some(&thing) {
            let next = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
            self.last = *self.known.entry(thing).or_insert(next);
            if self.last == next {
                self.all.push(thing);
            }
        }
        self.numbers.push(self.last.into());
    }

    fn get(&self, index: usize) -> Option<&T> {
        self.all.get(usize::try_from(self.numbers.get(index)?).ok()?)
    }
}

impl Rows {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.offsets.len()
    }

    /// Adds the next row. Its clock is not kept.
    pub(super) fn push(&mut self, row: &Row) {
        self.facets.push(Facet {
            type_name: row.type_name,
            actor: row.actor,
            agent: row.agent,
            kind: row.kind,
            has_anomaly: row.has_anomaly,
        });
        self.surroundings.push(Surroundings {
            segment: row.locator.segment,
            session: row.session,
            phase: row.phase,
        });
        self.push_place(row.locator.offset, row.locator.len);
        self.id_heads.push(swapped(row.id_head));
        self.contents.push(row.content.into());
        self.late.push(from_signed(row.clock.millis() - row.at.millis()));
    }

    /// Adds where the next event stands, and by that how long the one before is.
    fn push_place(&mut self, offset: u64, length: u32) {
        if let Some((start, length)) = self.last.replace((offset, length)) {
            let told = up_to_line_feed(start, offset);
            self.longer.push(from_signed(u64::from(length).wrapping_sub(told).cast_signed()));
        }
        self.offsets.push(offset);
    }

    /// The place and the length of the event of this index.
    fn place(&self, index: usize) -> Option<(u64, u32)> {
        let Some(longer) = self.longer.get(index) else {
            return self.last.filter(|_| index + 1 == self.len());
        };
        let start = self.offsets.get(index)?;
        let told = up_to_line_feed(start, self.offsets.get(index + 1)?);
        let length = told.wrapping_add(to_signed(longer).cast_unsigned());
        Some((start, u32::try_from(length).unwrap_or(u32::MAX)))
    }

    /// The row of this index, whose clock that is.
    pub(super) fn get(&self, index: usize, clock: Timestamp) -> Option<Row> {
        let (facet, around) = (self.facets.get(index)?, self.surroundings.get(index)?);
        let (offset, len) = self.place(index)?;
        let late = to_signed(self.late.get(index)?);
        Some(Row {
            locator: Locator { segment: around.segment, len, offset },
            at: Timestamp::from_millis(clock.millis() - late),
            clock,
            id_head: swapped(self.id_heads.get(index)?),
            content: self.content(index)?,
            kind: facet.kind,
            has_anomaly: facet.has_anomaly,
            type_name: facet.type_name,
            actor: facet.actor,
            session: around.session,
            agent: facet.agent,
            phase: around.phase,
        })
    }

    /// The hash of the content of the event of this index.
    pub(super) fn content(&self, index: usize) -> Option<u32> {
        self.contents.get(index).and_then(|content| u32::try_from(content).ok())
    }

    /// The first eight bytes of all ids, in order.
    pub(super) fn id_heads(&self) -> impl Iterator<Item = u64> {
        self.id_heads.iter().map(swapped)
    }
}

/// How many bytes there are from the one to before the line feed that ends before the other.
fn up_to_line_feed(start: u64, next: u64) -> u64 {
    next.wrapping_sub(start).wrapping_sub(1)
}

/// The beginning of an id as a number that is small where it is eight hexadecimal digits, as most
/// are: it changes places with the number that the digits stand for. The reverse of itself.
fn swapped(head: u64) -> u64 {
    if let Ok(small) = u32::try_from(head) {
        return digits(small);
    }
    let mut value = 0;
    for byte in head.to_be_bytes() {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => return head,
        };
        value = value << 4 | u64::from(digit);
    }
    value
}

/// The eight digits of a number, as text.
fn digits(number: u32) -> u64 {
    let digit = |shift: u32| u64::from(b"0123456789abcdef"[(number >> shift & 0xf) as usize]);
    (0..8).fold(0, |text, at| text << 8 | digit(28 - 4 * at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::row::id_head;
    use proptest::prelude::*;

    fn row(n: u32) -> Row {
        let clock = Timestamp::from_millis(i64::from(n) * 10);
        Row {
            locator: Locator { segment: n / 700, len: n + 100, offset: u64::from(n) << 33 },
            at: if n % 5 == 3 { Timestamp::from_millis(-i64::from(n)) } else { clock },
            clock,
            id_head: u64::from(n) * 3,
            content: n ^ 77,
            kind: if n.is_multiple_of(2) { Kind::AgentSpawned } else { Kind::Unknown },
            has_anomaly: n.is_multiple_of(11),
            type_name: Symbol(n % 3),
            actor: Symbol(n % 4),
            session: Symbol(n % 2),
            agent: Symbol(n % 6),
            phase: Symbol(n % 8),
        }
    }

    #[test]
    fn rows_come_back_as_they_were() {
        let mut rows = Rows::default();
        for n in 0..2000 {
            rows.push(&row(n));
        }
        assert_eq!(rows.len(), 2000);
        for n in 0..2000 {
            assert_eq!(rows.get(n as usize, row(n).clock), Some(row(n)), "{n}");
        }
        assert_eq!(rows.get(2000, Timestamp::MIN), None);
        assert_eq!(rows.get(usize::MAX, Timestamp::MIN), None);
        assert_eq!(rows.content(3), Some(row(3).content));
        let facets = rows.facets.all.len();
        assert!(facets < 1900, "{facets} are shared by none");
    }

    /// Ids of digits, of other bytes, short ones and none.
    fn heads() -> impl Strategy<Value = u64> {
        let text = "[0-9a-f]{8}|[0-9a-g]{8}|[a-z]{0,9}".prop_map(|id| id_head(&id));
        prop_oneof![text, any::<u64>(), any::<u32>().prop_map(u64::from)]
    }

    /// Lines one after the other, and anything at all.
    fn rows() -> impl Strategy<Value = Vec<Row>> {
        let place = prop_oneof![
            4 => (Just(None), 1_u32..900),
            1 => (any::<u64>().prop_map(Some), any::<u32>()),
        ];
        let time = prop_oneof![4 => Just(0), 1 => any::<i64>()];
        let said = (place, heads(), any::<u32>(), time, -9_i64..9_000_000_000_000);
        proptest::collection::vec(said, 0..700).prop_map(|said| {
            let mut next = 0_u64;
            said.into_iter()
                .map(|((jump, len), id_head, content, late, clock)| {
                    let offset = jump.unwrap_or(next);
                    next = offset.wrapping_add(u64::from(len) + 1);
                    Row {
                        locator: Locator { segment: (content % 3) << 30, len, offset },
                        at: Timestamp::from_millis(clock.saturating_sub(late)),
                        id_head,
                        content,
                        ..row(u32::try_from(clock % 1000).unwrap_or_default())
                    }
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn whatever_comes_comes_back(said in rows()) {
            let mut packed = Rows::default();
            for (index, row) in said.iter().enumerate() {
                packed.push(row);
                prop_assert_eq!(packed.get(index, row.clock), Some(*row));
            }
            for (index, row) in said.iter().enumerate() {
                prop_assert_eq!(packed.get(index, row.clock), Some(*row));
            }
            prop_assert!(packed.id_heads().eq(said.iter().map(|row| row.id_head)));
        }
    }

    #[test]
    fn digits_and_small_numbers_change_places() {
        assert_eq!(swapped(id_head("00c0ffee")), 0xc0_ffee);
        assert_eq!(swapped(0xc0_ffee), id_head("00c0ffee"));
        let capitals = id_head("00C0FFEE");
        assert_eq!(swapped(capitals), capitals);
    }

    #[test]
    fn lines_one_after_the_other_take_few_bytes() {
        let mut rows = Rows::default();
        let mut offset = 0;
        for n in 0..100_000_u32 {
            let len = 500 + n * 7 % 400;
            let clock = Timestamp::from_millis(i64::from(n) * 900);
            let id_head = id_head(&format!("{:08x}", n.wrapping_mul(0x9e37_79b9)));
            let locator = Locator { segment: 0, len, offset };
            let content = n.wrapping_mul(0x85eb_ca6b);
            rows.push(&Row { locator, at: clock, clock, id_head, content, ..row(n) });
            offset += u64::from(len) + 1;
        }
        let bytes: usize = [
            &rows.offsets,
            &rows.longer,
            &rows.id_heads,
            &rows.contents,
            &rows.facets.numbers,
            &rows.surroundings.numbers,
            &rows.late,
        ]
        .into_iter()
        .map(Column::bytes)
        .sum();
        assert!(bytes < 16 * 100_000, "{bytes}");
    }
}
