//! What is told before a run begins: the runs of the issue that did not come to their end.
//!
//! Lives here: the words. May not live here: finding them (see
//! [`crate::session::replay::unfinished`]).

use crate::session::replay::unfinished::{Unfinished, unfinished_of};
use crate::store::local::LocalStore;

use super::super::context::Context;
use super::super::failure::note;

/// How many runs are told of each.
const MOST_TOLD: usize = 3;
/// How many more are named.
const MOST_NAMED: usize = 5;

/// Says which runs of the issue did not come to their end: who begins anew executes once more what
/// they executed.
pub(super) fn tell(context: &Context, store: &LocalStore, issue: &str) {
    // What cannot be listed cannot be gone on with.
    let Ok(left) = unfinished_of(store, issue, MOST_TOLD) else { return };
    for run in &left.runs {
        note(&text(run, issue), context.out.paint);
    }
    if !left.older.is_empty() {
        let text = format!("older runs of {issue} did not end either: {}", named(&left.older));
        note(&text, context.out.paint);
    }
    if !left.unreadable.is_empty() {
        let text = format!(
            "what was executed by runs whose journals cannot be read is not known: {}",
            named(&left.unreadable)
        );
        note(&text, context.out.paint);
    }
}

fn text(run: &Unfinished, issue: &str) -> String {
    let (id, done, all) = (&run.header.replay_id, run.done, run.events);
    if run.is_held {
        return format!("replay {id} of {issue} is still at work, after {done} of {all} events");
    }
    let unknown: Vec<String> = run.unknown.iter().map(|at| format!("#{at}")).collect();
    let unknown = match unknown.as_slice() {
        [] => String::new(),
        all => format!(", and nobody knows how {} ended", all.join(", ")),
    };
    format!(
        "replay {id} of {issue} ended after {done} of {all} events{unknown}; --resume {id} goes on \
         with it, and executes nothing twice"
    )
}

/// Some runs by their ids; of many, the first.
fn named(ids: &[String]) -> String {
    let first = ids.iter().take(MOST_NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match ids.len().saturating_sub(MOST_NAMED) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}
