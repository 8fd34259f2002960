//! What the venue tells whoever subscribed.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::time::timeout;
use trading_core::model::{Symbol, Utc};

use super::super::wire::{Answer, Ask, Line, Reply, Request, Told};
use super::{ANSWER_WAIT, PaperClient};
use crate::venue::VenueEvent;

/// How long between attempts to reach the venue again for a subscription.
const RETRY_WAIT: Duration = Duration::from_millis(200);

/// A connection of its own that has subscribed.
pub(super) struct Feed {
    lines: Lines<BufReader<OwnedReadHalf>>,
    // The venue drops a client whose side of the connection is closed.
    _writer: OwnedWriteHalf,
}

pub(super) async fn open_feed(
    client: &PaperClient,
    symbols: &[Symbol],
) -> Result<(Feed, Utc), String> {
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
pub(super) async fn follow(
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
