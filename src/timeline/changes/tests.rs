use super::*;

fn change(path: &str, old: Option<&str>, new: Option<&str>) -> Change {
    let value = |json: &str| serde_json::from_str(json).unwrap();
    Change { path: Path::parse(path).unwrap(), old: old.map(value), new: new.map(value) }
}

fn writers(index: &ChangeIndex, path: &str) -> Vec<Position> {
    index.writers(&Path::parse(path).unwrap()).to_vec()
}

#[test]
fn writers_of_leaves_subtrees_and_lists() {
    let mut index = ChangeIndex::default();
    index.record(1, &[change("/agents/x", None, Some(r#"{"status":"running","files":["a"]}"#))]);
    index.record(2, &[change("/agents/x/status", Some("\"running\""), Some("\"failed\""))]);
    index.record(
        3,
        &[change("/tasks/t", None, Some("{}")), change("/counters/events", None, Some("3"))],
    );
    index.record(4, &[change("/agents/x", Some(r#"{"status":"failed","files":["a"]}"#), None)]);
    assert_eq!(writers(&index, "/agents/x/status"), [1, 2, 4]);
    assert_eq!(writers(&index, "/agents/x/files"), [1, 4]);
    assert_eq!(writers(&index, "/agents/x/files/0"), [1, 4]);
    assert_eq!(writers(&index, "/agents"), [1, 2, 4]);
    assert_eq!(writers(&index, ""), [1, 2, 3, 4]);
    assert!(writers(&index, "/counters/events").is_empty());
    assert!(writers(&index, "/agents/y").is_empty());
    assert!(writers(&index, "/agents/0").is_empty());
}

#[test]
fn what_comes_and_goes_in_one_piece_is_noted_once() {
    let mut index = ChangeIndex::default();
    let call = r#"{"at":"t","input":{"path":"a","deep":{"b":1}}}"#;
    index.record(1, &[change("/tools/B", None, Some(r#"{"calls":1}"#))]);
    let before = index.paths();
    index.record(2, &[change("/tools/B/open", None, Some(&format!(r#"{{"x":{call}}}"#)))]);
    index.record(3, &[change("/tools/B/open/y", None, Some(call))]);
    index.record(4, &[change("/tools/B/open/x", Some(call), None)]);
    assert_eq!(index.paths() - before, 3, "open, x and y");
    for path in ["", "/at", "/input", "/input/path", "/input/deep/b"] {
        assert_eq!(writers(&index, &format!("/tools/B/open/x{path}")), [2, 4], "{path}");
        assert_eq!(writers(&index, &format!("/tools/B/open/y{path}")), [3], "{path}");
    }
    assert!(writers(&index, "/tools/B/open/z/at").is_empty());
    // What is written by itself from now on has writers of its own; the rest has not.
    index.record(5, &[change("/tools/B/open/y/input/path", Some("\"a\""), Some("\"c\""))]);
    index.record(6, &[change("/tools/B/open/y/note", None, Some("\"n\""))]);
    index.record(7, &[change("/tools/B/open/y", Some(call), None)]);
    assert_eq!(writers(&index, "/tools/B/open/y/input/path"), [3, 5, 7]);
    assert_eq!(writers(&index, "/tools/B/open/y/input/deep/b"), [3, 7]);
    assert_eq!(writers(&index, "/tools/B/open/y/at"), [3, 7]);
    assert_eq!(writers(&index, "/tools/B/open/y/note"), [6]);
    assert_eq!(writers(&index, "/tools/B/open"), [2, 3, 4, 5, 6, 7]);
    let path = Path::parse("/tools/B/open/y/input/path").unwrap();
    let found = index.writers(&path);
    for at in 0..9 {
        let expected = [3, 5, 7];
        let last = expected.iter().rev().find(|p| **p <= at).copied();
        assert_eq!(found.last_until(at), last, "{at}");
        assert_eq!(found.first_after(at), expected.into_iter().find(|p| *p > at), "{at}");
        assert_eq!(found.contains(at), expected.contains(&at), "{at}");
        let after: Vec<_> = index.writers(&path).after(at).collect();
        let expected: Vec<_> = expected.into_iter().filter(|p| *p > at).collect();
        assert_eq!(after, expected, "{at}");
    }
    let mut leaves = Vec::new();
    index.each_leaf(|path, writers| leaves.push((path.to_string(), writers.to_vec())));
    assert!(leaves.contains(&("/tools/B/open/x".to_owned(), vec![2, 4])));
    assert!(leaves.contains(&("/tools/B/open/y/input/path".to_owned(), vec![3, 5, 7])));
}

#[test]
fn replacing_a_subtree_writes_only_what_differs() {
    let mut index = ChangeIndex::default();
    index.record(1, &[change("/phases", None, Some(r#"{"CODE":{"a":1,"b":2}}"#))]);
    index.record(
        2,
        &[change("/phases", Some(r#"{"CODE":{"a":1,"b":2}}"#), Some(r#"{"CODE":{"a":1,"b":3}}"#))],
    );
    assert_eq!(writers(&index, "/phases/CODE/a"), [1]);
    assert_eq!(writers(&index, "/phases/CODE/b"), [1, 2]);
}
