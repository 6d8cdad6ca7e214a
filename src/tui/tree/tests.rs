use super::*;

fn map(json: &str) -> Map {
    let value: Value = serde_json::from_str(json).unwrap();
    value.as_map().unwrap().clone()
}

fn rows(tree: &Tree) -> Vec<String> {
    tree.window(0, 1000).iter().map(|row| row.path.to_string()).collect()
}

const STATE: &str = r#"{"agents":{"a":{"files":["x","y"],"status":"failed"},"b":{"status":"running"}},
        "counters":{"events":3},"empty":{},"git":{"head":"abc"}}"#;

#[test]
fn small_maps_at_the_top_are_open_and_counters_are_not() {
    let tree = Tree::new(map(STATE), &Wanted::default(), &[]);
    let expected =
        ["/agents", "/agents/a", "/agents/b", "/counters", "/empty", "/git", "/git/head"];
    assert_eq!(rows(&tree), expected);
    assert_eq!(tree.len(), expected.len());
    assert_eq!(tree.window(4, 1)[0].open, None);
}

#[test]
fn what_changed_is_open_unless_the_user_closed_it() {
    let changed = [Path::parse("/agents/a/status").unwrap()];
    let tree = Tree::new(map(STATE), &Wanted::default(), &changed);
    assert!(rows(&tree).contains(&"/agents/a/status".to_owned()));
    let mut wanted = Wanted::default();
    wanted.set(&Path::parse("/agents/a").unwrap(), false);
    let tree = Tree::new(map(STATE), &wanted, &changed);
    assert!(!rows(&tree).contains(&"/agents/a/status".to_owned()));
}

#[test]
fn every_window_and_index_agrees_with_the_whole() {
    let mut wanted = Wanted::default();
    for path in ["/agents/a", "/agents/a/files", "/agents/b", "/counters"] {
        wanted.set(&Path::parse(path).unwrap(), true);
    }
    let tree = Tree::new(map(STATE), &wanted, &[]);
    let all = tree.window(0, 1000);
    assert_eq!(all.len(), tree.len());
    for first in 0..=all.len() {
        for count in 0..=all.len() {
            let end = (first + count).min(all.len());
            assert_eq!(tree.window(first, count), all[first..end], "{first} {count}");
        }
    }
    for (index, row) in all.iter().enumerate() {
        assert_eq!(tree.index_of(&row.path), Some(index), "{}", row.path);
    }
    assert_eq!(tree.index_of(&Path::of(["git", "none"])), None);
}

#[test]
fn a_path_in_a_closed_branch_is_found_at_the_branch() {
    let tree = Tree::new(map(STATE), &Wanted::default(), &[]);
    assert_eq!(tree.index_of(&Path::parse("/agents/a/status").unwrap()), Some(1));
}

#[test]
fn a_hundred_thousand_agents_are_counted_and_seen_in_part() {
    let agents: Map = (0..100_000)
        .map(|n| (format!("agent-{n:06}"), Value::Map(map(r#"{"status":"x"}"#))))
        .collect();
    let state: Map = [("agents", Value::Map(agents))].into_iter().collect();
    let mut wanted = Wanted::default();
    wanted.set(&Path::of(["agents"]), true);
    wanted.set(&Path::of(["agents", "agent-050000"]), true);
    let tree = Tree::new(state, &wanted, &[]);
    assert_eq!(tree.len(), 100_002);
    let row = &tree.window(50_002, 1)[0];
    assert_eq!(row.path.to_string(), "/agents/agent-050000/status");
    assert_eq!(tree.index_of(&row.path), Some(50_002));
    assert_eq!(tree.window(100_000, 50).len(), 2);
}

#[test]
fn opening_all_stops_at_its_bound() {
    let mut wanted = Wanted::default();
    let mut most = 2;
    assert!(!wanted.open_all(&Path::of(["agents"]), &Value::Map(map(STATE)), &mut most));
    assert_eq!(wanted.get(&Path::of(["agents"])), Some(true));
}
