//! The client: the `Venue` port over the paper venue's socket. Connects when first needed
//! and again after a loss. A request is sent at most once: what left this process and was
//! not answered is unknown.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use trading_core::model::{
    ClientOrderId, NewOrder, OrderState, Reading, Receipt, Symbol, Utc, VenueFill, VenueOrder,
    VenuePosition, Written,
};

use super::socket::{SOCKET, short_path};
use super::wire::{Answer, Ask, CancelAnswer, Line, Reply, Request, Told};
use crate::platform::Fut;
use crate::venue::{Submitted, Venue, VenueEvent};

/// How long an answer is waited for.
const ANSWER_WAIT: Duration = Duration::from_secs(3);
/// How long between attempts to reach the venue again for a subscription.
const RETRY_WAIT: Duration = Duration::from_millis(200);
/// Requests that wait to be written.
const OUTBOX: usize = 1_024;
/// Events that wait for the subscriber.
const EVENTS: usize = 1_024;

/// A client of the paper venue of the platform in `folder`. Does not connect yet.
pub fn connect(folder: &Path) -> PaperClient {
    let shared = Shared { folder: folder.to_owned(), link: tokio::sync::Mutex::new(None) };
    PaperClient { shared: Arc::new(shared) }
}

/// A client of the paper venue.
#[derive(Clone)]
pub struct PaperClient {
    shared: Arc<Shared>,
}

struct Shared {
    folder: PathBuf,
    link: tokio::sync::Mutex<Option<Link>>,
}

/// Who waits for which answer; `None` once the connection has ended.
type Waiting = Arc<Mutex<Option<BTreeMap<u64, oneshot::Sender<Reply>>>>>;

/// A live connection.
#[derive(Clone)]
struct Link {
    outbox: mpsc::Sender<String>,
    waiting: Waiting,
    next_id: Arc<std::sync::atomic::AtomicU64>,
}

/// Why there is no answer.
enum NoAnswer {
    /// The request did not leave this process.
    NotSent(String),
    /// The request left and nothing came back.
    Lost(String),
}

impl NoAnswer {
    fn why(self) -> String {
        match self {
            Self::NotSent(why) | Self::Lost(why) => why,
        }
    }
}

impl PaperClient {
    async fn dial(&self) -> Result<UnixStream, String> {
        let folder = &self.shared.folder;
        let failed = |error: std::io::Error| {
            let place = folder.join(SOCKET);
            format!("the paper venue does not answer at {}: {error}", place.display())
        };
        let (_folder, path) = short_path(folder).map_err(failed)?;
        let dialled = timeout(ANSWER_WAIT, UnixStream::connect(&path)).await;
        dialled.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into())).map_err(failed)
    }

    /// The connection for requests; made when there is none.
    async fn link(&self) -> Result<Link, String> {
        let mut slot = self.shared.link.lock().await;
        if let Some(link) = slot.as_ref().filter(|link| link.is_alive()) {
            return Ok(link.clone());
        }
        let link = Link::over(self.dial().await?);
        *slot = Some(link.clone());
        Ok(link)
    }

    async fn ask(&self, ask: Ask) -> Result<Reply, NoAnswer> {
        let link = self.link().await.map_err(NoAnswer::NotSent)?;
        link.ask(ask).await
    }

    /// Asks for something to be read.
    async fn read<T>(
        &self,
        ask: Ask,
        take: impl FnOnce(Answer) -> Result<T, Answer>,
    ) -> Reading<T> {
        match self.ask(ask).await {
            Err(none) => Reading::unreachable(SOURCE, none.why()),
            Ok(reply) => match take(reply.answer) {
                Ok(value) => Reading::known(value, SOURCE, reply.at),
                Err(Answer::Failed { why } | Answer::Refused { why } | Answer::Gone { why }) => {
                    Reading::unreachable(SOURCE, why)
                }
                Err(_) => Reading::unparsed(SOURCE, "the answer does not fit the question"),
            },
        }
    }
}

const SOURCE: &str = "paper venue";

