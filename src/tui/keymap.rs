//! Which keys do what: the table's own keys, changed by the user's `keymap.toml`.
//!
//! Lives here: [`Keymap`], reading the file. May not live here: what a key is (see [`super::key`]),
//! or what commands do.

use super::action::{COMMANDS, Command, Context};
use super::key::{Key, Sequence, parse_sequence, sequence_text};
use crate::schema::nearest_of;

/// What some keys mean in some place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// A command.
    Command(Command),
    /// The beginning of one or several.
    Prefix,
    /// Nothing.
    Nothing,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Binding {
    keys: Sequence,
    command: Command,
}

/// All bindings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keymap {
    bindings: Vec<Binding>,
}

impl Default for Keymap {
    /// The table's own keys.
    fn default() -> Self {
        let bindings = COMMANDS.iter().flat_map(|spec| {
            let keys = spec.keys.iter().filter_map(|text| parse_sequence(text));
            keys.map(|keys| Binding { keys, command: spec.command })
        });
        Self { bindings: bindings.collect() }
    }
}

impl Keymap {
    /// What `keys` mean, in the first of `contexts` (the narrowest first) that knows them.
    #[must_use]
    pub fn look_up(&self, contexts: &[Context], keys: &[Key]) -> Lookup {
        for context in contexts {
            let here = || self.bindings.iter().filter(|b| b.command.spec().context == *context);
            if let Some(binding) = here().find(|b| b.keys == keys) {
                return Lookup::Command(binding.command);
            }
            if here().any(|b| b.keys.starts_with(keys)) {
                return Lookup::Prefix;
            }
        }
        Lookup::Nothing
    }

    /// The sequences of a command.
    pub fn sequences_of(&self, command: Command) -> impl Iterator<Item = &[Key]> {
        let own = self.bindings.iter().filter(move |b| b.command == command);
        own.map(|b| b.keys.as_slice())
    }

    /// The keys of a command, as people read them.
    #[must_use]
    pub fn keys_of(&self, command: Command, ascii: bool) -> Vec<String> {
        self.sequences_of(command).map(|keys| sequence_text(keys, ascii)).collect()
    }

    /// As [`Keymap::keys_of`], without those that mean something else in these contexts.
    #[must_use]
    pub fn keys_here(&self, command: Command, contexts: &[Context], ascii: bool) -> Vec<String> {
        let here = |keys: &&[Key]| self.look_up(contexts, keys) == Lookup::Command(command);
        let keys = self.sequences_of(command).filter(here);
        keys.map(|keys| sequence_text(keys, ascii)).collect()
    }

    /// The first key of a command; empty when it has none.
    #[must_use]
    pub fn first_key(&self, command: Command, ascii: bool) -> String {
        self.sequences_of(command).next().map(|k| sequence_text(k, ascii)).unwrap_or_default()
    }

    /// The default keys, changed as a `keymap.toml` says: each line gives an action all its keys,
    /// `step-forward = ["l", "right"]`, and takes them from every other action of the same
    /// context. What cannot be understood is told with its line and left out.
    #[must_use]
    pub fn read(text: &str, file: &str) -> (Self, Vec<String>) {
        let mut keymap = Self::default();
        let mut faults = Vec::new();
        let line = |at: usize| text[..at.min(text.len())].matches('\n').count() + 1;
        let table = match toml::de::DeTable::parse(text) {
            Ok(table) => table.into_inner(),
            Err(error) => {
                let at = error.span().map_or(1, |span| line(span.start));
                faults.push(format!("{file}:{at}: {}", error.message()));
                return (keymap, faults);
            }
        };
        let mut given: Vec<Binding> = Vec::new();
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(name, _)| name.span().start);
        for (name, keys) in entries {
            let at = line(name.span().start);
            match read_entry(name.get_ref(), keys.get_ref(), &given) {
                Ok(new) => {
                    if let Some(command) = Command::from_name(name.get_ref()) {
                        keymap.rebind(command, &new);
                    }
                    given.extend(new);
                }
                Err(fault) => faults.push(format!("{file}:{at}: {fault}")),
            }
        }
        (keymap, faults)
    }

    fn rebind(&mut self, command: Command, new: &[Binding]) {
        let context = command.spec().context;
        self.bindings.retain(|b| {
            let taken = b.command.spec().context == context && new.iter().any(|n| n.keys == b.keys);
            b.command != command && !taken
        });
        self.bindings.extend(new.iter().cloned());
    }
}

/// The bindings of one line of the file.
fn read_entry(
    name: &str,
    keys: &toml::de::DeValue<'_>,
    given: &[Binding],
) -> Result<Vec<Binding>, String> {
    let Some(command) = Command::from_name(name) else {
        return Err(format!("there is no action {name:?}{}", nearest(name)));
    };
    let texts: Option<Vec<&str>> = match keys {
        toml::de::DeValue::String(one) => Some(vec![one]),
        toml::de::DeValue::Array(all) => all.iter().map(|key| key.get_ref().as_str()).collect(),
        _ => None,
    };
    let texts = texts.ok_or_else(|| format!("{name} must be a key or a list of keys"))?;
    let mut bindings = Vec::new();
    for text in texts {
        let keys = parse_sequence(text).ok_or_else(|| {
            format!("{text:?} is no key; keys are like \"l\", \"ctrl-o\", \"space\", \"g g\"")
        })?;
        let context = command.spec().context;
        let taken = given.iter().find(|b| b.keys == keys && b.command.spec().context == context);
        if let Some(other) = taken.filter(|b| b.command != command) {
            return Err(format!("{text:?} is {} already", other.command.spec().name));
        }
        bindings.push(Binding { keys, command });
    }
    Ok(bindings)
}

