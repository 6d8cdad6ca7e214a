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

proptest::proptest! {
    #[test]
    fn map_agrees_with_std(ops in proptest::collection::vec((0_u8..60, proptest::option::of(0_i64..9)), 0..200)) {
        let (mut map, mut model) = (Map::new(), std::collections::BTreeMap::new());
        for (key, value) in ops {
            let key = key.to_string();
            match value {
                Some(n) => proptest::prop_assert_eq!(
                    map.insert(key.as_str(), Value::Int(n)), model.insert(key, Value::Int(n))),
                None => proptest::prop_assert_eq!(map.remove(&key), model.remove(&key)),
            }
        }
        let ours: Vec<_> = map.iter().map(|(k, v)| (k.to_string(), v.clone())).collect();
        let theirs: Vec<_> = model.into_iter().collect();
        proptest::prop_assert_eq!(ours, theirs);
    }
}

#[test]
fn values_stay_small() {
    // Millions of them are held for a long log.
    assert_eq!(size_of::<Value>(), 24);
}