impl Link {
    fn over(stream: UnixStream) -> Self {
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

    fn is_alive(&self) -> bool {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    async fn ask(&self, ask: Ask) -> Result<Reply, NoAnswer> {
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

impl Venue for PaperClient {
    fn submit<'a>(&'a self, order: &'a NewOrder) -> Fut<'a, Submitted> {
        Box::pin(async move {
            match self.ask(Ask::Submit(Box::new(order.clone()))).await {
                Err(NoAnswer::NotSent(why)) => Submitted::NotSent { why },
                Err(NoAnswer::Lost(why)) => Submitted::Unknown { why },
                Ok(reply) => match reply.answer {
                    Answer::Submitted(order) if order.state == OrderState::Rejected => {
                        Submitted::Rejected(*order)
                    }
                    Answer::Submitted(order) => Submitted::Accepted(*order),
                    Answer::Refused { why } => {
                        Submitted::Rejected(refused(order.clone(), reply.at, why))
                    }
                    Answer::Failed { why } => Submitted::Unknown { why },
                    _ => Submitted::Unknown {
                        why: "the answer does not fit the question".to_owned(),
                    },
                },
            }
        })
    }

    fn cancel<'a>(&'a self, order: &'a ClientOrderId) -> Fut<'a, Written> {
        Box::pin(async move {
            match self.ask(Ask::Cancel(order.clone())).await {
                Err(NoAnswer::NotSent(why)) => Written::Unreachable { why },
                Err(NoAnswer::Lost(why)) => Written::Unknown { why },
                Ok(reply) => match reply.answer {
                    Answer::Cancelled(CancelAnswer::Done) => Written::Applied { at: reply.at },
                    Answer::Cancelled(CancelAnswer::AtRest) => Written::Already,
                    Answer::Cancelled(CancelAnswer::NeverHad) => Written::Refused {
                        expected: format!("an order {order}"),
                        found: "no such order at the paper venue".to_owned(),
                    },
                    Answer::Failed { why } | Answer::Refused { why } => Written::Unknown { why },
                    _ => {
                        Written::Unknown { why: "the answer does not fit the question".to_owned() }
                    }
                },
            }
        })
    }

    fn order<'a>(&'a self, order: &'a ClientOrderId) -> Fut<'a, Reading<VenueOrder>> {
        Box::pin(async move {
            let found = self.read(Ask::Order(order.clone()), |answer| match answer {
                Answer::Order(found) => Ok(found),
                other => Err(other),
            });
            match found.await {
                Reading::Known { value: Some(order), source, observed_at } => {
                    Reading::Known { value: *order, source, observed_at }
                }
                Reading::Known { value: None, source, .. } => {
                    Reading::absent(source, format!("the venue never had an order {order}"))
                }
                Reading::Gap(gap) => Reading::Gap(gap),
            }
        })
    }

    fn open_orders(&self) -> Fut<'_, Reading<Vec<VenueOrder>>> {
        Box::pin(self.read(Ask::OpenOrders, |answer| match answer {
            Answer::Orders(orders) => Ok(orders),
            other => Err(other),
        }))
    }

    fn positions(&self) -> Fut<'_, Reading<Vec<VenuePosition>>> {
        Box::pin(self.read(Ask::Positions, |answer| match answer {
            Answer::Positions(positions) => Ok(positions),
            other => Err(other),
        }))
    }

    fn fills_since(&self, since: Utc) -> Fut<'_, Reading<Vec<VenueFill>>> {
        Box::pin(self.read(Ask::FillsSince(since), |answer| match answer {
            Answer::Fills(fills) => Ok(fills),
            other => Err(other),
        }))
    }

    fn receipts_since(&self, since: Utc) -> Fut<'_, Reading<Vec<Receipt>>> {
        Box::pin(self.read(Ask::ReceiptsSince(since), |answer| match answer {
            Answer::Receipts(receipts) => Ok(receipts),
            other => Err(other),
        }))
    }

    fn subscribe<'a>(
        &'a self,
        symbols: &'a [Symbol],
    ) -> Fut<'a, Reading<mpsc::Receiver<VenueEvent>>> {
        Box::pin(async move {
            let symbols = symbols.to_vec();
            match open_feed(self, &symbols).await {
                Err(why) => Reading::unreachable(SOURCE, why),
                Ok((feed, at)) => {
                    let (events, receiver) = mpsc::channel(EVENTS);
                    tokio::spawn(follow(self.clone(), symbols, feed, events));
                    Reading::known(receiver, SOURCE, at)
                }
            }
        })
    }
}

