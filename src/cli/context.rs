//! What every command needs: the settings, the clock, the output, and the store when it asks.
//!
//! Lives here: resolving the flags that all commands take, and where the store is. May not live
//! here: what single commands do.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::clock::Clock;
use crate::config::{Config, Setting, Sources};
use crate::error::{Error, Result};
use crate::model::catalogue::{self, Links};
use crate::model::{Moment, Position};
use crate::schema::{RedactionMode, Redactor};
use crate::session::Session;
use crate::session::user_state::{self, UserState};
#[cfg(unix)]
use crate::signals::is_ignored;
use crate::store::local::{LocalStore, is_store};

use super::args::Global;
use super::output::Output;

/// The folders that are looked for upwards.
const STORE_NAMES: [&str; 2] = ["sessions/events", "events"];

/// What a command works with.
#[derive(Debug)]
pub(crate) struct Context {
    /// The settings in force.
    pub config: Config,
    /// What time it is.
    pub clock: Clock,
    /// The correlation rules of the catalogue and of the configuration.
    pub links: Links,
    /// Where the result goes.
    pub out: Output,
}

impl Context {
    /// Loads the settings and takes hold of the output. What is odd about the settings is said
    /// once, on stderr, by [`Context::tell_warnings`].
    pub(crate) fn new(global: Global) -> Result<Self> {
        let out = Output::new(global.format(), global.color, global.ascii);
        let clock = Clock::from_environment()?;
        let mut config = Config::load(&Sources::from_process(global.config)?)?;
        if let Some(store) = global.store {
            let text = store.into_os_string().into_string();
            let text = text.map_err(|_| Error::usage("--store is not UTF-8"))?;
            if text.is_empty() {
                return Err(Error::usage("--store is empty"));
            }
            config.give_flag(Setting::BasePath, "--store", text.into())?;
        }
        let links = catalogue::with_rules(config.rules());
        Ok(Self { config, clock, links, out })
    }

    /// Says on stderr what is odd about the settings.
    pub(crate) fn tell_warnings(&self) {
        for warning in self.config.warnings() {
            super::failure::note(warning, self.out.paint);
        }
    }

    /// Says on stderr what was found to be wrong with the store, while what was asked for was done.
    pub(crate) fn tell_complaint(&self, store: &LocalStore) {
        if let Some(error) = store.take_complaint() {
            let hint = error.hint().map_or_else(String::new, |hint| format!(" ({hint})"));
            super::failure::note(&format!("{}{hint}", error.message()), self.out.paint);
        }
    }

    /// What becomes of secrets.
    pub(crate) fn redactor(&self) -> Result<Redactor> {
        redactor(&self.config)
    }

    /// Where the store is, or will be: flag, environment, configuration, the nearest one upwards,
    /// the user's data folder.
    pub(crate) fn store_path(&self) -> Result<PathBuf> {
        let path = match self.config.store() {
            Some(path) => path,
            None => nearest_store()?.map_or_else(user_store, Ok)?,
        };
        refuse_scheme(&path, "--store")?;
        Ok(path)
    }

    /// The store, which must be there.
    pub(crate) fn store(&self) -> Result<LocalStore> {
        self.tell_warnings();
        let store = LocalStore::open(self.store_path()?, self.clock)?;
        let compression = self.config.value(Setting::SnapshotCompression).0;
        let plain = compression.is_some_and(|how| how == "none" || how == false);
        let longest = self.config.size(Setting::MaxLineBytes);
        Ok(store.with_max_line_bytes(longest).with_plain_snapshots(plain))
    }

    /// The store, shared with other threads.
    pub(crate) fn shared_store(&self) -> Result<Arc<LocalStore>> {
        self.store().map(Arc::new)
    }

    /// One issue, read to its end, with the marks that the user set.
    pub(crate) fn session(&self, issue_key: &str) -> Result<Session> {
        let store = self.store()?;
        let mut session = Session::read_with(&store, issue_key, self.links)?;
        session.user = user(&store, issue_key);
        Ok(session)
    }
}

/// Refuses what a flag names where that is a store of another kind than a folder.
pub(crate) fn refuse_scheme(path: &Path, flag: &str) -> Result<()> {
    let scheme = path.to_str().and_then(|text| text.split_once("://")).map(|(scheme, _)| scheme);
    let message = match scheme {
        None => return Ok(()),
        Some("nats") => "stores on NATS are not compiled in".to_owned(),
        Some(_) => format!("{} is no store", path.display()),
    };
    Err(Error::usage(message).with_hint(format!("name a folder with {flag}")))
}

/// What becomes of secrets under these settings.
pub(crate) fn redactor(config: &Config) -> Result<Redactor> {
    let named = config.text(Setting::RedactionMode).and_then(RedactionMode::from_name);
    // A word that the settings allow and the schema does not know must not weaken anything.
    let mode = named.unwrap_or(RedactionMode::Redact);
    Redactor::new(mode, &config.list(Setting::RedactionPatterns))
}

/// What the user set for an issue.
pub(crate) fn user(store: &LocalStore, issue_key: &str) -> UserState {
    user_state::state_dir().map_or_else(UserState::default, |folder| {
        UserState::load(&user_state::file(&folder, store.root(), issue_key))
    })
}

