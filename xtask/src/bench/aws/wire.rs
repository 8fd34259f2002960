//! Requests as bytes: written down on their way to the server, and sent again by a loop that
//! does nothing else.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Bench;
use crate::sh::Outcome;

/// Nothing here takes this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request as it was sent, and the status of its answer.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) bytes: Vec<u8>,
    pub(super) status: u16,
}

impl Sent {
    fn head(&self) -> String {
        let end = self.bytes.windows(4).position(|it| it == b"\r\n\r\n");
        String::from_utf8_lossy(self.bytes.get(..end.unwrap_or(0)).unwrap_or_default()).into_owned()
    }

    /// What it asks for: the operation, or for a REST service the method and the first word of
    /// the path.
    pub(super) fn operation(&self) -> String {
        let head = self.head();
        let target = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("x-amz-target").then(|| value.trim().to_owned())
        });
        if let Some(target) = target {
            return target.rsplit('.').next().unwrap_or_default().to_owned();
        }
        let action = self.holds("Action=").then(|| {
            let text = String::from_utf8_lossy(&self.bytes).into_owned();
            let (_, rest) = text.split_once("Action=")?;
            rest.split(['&', '\r']).next().map(str::to_owned)
        });
        let first = head.lines().next().unwrap_or_default();
        let (method, path) = first.split_once(' ').unwrap_or_default();
        let kind = path.trim_start_matches('/').split(['/', '?', ' ']).next().unwrap_or_default();
        let one = if path.starts_with(&format!("/{kind}/")) { "one of " } else { "" };
        action.flatten().unwrap_or_else(|| format!("{method} {one}{kind}"))
    }

    /// Which list it is a page of: what it asks for, whatever page.
    pub(super) fn list(&self) -> String {
        let body = String::from_utf8_lossy(&self.bytes).into_owned();
        let body = body.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
        let Ok(mut asked) = serde_json::from_str::<serde_json::Value>(&body.unwrap_or_default())
        else {
            return String::new();
        };
        if let Some(asked) = asked.as_object_mut() {
            asked.retain(|key, _| {
                !["nextToken", "NextToken", "ExclusiveStartKey"].contains(&key.as_str())
            });
        }
        asked.to_string()
    }

    /// Whether a text stands anywhere in it.
    pub(super) fn holds(&self, text: &str) -> bool {
        self.bytes.windows(text.len()).any(|it| it == text.as_bytes())
    }

    /// The same with other words in the place of some, each as long as the one before.
    pub(super) fn with(&self, words: &[(String, String)]) -> Self {
        let mut bytes = self.bytes.clone();
        for (old, new) in words {
            let old = old.as_bytes();
            if old.is_empty() || old.len() != new.len() {
                continue;
            }
            let mut from = 0;
            while let Some(at) =
                bytes.get(from..).and_then(|rest| rest.windows(old.len()).position(|it| it == old))
            {
                let begin = from + at;
                from = begin + old.len();
                if let Some(place) = bytes.get_mut(begin..from) {
                    place.copy_from_slice(new.as_bytes());
                }
            }
        }
        Self { bytes, status: self.status }
    }
}

/// Listens, hands each request on to the server, and writes it down.
pub(super) struct Recorder {
    /// Where it listens.
    pub(super) address: String,
    sent: Arc<Mutex<Vec<Sent>>>,
    over: Arc<AtomicBool>,
}

impl Recorder {
    /// From now on, until it is dropped.
    pub(super) fn before(bench: &Bench) -> Outcome<Self> {
        let said = |error: std::io::Error| format!("the recorder: {error}");
        let listener = TcpListener::bind("127.0.0.1:0").map_err(said)?;
        let address = format!("http://{}", listener.local_addr().map_err(said)?);
        let (sent, over) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let host = host(&bench.server)?.to_owned();
        let (log, ended) = (Arc::clone(&sent), Arc::clone(&over));
        std::thread::spawn(move || {
            for client in listener.incoming() {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                let (Ok(client), host, log) = (client, host.clone(), Arc::clone(&log)) else {
                    continue;
                };
                // A client that goes away ends its connection, and nothing else.
                std::thread::spawn(move || hand_on(client, &host, &log));
            }
        });
        Ok(Self { address, sent, over })
    }

    /// What was sent, in the order of its coming.
    pub(super) fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // One more connection, so that it looks.
        if let Ok(host) = host(&self.address) {
            let _woken = TcpStream::connect(host);
        }
    }
}

fn hand_on(client: TcpStream, host: &str, log: &Mutex<Vec<Sent>>) -> std::io::Result<()> {
    let mut answers = client.try_clone()?;
    let mut client = BufReader::new(client);
    let mut server = Connection::to(host);
    while let Some(bytes) = message(&mut client)? {
        let at = {
            let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
            log.push(Sent { bytes: bytes.clone(), status: 0 });
            log.len() - 1
        };
        let (status, answer) = server.ask(&bytes)?;
        if let Some(sent) = log.lock().unwrap_or_else(PoisonError::into_inner).get_mut(at) {
            sent.status = status;
        }
        answers.write_all(&answer)?;
    }
    Ok(())
}

/// A connection that stays open for as long as the server wants it: one that says `close` is
/// opened anew for the next request, as every client has to.
struct Connection {
    host: String,
    open: Option<BufReader<TcpStream>>,
}

impl Connection {
    fn to(host: &str) -> Self {
        Self { host: host.to_owned(), open: None }
    }

    fn opened(&mut self) -> std::io::Result<&mut BufReader<TcpStream>> {
        let open = match self.open.take() {
            Some(open) => open,
            None => {
                let stream = TcpStream::connect(&self.host)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                BufReader::new(stream)
            }
        };
        Ok(self.open.insert(open))
    }

