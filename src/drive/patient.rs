//! A disk that hangs (a network home, a suspended volume) answers neither yes nor no. Nobody
//! who has to stop trading waits for it: the journal is written by a thread of its own.

use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use super::journal::Sink;

/// What the thread is to do.
enum Job {
    Append(Vec<u8>),
    Sync,
}

/// A sink behind a thread, which is waited for only so long. Once it was late it is given up:
/// what it still writes then was told to have failed, and nothing is appended behind that.
pub(super) struct Patient {
    patience: Duration,
    path: PathBuf,
    jobs: Option<Sender<Job>>,
    answers: Receiver<io::Result<()>>,
    /// Whether the sink has been made; asked for before anything is written.
    made: bool,
    given_up: Option<String>,
}

impl Patient {
    /// A sink that the thread makes. `path` is named when something fails.
    pub(super) fn new(
        patience: Duration,
        path: PathBuf,
        make: impl FnOnce() -> io::Result<Box<dyn Sink>> + Send + 'static,
    ) -> Self {
        let (jobs, todo) = channel();
        let (answer, answers) = channel();
        // Without a thread nobody answers, which is an error of the first append.
        let _no_thread = thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || work(make, &todo, &answer));
        Self { patience, path, jobs: Some(jobs), answers, made: false, given_up: None }
    }

    /// Waits until the sink is made.
    pub(super) fn is_made(&mut self) -> io::Result<()> {
        if let Some(why) = &self.given_up {
            return Err(io::Error::other(why.clone()));
        }
        if !self.made {
            self.answer().map_err(|error| self.give_up(&error))?;
            self.made = true;
        }
        Ok(())
    }

    fn ask(&mut self, job: Job) -> io::Result<()> {
        self.is_made()?;
        // A thread that is gone is noticed by the missing answer.
        let _gone = self.jobs.as_ref().map(|jobs| jobs.send(job));
        self.answer()
    }

    fn answer(&mut self) -> io::Result<()> {
        match self.answers.recv_timeout(self.patience) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout) => {
                let error = io::Error::new(
                    io::ErrorKind::TimedOut,
                    format!("the disk has not answered within {:?}", self.patience),
                );
                Err(self.give_up(&error))
            }
            Err(RecvTimeoutError::Disconnected) => {
                let error = io::Error::other("nobody writes it");
                Err(self.give_up(&error))
            }
        }
    }

    fn give_up(&mut self, error: &io::Error) -> io::Error {
        let path = self.path.display().to_string();
        let why = error.to_string();
        let why = if why.contains(&path) { why } else { format!("{path}: {why}") };
        self.given_up = Some(why.clone());
        io::Error::new(error.kind(), why)
    }
}

impl Sink for Patient {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.ask(Job::Append(bytes.to_vec()))
    }
    fn sync(&mut self) -> io::Result<()> {
        self.ask(Job::Sync)
    }
}

impl Drop for Patient {
    /// The file is closed, or taken away if it holds nothing, before anybody looks for it.
    fn drop(&mut self) {
        self.jobs = None;
        if self.given_up.is_none() {
            // Its answers end when it has closed the file.
            while self.answers.recv_timeout(self.patience).is_ok() {}
        }
    }
}

fn work(
    make: impl FnOnce() -> io::Result<Box<dyn Sink>>,
    todo: &Receiver<Job>,
    answer: &Sender<io::Result<()>>,
) {
    let mut sink = match make() {
        Ok(sink) => sink,
        Err(error) => {
            // Whoever does not listen any more has given up.
            let _given_up = answer.send(Err(error));
            return;
        }
    };
    let mut told = answer.send(Ok(()));
    while let (Ok(()), Ok(job)) = (told, todo.recv()) {
        told = answer.send(match job {
            Job::Append(bytes) => sink.append(&bytes),
            Job::Sync => sink.sync(),
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// A disk that answers while nobody holds its lock.
    struct Hangs(Arc<Mutex<Vec<u8>>>);
    impl Sink for Hangs {
        fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
            self.0.lock().unwrap().extend(bytes);
            Ok(())
        }
        fn sync(&mut self) -> io::Result<()> {
            drop(self.0.lock().unwrap());
            Ok(())
        }
    }

    fn over(disk: &Arc<Mutex<Vec<u8>>>, patience: Duration) -> Patient {
        let sink = Box::new(Hangs(Arc::clone(disk)));
        Patient::new(patience, "j.jsonl".into(), move || Ok(sink as Box<dyn Sink>))
    }

    #[test]
    fn what_is_written_is_there_when_it_is_said() {
        let disk = Arc::default();
        let mut patient = over(&disk, Duration::from_secs(60));
        patient.append(b"a").unwrap();
        patient.sync().unwrap();
        patient.append(b"b").unwrap();
        assert_eq!(*disk.lock().unwrap(), b"ab");
    }

    #[test]
    fn a_disk_that_hangs_is_given_up_and_nothing_is_written_behind_it() {
        let disk = Arc::default();
        let mut patient = over(&disk, Duration::from_secs(60));
        patient.is_made().unwrap();
        patient.patience = Duration::from_millis(20);
        let held = disk.lock().unwrap();
        let error = patient.append(b"a").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(error.to_string().starts_with("j.jsonl: the disk has not answered"), "{error}");
        drop(held);
        for _ in 0..2 {
            assert!(patient.append(b"b").unwrap_err().to_string().contains("has not answered"));
        }
        drop(patient);
        assert!(!disk.lock().unwrap().contains(&b'b'));
    }

    #[test]
    fn what_cannot_be_made_says_so_at_every_append() {
        let mut patient = Patient::new(Duration::from_secs(60), "j.jsonl".into(), || {
            Err(io::ErrorKind::ReadOnlyFilesystem.into())
        });
        for _ in 0..2 {
            let error = patient.append(b"a").unwrap_err();
            assert!(error.to_string().starts_with("j.jsonl: read-only"), "{error}");
        }
    }
}
