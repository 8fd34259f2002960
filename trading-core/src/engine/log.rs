//! The event log: an engine's inputs, in segments of checksummed binary records.
//!
//! A record on disk is its length, a CRC-32 of length and body, and the body. A segment
//! begins with the whole state, so a boot needs only the newest segment that opens, and a
//! segment cut at any byte boots to the state of a prefix. Inputs are in the log before
//! they are stepped; the orders that they cause leave only when they are synced.

use serde::{Deserialize, Serialize};

use super::event::{Event, Seq};
use super::{Engine, Output};

/// The format that this binary writes. A segment of another format is not replayed: the
/// engine starts from the venue's word instead.
pub const LOG_FORMAT: u32 = 1;

/// Bytes before a body: length and checksum.
const HEAD: usize = 8;
/// No record is longer; a greater length is damage.
const LONGEST: u32 = 256 * 1024 * 1024;

/// A record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    /// The first record of a segment.
    Open {
        /// The format.
        format: u32,
        /// The binary that writes: another one may decide otherwise, so its inputs are not
        /// replayed on boot.
        version: String,
        /// The last input that the state contains.
        seq: Seq,
        /// The state's digest.
        hash: String,
        /// The state.
        state: Box<Engine>,
    },
    /// An input.
    Input {
        /// Its number.
        seq: Seq,
        /// What.
        event: Event,
    },
    /// The state's digest after an input, for replays to compare.
    Mark {
        /// The input.
        seq: Seq,
        /// The digest.
        hash: String,
    },
}

/// Why a segment cannot be read further.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// It ends inside a record: the last write was cut.
    #[error("it ends inside the record at byte {at}")]
    Torn {
        /// Where the record begins.
        at: usize,
    },
    /// A checksum does not fit.
    #[error("the checksum of the record at byte {at} does not fit")]
    Checksum {
        /// Where the record begins.
        at: usize,
    },
    /// The checksum fits and the body is not a record of ours.
    #[error("the record at byte {at} cannot be read: {why}")]
    Body {
        /// Where the record begins.
        at: usize,
        /// The cause.
        why: String,
    },
}

/// Adds a record to a buffer.
pub fn encode(record: &Record, buffer: &mut Vec<u8>) -> Result<(), postcard::Error> {
    let body = postcard::to_allocvec(record)?;
    let length = u32::try_from(body.len()).map_err(|_| postcard::Error::SerializeBufferFull)?;
    let length = length.to_le_bytes();
    buffer.extend_from_slice(&length);
    buffer.extend_from_slice(&checksum(length, &body).to_le_bytes());
    buffer.extend_from_slice(&body);
    Ok(())
}

fn checksum(length: [u8; 4], body: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&length);
    crc.update(body);
    crc.finalize()
}

/// Reads the records of a segment, up to its end or the first damage.
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Reads from the start.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn read(&mut self) -> Result<Option<Record>, Damage> {
        let at = self.at;
        let rest = self.bytes.get(at..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(None);
        }
        let torn = Damage::Torn { at };
        let word = |from: usize| -> Option<[u8; 4]> { rest.get(from..from + 4)?.try_into().ok() };
        let (Some(length), Some(crc)) = (word(0), word(4)) else { return Err(torn) };
        let size = u32::from_le_bytes(length);
        if size > LONGEST {
            return Err(Damage::Checksum { at });
        }
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let Some(body) = rest.get(HEAD..HEAD.saturating_add(size)) else { return Err(torn) };
        if checksum(length, body) != u32::from_le_bytes(crc) {
            return Err(Damage::Checksum { at });
        }
        let record = postcard::from_bytes(body)
            .map_err(|error| Damage::Body { at, why: error.to_string() })?;
        self.at = at + HEAD + size;
        Ok(Some(record))
    }
}

impl Iterator for Reader<'_> {
    type Item = Result<Record, Damage>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = self.read();
        if read.is_err() {
            self.at = self.bytes.len();
        }
        read.transpose()
    }
}

