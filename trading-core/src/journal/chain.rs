//! Sealing entries into lines.

use super::Entry;
use crate::model::Utc;
use crate::plan::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The format that this binary writes.
pub const JOURNAL_FORMAT: u32 = 1;
/// What stands for "the hash of the line before" in the first line.
pub const FIRST_HASH: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A line without its own hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Line {
    /// The format number.
    pub format: u32,
    /// Counts the lines of the file, from 0.
    pub seq: u64,
    /// When it was written, by the operator's machine.
    pub at: Utc,
    /// The hash of the line before.
    pub prev: String,
    /// What it says.
    pub entry: Entry,
}

/// A line that is being written: the same fields, lent.
#[derive(Serialize)]
struct Draft<'a> {
    format: u32,
    seq: u64,
    at: Utc,
    prev: &'a str,
    entry: &'a Entry,
}

/// An entry that has no JSON form.
#[derive(Debug, thiserror::Error)]
#[error("a journal entry has no JSON form")]
pub struct SealError(#[from] serde_json::Error);

/// The end of a journal: what the next line is chained to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    next_seq: u64,
    prev: String,
}

impl Default for Chain {
    fn default() -> Self {
        Self { next_seq: 0, prev: FIRST_HASH.to_owned() }
    }
}

const HASH_KEY: &str = ",\"hash\":\"";
const HASH_DIGITS: usize = 64;

impl Chain {
    /// Continues after a line that was read.
    pub(super) fn after(seq: u64, hash: String) -> Self {
        Self { next_seq: seq.saturating_add(1), prev: hash }
    }
    /// The number of the next line.
    pub fn next_seq(&self) -> u64 {
        self.next_seq
    }
    /// The hash that the next line names.
    pub fn prev(&self) -> &str {
        &self.prev
    }
    /// Seals entries into the bytes to append, and moves on. If it fails, nothing moved.
    pub fn seal(&mut self, at: Utc, entries: &[Entry]) -> Result<Vec<u8>, SealError> {
        let mut bytes = Vec::new();
        let (mut seq, mut prev) = (self.next_seq, self.prev.clone());
        for entry in entries {
            let begin = bytes.len();
            let line = Draft { format: JOURNAL_FORMAT, seq, at, prev: &prev, entry };
            serde_json::to_writer(&mut bytes, &line)?;
            prev = hash_of(bytes.get(begin..).unwrap_or_default(), b"");
            seq += 1;
            // The hash goes in before the brace that ends the line.
            bytes.pop();
            bytes.extend_from_slice(HASH_KEY.as_bytes());
            bytes.extend_from_slice(prev.as_bytes());
            bytes.extend_from_slice(b"\"}\n");
        }
        (self.next_seq, self.prev) = (seq, prev);
        Ok(bytes)
    }
}

/// The hash of a line's body, which may be given in two pieces.
pub(super) fn hash_of(body: &[u8], end: &[u8]) -> String {
    hex(&Sha256::new().chain_update(body).chain_update(end).finalize())
}

/// Takes a line apart into its body without the brace that ends it, and the hash that it claims.
pub(super) fn split(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_suffix("\"}")?;
    let at = rest.len().checked_sub(HASH_DIGITS)?;
    let (head, hash) = (rest.get(..at)?, rest.get(at..)?);
    Some((head.strip_suffix(HASH_KEY)?, hash))
}
