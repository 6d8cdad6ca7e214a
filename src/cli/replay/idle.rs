//! `replay`: what is said of programs and settings that have nothing to do.
//!
//! Lives here: finding handlers that can never run, and why, and names in the settings that no
//! event has. May not live here: refusals; a replay goes on with all of them.

use std::collections::BTreeMap;

use super::super::context::Context;
use super::super::failure::note;
use super::Flags;
use crate::model::Kind;
use crate::model::catalogue::{ReplayPolicy, category};
use crate::replay::Handlers;
use crate::session::Session;
use crate::session::replay::Request;

/// The types of some events, by name.
type Types<'s> = BTreeMap<&'s str, Kind>;

/// Says which programs have nothing to do, and which names of the settings stand for nothing: a
/// misspelled one must not go unseen.
pub(super) fn tell(context: &Context, session: &Session, request: &Request, flags: &Flags) {
    let names: Vec<&str> = request.handlers.words().map(|(name, _)| name).collect();
    if !names.is_empty() {
        let types = asked_for(session, request);
        for name in names {
            let why = match why_idle(name, &types, request) {
                Some(Why::Absent) if !is_in_log(session, name) => {
                    format!("there is no event of type {name:?}")
                }
                // The settings are for every issue; who gives a flag means this one.
                Some(Why::Absent) if is_given(flags, name) => {
                    format!("no event of {} is asked for", called(name))
                }
                Some(Why::Never(why)) => format!("{} {why}", called(name)),
                Some(Why::Absent) | None => continue,
            };
            note(&format!("{why}, so its handler has nothing to do"), context.out.paint);
        }
    }
    for name in request.policies.never() {
        if !Kind::from_name(&name).is_catalogued() && !has_type(session, &name) {
            let text = format!(
                "replay.non_replayable_events names {name:?}, and there is no event of that type"
            );
            note(&text, context.out.paint);
        }
    }
}

/// Why a program has nothing to do.
enum Why {
    /// There is no event that it is for.
    Absent,
    /// There may be, and it is never executed.
    Never(&'static str),
}

fn why_idle(name: &str, types: &Types<'_>, request: &Request) -> Option<Why> {
    let own = Kind::from_name(name);
    let is_for =
        |(kind_name, kind): &(&&str, &Kind)| **kind_name == name || category(**kind).name() == name;
    let mut policies: Vec<ReplayPolicy> = types
        .iter()
        .filter(is_for)
        .map(|(name, kind)| request.policies.of_type(name, *kind))
        .collect();
    if own.is_catalogued() {
        // Known without an event of it.
        policies = vec![request.policies.of_type(name, own)];
    }
    let all = |policy| !policies.is_empty() && policies.iter().all(|one| *one == policy);
    if all(ReplayPolicy::Record) {
        return Some(Why::Never("is only ever taken as it is recorded"));
    }
    if all(ReplayPolicy::NotRepeatable) {
        return Some(Why::Never("is never executed (replay.non_replayable_events)"));
    }
    if !types.iter().any(|one| is_for(&one)) {
        return Some(Why::Absent);
    }
    if !policies.contains(&ReplayPolicy::Execute) {
        return Some(Why::Never("is never executed"));
    }
    let has_other = |kind_name: &str| {
        kind_name != name && request.handlers.words().any(|(other, _)| other == kind_name)
    };
    let executed = types.iter().filter(is_for).filter(|(kind_name, kind)| {
        request.policies.of_type(kind_name, **kind) == ReplayPolicy::Execute
    });
    let mut executed = executed.map(|(kind_name, _)| *kind_name);
    executed.all(has_other).then_some(Why::Never("has handlers of its own for each type"))
}

/// The types of the events that are asked for.
fn asked_for<'s>(session: &'s Session, request: &Request) -> Types<'s> {
    let timeline = session.timeline();
    let mut types = Types::new();
    let mut add = |position| {
        for row in timeline.rows_in(position..position + 1) {
            if row.kind != Kind::Unreadable {
                types.insert(timeline.text(row.type_name), row.kind);
            }
        }
    };
    match &request.selected {
        Some(positions) => positions.iter().copied().for_each(&mut add),
        None => (request.from..=request.to).for_each(&mut add),
    }
    types
}

/// Whether a name is one that events can have here.
fn is_in_log(session: &Session, name: &str) -> bool {
    Handlers::is_area(name) || Kind::from_name(name).is_catalogued() || has_type(session, name)
}

fn has_type(session: &Session, name: &str) -> bool {
    let timeline = session.timeline();
    timeline.rows().any(|row| timeline.text(row.type_name) == name)
}

fn is_given(flags: &Flags, name: &str) -> bool {
    let names = flags.handlers.iter().filter_map(|text| text.split_once('='));
    names.into_iter().any(|(given, _)| given.trim() == name)
}

fn called(name: &str) -> String {
    if Handlers::is_area(name) { format!("area {name}") } else { format!("type {name:?}") }
}
