//! Finding the end of an issue's log by reading, and putting in order what a killed writer left
//! behind there.
//!
//! Lives here: [`Finder`]. May not live here: believing the lock file (see [`super::Locked`]).

use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use super::super::global::boot_id;
use super::super::io::{
    FileId, Site, append_all, is_absent, private, read_range, set_len, sync_data, sync_dir,
    write_at,
};
use super::super::layout::{Date, Layout};
use super::super::lines::{MAX_LINE_BYTES, Scanned, Stamps, end_of_lines, line_number, scan};
use super::super::lock::LockFile;
use super::super::lost;
use super::super::record::{HeadRecord, Part, Place, tail_of};
use super::super::source::Source;
use super::{
    Locked, archived, is_complete, is_one_object, noted_batch, open_partition, quarantine_name,
    unmake_partition, whole_event,
};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Timestamp;

/// Finds the head by reading.
pub(super) struct Finder<'a> {
    pub(super) layout: &'a Layout,
    pub(super) key: &'a str,
    pub(super) lock: LockFile,
}

/// What reading the lines gathers.
struct Gathered {
    highest: Option<u64>,
    lines: u64,
    latest: Timestamp,
    /// The last line that is not blank: its partition, where it begins, and whether it is sound.
    last: Option<(Date, u64, bool)>,
    /// Where the lines at the end begin that have NULs in the place of bytes, in each partition.
    unwritten: Vec<Place>,
}

