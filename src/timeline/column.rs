//! A long list of numbers in little room: one for each event of a log.
//!
//! Lives here: [`Column`]. May not live here: what its numbers mean.
//!
//! Numbers that stand together are mostly of one size: of each block the least is kept, and of each
//! number in it by how much it is more, in as few bits as the block needs. A block of equal numbers
//! takes none.

/// How many numbers are packed together.
const BLOCK: usize = 256;
/// A block of numbers of so many bits takes so many words for each bit.
const WORDS_A_BIT: usize = BLOCK / 64;

/// Numbers that are only ever added to. Each is found at once by its index.
#[derive(Debug, Default)]
pub(super) struct Column {
    blocks: Vec<Block>,
    words: Vec<u64>,
    /// The last ones, until they fill a block.
    tail: Vec<u64>,
}

#[derive(Debug)]
struct Block {
    least: u64,
    /// The index of its first word.
    first: usize,
    /// How many bits each number takes: at most 64.
    bits: u8,
}

impl Column {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.blocks.len() * BLOCK + self.tail.len()
    }

    /// Adds a number.
    pub(super) fn push(&mut self, number: u64) {
        self.tail.push(number);
        if self.tail.len() == BLOCK {
            self.seal();
        }
    }

    /// Packs the last numbers, which fill a block.
    fn seal(&mut self) {
        let least = self.tail.iter().min().copied().unwrap_or_default();
        let most = self.tail.iter().max().copied().unwrap_or_default();
        let bits = u64::BITS - (most - least).leading_zeros();
        let first = self.words.len();
        let room = WORDS_A_BIT * bits as usize;
        grow(&mut self.words, room);
        self.words.resize(first + room, 0);
        let mut bit = 0;
        for number in self.tail.drain(..).filter(|_| bits > 0) {
            let (word, shift) = (first + bit / 64, bit % 64);
            self.words[word] |= (number - least) << shift;
            if shift + bits as usize > 64 {
                self.words[word + 1] |= (number - least) >> (64 - shift);
            }
            bit += bits as usize;
        }
        #[allow(clippy::cast_possible_truncation, reason = "at most 64")]
        self.blocks.push(Block { least, first, bits: bits as u8 });
    }

    /// The number of this index.
    pub(super) fn get(&self, index: usize) -> Option<u64> {
        match self.blocks.get(index / BLOCK) {
            Some(block) => Some(self.packed(block, index % BLOCK)),
            None => self.tail.get(index - self.blocks.len() * BLOCK).copied(),
        }
    }

    fn packed(&self, block: &Block, within: usize) -> u64 {
        let bits = usize::from(block.bits);
        let (word, shift) = (block.first + within * bits / 64, within * bits % 64);
        let word_at = |at: usize| self.words.get(at).copied().unwrap_or_default();
        let mut more = match bits {
            0 => return block.least,
            _ => word_at(word) >> shift,
        };
        if shift + bits > 64 {
            more |= word_at(word + 1) << (64 - shift);
        }
        block.least + (more & (u64::MAX >> (64 - bits)))
    }

    /// How many bytes of memory it holds, but for the last numbers.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.words.capacity() * size_of::<u64>() + self.blocks.capacity() * size_of::<Block>()
    }

    /// All of them, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u64> {
        let packed =
            self.blocks.iter().flat_map(|block| (0..BLOCK).map(|at| self.packed(block, at)));
        packed.chain(self.tail.iter().copied())
    }
}

/// Makes room for so many more. Where there is none, the list grows by a part of what it has and not
/// to twice that: a list as long as the log would be half empty.
pub(super) fn grow<T>(list: &mut Vec<T>, more: usize) {
    if list.capacity() - list.len() < more {
        list.reserve_exact(more.max(list.len() / 8).max(4));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Runs of numbers of one size: all bits, few, none, and the largest.
    fn runs() -> impl Strategy<Value = Vec<u64>> {
        let run = (any::<u64>(), 0_u32..=64, 1_usize..400).prop_flat_map(|(least, bits, count)| {
            let mask = u64::MAX.checked_shr(64 - bits).unwrap_or_default();
            let number = any::<u64>().prop_map(move |n| least.saturating_add(n & mask));
            proptest::collection::vec(number, count)
        });
        proptest::collection::vec(run, 0..6).prop_map(|runs| runs.concat())
    }

    proptest! {
        #[test]
        fn every_number_comes_back(numbers in runs()) {
            let mut column = Column::default();
            for (index, number) in numbers.iter().enumerate() {
                prop_assert_eq!(column.len(), index);
                prop_assert_eq!(column.get(index), None);
                column.push(*number);
            }
            for (index, number) in numbers.iter().enumerate() {
                prop_assert_eq!(column.get(index), Some(*number));
            }
            prop_assert!(column.iter().eq(numbers));
        }
    }

    #[test]
    fn numbers_close_to_each_other_take_few_bits() {
        let words = |number: fn(u64) -> u64| {
            let mut column = Column::default();
            (0..100 * BLOCK as u64).for_each(|n| column.push(number(n)));
            column.words.capacity()
        };
        assert_eq!(words(|_| 77), 0);
        // From 0 to 255 times a thousand: 18 bits. An eighth of the room may be free.
        let needed = 100 * BLOCK * 18 / 64;
        let room = words(|n| (1 << 40) + n * 1000);
        assert!((needed..=needed + needed / 8).contains(&room), "{room} words, not {needed}");
    }
}
