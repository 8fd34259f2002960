//! Notices over https: to whom this machine trusts, and to nobody else.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::field::{Field, NAME, STOP};
use crate::ran::Ran;

/// Certificates of these tests and of nothing else.
fn tls(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults/tls").join(file)
}

/// An https server on this machine that takes whatever it is sent, until it is ended.
struct Hook {
    address: String,
    requests: Arc<Mutex<Vec<String>>>,
    ends: Arc<AtomicBool>,
    serves: Option<JoinHandle<()>>,
}

impl Hook {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let ends = Arc::<AtomicBool>::default();
        let (taken, over) = (Arc::clone(&requests), Arc::clone(&ends));
        let serves = std::thread::spawn(move || {
            let config = config();
            for stream in listener.incoming() {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                // Who does not trust it goes away in the middle.
                if let Ok(request) = take(stream.expect("a client"), &config) {
                    taken.lock().expect("nobody failed").push(request);
                }
            }
        });
        Self { address, requests, ends, serves: Some(serves) }
    }
    fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("nobody failed").clone()
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        // It looks once more.
        let _woken = TcpStream::connect(&self.address);
        if let Some(serves) = self.serves.take() {
            let _ended = serves.join();
        }
    }
}

fn config() -> Arc<ServerConfig> {
    let chain = CertificateDer::from_pem_file(tls("server.pem")).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(tls("server.key")).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![chain], key);
    Arc::new(config.expect("a configuration"))
}

/// Head and body of one request, answered with 204.
fn take(stream: TcpStream, config: &Arc<ServerConfig>) -> std::io::Result<String> {
    let connection = ServerConnection::new(Arc::clone(config)).map_err(std::io::Error::other)?;
    let mut stream = StreamOwned::new(connection, stream);
    let (mut request, mut bytes) = (String::new(), [0; 4_096]);
    while !is_whole(&request) {
        let read = stream.read(&mut bytes)?;
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        request.push_str(&String::from_utf8_lossy(&bytes[..read]));
    }
    stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")?;
    stream.flush()?;
    Ok(request)
}

fn is_whole(request: &str) -> bool {
    let Some((head, body)) = request.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    length.is_some_and(|length| body.len() >= length)
}

/// A stop whose notices go to the hook, by somebody who trusts these authorities.
fn stop(hook: &Hook, authorities: &str) -> Ran {
    let webhook = format!(
        "[environments.{NAME}.notify]\nwebhook = \"https://{}/planted-7d20\"\n",
        hook.address
    );
    let field = Field::with(1, 1, &webhook, |_| {});
    let mut command = field.command("alice", &[STOP, &["--deadline", "8s"]].concat());
    command.env("SSL_CERT_FILE", tls(authorities));
    Ran::of(command.output().expect("runs"))
}

#[test]
fn notices_go_to_a_webhook_whose_authority_stands_in_the_machines_file() {
    let hook = Hook::new();
    let ran = stop(&hook, "ca.pem");
    assert!(!ran.findings().iter().any(|it| it.contains("notif")), "{ran}");
    let requests = hook.requests();
    assert_eq!(requests.len(), 2, "the beginning and the outcome: {requests:?}");
    for request in &requests {
        assert!(request.starts_with("POST /planted-7d20 HTTP/1.1"), "{request}");
    }
    let id = ran.json()["data"]["stop_id"].as_str().expect("an id").to_owned();
    assert!(requests.iter().all(|it| it.contains(&id)), "{requests:?}");
}

#[test]
fn a_webhook_that_nobody_vouches_for_hears_nothing_and_the_stop_goes_on() {
    let hook = Hook::new();
    let trusted = stop(&hook, "ca.pem").json();
    let heard = hook.requests().len();
    let ran = stop(&hook, "stranger.pem");
    assert_eq!(hook.requests().len(), heard, "not one byte of a notice");
    let document = ran.json();
    assert_eq!(document["outcome"], trusted["outcome"], "{ran}");
    let told = document["findings"].to_string();
    assert!(told.contains("the webhook's certificate was not accepted"), "{ran}");
    assert!(!ran.out.contains("planted-7d20") && !ran.err.contains("planted-7d20"), "{ran}");
}