/// What a boot found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// The state after the last whole input.
    pub engine: Engine,
    /// The number of that input.
    pub seq: Seq,
    /// Where the segment could not be read further; a crash leaves one.
    pub damage: Option<Damage>,
}

/// Boots from a segment. `None`: it has no whole beginning that this binary can replay,
/// and the one before it must be tried.
pub fn recover(bytes: &[u8], version: &str) -> Option<Recovered> {
    let mut reader = Reader::new(bytes);
    let Some(Ok(Record::Open { format, version: writer, seq, hash, state })) = reader.next() else {
        return None;
    };
    if format != LOG_FORMAT || writer != version || state.state_hash() != hash {
        return None;
    }
    let mut recovered = Recovered { engine: *state, seq, damage: None };
    let mut out: Vec<Output> = Vec::new();
    for record in reader {
        match record {
            Ok(Record::Input { seq, event }) => {
                recovered.engine.step(seq, &event, &mut out);
                recovered.seq = seq;
                // What it wanted then was done then, or is found out by reconciling.
                out.clear();
            }
            // A binary that decides otherwise than the one that wrote must not go on.
            Ok(Record::Mark { seq, hash })
                if seq == recovered.seq && recovered.engine.state_hash() != hash =>
            {
                return None;
            }
            Ok(Record::Mark { .. } | Record::Open { .. }) => {}
            Err(damage) => recovered.damage = Some(damage),
        }
    }
    Some(recovered)
}

/// What a replay of whole segments found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// How many inputs were stepped.
    pub inputs: u64,
    /// How many recorded digests were compared.
    pub compared: u64,
    /// The inputs after which the digest differs from the recorded one.
    pub differs_at: Vec<Seq>,
    /// Inputs that are missing between segments or records.
    pub holes: Vec<Seq>,
    /// The digest at the end.
    pub hash: String,
    /// The last input.
    pub seq: Seq,
}

/// Replays segments in their order and compares every recorded digest. The state flows
/// from segment to segment; where inputs are missing it is taken from the next opening.
pub fn replay<'a>(
    segments: impl IntoIterator<Item = &'a [u8]>,
    damaged: &mut Vec<(usize, Damage)>,
) -> Replayed {
    let mut replayed = Replayed::default();
    let mut engine: Option<Engine> = None;
    let mut out: Vec<Output> = Vec::new();
    for (index, bytes) in segments.into_iter().enumerate() {
        for record in Reader::new(bytes) {
            match record {
                Err(damage) => damaged.push((index, damage)),
                Ok(Record::Open { seq, hash, state, .. }) => {
                    match &engine {
                        Some(engine) if replayed.seq == seq => {
                            compare(&mut replayed, engine, seq, &hash);
                        }
                        Some(_) => replayed.holes.push(seq),
                        None => compare(&mut replayed, &state, seq, &hash),
                    }
                    replayed.seq = seq;
                    engine = Some(*state);
                }
                Ok(Record::Input { seq, event }) => {
                    let Some(engine) = &mut engine else { continue };
                    if seq != replayed.seq.saturating_add(1) {
                        replayed.holes.push(seq);
                    }
                    engine.step(seq, &event, &mut out);
                    out.clear();
                    replayed.inputs += 1;
                    replayed.seq = seq;
                }
                Ok(Record::Mark { seq, hash }) => {
                    if let Some(engine) = engine.as_ref().filter(|_| seq == replayed.seq) {
                        compare(&mut replayed, engine, seq, &hash);
                    }
                }
            }
        }
    }
    replayed.hash = engine.map(|engine| engine.state_hash()).unwrap_or_default();
    replayed
}

fn compare(replayed: &mut Replayed, engine: &Engine, seq: Seq, hash: &str) {
    replayed.compared += 1;
    if engine.state_hash() != hash {
        replayed.differs_at.push(seq);
    }
}
