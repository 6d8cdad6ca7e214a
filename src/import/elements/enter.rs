//! Finding an array within a document.
//!
//! Lives here: [`enter`], which passes over what stands before the array, however long. May not
//! live here: the elements (see [`super`]).

use std::io::{self, Read};

use super::LOOK_AHEAD;
use crate::import::grammar::{Grammar, Outcome};
use crate::import::window::Window;

/// Goes into a document up to the first element of an array at one of `places`.
pub(super) fn enter<R: Read>(window: &mut Window<R>, places: &[&[String]]) -> io::Result<bool> {
    match skip_blank(window)? {
        Some(b'[') if places.iter().any(|place| place.is_empty()) => {
            window.consume(1);
            return Ok(true);
        }
        Some(b'{') if places.iter().any(|place| !place.is_empty()) => window.consume(1),
        _ => return Ok(false),
    }
    loop {
        if skip_blank(window)? == Some(b',') {
            window.consume(1);
            skip_blank(window)?;
        }
        if window.bytes().first() != Some(&b'"') {
            return Ok(false);
        }
        let Some(key) = read_key(window)? else { return Ok(false) };
        if skip_blank(window)? != Some(b':') {
            return Ok(false);
        }
        window.consume(1);
        let below: Vec<&[String]> = places
            .iter()
            .filter_map(|place| place.split_first())
            .filter(|(first, _)| **first == key)
            .map(|(_, rest)| rest)
            .collect();
        let next = skip_blank(window)?;
        let inside = match next {
            Some(b'[') => below.iter().any(|place| place.is_empty()),
            Some(b'{') => below.iter().any(|place| !place.is_empty()),
            _ => false,
        };
        if inside {
            if enter(window, &below)? {
                return Ok(true);
            }
            if skip_blank(window)? != Some(b'}') {
                return Ok(false);
            }
            window.consume(1);
        } else if !skip_value(window)? {
            return Ok(false);
        }
    }
}

/// The next byte that is no white space.
fn skip_blank<R: Read>(window: &mut Window<R>) -> io::Result<Option<u8>> {
    loop {
        let bytes = window.bytes();
        let blank = bytes.iter().take_while(|b| b.is_ascii_whitespace() || **b == 0).count();
        let next = bytes.get(blank).copied();
        window.consume(blank);
        if next.is_some() || !window.fill()? {
            return Ok(next);
        }
    }
}

fn read_key<R: Read>(window: &mut Window<R>) -> io::Result<Option<String>> {
    window.fill_to(LOOK_AHEAD)?;
    let Outcome::End(end) = Grammar::new().run(window.bytes()) else { return Ok(None) };
    let key = serde_json::from_slice(&window.bytes()[..end]).ok();
    window.consume(end);
    Ok(key)
}

/// Passes over one value, however long.
fn skip_value<R: Read>(window: &mut Window<R>) -> io::Result<bool> {
    let mut grammar = Grammar::new();
    loop {
        match grammar.run(window.bytes()) {
            Outcome::End(end) => {
                window.consume(end);
                return Ok(true);
            }
            Outcome::Bad(_) => return Ok(false),
            Outcome::More => window.consume(window.bytes().len()),
        }
        if !window.fill()? {
            return Ok(false);
        }
    }
}
