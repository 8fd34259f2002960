//! Reading a journal back: everything before the first damage, and what the damage is.

use super::Entry;
use super::chain::{self, Chain, JOURNAL_FORMAT, Line};
use crate::model::{RestoreChunk, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A journal as read.
#[derive(Clone, Debug)]
pub struct Journal {
    /// Every line before the first damage.
    pub lines: Vec<Line>,
    /// Where to continue.
    pub chain: Chain,
    /// How many bytes the good lines take.
    pub good_bytes: usize,
    /// The first damage, if there is any.
    pub damage: Option<Damage>,
}

/// Where a journal stops being trustworthy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The last line has no end: the writer was killed while writing it. The next writer
    /// cuts it off, keeping a copy.
    #[error("entry {seq} is torn: its line has no end")]
    Torn {
        /// The number that the line would have.
        seq: u64,
    },
    /// A line is not what was written.
    #[error("entry {seq} was changed: {why}")]
    Tampered {
        /// The number that the line should have.
        seq: u64,
        /// How it shows.
        why: &'static str,
    },
    /// A newer binary wrote it.
    #[error(
        "entry {seq} has format {format}, newer than the {JOURNAL_FORMAT} that this binary reads"
    )]
    Newer {
        /// The line.
        seq: u64,
        /// Its format.
        format: u32,
    },
}

impl Journal {
    /// The entries, in order.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.lines.iter().map(|line| &line.entry)
    }
    /// The run ended by itself.
    pub fn is_closed(&self) -> bool {
        self.entries().any(|entry| matches!(entry, Entry::Closed { .. }))
    }
}

/// Reads a journal's bytes. Never fails: damage is part of the answer.
pub fn read(bytes: &[u8]) -> Journal {
    read_where(bytes, |_| true)
}

/// The chunks of restore records that a journal holds, and the first damage of the whole of it.
/// Nothing else is parsed: whoever stops trading looks through the journals of all runs.
pub fn records(bytes: &[u8]) -> (Vec<RestoreChunk>, Option<Damage>) {
    let journal = read_where(bytes, |entry| entry.contains(RECORD));
    let chunks = journal.lines.into_iter().filter_map(|line| match line.entry {
        Entry::Record { chunk, .. } => Some(chunk),
        _ => None,
    });
    (chunks.collect(), journal.damage)
}

/// How an entry that keeps a chunk says so.
const RECORD: &str = r#""kind":"record""#;

/// Verifies every line, and keeps those whose entry, as JSON, is wanted.
fn read_where(bytes: &[u8], wanted: impl Fn(&str) -> bool) -> Journal {
    let mut journal =
        Journal { lines: Vec::new(), chain: Chain::default(), good_bytes: 0, damage: None };
    let mut rest = bytes;
    while !rest.is_empty() {
        let seq = journal.chain.next_seq();
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
            journal.damage = Some(Damage::Torn { seq });
            break;
        };
        match line(&rest[..end], &journal.chain, &wanted) {
            Ok((line, hash)) => {
                journal.chain = Chain::after(seq, hash);
                journal.lines.extend(line);
                journal.good_bytes += end + 1;
                rest = &rest[end + 1..];
            }
            Err(damage) => {
                journal.damage = Some(damage);
                break;
            }
        }
    }
    journal
}

/// A line as far as the chain needs it.
#[derive(Deserialize)]
struct Sealed<'a> {
    format: u32,
    seq: u64,
    at: Utc,
    #[serde(borrow)]
    prev: Cow<'a, str>,
    #[serde(borrow)]
    entry: &'a RawValue,
}

/// All that is looked at of a line which a newer binary may have written otherwise.
#[derive(Deserialize)]
struct Versioned {
    #[serde(default)]
    format: u64,
}

/// A line that follows what was read before, and its hash; `None`: its entry is not wanted.
fn line(
    bytes: &[u8],
    chain: &Chain,
    wanted: &impl Fn(&str) -> bool,
) -> Result<(Option<Line>, String), Damage> {
    let seq = chain.next_seq();
    let tampered = |why| Damage::Tampered { seq, why };
    let text = std::str::from_utf8(bytes).map_err(|_| tampered("it is not UTF-8"))?;
    let (body, hash) = chain::split(text).ok_or(tampered("it does not end in its hash"))?;
    if chain::hash_of(body.as_bytes(), b"}") != hash {
        return Err(tampered("its hash does not fit what it says"));
    }
    let no_entry = || tampered("it is not a journal entry");
    let sealed = serde_json::from_str::<Sealed<'_>>(text);
    if !sealed.as_ref().is_ok_and(|it| it.format <= JOURNAL_FORMAT) {
        let found: Versioned =
            serde_json::from_str(text).map_err(|_| tampered("it is not JSON"))?;
        if found.format > u64::from(JOURNAL_FORMAT) {
            let format = u32::try_from(found.format).unwrap_or(u32::MAX);
            return Err(Damage::Newer { seq, format });
        }
    }
    let sealed = sealed.map_err(|_| no_entry())?;
    if sealed.prev != chain.prev() {
        return Err(tampered("it does not follow the entry before it"));
    }
    if sealed.seq != seq {
        return Err(tampered("its number is not the next"));
    }
    let Sealed { format, seq, at, prev, entry } = sealed;
    if !wanted(entry.get()) {
        return Ok((None, hash.to_owned()));
    }
    let entry = serde_json::from_str(entry.get()).map_err(|_| no_entry())?;
    let line = Line { format, seq, at, prev: prev.into_owned(), entry };
    Ok((Some(line), hash.to_owned()))
}
