use super::*;

fn wish(theme: Option<&str>, colorterm: &str, term: &str) -> Wish {
    Wish {
        theme: theme.map(str::to_owned),
        colorterm: colorterm.into(),
        term: term.into(),
        ..Wish::default()
    }
}

#[test]
fn built_in_themes_style_every_meaning() {
    for (name, text) in BUILT_IN {
        let file: File = toml::from_str(text).unwrap();
        assert_eq!(file.name, name);
        for role in Role::ALL {
            assert!(file.styles.contains_key(role.name()), "{name} lacks {role}");
        }
        Theme::parse(name, text).unwrap();
    }
}

/// Not to be read, or laid over other text.
const NOT_TEXT: [Role; 5] =
    [Role::Faint, Role::Border, Role::BorderFocused, Role::Selection, Role::SelectionUnfocused];

#[test]
fn text_can_be_read_on_every_ground_it_stands_on() {
    for name in ["dark", "light"] {
        let theme = Theme::built_in(name);
        let ground = |role| theme.style(role).bg.and_then(color::rgb).unwrap();
        let grounds = [Role::Text, Role::Selection, Role::SelectionUnfocused].map(ground);
        for role in Role::ALL.iter().filter(|r| !NOT_TEXT.contains(r)) {
            let style = theme.style(*role);
            let ink = style.fg.and_then(color::rgb).unwrap();
            let own = style.bg.and_then(color::rgb);
            for ground in own.map_or(grounds.to_vec(), |own| vec![own]) {
                // The density strip is a drawing: 3:1 is what WCAG asks of those.
                let least = if *role == Role::Density { 3.0 } else { 4.5 };
                let contrast = color::contrast(ink, ground);
                assert!(contrast >= least, "{name} {role}: {contrast:.2} on {ground:?}");
            }
        }
    }
}

#[test]
fn blocks_of_phases_can_be_read() {
    for name in ["dark", "light"] {
        let theme = Theme::built_in(name);
        for style in theme.phases.iter().chain(&theme.agents) {
            for part in [10, 18] {
                let block = theme.block(*style, part);
                let rgb = |c: Option<Color>| c.and_then(color::rgb).unwrap();
                let contrast = color::contrast(rgb(block.fg), rgb(block.bg));
                assert!(contrast >= 4.5, "{name} {part} % {style:?}: {contrast:.2}");
            }
        }
    }
}

#[test]
fn the_terminal_decides_unless_the_user_does() {
    for (wish, name, depth) in [
        (wish(None, "truecolor", "xterm-256color"), "dark", Depth::True),
        (wish(None, "", "xterm-256color"), "dark", Depth::Indexed),
        (wish(None, "", "xterm"), "ansi16", Depth::Ansi16),
        (wish(None, "", "dumb"), "none", Depth::None),
        (wish(Some("light"), "24bit", "xterm"), "light", Depth::True),
        (wish(Some("light"), "", "xterm"), "light", Depth::Indexed),
        (Wish { no_color: true, ..wish(Some("dark"), "truecolor", "") }, "none", Depth::None),
        (Wish { colorfgbg: "0;15".into(), ..wish(None, "truecolor", "") }, "light", Depth::True),
        (Wish { colorfgbg: "15;0".into(), ..wish(None, "truecolor", "") }, "dark", Depth::True),
    ] {
        let theme = Theme::choose(&wish).unwrap();
        assert_eq!((theme.name.as_str(), theme.depth), (name, depth), "{wish:?}");
    }
}

#[test]
fn no_colour_means_none() {
    let theme = Theme::built_in("none");
    for style in theme.styles.iter().chain(&theme.phases).chain(&theme.agents) {
        assert!(is_default(style.fg) && is_default(style.bg), "{style:?}");
    }
}

#[test]
fn a_256_colour_terminal_gets_no_24_bit_colour() {
    let theme = Theme::choose(&wish(None, "", "screen-256color")).unwrap();
    for style in theme.styles.iter().chain(&theme.phases).chain(&theme.agents) {
        for color in [style.fg, style.bg].into_iter().flatten() {
            assert!(!matches!(color, Color::Rgb(..)), "{style:?}");
        }
    }
}

#[test]
fn a_theme_of_ones_own_changes_what_it_names() {
    let text =
        "base = \"light\"\n[colors]\nink = \"#101010\"\n[styles]\nfailed = \"bold ink on red\"";
    let theme = Theme::parse("mine.toml", text).unwrap();
    let expected = Style::new().fg(Color::Rgb(16, 16, 16)).bg(Color::Red).bold();
    assert_eq!(theme.style(Role::Failed), expected);
    assert_eq!(theme.style(Role::Done), Theme::built_in("light").style(Role::Done));
}

#[test]
fn faults_of_theme_files_are_named() {
    for (text, part) in [
        ("styles = 3", "mine"),
        ("[styles]\nfialed = \"red\"", "\"fialed\""),
        ("[styles]\nfailed = \"redd\"", "\"redd\""),
        ("[styles]\nfailed = \"red on\"", "\"on\""),
        ("base = \"solarized\"", "\"solarized\""),
        ("depth = \"8\"", "\"8\""),
        ("colour = 1", "colour"),
    ] {
        let error = Theme::parse("mine", text).unwrap_err();
        assert!(error.message().contains(part), "{text}: {}", error.message());
    }
    let error = Theme::choose(&wish(Some("/no/such.toml"), "truecolor", "")).unwrap_err();
    assert_eq!(error.kind(), crate::error::ErrorKind::NotFound);
}

#[test]
fn phases_keep_their_colours() {
    let theme = Theme::built_in("dark");
    assert_ne!(theme.phase("EXPLORE"), theme.phase("PLAN"));
    assert_eq!(theme.phase("REVIEW"), theme.phase("REVIEW"));
    assert_eq!(theme.agent(0), theme.agent(theme.agents.len()));
}
