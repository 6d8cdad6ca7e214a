//! The line at the top: which issue, how it stands, where we are in it, and whether it is live.

use ratatui::buffer::Buffer;

use super::pen::Pen;
use crate::tui::app::App;
use crate::tui::debugger::{Debugger, Follow};
use crate::tui::layout::{MIDDLE, WIDE};
use crate::tui::signs;
use crate::tui::theme::{Glyph, Role, Theme};

/// Draws the line.
pub(super) fn draw(app: &App, debugger: &Debugger, buffer: &mut Buffer) {
    let theme = &app.theme;
    let area = debugger.layout.header;
    let wide = area.width >= MIDDLE;
    let mut pen = Pen::new(buffer, area, 0);
    let (live, role) = live_text(debugger, theme);
    pen.put_right(" ", 0, theme.style(Role::Text));
    pen.put_right(&live, 12, theme.style(role));
    pen.put_right("  ", 12, theme.style(Role::Text));
    let row = debugger.session.timeline().row(debugger.playhead);
    if let Some(row) = row {
        let time = if wide { row.at.time_of_day_millis() } else { row.at.time_of_day() };
        pen.put_right(&time, 20, theme.style(Role::Text));
        if spans_days(debugger) && area.width >= 100 {
            pen.put_right(&format!("{} ", row.at.date()), 40, theme.style(Role::Dim));
        }
        pen.put_right("  ", 20, theme.style(Role::Text));
    }
    pen.put_right(&format!("/{}", debugger.head()), 12, theme.style(Role::Dim));
    pen.put_right(&format!("#{}", debugger.playhead), 10, theme.style(Role::Strong));
    let line = &debugger.headline;
    // Where there is little room, that this is not what happened matters more.
    let terse = debugger.whatif.is_some() && area.width < WIDE;
    if !line.phase.is_empty() && !terse {
        pen.put_right("  ", 20, theme.style(Role::Text));
        pen.put_right(&line.phase, 20, theme.phase(&line.phase));
    }
    if !line.status.is_empty() && wide && !terse {
        let (glyph, role) = signs::status_sign(&line.status);
        let joint = if line.phase.is_empty() { "" } else { " · " };
        pen.put_right(joint, 20, theme.style(Role::Dim));
        let text = format!("{} {}", theme.glyph(glyph), line.status);
        pen.put_right(&text, 20, theme.style(role));
    }
    pen.put_right("  ", 12, theme.style(Role::Text));
    pen.put(" ", theme.style(Role::Text));
    pen.put(debugger.session.issue_key(), theme.style(Role::Strong));
    pen.put(" ", theme.style(Role::Text));
    match &debugger.whatif {
        Some(whatif) => {
            let text = whatif.headline(debugger.head(), area.width >= WIDE + MIDDLE / 2);
            pen.put(&text, theme.style(Role::Branch));
        }
        None => drop(pen.put(&line.summary, theme.style(Role::Text))),
    }
}

/// What is worth a look among what came: hits of breakpoints, pinned values that changed.
fn of_note(debugger: &Debugger, theme: &Theme) -> String {
    let (hits, pinned) = debugger.come_since_of_note();
    let long = debugger.layout.header.width >= WIDE;
    let part = |count: usize, word: &str, glyph: Glyph| match count {
        0 => String::new(),
        _ if !long => format!(" {count}{}", theme.glyph(glyph)),
        1 => format!(", 1 {word}"),
        _ => format!(", {count} {word}s"),
    };
    part(hits, "breakpoint", Glyph::Breakpoint) + &part(pinned, "pinned value", Glyph::Pin)
}

fn spans_days(debugger: &Debugger) -> bool {
    let timeline = debugger.session.timeline();
    let day = |position| timeline.row(position).map(|row| row.clock.start_of_day());
    day(1) != day(timeline.head())
}

/// Whether the screen moves with the head, and how far the head is.
fn live_text(debugger: &Debugger, theme: &Theme) -> (String, Role) {
    let ahead = debugger.head() - debugger.playhead;
    if debugger.play.is_some() {
        let factor = crate::tui::play::Play::factor(debugger.speed);
        return (format!("{} {factor}x +{ahead}", theme.glyph(Glyph::Running)), Role::Running);
    }
    let begun = debugger.session.folded().head() > 0;
    if let Some(hundredths) = debugger.folded_hundredths().filter(|_| begun) {
        return (format!("folding, {hundredths} %"), Role::Dim);
    }
    if !debugger.session.ending().is_empty() {
        return ("reading".to_owned(), Role::Dim);
    }
    if !debugger.session.is_loaded() {
        let left = crate::tui::summaries::bytes_text(debugger.session.remaining());
        return (format!("reading, {left} left"), Role::Dim);
    }
    match debugger.follow {
        Follow::Live => (format!("{} LIVE", theme.glyph(Glyph::Live)), Role::Live),
        Follow::Paused(_) if debugger.come_since() > 0 => {
            let note = of_note(debugger, theme);
            (format!("{} LIVE +{ahead}{note}", theme.glyph(Glyph::Still)), Role::Ghost)
        }
        Follow::Paused(_) => (format!("{} +{ahead}", theme.glyph(Glyph::Still)), Role::Dim),
    }
}
