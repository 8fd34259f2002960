//! The latch's second home: a small file preallocated by `local up`, written in place, so
//! that a full disk cannot keep a stop from being engaged. Two slots with checksums: a
//! write that is torn leaves the slot before it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use trading_core::model::Latch;

use super::paths::private;

/// `TCLATCH`, and the layout's number.
const MAGIC: [u8; 8] = *b"TCLATCH1";
/// A slot is one page.
const SLOT: usize = 4096;
/// Magic, epoch, length, checksum of what stands before and behind it.
const HEAD: usize = 24;
const ROOM: usize = SLOT - HEAD;

/// The file.
#[derive(Clone)]
pub(super) struct Fallback {
    path: PathBuf,
}

struct Slot {
    epoch: u64,
    latch: Latch,
}

impl Fallback {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }
    /// Makes the file in its full length, with `latch` in it, if there is none.
    pub(super) fn create(&self, latch: &Latch) -> io::Result<()> {
        let file =
            private().create(true).truncate(false).write(true).read(true).open(&self.path)?;
        if file.metadata()?.len() >= 2 * SLOT as u64 {
            return Ok(());
        }
        // Written, not only sized: the blocks must be there when the disk is full.
        file.write_all_at(&[0; 2 * SLOT], 0)?;
        file.write_all_at(&encode(latch)?, 0)?;
        file.sync_all()
    }
    /// What it holds. `Err` where it cannot be read or neither slot is valid.
    pub(super) fn read(&self) -> io::Result<Kept> {
        let slots = Slots::of(&File::open(&self.path)?)?;
        let damaged = slots.damaged;
        let kept = slots.newest.map(|(_, slot)| Kept { latch: slot.latch, damaged });
        kept.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "neither slot is valid"))
    }
    /// Writes the slot that does not hold the newest latch, and syncs it, unless that newest
    /// latch is later than `at_most`: then answers its epoch. The comparison and the write
    /// are one: two writers that the database does not keep apart share no slot and no epoch.
    pub(super) fn write_if(&self, at_most: u64, latch: &Latch) -> io::Result<Option<u64>> {
        let file =
            private().create(true).truncate(false).read(true).write(true).open(&self.path)?;
        lock(&file)?;
        let at = match Slots::of(&file)?.newest {
            Some((_, slot)) if slot.epoch > at_most => return Ok(Some(slot.epoch)),
            Some((0, _)) => SLOT as u64,
            _ => 0,
        };
        file.write_all_at(&encode(latch)?, at)?;
        file.sync_all()?;
        Ok(None)
    }
}

/// What the file says of the latch.
#[derive(Debug)]
pub(super) struct Kept {
    /// The valid slot of the higher epoch.
    pub(super) latch: Latch,
    /// The other slot holds what is no latch: it may have been the later one.
    pub(super) damaged: bool,
}

/// Waits for nobody: whoever holds it may be frozen.
fn lock(file: &File) -> io::Result<()> {
    file.try_lock().map_err(|error| match error {
        std::fs::TryLockError::WouldBlock => {
            io::Error::new(io::ErrorKind::WouldBlock, "another operator is writing it")
        }
        std::fs::TryLockError::Error(error) => error,
    })
}

/// Both slots, looked at.
struct Slots {
    /// The number and content of the valid slot with the higher epoch.
    newest: Option<(usize, Slot)>,
    /// A slot has something in it that is no latch.
    damaged: bool,
}

impl Slots {
    fn of(file: &File) -> io::Result<Self> {
        let mut slots = Self { newest: None, damaged: false };
        for number in 0..2 {
            let mut bytes = [0; SLOT];
            let read = read_up_to(file, &mut bytes, (number * SLOT) as u64)?;
            let Some(slot) = decode(&bytes[..read]) else {
                slots.damaged |= bytes[..read].iter().any(|byte| *byte != 0);
                continue;
            };
            if slots.newest.as_ref().is_none_or(|(_, other)| slot.epoch > other.epoch) {
                slots.newest = Some((number, slot));
            }
        }
        Ok(slots)
    }
}

/// Reads until `bytes` are full or the file ends.
fn read_up_to(file: &File, bytes: &mut [u8], at: u64) -> io::Result<usize> {
    let mut done = 0;
    while done < bytes.len() {
        match file.read_at(&mut bytes[done..], at + done as u64)? {
            0 => break,
            read => done += read,
        }
    }
    Ok(done)
}

