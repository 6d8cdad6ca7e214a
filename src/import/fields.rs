//! Which fields of a source a mapping reads: assigned by the user, and what is left over.
//!
//! Lives here: `--field` assignments, and [`Coverage`], which counts what no template looks at.
//! May not live here: reading the fields.

use std::collections::BTreeMap;

use serde_json::Value;
use smallvec::SmallVec;

use super::build::Build;
use super::mapping::{Actor, Cause, Mapping, Rule};
use super::template::{Pointer, Template};

/// Puts one assignment into a mapping.
pub(super) fn assign(mapping: &mut Mapping, assignment: &str) -> Result<(), String> {
    let (field, reference) =
        assignment.split_once('=').ok_or_else(|| "there is no = in it".to_owned())?;
    let template = reference_template(reference)?;
    match field {
        "id" | "event_id" => mapping.id.value = Some(template),
        "type" | "event_type" => mapping.r#type = template,
        "timestamp" | "time" => mapping.time.value = Some(template),
        "issue" | "issue_key" => mapping.issue.value = Some(template),
        "session" | "session_id" => mapping.session.value = Some(template),
        "cause" | "causation_id" => mapping.cause = vec![Cause::Source(template)],
        "correlation" | "correlation_id" => mapping.correlation = Some(template),
        "branch" => mapping.branch = Some(template),
        "git_sha" => mapping.git_sha = Some(template),
        "actor" => each_actor(mapping, |actor| actor.id = template.clone()),
        "actor_type" => each_actor(mapping, |actor| actor.r#type = template.clone()),
        "model" => each_actor(mapping, |actor| actor.model = Some(template.clone())),
        "metadata" => mapping.metadata = spread(template),
        _ => {
            let name = field.strip_prefix("metadata.").filter(|name| !name.is_empty());
            let name = name.ok_or_else(|| {
                format!("{field:?} is none of id, type, timestamp, issue, session, actor, actor_type, model, cause, correlation, branch, git_sha, metadata, metadata.NAME")
            })?;
            if let Build::Object { members, .. } = &mut mapping.metadata {
                members.retain(|(known, _)| known != name);
                members.push((name.to_owned(), Build::Template(template)));
            }
        }
    }
    Ok(())
}

fn spread(template: Template) -> Build {
    Build::Object { spread: Some(template), members: Vec::new() }
}

fn each_actor(mapping: &mut Mapping, change: impl Fn(&mut Actor)) {
    mapping.actor.iter_mut().for_each(change);
}

/// `/a/b`, `a.b` or a template.
fn reference_template(text: &str) -> Result<Template, String> {
    if text.is_empty() {
        return Err("the field of the source is empty".into());
    }
    if text.contains('{') {
        return Template::parse(text);
    }
    let pointer = if text.starts_with('/') {
        text.to_owned()
    } else {
        text.split('.').fold(String::new(), |pointer, key| {
            pointer + "/" + &key.replace('~', "~0").replace('/', "~1")
        })
    };
    if pointer.contains(['|', '\'', '}']) || pointer.contains(" as ") {
        return Err(format!("{text:?} has a character that needs a template"));
    }
    Template::parse(&format!("{{{pointer}}}"))
}

/// The fields that a mapping looks at, as a tree of keys.
#[derive(Debug, Default)]
pub(super) struct Coverage {
    /// Whether the value is taken as a whole.
    whole: bool,
    below: BTreeMap<String, Coverage>,
    /// Below keys with a star: what stands before and after it.
    starred: Vec<(String, String, Coverage)>,
}

/// How many different fields without a place are counted.
const MAX_FIELDS: usize = 1000;

impl Coverage {
    pub(super) fn of(mapping: &Mapping) -> Self {
        let mut root = Self::default();
        let mut record = Vec::new();
        let mut item = Vec::new();
        let singles = [
            &mapping.id.value,
            &mapping.issue.value,
            &mapping.issue.default,
            &mapping.time.value,
            &mapping.session.value,
            &mapping.session.otherwise,
            &mapping.correlation,
            &mapping.branch,
            &mapping.git_sha,
        ];
        let singles = singles.into_iter().flatten().chain([&mapping.r#type]);
        let singles = singles.chain(mapping.about.values());
        let singles = singles.chain(mapping.memory.values().map(|memory| &memory.find));
        singles.for_each(|template| template.pointers(&mut record, &mut item));
        mapping.actor.iter().for_each(|actor| actor_pointers(actor, &mut record, &mut item));
        cause_pointers(&mapping.cause, &mut record, &mut item);
        mapping.metadata.pointers(&mut record, &mut item);
        if let Some(run) = &mapping.session.run {
            run.key.pointers(&mut record, &mut item);
            run.starts.pointers(&mut record, &mut item);
            run.ends.pointers(&mut record, &mut item);
        }
        for pointer in record {
            root.add(&pointer.keys());
        }
        root.add_rules(&mapping.rule, &[]);
        root
    }

    fn add(&mut self, keys: &[String]) {
        match keys.split_first() {
            None => self.whole = true,
            Some((key, rest)) => match key.split_once('*') {
                None => self.below.entry(key.clone()).or_default().add(rest),
                Some((before, after)) => {
                    let known = self.starred.iter().position(|(b, a, _)| b == before && a == after);
                    let at = known.unwrap_or_else(|| {
                        let new = (before.to_owned(), after.to_owned(), Self::default());
                        self.starred.push(new);
                        self.starred.len() - 1
                    });
                    self.starred[at].2.add(rest);
                }
            },
        }
    }

    /// The pointers of rules; items stand below `at`, under any index.
    fn add_rules(&mut self, rules: &[Rule], at: &[String]) {
        for rule in rules {
            let (mut record, mut item) = (Vec::new(), Vec::new());
            rule.when.pointers(&mut record, &mut item);
            rule.metadata.pointers(&mut record, &mut item);
            let templates = [&rule.r#type, &rule.once, &rule.correlation];
            templates
                .into_iter()
                .flatten()
                .for_each(|template| template.pointers(&mut record, &mut item));
            cause_pointers(rule.cause.as_deref().unwrap_or_default(), &mut record, &mut item);
            rule.actor.iter().for_each(|actor| actor_pointers(actor, &mut record, &mut item));
            for remember in rule.remember.values() {
                remember.key.pointers(&mut record, &mut item);
                remember.value.pointers(&mut record, &mut item);
            }
            for pointer in record {
                self.add(&pointer.keys());
            }
            for pointer in item {
                self.add(&[at, &pointer.keys()].concat());
            }
            let (mut record, mut item) = (Vec::new(), Vec::new());
            if let Some(list) = &rule.for_each {
                list.pointers(&mut record, &mut item);
            }
            let own = record.iter().map(|pointer| pointer.keys());
            let nested = item.iter().map(|pointer| [at, &pointer.keys()].concat());
            for mut list in own.chain(nested) {
                list.push(ANY.to_owned());
                self.add_rules(&rule.each, &list);
            }
        }
    }

    /// Counts the fields of `record` that nothing looks at, by their pointers.
    pub(super) fn count(&self, record: &Value, counts: &mut BTreeMap<String, u64>) {
        walk(&[self], record, &mut String::new(), counts);
    }
}

/// `here` are the places of the tree that the value stands at: several where stars fit, too.
fn walk(here: &[&Coverage], value: &Value, path: &mut String, counts: &mut BTreeMap<String, u64>) {
    if value.is_null() || here.iter().any(|place| place.whole) {
        return;
    }
    let length = path.len();
    match value {
        Value::Object(members) if here.iter().any(|place| !place.is_leaf()) => {
            for (key, value) in members {
                path.push('/');
                path.push_str(key);
                let below: SmallVec<[&Coverage; 2]> =
                    here.iter().flat_map(|place| place.at(key)).collect();
                if below.is_empty() {
                    add_one(counts, path);
                } else {
                    walk(&below, value, path, counts);
                }
                path.truncate(length);
            }
        }
        Value::Array(items) => {
            let below: SmallVec<[&Coverage; 2]> =
                here.iter().filter_map(|place| place.below.get(ANY)).collect();
            if !below.is_empty() {
                path.push_str("/*");
                items.iter().for_each(|item| walk(&below, item, path, counts));
                path.truncate(length);
            }
        }
        _ => {}
    }
}

impl Coverage {
    fn is_leaf(&self) -> bool {
        self.below.is_empty() && self.starred.is_empty()
    }

    fn at<'c>(&'c self, key: &'c str) -> impl Iterator<Item = &'c Coverage> {
        let stars = self.starred.iter().filter(move |(before, after, _)| {
            key.starts_with(before.as_str()) && key.ends_with(after.as_str())
        });
        self.below.get(key).into_iter().chain(stars.map(|(_, _, below)| below))
    }
}

/// Stands for every index of a list.
const ANY: &str = "[]";

/// Counts one more of a name, unless there are too many names.
pub(super) fn add_one(counts: &mut BTreeMap<String, u64>, name: &str) {
    if let Some(count) = counts.get_mut(name) {
        *count += 1;
    } else if counts.len() < MAX_FIELDS {
        counts.insert(name.to_owned(), 1);
    }
}

fn actor_pointers<'v>(
    actor: &'v Actor,
    record: &mut Vec<&'v Pointer>,
    item: &mut Vec<&'v Pointer>,
) {
    actor.when.pointers(record, item);
    actor.r#type.pointers(record, item);
    actor.id.pointers(record, item);
    actor.model.iter().for_each(|model| model.pointers(record, item));
}

fn cause_pointers<'v>(
    causes: &'v [Cause],
    record: &mut Vec<&'v Pointer>,
    item: &mut Vec<&'v Pointer>,
) {
    for cause in causes {
        let (Cause::Event(template) | Cause::Source(template)) = cause;
        template.pointers(record, item);
    }
}
