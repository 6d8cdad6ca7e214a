use super::map::Repr;
use super::*;

fn value(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}

#[test]
fn sizes_stay_small() {
    assert!(size_of::<Value>() <= 32, "{}", size_of::<Value>());
}

#[test]
fn json_text_has_sorted_keys_and_exact_numbers() {
    let json = r#"{"b":[1,-2,18446744073709551615,1.5,1e300],"a":{"é":"\u0001\n"},"a":{"z":null}}"#;
    assert_eq!(
        value(json).to_json(),
        r#"{"a":{"z":null},"b":[1,-2,18446744073709551615,1.5,1e+300]}"#
    );
}

#[test]
fn keys_are_found_whatever_their_first_bytes() {
    let keys = ["", "\0", "a", "a\0", "ab", "abc", "abcd", "abcd\0", "abcde", "abcdefg"];
    let more = ["abcdefgh", "abcdefgh\0", "abcdefghi", "abcdefgz", "b", "é", "\u{10ffff}"];
    let all: Vec<&str> = keys.into_iter().chain(more).collect();
    let map: Map = all.iter().rev().map(|key| (*key, Value::from(*key))).collect();
    assert_eq!(map.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), all);
    for key in all {
        assert_eq!(map.get(key), Some(&Value::from(key)), "{key:?}");
        assert_eq!(map.get(&format!("{key}x")), None);
    }
}

#[test]
fn replacing_by_an_equal_value_leaves_the_map_shared() {
    for size in [5, 100] {
        let mut map: Map = (0..size).map(|n| (format!("{n:03}"), Value::Int(n))).collect();
        let before = map.clone();
        assert_eq!(map.replace("001".into(), Value::Int(1)), Err(Value::Int(1)));
        assert!(map.same(&before));
        assert_eq!(map.replace("001".into(), Value::Int(7)), Ok(Some(Value::Int(1))));
        assert_eq!(map.replace("x".into(), Value::Null), Ok(None));
        assert_eq!(before.get("001"), Some(&Value::Int(1)));
    }
}

#[test]
fn large_maps_behave_like_small_ones() {
    let mut map = Map::new();
    for n in (0..100).rev() {
        assert_eq!(map.insert(format!("k{n:03}"), Value::Int(n)), None);
    }
    assert_eq!(map.len(), 100);
    assert!(map.iter().map(|(k, _)| k).is_sorted());
    let kept = map.clone();
    for n in 0..90 {
        assert_eq!(map.remove(&format!("k{n:03}")), Some(Value::Int(n)));
    }
    assert_eq!(map.len(), 10);
    assert_eq!(kept.len(), 100);
    assert_eq!(map.get("k095"), Some(&Value::Int(95)));
}

