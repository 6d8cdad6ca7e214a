//! How much one evaluation may look at, and how it is stopped.
//!
//! Lives here: the count of a thread's running evaluation. May not live here: what is counted (see
//! [`super::val`]).
//!
//! The interpreter has no such count of its own. All that an expression can do in a loop (it has
//! no recursion and no generators of numbers) goes through values that count themselves here.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jaq_core::Error;

use super::val::{Val, fault};

/// How many values one evaluation may look at.
pub(super) const LIMIT: usize = 500_000;
/// After how many of them it looks whether somebody wants it to stop.
const EVERY: usize = 1024;

thread_local! {
    static LEFT: Cell<usize> = const { Cell::new(LIMIT) };
    static STOP: RefCell<Option<Arc<AtomicBool>>> = const { RefCell::new(None) };
}

/// Begins to count anew.
pub(super) fn fill() {
    LEFT.set(LIMIT);
}

/// Lets `stop` end the evaluations of this thread from now on; none for nobody.
pub(super) fn listen(stop: Option<Arc<AtomicBool>>) {
    STOP.with_borrow_mut(|slot| *slot = stop);
}

/// Counts `amount` values; false when the evaluation has to end.
pub(super) fn burn(amount: usize) -> bool {
    let left = LEFT.get();
    let rest = left.saturating_sub(amount.max(1));
    LEFT.set(rest);
    if rest / EVERY != left / EVERY && is_stopped() {
        LEFT.set(0);
        return false;
    }
    rest > 0
}

/// Whether somebody wants evaluations to end.
pub(super) fn is_stopped() -> bool {
    STOP.with_borrow(|slot| slot.as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed)))
}

/// Whether the evaluation looked at too much, or was stopped.
pub(super) fn is_spent() -> bool {
    LEFT.get() == 0
}

/// The error that ends it.
pub(super) fn spent() -> Error<Val> {
    fault("the expression looks at too many values")
}
