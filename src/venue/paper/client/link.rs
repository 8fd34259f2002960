//! A connection: requests in their order, each with at most one answer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::super::wire::{Ask, Line, Reply, Request};
use super::ANSWER_WAIT;

/// Requests that wait to be written.
const OUTBOX: usize = 1_024;

/// Who waits for which answer; `None` once the connection has ended.
type Waiting = Arc<Mutex<Option<BTreeMap<u64, oneshot::Sender<Reply>>>>>;

/// A live connection.
#[derive(Clone)]
pub(super) struct Link {
    outbox: mpsc::Sender<String>,
    waiting: Waiting,
    next_id: Arc<std::sync::atomic::AtomicU64>,
}

/// Why there is no answer.
pub(super) enum NoAnswer {
    /// The request did not leave this process.
    NotSent(String),
    /// The request left and nothing came back.
    Lost(String),
}

impl NoAnswer {
    pub(super) fn why(self) -> String {
        match self {
            Self::NotSent(why) | Self::Lost(why) => why,
        }
    }
}

impl Link {
    pub(super) fn over(stream: UnixStream) -> Self {
        let (reader, writer) = stream.into_split();
        let (outbox, queue) = mpsc::channel(OUTBOX);
        let waiting: Waiting = Arc::new(Mutex::new(Some(BTreeMap::new())));
        let link = Self { outbox, waiting: Arc::clone(&waiting), next_id: Arc::default() };
        tokio::spawn(async move {
            tokio::select! {
                () = write(writer, queue) => {}
                () = listen(reader, &waiting) => {}
            }
            // Dropping the senders tells everybody who waits that the answer is lost.
            waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        });
        link
    }

    pub(super) fn is_alive(&self) -> bool {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    pub(super) async fn ask(&self, ask: Ask) -> Result<Reply, NoAnswer> {
        let id = self.next_id.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        let line = serde_json::to_string(&Request { id, ask })
            .map_err(|error| NoAnswer::NotSent(error.to_string()))?;
        let (answer_to, answer) = oneshot::channel();
        match &mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(waiting) => drop(waiting.insert(id, answer_to)),
            None => return Err(NoAnswer::NotSent("the connection has ended".to_owned())),
        }
        let reserved = timeout(ANSWER_WAIT, self.outbox.reserve()).await;
        let Ok(Ok(slot)) = reserved else {
            self.forget(id);
            return Err(NoAnswer::NotSent("the venue does not read".to_owned()));
        };
        slot.send(line + "\n");
        match timeout(ANSWER_WAIT, answer).await {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(_)) => Err(NoAnswer::Lost("the connection ended before the answer".to_owned())),
            Err(_) => {
                self.forget(id);
                let why = format!("no answer within {} s", ANSWER_WAIT.as_secs());
                Err(NoAnswer::Lost(why))
            }
        }
    }

    fn forget(&self, id: u64) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waiting) = &mut *waiting {
            waiting.remove(&id);
        }
    }
}

async fn write(mut writer: OwnedWriteHalf, mut queue: mpsc::Receiver<String>) {
    while let Some(mut line) = queue.recv().await {
        // What waits goes out in one write.
        while line.len() < 64 * 1024
            && let Ok(more) = queue.try_recv()
        {
            line.push_str(&more);
        }
        if writer.write_all(line.as_bytes()).await.is_err() {
            return;
        }
    }
    // Every client handle is gone; answers on the way have nobody to go to.
}

async fn listen(reader: OwnedReadHalf, waiting: &Waiting) {
    let mut lines = BufReader::new(reader).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let Ok(Line::Reply(reply)) = serde_json::from_str(&line) else { return };
        let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer_to) = waiting.as_mut().and_then(|waiting| waiting.remove(&reply.id)) {
            // Whoever asked may have given up meanwhile.
            let _ = answer_to.send(reply);
        }
    }
}