/// An order that the venue did not even take in.
fn refused(order: NewOrder, received_at: Utc, why: String) -> VenueOrder {
    VenueOrder {
        order,
        state: OrderState::Rejected,
        filled_quantity: rust_decimal::Decimal::ZERO,
        received_at,
        reject_reason: Some(why),
    }
}

/// A connection of its own that has subscribed.
struct Feed {
    lines: Lines<BufReader<OwnedReadHalf>>,
    // The venue drops a client whose side of the connection is closed.
    _writer: OwnedWriteHalf,
}

async fn open_feed(client: &PaperClient, symbols: &[Symbol]) -> Result<(Feed, Utc), String> {
    let (reader, mut writer) = client.dial().await?.into_split();
    let request = Request { id: 1, ask: Ask::Subscribe(symbols.to_vec()) };
    let line = serde_json::to_string(&request).map_err(|error| error.to_string())? + "\n";
    let mut lines = BufReader::new(reader).lines();
    let opened = async {
        writer.write_all(line.as_bytes()).await?;
        // The feed may begin before the reply: what comes first is asked for again by
        // whoever starts with a snapshot.
        loop {
            let Some(line) = lines.next_line().await? else {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            };
            if let Line::Reply(reply) = serde_json::from_str(&line)? {
                return Ok(reply);
            }
        }
    };
    let reply: Reply = match timeout(ANSWER_WAIT, opened).await {
        Ok(Ok(reply)) => reply,
        Ok(Err(error)) => return Err(std::io::Error::to_string(&error)),
        Err(_) => return Err(format!("no answer within {} s", ANSWER_WAIT.as_secs())),
    };
    match reply.answer {
        Answer::Subscribed => Ok((Feed { lines, _writer: writer }, reply.at)),
        Answer::Refused { why } | Answer::Failed { why } => Err(why),
        _ => Err("the answer does not fit the question".to_owned()),
    }
}

/// Passes events on for as long as somebody listens, over as many connections as it takes.
async fn follow(
    client: PaperClient,
    symbols: Vec<Symbol>,
    mut feed: Feed,
    events: mpsc::Sender<VenueEvent>,
) {
    loop {
        let why = match relay(&mut feed, &events).await {
            Ok(()) => return,
            Err(why) => why,
        };
        if events.send(VenueEvent::Gap { why }).await.is_err() {
            return;
        }
        feed = loop {
            tokio::select! {
                () = events.closed() => return,
                () = tokio::time::sleep(RETRY_WAIT) => {}
            }
            if let Ok((feed, _)) = open_feed(&client, &symbols).await {
                break feed;
            }
        };
        // The first gap was told when the stream broke; what came until now is missing too.
        let why = "the stream was taken up again".to_owned();
        if events.send(VenueEvent::Gap { why }).await.is_err() {
            return;
        }
    }
}

/// Passes events on until nobody listens (`Ok`) or the stream breaks (`Err`).
async fn relay(feed: &mut Feed, events: &mpsc::Sender<VenueEvent>) -> Result<(), String> {
    loop {
        let line = tokio::select! {
            () = events.closed() => return Ok(()),
            line = feed.lines.next_line() => line.map_err(|error| error.to_string())?,
        };
        let line = line.ok_or("the venue ended the stream")?;
        let told = match serde_json::from_str(&line) {
            Ok(Line::Told(told)) => told,
            Ok(Line::Reply(_)) => continue,
            Err(error) => return Err(format!("a message cannot be read: {error}")),
        };
        let told: Vec<VenueEvent> = match told {
            Told::Order(order) => vec![VenueEvent::Order(*order)],
            Told::Fill(fill) => vec![VenueEvent::Fill(*fill)],
            Told::Gap { why } => vec![VenueEvent::Gap { why }],
            Told::Bars(bars) => bars
                .into_iter()
                .map(|bar| VenueEvent::Bar {
                    symbol: bar.symbol,
                    close: bar.close,
                    row: bar.row,
                    at: bar.at,
                })
                .collect(),
        };
        for event in told {
            if events.send(event).await.is_err() {
                return Ok(());
            }
        }
    }
}
