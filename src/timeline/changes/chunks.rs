//! A list that grows by whole pieces: nothing in it is ever moved, and no more is held than one
//! piece too much.
//!
//! Lives here: [`Chunks`]. May not live here: what is in it.

/// So many elements stand in one piece.
const PIECE: usize = 1024;

/// A growing list whose elements are known by their numbers.
#[derive(Debug)]
pub(super) struct Chunks<T>(Vec<Vec<T>>);

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Chunks<T> {
    pub(super) fn len(&self) -> usize {
        self.0.last().map_or(0, |last| (self.0.len() - 1) * PIECE + last.len())
    }

    /// Adds an element and answers its number.
    pub(super) fn push(&mut self, element: T) -> u32 {
        let number = self.len();
        match self.0.last_mut() {
            Some(last) if last.len() < PIECE => last.push(element),
            // Most lists stay short: the first piece grows as it likes.
            None => self.0.push(vec![element]),
            Some(_) => {
                let mut piece = Vec::with_capacity(PIECE);
                piece.push(element);
                self.0.push(piece);
            }
        }
        u32::try_from(number).unwrap_or(u32::MAX)
    }

    pub(super) fn get(&self, number: u32) -> Option<&T> {
        self.0.get(number as usize / PIECE)?.get(number as usize % PIECE)
    }

    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        self.0.get_mut(number as usize / PIECE)?.get_mut(number as usize % PIECE)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_keep_their_numbers() {
        let mut list = Chunks::default();
        let count = 3 * PIECE + 7;
        for number in 0..count {
            assert_eq!(list.len(), number);
            assert_eq!(list.push(number) as usize, number);
        }
        for number in 0..count {
            assert_eq!(list.get(u32::try_from(number).unwrap()), Some(&number));
        }
        *list.get_mut(1500).unwrap() = 1;
        assert_eq!(list.iter().filter(|n| **n == 1).count(), 2);
        assert_eq!(list.get(u32::try_from(count).unwrap()), None);
        assert!(list.0.iter().skip(1).all(|piece| piece.capacity() == PIECE));
    }
}
