use super::*;

#[test]
fn touches_are_found_at_above_and_below() {
    let path = |text| Path::parse(text).unwrap();
    let mut changed =
        vec![(path("/agents/a/status"), false), (path("/errors/e"), true), (path("/git"), false)];
    changed.sort();
    for (at, expected) in [
        ("/agents/a/status", Some(Touch::Changed)),
        ("/agents/a", Some(Touch::Below)),
        ("/agents", Some(Touch::Below)),
        ("/agents/b", None),
        ("/errors/e", Some(Touch::Added)),
        ("/errors/e/code", Some(Touch::Added)),
        ("/git/head", None),
        ("/zzz", None),
    ] {
        assert_eq!(touch(&changed, &path(at)), expected, "{at}");
    }
}
