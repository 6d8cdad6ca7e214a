use proptest::prelude::*;

use super::*;

/// The same as a plain list.
#[derive(Debug, Default, Clone)]
struct Plain(Vec<(Position, bool)>);

impl Plain {
    fn post(&mut self, position: Position) {
        if self.0.last().is_none_or(|(last, _)| *last != position) {
            self.0.push((position, false));
        }
    }

    fn mark_whole(&mut self) {
        if let Some((_, whole)) = self.0.last_mut() {
            *whole = true;
        }
    }
}

fn plain(post: Post) -> (Position, bool) {
    (post.position(), post.is_whole())
}

/// Compares every look-up at every place where an answer may change.
fn compare(view: View<'_>, expected: &Plain) {
    let all = &expected.0;
    let wholes: Vec<_> = all.iter().copied().filter(|(_, whole)| *whole).collect();
    assert_eq!(view.iter().map(plain).collect::<Vec<_>>(), *all);
    assert_eq!(view.wholes().map(plain).collect::<Vec<_>>(), wholes);
    assert_eq!(view.has_whole(), !wholes.is_empty());
    assert_eq!(view.is_empty(), all.is_empty());
    assert_eq!(view.first().map(plain), all.first().copied());
    let around = |(position, _): &(Position, bool)| [position - 1, *position, position + 1];
    // Of long lists all look-ups are tried everywhere, and what follows only here and there.
    let few = all.len() / 50 + 1;
    for (nth, at) in all.iter().flat_map(around).chain([0, !WHOLE]).enumerate() {
        let until = all.partition_point(|(position, _)| *position <= at);
        let last = until.checked_sub(1).map(|index| all[index]);
        assert_eq!(view.last_until(at).map(plain), last, "last until {at}");
        let next = all.get(until).copied();
        assert_eq!(view.after(at).next().map(plain), next, "first after {at}");
        let whole = wholes.iter().rev().find(|(position, _)| *position < at).copied();
        assert_eq!(view.last_whole_before(at).map(plain), whole, "whole before {at}");
        if nth % few == 0 {
            assert_eq!(view.after(at).map(plain).collect::<Vec<_>>(), all[until..], "after {at}");
        }
    }
}

/// Distances of every length in bytes, mostly short.
fn distance() -> impl Strategy<Value = u32> {
    prop_oneof![
        4 => 1_u32..3,
        4 => 1_u32..0x80,
        2 => 0x7e_u32..0x100,
        1 => 0x3ffe_u32..0x4002,
        1 => 0x4000_u32..0x2_0000,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn packed_posts_are_as_a_plain_list(
        // For each event the path that it writes, how far on it is, how often it says so, and
        // whether it writes all below the path: the more of the first paths.
        events in proptest::collection::vec((0_usize..6, distance(), 1_usize..3, 0_u8..8), 0..500),
    ) {
        let mut pool = Pool::default();
        let mut packed = [Posts::default(); 6];
        let mut expected = vec![Plain::default(); packed.len()];
        let mut position = 0;
        for (which, distance, times, whole) in events {
            // The first path is written by each event.
            let paths = [0, which];
            position += distance;
            for path in paths.into_iter().flat_map(|path| [path].repeat(times)) {
                pool.post(&mut packed[path], position);
                expected[path].post(position);
                if usize::from(whole) > path + 1 {
                    pool.mark_whole(&mut packed[path]);
                    expected[path].mark_whole();
                }
            }
        }
        for (posts, expected) in packed.into_iter().zip(&expected) {
            compare(pool.view(posts), expected);
        }
    }
}

#[test]
fn every_length_of_a_list_is_as_a_plain_one() {
    for step in [1, 0x7f, 0x80, 0x1234, 0x20_0000] {
        for wholes in [0, 1, 2, 7, 30] {
            let (mut pool, mut posts, mut expected) =
                (Pool::default(), Posts::default(), Plain::default());
            compare(pool.view(posts), &expected);
            for count in 1..300 {
                pool.post(&mut posts, count * step);
                expected.post(count * step);
                if wholes > 0 && count % wholes == 0 {
                    pool.mark_whole(&mut posts);
                    expected.mark_whole();
                }
                if count < 40 || count % 37 == 0 {
                    compare(pool.view(posts), &expected);
                }
            }
        }
    }
}

#[test]
fn dense_lists_cost_about_a_byte_a_position() {
    let mut pool = Pool::default();
    let mut posts = Posts::default();
    let mut others = [Posts::default(); 100];
    for position in 1..=11_500 {
        pool.post(&mut posts, position);
        // Short lists that grow long leave their room to others.
        for other in others.iter_mut().skip(position as usize / 115).take(1) {
            pool.post(other, position);
        }
    }
    assert_eq!((size_of::<Posts>(), size_of::<Small>(), size_of::<Large>()), (8, 32, 128));
    assert_eq!(pool.large.len(), 200, "a list of a hundred runs, and a hundred lists of one");
    assert!(pool.short.len() <= 2, "{}", pool.short.len());
}