fn nearest(name: &str) -> String {
    let near = nearest_of(name, COMMANDS.iter().map(|spec| spec.name));
    near.first().map(|near| format!("; did you mean {near:?}?")).unwrap_or_default()
}

/// The default keymap as a file: what `assets/keymap.toml` holds.
#[must_use]
pub fn default_file() -> String {
    let mut out = String::from(
        "# The keys of chronoscope, as they are unless you say otherwise.\n\
         # Copy the lines that you want to change into keymap.toml in your configuration folder.\n\
         # A line gives an action all its keys: a list of keys or of sequences (\"g g\").\n\
         # Modifiers: ctrl-, alt-, shift-. Digits are counts and cannot be bound with a count.\n",
    );
    let mut context = None;
    for spec in COMMANDS {
        if context != Some(spec.context) {
            out.push_str(&format!("\n# {}\n", spec.context.meaning()));
            context = Some(spec.context);
        }
        let keys: Vec<String> = spec.keys.iter().map(|key| format!("{key:?}")).collect();
        out.push_str(&format!("# {}\n{} = [{}]\n", spec.doc, spec.name, keys.join(", ")));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Sequence {
        parse_sequence(text).unwrap()
    }

    #[test]
    fn every_default_key_can_be_read_and_reaches_its_command() {
        let keymap = Keymap::default();
        for spec in COMMANDS {
            for text in spec.keys {
                let sequence = parse_sequence(text);
                assert!(sequence.is_some(), "{}: {text}", spec.name);
                let found = keymap.look_up(&[spec.context], &sequence.unwrap());
                assert_eq!(found, Lookup::Command(spec.command), "{}: {text}", spec.name);
            }
        }
    }

    #[test]
    fn the_narrowest_context_wins_and_prefixes_wait() {
        let keymap = Keymap::default();
        let look = |contexts: &[Context], text: &str| keymap.look_up(contexts, &keys(text));
        let state = [Context::State, Context::Debugger, Context::Anywhere];
        assert_eq!(look(&state, "-"), Lookup::Command(Command::Collapse));
        assert_eq!(look(&state[1..], "-"), Lookup::Command(Command::Slower));
        assert_eq!(look(&state, "g"), Lookup::Prefix);
        assert_eq!(look(&state, "g g"), Lookup::Command(Command::ToStart));
        assert_eq!(look(&state, "Q"), Lookup::Nothing);
    }

    #[test]
    fn the_users_file_changes_keys_and_tells_what_it_does_not_understand() {
        let text = "step-forward = \"x\"\n\nset-base = [\"D\"]\nstep-fowrard = \"y\"\nquit = 3\n\
                    zoom = \"hyper-z\"\nplay = \"x\"\n";
        let (keymap, faults) = Keymap::read(text, "keymap.toml");
        let look = |text: &str| keymap.look_up(&[Context::Debugger], &keys(text));
        assert_eq!(look("x"), Lookup::Command(Command::StepForward));
        assert_eq!(look("l"), Lookup::Nothing);
        assert_eq!(look("D"), Lookup::Command(Command::SetBase));
        assert_eq!(
            faults,
            [
                "keymap.toml:4: there is no action \"step-fowrard\"; did you mean \"step-forward\"?",
                "keymap.toml:5: quit must be a key or a list of keys",
                "keymap.toml:6: \"hyper-z\" is no key; keys are like \"l\", \"ctrl-o\", \"space\", \"g g\"",
                "keymap.toml:7: \"x\" is step-forward already",
            ]
        );
        let (keymap, faults) = Keymap::read("play = [", "k");
        assert_eq!(keymap, Keymap::default());
        assert!(faults[0].starts_with("k:1: "), "{faults:?}");
    }

    #[test]
    fn a_key_given_to_one_action_is_taken_from_the_others() {
        let (keymap, _) = Keymap::read("set-mark = \"l\"\n", "k");
        let found = keymap.look_up(&[Context::Debugger], &keys("l"));
        assert_eq!(found, Lookup::Command(Command::SetMark));
        assert_eq!(keymap.keys_of(Command::StepForward, false), ["→"]);
        assert_eq!(keymap.keys_of(Command::StepForward, true), ["right"]);
    }

    /// `UPDATE_KEYMAP=1 cargo test --lib keymap` writes it.
    #[test]
    fn the_shipped_file_is_that_of_the_table() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/keymap.toml");
        if std::env::var_os("UPDATE_KEYMAP").is_some() {
            std::fs::write(file, default_file()).unwrap();
        }
        let shipped = std::fs::read_to_string(file).unwrap();
        assert_eq!(shipped, default_file(), "UPDATE_KEYMAP=1 cargo test --lib keymap");
        assert_eq!(Keymap::read(&shipped, "k"), (Keymap::default(), Vec::new()));
    }

    #[test]
    fn only_the_keys_that_reach_a_command_are_told() {
        let keymap = Keymap::default();
        let debugger = [Context::State, Context::Debugger, Context::Anywhere];
        assert_eq!(keymap.keys_here(Command::Bottom, &debugger, true), ["ctrl-end"]);
        assert_eq!(keymap.keys_here(Command::Slower, &debugger, true), [""; 0]);
        let browser = [Context::Browser, Context::Anywhere];
        assert_eq!(keymap.keys_here(Command::Bottom, &browser, true), ["G", "end", "ctrl-end"]);
    }
}