impl<'a> Finder<'a> {
    pub(super) fn find(self, record: Option<HeadRecord>) -> Result<Locked<'a>> {
        if let Some(record) = &record
            && let Some(parts) =
                noted_batch(&self.lock, record).map_err(|e| self.io("read the lock of", &e))?
        {
            self.settle(&parts)?;
        }
        let dates = self.layout.partitions(self.key)?;
        let same_boot = record.as_ref().is_some_and(|r| r.boot != "-" && r.boot == boot_id());
        if record.as_ref().is_none_or(|record| !self.is_prefix(record)) {
            lost::refuse(self.layout, self.key, record.is_none())?;
        }
        let base = record.filter(|r| self.is_prefix(r));
        let Some(last) = dates.last().copied() else {
            let head = HeadRecord {
                end: None,
                sequence: 0,
                latest: Timestamp::MIN,
                file: FileId::default(),
                tail: 0,
                note: None,
                boot: boot_id().to_owned(),
            };
            return Ok(Locked {
                layout: self.layout,
                key: self.key,
                lock: self.lock,
                head,
                file: None,
            });
        };
        let gathered = self.gather(&dates, base.as_ref())?;
        if same_boot || gathered.unwritten.is_empty() {
            self.refuse_damage(&gathered)?;
        } else {
            gathered.unwritten.iter().try_for_each(|at| self.take_out(*at))?;
        }
        self.finish(last, &gathered)
    }

    /// Whether the log still begins as the record says, and only grew since.
    fn is_prefix(&self, record: &HeadRecord) -> bool {
        let Some(end) = record.end else { return true };
        let opened = open_partition(self.layout, self.key, end.date);
        opened.is_ok_and(|opened| {
            opened.is_some_and(|(file, length, id)| {
                id == record.file
                    && length >= end.offset
                    && tail_of(&file, end.offset).is_ok_and(|tail| tail == record.tail)
            })
        })
    }

    fn gather(&self, dates: &[Date], base: Option<&HeadRecord>) -> Result<Gathered> {
        let mut gathered = Gathered {
            highest: base.map(|b| b.sequence).filter(|n| *n > 0),
            lines: base.map_or(0, |b| b.sequence),
            latest: base.map_or(Timestamp::MIN, |b| b.latest),
            last: None,
            unwritten: Vec::new(),
        };
        let from = base.and_then(|b| b.end);
        for date in dates.iter().filter(|date| from.is_none_or(|p| **date >= p.date)) {
            self.layout.refuse_links(*date, self.key)?;
            let path = self.layout.events(*date, self.key);
            let file = match Source::open(self.layout, *date, self.key) {
                Err(error) if is_absent(&error) => continue,
                opened => opened.map_err(|e| Error::io("open", &path, &e))?,
            };
            let length = file.length().map_err(|e| Error::io("look at", &path, &e))?;
            let start = from.filter(|p| p.date == *date).map_or(0, |p| p.offset);
            scan(&file, file.path(), (start, length), |line| {
                if line.terminated && !line.is_blank() {
                    gathered.take(*date, line);
                }
                Ok(ControlFlow::Continue(()))
            })?;
        }
        Ok(gathered)
    }

    fn refuse_damage(&self, gathered: &Gathered) -> Result<()> {
        let Some((date, offset, false)) = gathered.last else { return Ok(()) };
        let path = self.layout.events(date, self.key);
        let number = match open_partition(self.layout, self.key, date)? {
            Some((file, ..)) => line_number(&file, &path, offset)?,
            None => 0,
        };
        let message = format!(
            "{}:{number}: the last line is damaged; nothing is appended after it",
            path.display()
        );
        Err(Error::new(ErrorKind::Integrity, message)
            .with_hint("`chronoscope verify` shows what is wrong, `chronoscope store repair` mends it: it keeps what it takes out"))
    }

    /// Moves what a power cut left of lines that nobody made durable out of the log: a block that
    /// did not reach the disk reads as NULs, though what was written after it may be there.
    fn take_out(&self, at: Place) -> Result<()> {
        match open_partition(self.layout, self.key, at.date)? {
            Some((file, length, _)) => self.quarantine(&file, at, length),
            None => Ok(()),
        }
    }

    /// Puts the tail of the last partition in order and makes the head.
    fn finish(self, date: Date, gathered: &Gathered) -> Result<Locked<'a>> {
        let path = self.layout.events(date, self.key);
        let Some((file, length, id)) = open_partition(self.layout, self.key, date)? else {
            return Err(match self.layout.has(date, self.key) {
                true => archived(self.key, date),
                false => self.io("open", &io::Error::from(io::ErrorKind::NotFound)),
            });
        };
        let mut sequence = gathered.highest.unwrap_or(gathered.lines);
        let mut latest = gathered.latest;
        let mut end = end_of_lines(&file, &path, length)?;
        if end < length {
            let torn = length - end;
            let whole = (torn <= MAX_LINE_BYTES as u64)
                .then(|| read_range(&file, end, length))
                .transpose()
                .map_err(|e| Error::io("read", &path, &e))?
                .and_then(|bytes| whole_event(&bytes, self.key, sequence + 1));
            if let Some(at) = whole {
                append_all(&file, b"\n").map_err(|e| Error::io("write", &path, &e))?;
                sequence += 1;
                latest = latest.max(at);
                end = length + 1;
            } else {
                self.quarantine(&file, Place { date, offset: end }, length)?;
            }
        }
        let tail = tail_of(&file, end).map_err(|e| Error::io("read", &path, &e))?;
        let head = HeadRecord {
            end: Some(Place { date, offset: end }),
            sequence,
            latest,
            file: id,
            tail,
            note: None,
            boot: boot_id().to_owned(),
        };
        let file = Some(file);
        Ok(Locked { layout: self.layout, key: self.key, lock: self.lock, head, file })
    }

    /// A batch that was noted is there as a whole, or its parts are moved out of the log.
    pub(super) fn settle(&self, parts: &[Part]) -> Result<()> {
        if is_complete(self.layout, self.key, parts)? {
            return Ok(());
        }
        for part in parts {
            let Some((file, length, _)) = open_partition(self.layout, self.key, part.at.date)?
            else {
                continue;
            };
            if length > part.at.offset {
                self.quarantine(&file, part.at, length)?;
            }
            if part.at.offset == 0 {
                unmake_partition(self.layout, self.key, part.at.date)?;
            }
        }
        Ok(())
    }

    /// Moves the bytes from `at` to `length` out of the log, durably, and cuts it there.
    fn quarantine(&self, file: &File, at: Place, length: u64) -> Result<()> {
        let path = self.layout.events(at.date, self.key);
        let kept = self.layout.service("quarantine").join(quarantine_name(self.key, at, length));
        let failed = |e: io::Error| Error::io("write", &kept, &e);
        let opened = private().write(true).create(true).open(&kept);
        let copy = match opened {
            Err(error) if is_absent(&error) => {
                self.layout.create()?;
                private().write(true).create(true).open(&kept).map_err(failed)?
            }
            other => other.map_err(failed)?,
        };
        set_len(&copy, 0).map_err(failed)?;
        let mut from = at.offset;
        while from < length {
            let to = length.min(from + (1 << 20));
            let bytes = read_range(file, from, to).map_err(|e| Error::io("read", &path, &e))?;
            write_at(&copy, &bytes, from - at.offset).map_err(failed)?;
            from = to;
        }
        sync_data(&copy, Site::Quarantine).map_err(failed)?;
        sync_dir(&self.layout.service("quarantine"), Site::QuarantineEntry)?;
        set_len(file, at.offset).map_err(|e| Error::io("cut", &path, &e))
    }

    fn io(&self, what: &str, error: &io::Error) -> Error {
        Error::io(what, Path::new(self.key), error)
    }
}

impl Gathered {
    fn take(&mut self, date: Date, line: &Scanned<'_>) {
        self.lines += 1;
        let stamps = Stamps::read(line.bytes);
        let sound = stamps.is_some() || is_one_object(line.bytes);
        if let Some(stamps) = stamps {
            self.highest = self.highest.max(stamps.event_sequence);
            self.latest = self.latest.max(stamps.at().unwrap_or(Timestamp::MIN));
        }
        let sound = sound && !line.too_long();
        self.last = Some((date, line.offset, sound));
        let at = Place { date, offset: line.offset };
        if sound || memchr::memchr(0, line.bytes).is_none() {
            self.unwritten.clear();
        } else if self.unwritten.last().is_none_or(|first| first.date != date) {
            self.unwritten.push(at);
        }
    }
}
