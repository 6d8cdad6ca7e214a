//! Replay: going through recorded events again, executing what may be executed.
//!
//! Lives here: what is done with each event ([`Policies`], [`Handlers`], [`Plan`]), doing it
//! ([`run`]: programs contained in [`process`], noted in [`journal`]), what came of it
//! ([`outcome`]), and copying events into another store ([`copy`]). May not live here: reading the
//! issue (see [`crate::session::replay`]), flags, printing.
//!
//! An event that is executed is noted before and after, each durably. So however a run ends,
//! nothing is executed a second time unless somebody decides so: an event that was begun and has no
//! end is known as just that.

#[cfg(unix)]
mod capture;
pub mod copy;
pub mod handler;
mod job;
pub mod journal;
mod kept;
pub mod outcome;
pub mod pace;
pub mod plan;
pub mod policy;
pub mod process;
pub mod run;
mod states;
mod strays;
#[cfg(test)]
mod tests;

pub use copy::{Copied, Copier, Maker};
pub use handler::{Handler, Handlers};
pub use journal::{Decision, Header, History, RunJournal};
pub use kept::Kept;
pub use outcome::{Difference, Execution, FinalState, Outcome, Report, Status, Tally};
pub use pace::{Pace, Steady, Ticker};
pub use plan::{Order, Plan};
pub use policy::Policies;
pub use run::{Events, Execute, Heard, Limits, Run, Runner};
