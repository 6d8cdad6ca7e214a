//! Correlation rules of the file: which events belong together, as the user says.
//!
//! Lives here: [`Rule`] and reading a list of them, with the line of each fault. May not live here:
//! what types and keys mean (see `model::catalogue`).

use std::path::Path;

use serde_json::Value;

use super::yaml::{Data, Node};
use crate::error::{Error, Result};

/// The most rules that a file may have.
pub const MOST_RULES: usize = 200;

/// The members of a rule, and whether each may be a list.
pub const MEMBERS: &[(&str, bool)] =
    &[("name", false), ("source_event", true), ("target_events", true), ("correlation_key", false)];

/// Events of some types belong to the latest event of another type that has the same key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rule {
    /// Its name, as links show it.
    pub name: String,
    /// The types that begin something.
    pub sources: Vec<String>,
    /// The types that go on with it.
    pub targets: Vec<String>,
    /// What both must have in common.
    pub key: String,
}

/// Reads the list of rules; what is odd and does not matter goes to `warnings`.
///
/// # Errors
/// Usage, naming file and line: what is no rule, or has the name of another.
pub(super) fn read(node: &Node, path: &Path, warnings: &mut Vec<String>) -> Result<Vec<Rule>> {
    let place = |line: u64| format!("{}:{line}: correlation_rules", path.display());
    let items = match &node.data {
        Data::Scalar(Value::Null) => return Ok(Vec::new()),
        Data::List(items) => items,
        _ => return Err(fault(&place(node.line), "is no list of rules")),
    };
    if items.len() > MOST_RULES {
        let why = format!("has {} rules, and {MOST_RULES} are the most", items.len());
        return Err(fault(&place(node.line), &why));
    }
    let mut rules: Vec<Rule> = Vec::new();
    for (number, item) in (1..).zip(items) {
        let rule = rule(item, &place, warnings)?;
        if rules.iter().any(|other| other.name == rule.name) {
            let why = format!("has the name {:?} of another", rule.name);
            return Err(fault(&place(item.line), &format!("rule {number} {why}")));
        }
        rules.push(rule);
    }
    Ok(rules)
}

fn fault(place: &str, why: &str) -> Error {
    Error::usage(format!("{place} {why}")).with_hint(
        "a rule is {name: ci, source_event: BuildStarted, target_events: [BuildFailed], correlation_key: metadata.build_id}",
    )
}

fn rule(item: &Node, place: &impl Fn(u64) -> String, warnings: &mut Vec<String>) -> Result<Rule> {
    let Data::Table(members) = &item.data else {
        return Err(fault(&place(item.line), "has an item that is no rule"));
    };
    let mut rule = Rule::default();
    for (name, node) in members {
        let known = MEMBERS.iter().find(|(known, _)| known == name);
        let Some((_, lists)) = known else {
            warnings.push(format!("{}: a rule has no `{name}`", place(node.line)));
            continue;
        };
        let texts = texts(node, *lists);
        let texts = texts.filter(|texts| !texts.is_empty()).ok_or_else(|| {
            let wanted = if *lists { "a text, nor a list of texts" } else { "a text" };
            fault(&place(node.line), &format!("has a rule whose {name} is not {wanted}"))
        })?;
        let first = || texts.first().cloned().unwrap_or_default();
        match name.as_str() {
            "name" => rule.name = first(),
            "source_event" => rule.sources = texts,
            "target_events" => rule.targets = texts,
            _ => rule.key = first(),
        }
    }
    let missing = MEMBERS.iter().find(|(name, _)| !members.iter().any(|(known, _)| known == name));
    match missing {
        Some((name, _)) => Err(fault(&place(item.line), &format!("has a rule without {name}"))),
        None => Ok(rule),
    }
}

/// One text or several; none for anything else, and for empty texts.
fn texts(node: &Node, lists: bool) -> Option<Vec<String>> {
    let one = |node: &Node| match &node.data {
        Data::Scalar(Value::String(text)) if !text.trim().is_empty() => {
            Some(text.trim().to_owned())
        }
        _ => None,
    };
    match &node.data {
        Data::List(items) if lists => items.iter().map(one).collect(),
        _ => one(node).map(|text| vec![text]),
    }
}
