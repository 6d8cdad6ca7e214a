//! Commands that move the playhead: steps, ends, and jumps to the next of something.
//!
//! Lives here: from a command to where it leads. May not live here: looking that up (see
//! [`crate::tui::nav`]).

use crate::model::Position;
use crate::session::Found;
use crate::tui::action::Command;
use crate::tui::debugger::{Debugger, Follow};
use crate::tui::nav::{self, Way};

/// How many events a leap is.
const LEAP: Position = 10;

/// Steps and ends: moves that always lead somewhere. False for other commands.
pub(super) fn travel(debugger: &mut Debugger, command: Command, count: Option<u32>) -> bool {
    let times = count.unwrap_or(1).max(1);
    let (here, head) = (debugger.playhead, debugger.head());
    match command {
        Command::StepForward => debugger.step_to(here.saturating_add(times)),
        Command::StepBack => debugger.step_to(here.saturating_sub(times)),
        Command::LeapForward => debugger.step_to(here.saturating_add(times.saturating_mul(LEAP))),
        Command::LeapBack => debugger.step_to(here.saturating_sub(times.saturating_mul(LEAP))),
        Command::ToStart => debugger.jump_to(count.unwrap_or(0).min(head)),
        Command::ToEnd => match count {
            Some(position) => debugger.jump_to(position.min(head)),
            None => debugger.follow_head(),
        },
        Command::Follow if debugger.follow == Follow::Live => debugger.pause(),
        Command::Follow => debugger.follow_head(),
        _ => return false,
    }
    debugger.play = None;
    true
}

/// Jumps to the next of something; none for other commands, an error when there is no next one.
pub(super) fn jump(
    debugger: &mut Debugger,
    command: Command,
    count: Option<u32>,
) -> Option<Result<(), String>> {
    use Way::{Back, Forward};
    let (find, what): (Find, &str) = match command {
        Command::NextPhase => (|t, at| nav::phase(t, at, Forward), "no further phase"),
        Command::PreviousPhase => (|t, at| nav::phase(t, at, Back), "no phase before"),
        Command::NextFailure => (|t, at| nav::failure(t, at, Forward), "no further failure"),
        Command::PreviousFailure => (|t, at| nav::failure(t, at, Back), "no failure before"),
        Command::NextOfActor => {
            (|t, at| nav::same_actor(t, at, Forward), "no further event of this actor")
        }
        Command::PreviousOfActor => {
            (|t, at| nav::same_actor(t, at, Back), "no event of this actor before")
        }
        Command::NextOfType => {
            (|t, at| nav::same_type(t, at, Forward), "no further event of this type")
        }
        Command::PreviousOfType => {
            (|t, at| nav::same_type(t, at, Back), "no event of this type before")
        }
        Command::ToCause => (|t, at| t.cause(at).map(|c| c.position), "no cause is known"),
        Command::NextWriter => return Some(to_writer(debugger, count, Forward)),
        Command::PreviousWriter => return Some(to_writer(debugger, count, Back)),
        Command::JumpBack => return Some(again(debugger, Back, "no jump before")),
        Command::JumpForward => return Some(again(debugger, Forward, "no further jump")),
        _ => return None,
    };
    Some(repeat(debugger, count, what, |debugger, at| {
        Ok(find(debugger.session.timeline(), at).map_or(Found::Nothing, Found::At))
    }))
}

type Find = fn(&crate::timeline::Timeline, Position) -> Option<Position>;

fn again(debugger: &mut Debugger, way: Way, nothing: &str) -> Result<(), String> {
    debugger.play = None;
    if debugger.jump_again(way) { Ok(()) } else { Err(nothing.to_owned()) }
}

fn to_writer(debugger: &mut Debugger, count: Option<u32>, way: Way) -> Result<(), String> {
    let Some(path) = debugger.selected_path().cloned() else {
        return Err("no path is selected".to_owned());
    };
    let nothing = match way {
        Way::Forward => format!("nothing writes {path} after this"),
        Way::Back => format!("nothing wrote {path} before this"),
    };
    let result = repeat(debugger, count, &nothing, |debugger, at| {
        let found = debugger.breaks.writer(&mut debugger.session, &path, way, at);
        found.map_err(|error| error.message().to_owned())
    });
    // What was selected stays selected, wherever its row is then.
    debugger.state.reveal(&path);
    result
}

/// Finds so many times, and jumps to the last that was found. A search that is not at its end goes
/// on by itself: there is nothing to say yet.
fn repeat(
    debugger: &mut Debugger,
    count: Option<u32>,
    nothing: &str,
    mut find: impl FnMut(&mut Debugger, Position) -> Result<Found, String>,
) -> Result<(), String> {
    let mut at = debugger.playhead;
    let mut goes_on = false;
    for _ in 0..count.unwrap_or(1).max(1) {
        match find(debugger, at)? {
            Found::At(next) => at = next,
            Found::Nothing => break,
            Found::Budget { .. } => {
                goes_on = true;
                break;
            }
        }
    }
    if at != debugger.playhead {
        debugger.jump_to(at);
    } else if !goes_on {
        return Err(nothing.to_owned());
    }
    debugger.play = None;
    Ok(())
}
