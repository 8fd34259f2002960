//! The client: the `Venue` port over the paper venue's socket. Connects when first needed
//! and again after a loss. A request is sent at most once: what left this process and was
//! not answered is unknown.

mod feed;
mod link;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio::time::timeout;
use trading_core::model::{
    ClientOrderId, NewOrder, OrderState, Reading, Receipt, Symbol, Utc, VenueFill, VenueOrder,
    VenuePosition, Written,
};

use super::socket::{SOCKET, short_path};
use super::wire::{Answer, Ask, CancelAnswer, Reply};
use crate::platform::Fut;
use crate::venue::{Submitted, Venue, VenueEvent};
use feed::{follow, open_feed};
use link::{Link, NoAnswer};

/// How long an answer is waited for.
const ANSWER_WAIT: Duration = Duration::from_secs(3);
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
