//! The venue's process: accepts clients, gathers their requests into batches for the desk,
//! and tells subscribers. No client can hold it up: replies and publications go through
//! bounded queues, a subscriber that falls behind gets a gap, a client that does not read
//! its replies is cut off.

use std::collections::BTreeSet;
use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::future::Future;
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixListener;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{broadcast, mpsc};
use trading_core::model::{Symbol, Utc};
use trading_core::report::Exit;
use trading_core::sim::Series;

use super::desk::{Desk, Outcome, Published};
use super::horizon::{Forgetting, Records};
use super::socket::short_path;
use super::store::Store;
use super::wire::{Answer, Ask, Line, MAX_REQUEST_BYTES, Reply, Request, Told};
use crate::error::Fault;
use crate::platform::Clock;

/// Requests that wait for the desk, over all clients.
const INBOX: usize = 4_096;
/// Requests that one commit covers at most.
const BATCH: usize = 512;
/// Replies that one client may leave unread.
const UNREAD: usize = 4_096;
/// Publications that a subscriber may be behind.
const BEHIND: usize = 8_192;

/// How the venue is to run.
pub struct Options {
    /// The platform's folder: `venue.db`, `venue.sock` and `venue.lock` lie there.
    pub directory: PathBuf,
    /// The seed of generated markets; the first one used in a folder stays.
    pub seed: u64,
    /// A recorded series to replay instead of a generated market.
    pub series: Option<Series>,
    /// How many bars each market closes per second, 1 to 1,000.
    pub bars_per_second: u32,
    /// What is kept, and for whom; `None`: everything.
    pub records: Option<Records>,
    /// Where it says what goes wrong.
    pub notes: Notes,
}

/// Takes a note; must not wait.
pub type Notes = Box<dyn FnMut(Utc, &str) + Send>;

/// A problem that stays the same is told this often.
const SAY_AGAIN: Duration = Duration::from_secs(30);

/// What goes wrong, told now and then while it lasts.
struct Problems {
    notes: Notes,
    clock: Arc<dyn Clock>,
    told: Option<(String, Duration)>,
}

impl Problems {
    fn tell(&mut self, why: String) {
        self.note(format!("nothing of a batch was done; its orders are unknown: {why}"));
    }

    fn note(&mut self, why: String) {
        let now = self.clock.since_boot();
        let again = self
            .told
            .as_ref()
            .is_some_and(|(what, at)| *what == why && now.saturating_sub(*at) < SAY_AGAIN);
        if !again {
            (self.notes)(self.clock.now(), &why);
            self.told = Some((why, now));
        }
    }
}

/// A request and where its reply goes.
struct Job {
    request: Request,
    reply_to: mpsc::Sender<Arc<str>>,
}

/// Serves until `stop` ends.
pub async fn serve(
    options: Options,
    clock: Arc<dyn Clock>,
    stop: impl Future<Output = ()>,
) -> Result<(), Fault> {
    let directory = options.directory.clone();
    let fault = move |what: &str, error: &dyn std::fmt::Display| {
        let place = directory.display();
        Fault::new(
            Exit::Settings,
            "venue.start",
            format!("paper venue in {place}: {what}: {error}"),
        )
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&options.directory)
        .map_err(|error| fault("its folder", &error))?;
    let _only_one = lock(&options)?;
    let store = Store::open(&options.directory.join("venue.db"), clock.now())
        .map_err(|error| fault("its store", &error))?;
    let mut problems = Problems { notes: options.notes, clock: Arc::clone(&clock), told: None };
    let mut clients = tokio::task::JoinSet::new();
    let mut forgetting = Forgetting::start(options.records, &clock, &mut clients);
    let mut desk = Desk::open(store, options.seed, options.series, clock)
        .map_err(|error| fault("its store", &error))?;
    let (_folder, path) =
        short_path(&options.directory).map_err(|error| fault("its folder", &error))?;
    let listener = bind(&path).map_err(|error| fault("its socket", &error))?;

    let (inbox, mut jobs) = mpsc::channel::<Job>(INBOX);
    let (news, _) = broadcast::channel::<Published>(BEHIND);
    let mut ticks = ticks(options.bars_per_second);
    tokio::pin!(stop);
    loop {
        let (first, tick) = tokio::select! {
            () = &mut stop => return Ok(()),
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    let (reader, writer) = stream.into_split();
                    clients.spawn(attend(reader, writer, inbox.clone(), news.clone()));
                }
                while clients.try_join_next().is_some() {}
                continue;
            }
            Some(found) = forgetting.heard() => {
                if let Some(why) = forgetting.take(found) {
                    problems.note(why);
                }
                continue;
            }
            _ = ticks.tick() => (None, true),
            job = jobs.recv() => (job, false),
        };
        let mut batch: Vec<Job> = first.into_iter().collect();
        while batch.len() < BATCH
            && let Ok(job) = jobs.try_recv()
        {
            batch.push(job);
        }
        let failed =
            deal(&mut desk, batch, tick, &news).map_err(|error| fault("its store", &error))?;
        if let Some(why) = failed {
            problems.tell(why);
        } else if tick && let Err(error) = forgetting.forget(&desk) {
            problems.note(format!("old records were not removed: {error}"));
        }
    }
}

/// When bars close.
fn ticks(bars_per_second: u32) -> tokio::time::Interval {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / bars_per_second.clamp(1, 1_000));
    // A venue that was frozen does not make up for bars that nobody saw.
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ticks
}