fn encode(latch: &Latch) -> io::Result<Vec<u8>> {
    let mut text = serde_json::to_vec(latch)?;
    if text.len() > ROOM {
        // Too many words for a page. The file holds what must be obeyed; the reasons stand
        // in the database and the journals.
        let mut terse = latch.clone();
        for hold in &mut terse.holds {
            hold.reason = hold.reason.chars().take(40).collect();
        }
        text = serde_json::to_vec(&terse)?;
    }
    let length =
        u32::try_from(text.len()).ok().filter(|_| text.len() <= ROOM).ok_or_else(|| {
            io::Error::other(format!("{} holds do not fit into a page", latch.holds.len()))
        })?;
    let mut slot = Vec::with_capacity(SLOT);
    slot.extend(MAGIC);
    slot.extend(latch.epoch.to_le_bytes());
    slot.extend(length.to_le_bytes());
    slot.extend(checksum(&slot, &text).to_le_bytes());
    slot.extend(text);
    Ok(slot)
}

fn decode(slot: &[u8]) -> Option<Slot> {
    let (head, body) = slot.split_at_checked(HEAD)?;
    let epoch = u64::from_le_bytes(head[8..16].try_into().ok()?);
    let length = u32::from_le_bytes(head[16..20].try_into().ok()?);
    let sum = u32::from_le_bytes(head[20..24].try_into().ok()?);
    let text = body.get(..usize::try_from(length).ok()?)?;
    if head[..8] != MAGIC || sum != checksum(&head[..20], text) {
        return None;
    }
    let latch = Latch::from_json(std::str::from_utf8(text).ok()?).ok()?;
    (latch.epoch == epoch).then_some(Slot { epoch, latch })
}

fn checksum(head: &[u8], text: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(head);
    hasher.update(text);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::{Fallback, SLOT};
    use std::os::unix::fs::FileExt;
    use trading_core::model::Latch;

    fn at(epoch: u64) -> Latch {
        Latch { epoch, ..Latch::released() }
    }

    #[test]
    fn the_newest_valid_slot_is_read_and_a_torn_write_leaves_the_one_before() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("latch.fallback");
        let file = Fallback::new(path.clone());
        assert!(file.read().is_err(), "there is no file yet");
        file.create(&at(0)).unwrap();
        for epoch in 1..5 {
            assert_eq!(file.write_if(epoch - 1, &at(epoch)).unwrap(), None);
            assert_eq!(file.read().unwrap().latch.epoch, epoch);
        }
        // Epochs 3 and 4 stand in the slots now; each byte of the newer one may be torn.
        let raw = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        raw.write_all_at(b"X", 30).unwrap();
        let kept = file.read().unwrap();
        assert_eq!((kept.latch.epoch, kept.damaged), (3, true));
        assert_eq!(file.write_if(3, &at(9)).unwrap(), None);
        let kept = file.read().unwrap();
        assert_eq!((kept.latch.epoch, kept.damaged), (9, false), "mended");
        raw.write_all_at(b"X", 16).unwrap();
        raw.write_all_at(b"X", SLOT as u64 + 16).unwrap();
        assert!(file.read().is_err(), "both slots are damaged");
    }

    #[test]
    fn a_file_with_a_latch_in_it_is_never_made_anew() {
        let home = tempfile::tempdir().unwrap();
        let file = Fallback::new(home.path().join("latch.fallback"));
        file.create(&at(7)).unwrap();
        file.create(&at(0)).unwrap();
        assert_eq!(file.read().unwrap().latch.epoch, 7);
    }

    #[test]
    fn of_writers_that_expect_the_same_epoch_one_writes() {
        let home = tempfile::tempdir().unwrap();
        let file = Fallback::new(home.path().join("latch.fallback"));
        file.create(&at(0)).unwrap();
        let writers = (0..8).map(|_| {
            let file = file.clone();
            std::thread::spawn(move || file.write_if(0, &at(1)))
        });
        let writers: Vec<_> = writers.collect();
        let answers: Vec<_> = writers.into_iter().map(|it| it.join().unwrap()).collect();
        assert_eq!(answers.iter().filter(|it| matches!(it, Ok(None))).count(), 1, "{answers:?}");
    }
}