/// The position that the text names; `otherwise` without one.
pub(crate) fn position(
    session: &mut Session,
    moment: Option<&str>,
    otherwise: &Moment,
) -> Result<Position> {
    match moment {
        Some(text) => session.resolve(&Moment::parse(text)?),
        None => session.resolve(otherwise),
    }
}

/// The first position of a range that begins at the moment that the text names, from the beginning
/// without one: of a time, the first event that is not before it, which may be one behind the head.
pub(crate) fn first_position(session: &mut Session, moment: Option<&str>) -> Result<Position> {
    let first = moment.map(|text| session.resolve_first(&Moment::parse(text)?));
    Ok(first.transpose()?.unwrap_or_default().max(1))
}

fn nearest_store() -> Result<Option<PathBuf>> {
    let directory = std::env::current_dir()
        .map_err(|e| Error::io("find", Path::new("the working directory"), &e))?;
    let found = directory
        .ancestors()
        .flat_map(|folder| STORE_NAMES.iter().map(move |name| folder.join(name)))
        .find(|path| is_store(path));
    Ok(found)
}

/// The store in the user's data folder.
pub(crate) fn user_store() -> Result<PathBuf> {
    let absolute =
        |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
    let base = absolute("XDG_DATA_HOME")
        .or_else(|| absolute("LOCALAPPDATA"))
        .or_else(|| absolute("HOME").map(|home| home.join(".local").join("share")));
    let base = base.ok_or_else(|| {
        Error::usage("there is no store here and no home folder for one")
            .with_hint("name one with --store or CHRONOSCOPE_STORE")
    })?;
    Ok(base.join("chronoscope").join("events"))
}

/// Ctrl-C ends the program with exit code 130, whatever it waits for, unless whoever started it had
/// it ignored. Appends do without: they are safe against any end, and start faster.
pub(crate) fn end_on_interrupt() {
    #[cfg(unix)]
    {
        let always = Arc::new(AtomicBool::new(true));
        let code = i32::from(crate::error::ErrorKind::Interrupted.exit_code());
        // Without the handler the signal ends the program all the same.
        let signal = signal_hook::consts::SIGINT;
        if !is_ignored(signal) {
            let _ = signal_hook::flag::register_conditional_shutdown(signal, code, always);
        }
    }
}

/// A write beyond the size that files may have (`ulimit -f`) is an error from now on, and no end of
/// the program.
pub(crate) fn outlive_file_limit() {
    #[cfg(unix)]
    {
        let limited = Arc::new(AtomicBool::new(false));
        let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, limited);
    }
}

/// From now on the system keeps how the programs end that this one starts. It does not where
/// whoever started this one ignores such ends (SIGCHLD), for that is inherited.
pub(crate) fn keep_exit_statuses() {
    #[cfg(unix)]
    {
        let ignored = Arc::new(AtomicBool::new(false));
        let _ = signal_hook::flag::register(signal_hook::consts::SIGCHLD, ignored);
    }
}

/// A flag that the first Ctrl-C sets; the second ends the program with exit code 130. Neither does
/// anything where whoever started the program had Ctrl-C ignored.
pub(crate) fn interrupt_flag() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    #[cfg(unix)]
    {
        let code = i32::from(crate::error::ErrorKind::Interrupted.exit_code());
        let signal = signal_hook::consts::SIGINT;
        if is_ignored(signal) {
            return flag;
        }
        // In this order, so that the one that sets the flag is not the one that ends the program.
        let _ = signal_hook::flag::register_conditional_shutdown(signal, code, Arc::clone(&flag));
        let _ = signal_hook::flag::register(signal, Arc::clone(&flag));
    }
    flag
}

/// Flags for work that runs programs, which must not be left alone: the first Ctrl-C sets the one,
/// and `say` is called; another, or the end of the terminal, sets both. One more ends this program
/// with exit code 130 all the same. What whoever started it had ignored stays so: under `nohup` the
/// end of the terminal ends nothing.
pub(crate) fn interrupt_flags(
    say: impl Fn() + Send + 'static,
) -> (Arc<AtomicBool>, Arc<AtomicBool>) {
    let flags = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    #[cfg(not(unix))]
    drop(say);
    #[cfg(unix)]
    {
        use std::sync::atomic::Ordering;

        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
        let (interrupt, end_now) = (Arc::clone(&flags.0), Arc::clone(&flags.1));
        let hear = move |mut signals: signal_hook::iterator::Signals| {
            for signal in signals.forever() {
                if end_now.load(Ordering::Relaxed) {
                    let code = crate::error::ErrorKind::Interrupted.exit_code();
                    std::process::exit(i32::from(code));
                }
                let again = interrupt.swap(true, Ordering::Relaxed);
                if again || signal != SIGINT {
                    end_now.store(true, Ordering::Relaxed);
                } else {
                    say();
                }
            }
        };
        let heard = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| !is_ignored(*signal));
        // Without that thread a signal ends this program, as it does by itself.
        if let Ok(signals) = signal_hook::iterator::Signals::new(heard) {
            let thread = std::thread::Builder::new().name("signals".to_owned());
            let _ = thread.spawn(move || hear(signals));
        }
    }
    flags
}
