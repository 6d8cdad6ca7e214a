//! What the mouse does: a click gives a pane the keys and selects, the wheel scrolls, a drag in the
//! timeline scrubs.

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Rect;

use super::debugger::{move_in, open};
use crate::tui::action::Command;
use crate::tui::app::{App, Mode};
use crate::tui::debugger::Debugger;
use crate::tui::effect::Effect;
use crate::tui::layout::Pane;
use crate::tui::nav::Way;

/// By how many rows the wheel scrolls.
const WHEEL: i64 = 3;

/// A movement, a click or a turn of the wheel.
pub(super) fn mouse(app: &mut App, event: MouseEvent) -> Vec<Effect> {
    let wheel = match event.kind {
        MouseEventKind::ScrollUp => Some(-WHEEL),
        MouseEventKind::ScrollDown => Some(WHEEL),
        _ => None,
    };
    if !matches!(app.mode, Mode::Normal) {
        return match wheel {
            Some(rows) => in_window(app, rows),
            None => Vec::new(),
        };
    }
    match event.kind {
        MouseEventKind::Up(_) => app.scrubbing = false,
        MouseEventKind::Drag(MouseButton::Left) if app.scrubbing => scrub(app, event.column),
        MouseEventKind::Down(MouseButton::Left) => {
            app.notice = None;
            return click(app, event.column, event.row);
        }
        _ => {
            if let Some(rows) = wheel {
                turn(app, event, rows);
            }
        }
    }
    Vec::new()
}

fn in_window(app: &mut App, rows: i64) -> Vec<Effect> {
    let command = if rows < 0 { Command::Up } else { Command::Down };
    let count = u32::try_from(rows.unsigned_abs()).ok();
    super::command_in_window(app, command, count)
}

fn scrub(app: &mut App, column: u16) {
    let Some(debugger) = app.debugger.as_deref_mut() else { return };
    let Some(area) = debugger.layout.pane(Pane::Timeline) else { return };
    let to = debugger.timeline.position_at(debugger.session.timeline(), area, column);
    debugger.play = None;
    debugger.step_to(to);
}

fn begin_scrub(app: &mut App, column: u16) {
    let Some(from) = app.debugger.as_deref().map(|debugger| debugger.playhead) else { return };
    app.scrubbing = true;
    scrub(app, column);
    if let Some(debugger) = app.debugger.as_deref_mut() {
        // A scrub is one jump, however far it goes.
        let to = debugger.playhead;
        debugger.playhead = from;
        debugger.jump_to(to);
    }
}

fn click(app: &mut App, column: u16, row: u16) -> Vec<Effect> {
    let Some(debugger) = app.debugger.as_deref_mut() else {
        let open = app.browser.as_mut().and_then(|browser| browser.click(row));
        return open.map(Effect::Open).into_iter().collect();
    };
    let Some(pane) = debugger.layout.at(column, row) else {
        if debugger.layout.strip.is_some_and(|strip| strip.contains((column, row).into())) {
            let chosen = crate::tui::view::strip_pane_at(debugger, column);
            chosen.into_iter().for_each(|pane| debugger.focus_on(pane));
        }
        return Vec::new();
    };
    let was_focused = debugger.focus == pane;
    debugger.focus_on(pane);
    let Some(inner) = debugger.layout.pane(pane).map(inside) else { return Vec::new() };
    if !inner.contains((column, row).into()) {
        return Vec::new();
    }
    let row = usize::from(row - inner.y);
    match pane {
        Pane::Timeline => begin_scrub(app, column),
        Pane::Events => {
            if let Some(position) = debugger.events.at(row) {
                debugger.play = None;
                debugger.jump_to(position);
            }
        }
        Pane::State => {
            let before = debugger.state.cursor().0;
            let there = debugger.state.select_row(row);
            if there && was_focused && debugger.state.cursor().0 == before {
                return open(app);
            }
        }
        Pane::Diff => {
            let width = usize::from(inner.width);
            if let Some(entry) =
                crate::tui::view::diff::entry_at(&debugger.diff, width, inner.height, row)
            {
                debugger.diff.cursor = entry;
            }
        }
        Pane::Detail => {
            debugger.detail.select_row(row);
            if was_focused && debugger.detail.target().is_some() {
                return open(app);
            }
        }
        Pane::Replay => {
            if select_outcome(debugger, inner, row) && was_focused {
                return open(app);
            }
        }
    }
    Vec::new()
}

/// Selects a row of the replay's list; true when it was selected before.
fn select_outcome(debugger: &mut Debugger, inner: Rect, row: usize) -> bool {
    let Some(replay) = &mut debugger.replay else { return false };
    let first = crate::tui::view::replay::first_row(replay, inner.width, inner.height);
    let before = replay.cursor().0;
    let there = row.checked_sub(first).is_some_and(|row| replay.select_row(row));
    there && replay.cursor().0 == before
}

fn turn(app: &mut App, event: MouseEvent, rows: i64) {
    let Some(debugger) = app.debugger.as_deref_mut() else {
        if let Some(browser) = &mut app.browser {
            browser.scroll(rows);
        }
        return;
    };
    match debugger.layout.at(event.column, event.row) {
        Some(Pane::Timeline) if event.modifiers.contains(KeyModifiers::CONTROL) => {
            let factor = if rows < 0 { 0.5 } else { 2.0 };
            debugger.timeline.zoom(factor, debugger.playhead, debugger.session.timeline());
        }
        Some(Pane::Events) if debugger.filter.is_some() => {
            let way = if rows < 0 { Way::Back } else { Way::Forward };
            super::filter::stride(app, way, WHEEL.unsigned_abs() as usize);
        }
        Some(pane) => {
            move_in(debugger, pane, if pane == Pane::Timeline { rows.signum() } else { rows });
        }
        None => {}
    }
}

fn inside(area: Rect) -> Rect {
    Rect {
        x: area.x.saturating_add(1),
        y: area.y.saturating_add(1),
        width: area.width.saturating_sub(2),
        height: area.height.saturating_sub(2),
    }
}
