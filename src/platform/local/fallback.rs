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
    /// The valid slot of the higher epoch.
    pub(super) fn read(&self) -> io::Result<Latch> {
        let file = File::open(&self.path)?;
        newest(&file)?
            .map(|(_, slot)| slot.latch)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "neither slot is valid"))
    }
    /// Writes the slot that does not hold the newest latch, and syncs it.
    pub(super) fn write(&self, latch: &Latch) -> io::Result<()> {
        let file = private().read(true).write(true).open(&self.path)?;
        // Two writers that the database does not keep apart must not share a slot.
        file.try_lock().map_err(|error| match error {
            std::fs::TryLockError::WouldBlock => {
                io::Error::new(io::ErrorKind::WouldBlock, "another operator is writing it")
            }
            std::fs::TryLockError::Error(error) => error,
        })?;
        let at = match newest(&file)? {
            Some((0, _)) => SLOT as u64,
            _ => 0,
        };
        file.write_all_at(&encode(latch)?, at)?;
        file.sync_all()
    }
}

/// The number and content of the valid slot with the higher epoch.
fn newest(file: &File) -> io::Result<Option<(usize, Slot)>> {
    let mut newest: Option<(usize, Slot)> = None;
    for number in 0..2 {
        let mut bytes = [0; SLOT];
        let read = read_up_to(file, &mut bytes, (number * SLOT) as u64)?;
        let Some(slot) = decode(&bytes[..read]) else { continue };
        if newest.as_ref().is_none_or(|(_, other)| slot.epoch > other.epoch) {
            newest = Some((number, slot));
        }
    }
    Ok(newest)
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
    let latch: Latch = serde_json::from_slice(text).ok()?;
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
            file.write(&at(epoch)).unwrap();
            assert_eq!(file.read().unwrap().epoch, epoch);
        }
        // Epochs 3 and 4 stand in the slots now; each byte of the newer one may be torn.
        let raw = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        raw.write_all_at(b"X", 30).unwrap();
        assert_eq!(file.read().unwrap().epoch, 3);
        file.write(&at(9)).unwrap();
        assert_eq!(file.read().unwrap().epoch, 9);
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
        assert_eq!(file.read().unwrap().epoch, 7);
    }
}
