//! The way to the screen: what it needs of the command line.

use std::path::Path;
use std::sync::Arc;

use crate::config;
use crate::session::user_state;
use crate::store::local::LocalStore;
use crate::tui::replay::{Outfit, Outfitter};
use crate::tui::{self, TuiOptions};

use super::context::{Context, redactor};
use super::failure::Outcome;

pub(crate) use crate::tui::app::Start;
pub(crate) use crate::tui::share::View;

/// Opens the screen on an issue, or on the list of all.
pub(crate) fn open(context: &mut Context, issue: Option<String>, start: Start) -> Outcome {
    let store = context.shared_store()?;
    show(context, store, issue, start)
}

/// Opens the screen on a store.
pub(crate) fn show(
    context: &mut Context,
    store: Arc<LocalStore>,
    issue: Option<String>,
    start: Start,
) -> Outcome {
    let options = TuiOptions {
        replays: outfitter(context, &store),
        store_path: Some(store.root().to_owned()),
        store,
        config_path: context.config.file().map(Path::to_owned),
        issue,
        start,
        links: context.links,
        theme: std::env::var("CHRONOSCOPE_THEME").ok().filter(|name| !name.is_empty()),
        ascii: context.out.paint.ascii,
        no_color: !context.out.paint.colour,
        keymap_file: config::user_folder().map(|folder| folder.join("keymap.toml")),
        state_dir: user_state::state_dir(),
        clock: context.clock,
    };
    let farewells = tui::run(options)?;
    farewells.iter().for_each(|text| super::failure::note(text, context.out.paint));
    Ok(())
}

/// Makes what replays need, when the first one is asked for: few screens ever show one.
fn outfitter(context: &Context, store: &Arc<LocalStore>) -> Outfitter {
    let (config, store) = (context.config.clone(), Arc::clone(store));
    Arc::new(move || {
        Ok(Outfit {
            redactor: redactor(&config)?,
            store: Some(Arc::clone(&store)),
            checkpoint_every: super::seal::every(&config),
            config: config.clone(),
        })
    })
}
