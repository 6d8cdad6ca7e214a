//! A gate for the thread that reads keys: closed while another program has the terminal.
//!
//! Lives here: waiting and waking. May not live here: what is read.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long closing waits for the reader at most: it may wait for a key that nobody can wake it from.
const PATIENCE: Duration = Duration::from_millis(500);

#[derive(Debug, Default)]
struct Inner {
    closed: bool,
    /// Whether the reader stands before it.
    waiting: bool,
}

/// Open at first.
#[derive(Debug, Default)]
pub(super) struct Gate {
    inner: Mutex<Inner>,
    changed: Condvar,
}

impl Gate {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while it is closed.
    pub(super) fn pass(&self) {
        let mut inner = self.lock();
        while inner.closed {
            inner.waiting = true;
            self.changed.notify_all();
            inner = self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
        inner.waiting = false;
    }

    /// Closes it and waits until the reader stands before it.
    pub(super) fn close(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        // What the reader is told of a new size makes it come back from where it waits for keys.
        #[cfg(unix)]
        let _ = signal_hook::low_level::raise(signal_hook::consts::SIGWINCH);
        let waited = self.changed.wait_timeout_while(inner, PATIENCE, |inner| !inner.waiting);
        drop(waited);
    }

    /// Opens it.
    pub(super) fn open(&self) {
        self.lock().closed = false;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn nobody_passes_while_it_is_closed() {
        let gate = Arc::new(Gate::default());
        gate.pass();
        gate.lock().closed = true;
        let (sender, passed) = channel();
        let other = Arc::clone(&gate);
        let reader = std::thread::spawn(move || {
            other.pass();
            let _ = sender.send(());
        });
        gate.close();
        assert!(gate.lock().waiting, "it waits until the reader stands there");
        assert!(passed.try_recv().is_err());
        gate.open();
        passed.recv().unwrap();
        reader.join().unwrap();
    }
}
