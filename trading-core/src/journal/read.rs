//! Reading a journal back: everything before the first damage, and what the damage is.

use super::Entry;
use super::chain::{self, Chain, JOURNAL_FORMAT, Line};

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
    let mut journal =
        Journal { lines: Vec::new(), chain: Chain::default(), good_bytes: 0, damage: None };
    let mut rest = bytes;
    while !rest.is_empty() {
        let seq = journal.chain.next_seq();
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
            journal.damage = Some(Damage::Torn { seq });
            break;
        };
        match line(&rest[..end], &journal.chain) {
            Ok((line, hash)) => {
                journal.chain = Chain::after(line.seq, hash);
                journal.lines.push(line);
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

fn line(bytes: &[u8], chain: &Chain) -> Result<(Line, String), Damage> {
    let seq = chain.next_seq();
    let tampered = |why| Damage::Tampered { seq, why };
    let text = std::str::from_utf8(bytes).map_err(|_| tampered("it is not UTF-8"))?;
    let (body, hash) = chain::split(text).ok_or(tampered("it does not end in its hash"))?;
    if chain::hash_of(&body) != hash {
        return Err(tampered("its hash does not fit what it says"));
    }
    // The format is looked at before the rest, which a newer binary may write otherwise.
    let value: serde_json::Value =
        serde_json::from_str(&body).map_err(|_| tampered("it is not JSON"))?;
    let format = value.get("format").and_then(serde_json::Value::as_u64).unwrap_or(0);
    if format > u64::from(JOURNAL_FORMAT) {
        return Err(Damage::Newer { seq, format: u32::try_from(format).unwrap_or(u32::MAX) });
    }
    let line: Line =
        serde_json::from_value(value).map_err(|_| tampered("it is not a journal entry"))?;
    if line.prev != chain.prev() {
        return Err(tampered("it does not follow the entry before it"));
    }
    if line.seq != seq {
        return Err(tampered("its number is not the next"));
    }
    Ok((line, hash.to_owned()))
}