/// Lets the desk work on a batch and hands out what came of it. Why it failed, if it did.
fn deal(
    desk: &mut Desk,
    batch: Vec<Job>,
    tick: bool,
    news: &broadcast::Sender<Published>,
) -> Result<Option<String>, super::store::StoreError> {
    let (requests, reply_to): (Vec<Request>, Vec<mpsc::Sender<Arc<str>>>) =
        batch.into_iter().map(|job| (job.request, job.reply_to)).unzip();
    let Outcome { replies, published, failed } = desk.batch(&requests, tick)?;
    for (reply, client) in replies.into_iter().zip(reply_to) {
        // A client that does not read its replies has a full queue: its connection ends
        // when the next reply finds no room, and it learns that by asking again.
        let _ = client.try_send(encode(&Line::Reply(reply)));
    }
    for item in published {
        // Nobody listens: nobody is to be told.
        let _ = news.send(item);
    }
    Ok(failed)
}

/// One venue per folder.
fn lock(options: &Options) -> Result<File, Fault> {
    let path = options.directory.join("venue.lock");
    let refuse = |why: String| Fault::new(Exit::Refused, "venue.running", why);
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .map_err(|error| refuse(format!("{}: {error}", path.display())))?;
    file.try_lock().map_err(|_| {
        refuse(format!("a paper venue already serves {}", options.directory.display()))
    })?;
    Ok(file)
}

/// Binds the socket. Whoever holds the lock owns a left-over one.
fn bind(path: &std::path::Path) -> io::Result<UnixListener> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Attends to one client until it goes.
async fn attend(
    reader: OwnedReadHalf,
    writer: OwnedWriteHalf,
    inbox: mpsc::Sender<Job>,
    news: broadcast::Sender<Published>,
) {
    let (reply_to, replies) = mpsc::channel::<Arc<str>>(UNREAD);
    let (watch, watching) = mpsc::channel::<BTreeSet<Symbol>>(1);
    let hear = async {
        let mut reader = BufReader::new(reader);
        while let Ok(Some(line)) = next_line(&mut reader).await {
            let request: Request = match serde_json::from_str(&line) {
                Ok(request) => request,
                Err(error) => {
                    let why = format!("not a request: {error}");
                    let at = Utc::UNIX_EPOCH;
                    let reply = Reply { id: 0, at, answer: Answer::Refused { why } };
                    if reply_to.try_send(encode(&Line::Reply(reply))).is_err() {
                        return;
                    }
                    continue;
                }
            };
            if let Ask::Subscribe(symbols) = &request.ask {
                let symbols = symbols.iter().cloned().collect();
                if watch.try_send(symbols).is_err() {
                    return;
                }
            }
            let job = Job { request, reply_to: reply_to.clone() };
            if reply_to.capacity() == 0 || inbox.send(job).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = hear => {}
        _ = tell(writer, replies, watching, news) => {}
    }
}

/// The next line, without its end; an over-long one ends the connection.
async fn next_line(reader: &mut BufReader<OwnedReadHalf>) -> io::Result<Option<String>> {
    let mut line = String::new();
    let limit = u64::try_from(MAX_REQUEST_BYTES).unwrap_or(u64::MAX);
    let read = reader.take(limit).read_line(&mut line).await?;
    match line.strip_suffix('\n') {
        Some(whole) => Ok(Some(whole.to_owned())),
        None if read == 0 => Ok(None),
        None => Err(io::Error::new(io::ErrorKind::InvalidData, "a line without an end")),
    }
}

/// Writes replies, and news once the client has subscribed.
async fn tell(
    mut writer: OwnedWriteHalf,
    mut replies: mpsc::Receiver<Arc<str>>,
    mut watching: mpsc::Receiver<BTreeSet<Symbol>>,
    news: broadcast::Sender<Published>,
) -> io::Result<()> {
    let mut symbols = BTreeSet::new();
    let mut feed: Option<broadcast::Receiver<Published>> = None;
    loop {
        let line = tokio::select! {
            Some(wanted) = watching.recv() => {
                symbols = wanted;
                feed = Some(news.subscribe());
                continue;
            }
            Some(reply) = replies.recv() => Some(reply),
            item = next_news(&mut feed) => match item {
                Ok(item) => pick(&item, &symbols),
                Err(broadcast::error::RecvError::Lagged(missed)) => {
                    let why = format!("{missed} messages were not read in time");
                    Some(encode(&Line::Told(Told::Gap { why })))
                }
                Err(broadcast::error::RecvError::Closed) => return Ok(()),
            },
            else => return Ok(()),
        };
        if let Some(line) = line {
            writer.write_all(line.as_bytes()).await?;
        }
    }
}

async fn next_news(
    feed: &mut Option<broadcast::Receiver<Published>>,
) -> Result<Published, broadcast::error::RecvError> {
    match feed {
        Some(feed) => feed.recv().await,
        None => std::future::pending().await,
    }
}

/// What of the news is for a subscriber to these symbols.
fn pick(item: &Published, symbols: &BTreeSet<Symbol>) -> Option<Arc<str>> {
    match item {
        Published::Bars(bars) => {
            let mine: Vec<_> =
                bars.iter().filter(|bar| symbols.contains(&bar.symbol)).cloned().collect();
            (!mine.is_empty()).then(|| encode(&Line::Told(Told::Bars(mine))))
        }
        Published::Line { symbol, line } => {
            (symbols.is_empty() || symbols.contains(symbol)).then(|| Arc::clone(line))
        }
    }
}

/// One line. Our own types always encode; should one not, the client sees a gap.
fn encode(line: &Line) -> Arc<str> {
    match serde_json::to_string(line) {
        Ok(text) => (text + "\n").into(),
        Err(_) => "{\"told\":{\"gap\":{\"why\":\"a message could not be encoded\"}}}\n".into(),
    }
}
