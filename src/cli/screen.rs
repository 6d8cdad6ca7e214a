//! The way to the screen: what it needs of the command line.

use std::sync::Arc;

use crate::error::Error;
use crate::model::Moment;
use crate::store::local::LocalStore;

use super::context::Context;
use super::failure::Outcome;

/// Opens the screen on an issue, or on the list of all.
pub(crate) fn open(
    context: &mut Context,
    issue: Option<String>,
    at: Option<Moment>,
    follow: bool,
) -> Outcome {
    let store = context.shared_store()?;
    show(context, store, issue, at, follow)
}

/// Opens the screen on a store.
pub(crate) fn show(
    context: &mut Context,
    store: Arc<LocalStore>,
    issue: Option<String>,
    at: Option<Moment>,
    follow: bool,
) -> Outcome {
    let _ = (context, store, issue, at, follow);
    Err(Error::usage("the screen is not compiled in")
        .with_hint("`chronoscope state ISSUE` prints what is true, `timeline` what happened")
        .into())
}