    /// Sends a request; the answer with its status.
    fn ask(&mut self, request: &[u8]) -> std::io::Result<(u16, Vec<u8>)> {
        let open = self.opened()?;
        open.get_mut().write_all(request)?;
        let answer = message(open)?.ok_or(std::io::ErrorKind::UnexpectedEof)?;
        if closes(&answer) {
            self.open = None;
        }
        let status = answer.get(9..12).and_then(|it| std::str::from_utf8(it).ok());
        let status = status.and_then(|it| it.parse().ok());
        Ok((status.ok_or(std::io::ErrorKind::InvalidData)?, answer))
    }
}

/// Whether the server ends the connection behind this answer.
fn closes(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer).to_lowercase();
    let head = text.split("\r\n\r\n").next().unwrap_or_default();
    head.lines().any(|line| line.starts_with("connection:") && line.ends_with("close"))
}

/// One message of HTTP/1.1 whole; `None` at the end. A body without a length is not understood:
/// neither side here sends one.
fn message(from: &mut impl BufRead) -> std::io::Result<Option<Vec<u8>>> {
    let (mut bytes, mut length) = (Vec::new(), 0_u64);
    loop {
        let begin = bytes.len();
        if from.read_until(b'\n', &mut bytes)? == 0 {
            let whole = bytes.is_empty();
            return if whole { Ok(None) } else { Err(std::io::ErrorKind::UnexpectedEof.into()) };
        }
        let line = String::from_utf8_lossy(bytes.get(begin..).unwrap_or_default()).to_lowercase();
        if line.starts_with("transfer-encoding:") {
            return Err(std::io::ErrorKind::Unsupported.into());
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().map_err(|_| std::io::ErrorKind::InvalidData)?;
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let read = from.take(length).read_to_end(&mut bytes)?;
    if u64::try_from(read).is_ok_and(|read| read == length) {
        Ok(Some(bytes))
    } else {
        Err(std::io::ErrorKind::UnexpectedEof.into())
    }
}

/// What a loop took, and how many answers had another status than when they were written down.
pub(super) struct Looped {
    pub(super) ms: f64,
    pub(super) otherwise: usize,
}

/// Sends all requests in their order, `in_flight` at once over as many connections.
pub(super) fn send_again(bench: &Bench, requests: &[Sent], in_flight: usize) -> Outcome<Looped> {
    let host = host(&bench.server)?;
    let (next, otherwise) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || -> std::io::Result<()> {
        let mut server = Connection::to(host);
        while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
            let (status, _) = server.ask(&request.bytes)?;
            if status != request.status {
                otherwise.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(())
    };
    let started = Instant::now();
    let ended: Vec<std::io::Result<()>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..in_flight).map(|_| scope.spawn(work)).collect();
        let broken = || Err(std::io::ErrorKind::Other.into());
        workers.into_iter().map(|it| it.join().unwrap_or_else(|_| broken())).collect()
    });
    let ms = started.elapsed().as_secs_f64() * 1_000.0;
    let said = |error: std::io::Error| format!("a bare loop, {in_flight} in flight: {error}");
    ended.into_iter().collect::<std::io::Result<()>>().map_err(said)?;
    Ok(Looped { ms, otherwise: otherwise.into_inner() })
}

fn host(address: &str) -> Outcome<&str> {
    address.strip_prefix("http://").ok_or_else(|| format!("{address}: not http"))
}

#[cfg(test)]
mod tests {
    use super::{Sent, closes, message};

    fn sent(text: &str) -> Sent {
        Sent { bytes: text.as_bytes().to_vec(), status: 200 }
    }

    #[test]
    fn a_message_ends_where_its_length_says() {
        let two = b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET /x HTTP/1.1\r\n\r\n";
        let mut from = two.as_slice();
        let first = message(&mut from).unwrap().unwrap();
        assert!(first.ends_with(b"\r\n\r\nabc"));
        assert_eq!(message(&mut from).unwrap().unwrap(), b"GET /x HTTP/1.1\r\n\r\n");
        assert_eq!(message(&mut from).unwrap(), None);
        assert!(
            message(&mut b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nab".as_slice()).is_err()
        );
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert!(message(&mut chunked.as_slice()).is_err());
    }

    #[test]
    fn a_connection_that_the_server_closes_is_seen() {
        assert!(closes(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}"));
        assert!(!closes(b"HTTP/1.1 200 OK\r\n\r\nconnection: close"));
    }

    #[test]
    fn operations_are_told_by_header_by_form_and_by_path() {
        let by_header = "POST / HTTP/1.1\r\nX-Amz-Target: DynamoDB_20120810.Scan\r\n\r\n{}";
        assert_eq!(sent(by_header).operation(), "Scan");
        let by_form =
            "POST / HTTP/1.1\r\nContent-Length: 33\r\n\r\nAction=Publish&Version=2010-03-31";
        assert_eq!(sent(by_form).operation(), "Publish");
        let listed = "GET /schedules?MaxResults=100 HTTP/1.1\r\n\r\n";
        assert_eq!(sent(listed).operation(), "GET schedules");
        let one = "PUT /schedules/a?groupName=default HTTP/1.1\r\n\r\n";
        assert_eq!(sent(one).operation(), "PUT one of schedules");
    }

    #[test]
    fn words_are_replaced_by_words_of_their_length_only() {
        let words = [("abc", "xyz"), ("d", "long")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(sent("abcabd abc").with(&words).bytes, b"xyzabd xyz");
    }
}