#[test]
fn a_clone_shares_until_it_changes() {
    let mut a = value(r#"{"agents":{"x":{"status":"running"}},"tasks":{"t":1}}"#);
    let before = a.clone();
    a.as_map_mut().unwrap().map_mut(&"agents".into()).insert("y", Value::Null);
    assert!(!a.same(&before));
    assert!(a.get("tasks").is_some_and(|t| before.get("tasks") == Some(t)));
    let x = |v: &Value| v.at(&Path::of(["agents", "x"])).cloned().unwrap();
    assert!(x(&a).same(&x(&before)));
    assert!(before.at(&Path::of(["agents", "y"])).is_none());
}

#[test]
fn differing_visits_what_changed_only() {
    let a: Map = (0..200).map(|n| (format!("{n:03}"), Value::Int(n))).collect();
    let mut b = a.clone();
    b.insert("050", Value::Null);
    b.remove("051");
    b.insert("500", Value::Int(500));
    let mut seen = Vec::new();
    a.differing(&b, |key, old, new| seen.push((key.to_string(), old.cloned(), new.cloned())));
    seen.sort_by(|x, y| x.0.cmp(&y.0));
    assert_eq!(
        seen,
        [
            ("050".to_owned(), Some(Value::Int(50)), Some(Value::Null)),
            ("051".to_owned(), Some(Value::Int(51)), None),
            ("500".to_owned(), None, Some(Value::Int(500))),
        ]
    );
}

/// Bytes in memory, as a file; at most so many.
#[derive(Debug)]
struct Memory(std::sync::Mutex<Vec<u8>>, usize);

impl spill::SpillFile for Memory {
    fn append(&self, bytes: &[u8]) -> Option<u64> {
        let mut all = self.0.lock().unwrap();
        let offset = all.len();
        (offset + bytes.len() <= self.1).then(|| all.extend_from_slice(bytes))?;
        Some(offset as u64)
    }
    fn read(&self, offset: u64, length: usize) -> Option<Vec<u8>> {
        let offset = usize::try_from(offset).unwrap();
        self.0.lock().unwrap().get(offset..offset + length).map(<[u8]>::to_vec)
    }
}

fn spill(most: usize) -> Arc<spill::Spill> {
    spill::Spill::new(Arc::new(Memory(std::sync::Mutex::default(), most))).unwrap()
}

/// What is done to a map, one after the other.
#[derive(Debug, Clone)]
enum Do {
    Insert(u32, i64),
    Remove(u32),
    /// Into the map under the key, made where there is none.
    Within(u32, u32, i64),
    Drain(u32, u32),
    PutAside,
    LetGo,
    Keep,
}

fn actions(most: usize) -> impl proptest::strategy::Strategy<Value = Vec<Do>> {
    use proptest::prelude::*;
    let key = || 0_u32..700;
    let one = prop_oneof![
        8 => (key(), 0_i64..9).prop_map(|(k, n)| Do::Insert(k, n)),
        4 => key().prop_map(Do::Remove),
        8 => (key(), 0_u32..60, 0_i64..9).prop_map(|(k, f, n)| Do::Within(k, f, n)),
        1 => (key(), 0_u32..200).prop_map(|(k, n)| Do::Drain(k, n)),
        1 => Just(Do::PutAside),
        1 => Just(Do::LetGo),
        1 => Just(Do::Keep),
    ];
    prop::collection::vec(one, 0..most)
}

type Model =
    std::collections::BTreeMap<String, Result<i64, std::collections::BTreeMap<String, i64>>>;

fn model_value(model: &Model) -> serde_json::Value {
    let entries = model.iter().map(|(key, value)| {
        let value = match value {
            Ok(n) => serde_json::json!(n),
            Err(map) => serde_json::json!(map),
        };
        (key.clone(), value)
    });
    serde_json::Value::Object(entries.collect())
}

/// A text longer than is kept in place, so that some things are not tiny.
fn long_key(field: u32) -> String {
    format!("a field with a long name {field:02}")
}

fn act(map: &mut Map, model: &mut Model, spill: &Arc<spill::Spill>, action: &Do) {
    let name = |key: u32| format!("{key:03}");
    match action {
        Do::Insert(key, n) => {
            map.insert(name(*key), Value::Int(*n));
            model.insert(name(*key), Ok(*n));
        }
        Do::Remove(key) => {
            assert_eq!(map.remove(&name(*key)).is_some(), model.remove(&name(*key)).is_some());
        }
        Do::Within(key, field, n) => {
            map.map_mut(&name(*key).into()).insert(long_key(*field), Value::Int(*n));
            let entry = model.entry(name(*key)).or_insert(Ok(0));
            if entry.is_ok() {
                *entry = Err(Default::default());
            }
            let Err(inner) = entry else { unreachable!() };
            inner.insert(long_key(*field), *n);
        }
        Do::Drain(from, count) => {
            for key in *from..from + count {
                let there = model.remove(&name(key)).is_some();
                assert_eq!(map.get(&name(key)).is_some(), there);
                assert_eq!(map.remove(&name(key)).is_some(), there);
            }
        }
        Do::PutAside => {
            spill.put(map);
            // Other bytes, of any length, do not come in the way.
            let bytes = vec![1; map.len() % 5];
            let there = spill.put_bytes(&bytes).and_then(|at| spill.bytes(at, bytes.len()));
            assert!(there.is_none_or(|there| there == bytes));
        }
        Do::LetGo => map.let_go(spill),
        Do::Keep => {}
    }
}

proptest::proptest! {
    #[test]
    fn a_map_is_what_was_done_to_it_in_memory_and_aside(
        actions in actions(900), most in proptest::sample::select(vec![1 << 30, 20_000])
    ) {
        let spill = spill(most);
        let (mut map, mut model) = (Map::new(), Model::new());
        let mut kept = Vec::new();
        for action in &actions {
            act(&mut map, &mut model, &spill, action);
            proptest::prop_assert_eq!(map.len(), model.len());
            if matches!(action, Do::Keep) {
                kept.push((map.clone(), model_value(&model)));
            }
        }
        kept.push((map.clone(), model_value(&model)));
        let stored: Vec<_> = kept.iter().map(|(map, _)| spill.put(map)).collect();
        for ((map, model), stored) in kept.iter().zip(stored) {
            proptest::prop_assert_eq!(&Value::Map(map.clone()).to_serde(), model);
            proptest::prop_assert!(map.iter().map(|(key, _)| key).is_sorted());
            proptest::prop_assert_eq!(map.iter().count(), map.len());
            if let Some(stored) = stored {
                let again = spill.map(stored);
                proptest::prop_assert!(again.same(map));
                proptest::prop_assert_eq!(&Value::Map(again).to_serde(), model);
            } else {
                proptest::prop_assert_ne!(most, 1 << 30);
            }
        }
    }

    #[test]
    fn what_differs_is_what_a_walk_through_all_finds(
        before in actions(500), actions in actions(60), drain in 0_u32..700
    ) {
        let spill = spill(1 << 30);
        let (mut map, mut model) = (Map::new(), Model::new());
        before.iter().for_each(|action| act(&mut map, &mut model, &spill, action));
        let old = map.clone();
        actions.iter().for_each(|action| act(&mut map, &mut model, &spill, action));
        act(&mut map, &mut model, &spill, &Do::Drain(drain, 30));
        for (a, b) in [(&old, &map), (&map, &old)] {
            let mut found = Vec::new();
            a.differing(b, |key, old, new| {
                if old != new {
                    found.push((key.clone(), old.cloned(), new.cloned()));
                }
            });
            let mut all = std::collections::BTreeMap::new();
            for (key, value) in a {
                all.insert(key.clone(), (Some(value.clone()), None));
            }
            for (key, value) in b {
                all.entry(key.clone()).or_default().1 = Some(value.clone());
            }
            let differing = all.into_iter().filter(|(_, (old, new))| old != new);
            let expected: Vec<_> = differing.map(|(key, (old, new))| (key, old, new)).collect();
            proptest::prop_assert_eq!(found, expected);
            proptest::prop_assert_eq!(a == b, a.to_owned().iter().eq(b.iter()));
        }
    }
}

#[test]
fn what_did_not_change_is_put_aside_once() {
    let spill = spill(1 << 30);
    let mut map = Map::new();
    for n in 0..1000 {
        map.map_mut(&format!("{n:04}").into()).insert("name", Value::text("x".repeat(200)));
    }
    let size = || spill.put_bytes(&[]).unwrap();
    spill.put(&map).unwrap();
    let first = size();
    map.map_mut(&"0500".into()).insert("name", Value::Null);
    let stored = spill.put(&map).unwrap();
    let (second, changed) = (size(), map.clone());
    assert!(second - first < first / 50, "{first} and then {}", second - first);
    map.let_go(&spill);
    assert!(map.same(&changed));
    spill.put(&map).unwrap();
    assert_eq!(size(), second);
    // Another spill knows nothing of it.
    let other = self::spill(1 << 30);
    other.put(&map).unwrap();
    assert_eq!(other.put_bytes(&[]).unwrap(), {
        let fresh = self::spill(1 << 30);
        fresh.put(&spill.map(stored)).unwrap();
        fresh.put_bytes(&[]).unwrap()
    });
}

#[test]
fn what_one_map_reads_is_not_kept_by_those_that_share_with_it() {
    let spill = spill(1 << 30);
    let mut map = Map::new();
    for n in 0..100 {
        map.map_mut(&format!("{n:03}").into()).insert("name", Value::text("x".repeat(200)));
    }
    let kept = spill.map(spill.put(&map).unwrap());
    let mut kept = Map::from_iter([("all", Value::Map(kept)), ("changed", Value::Null)]);
    kept.insert("changed", Value::Bool(true));
    let mut lent = kept.clone();
    lent.let_go(&spill);
    assert!(lent.get("all").and_then(|all| all.get("007")).is_some());
    let is_read = |map: &Map| match map.get("all") {
        Some(Value::Map(Map(Repr::Aside(shelf, number)))) => shelf.is_read(*number),
        _ => unreachable!("it was put aside"),
    };
    assert!(is_read(&lent) && !is_read(&kept));
}

#[test]
#[should_panic(expected = "cannot be read again")]
fn nothing_is_shown_in_place_of_what_cannot_be_read_again() {
    let spill = spill(1 << 30);
    let map: Map = [("name", Value::text("x".repeat(200)))].into_iter().collect();
    let stored = spill.put(&map).unwrap();
    assert_eq!(spill.map(stored), map);
    let place = spill::Place::from_bits(map.place().unwrap().bits() + (1 << 30)).unwrap();
    let _ = spill.map(spill::Stored::new(place, 1, 0)).get("name");
}

#[test]
fn values_stay_small() {
    // Millions of them are held for a long log.
    assert_eq!(size_of::<Value>(), 24);
}

#[test]
fn a_large_map_takes_no_more_room_than_its_entries() {
    fn check(map: &Map) -> usize {
        match map.here() {
            Repr::Small(leaf) => {
                assert_eq!(leaf.list.capacity(), leaf.list.len());
                leaf.list.len()
            }
            Repr::Large(branch) => {
                assert_eq!(branch.children.capacity(), branch.children.len());
                branch.children.iter().map(|(_, child)| check(child)).sum()
            }
            Repr::Aside(..) => panic!("nothing is put aside here"),
        }
    }
    let entries = (0..5000).map(|n| (Key::from(format!("{n:05}")), Value::Int(n)));
    assert_eq!(check(&Map::from_sorted(entries.collect())), 5000);
}
