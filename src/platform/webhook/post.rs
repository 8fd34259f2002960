//! One request to a web address: https, or plain http to this machine. The address is a secret:
//! no answer of this file holds any part of it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::platform::{Notice, SecretValue};

/// How long the whole request may take.
const WAIT: Duration = Duration::from_secs(5);

/// Posts a notice. Blocks; an error says what went wrong and never where.
pub(super) fn post(
    address: &SecretValue,
    environment: &str,
    notice: &Notice,
) -> Result<(), String> {
    let address = address.reveal();
    let secure = is_https(address);
    if !secure && !is_loopback(address) {
        return Err(
            "the webhook must be an https address, or http on the loopback interface".into()
        );
    }
    let body = json!({
        "format": 1,
        "environment": environment,
        "message_id": notice.message_id,
        "subject": notice.subject,
        // What chat services show.
        "text": format!("{}\n{}", notice.subject, notice.body),
        "body": notice.body,
    });
    let sent = agent(secure)?
        .post(address)
        .header("content-type", "application/json")
        .header("idempotency-key", &notice.message_id)
        .send(body.to_string());
    let status = sent.map_err(|error| told(&error))?.status();
    if status.is_success() { Ok(()) } else { Err(format!("the webhook answered {status}")) }
}

fn is_https(address: &str) -> bool {
    address.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"))
}

/// Judged by the same parser that connects: `http://127.0.0.1:8080/…`, `http://[::1]/…`, `http://localhost/…`.
fn is_loopback(address: &str) -> bool {
    let Ok(uri) = address.parse::<ureq::http::Uri>() else { return false };
    let Some(host) = uri.host() else { return false };
    let number = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    uri.scheme_str() == Some("http")
        && (host == "localhost" || number.is_ok_and(|address| address.is_loopback()))
}

fn agent(secure: bool) -> Result<Agent, String> {
    let config = Agent::config_builder()
        .timeout_global(Some(WAIT))
        // Only the address itself is contacted: no proxy, no other address it points to.
        .proxy(None)
        .max_redirects(0)
        .https_only(secure)
        .user_agent("tradectl");
    let config = if secure {
        let found = rustls_native_certs::load_native_certs();
        if found.certs.is_empty() {
            return Err("this machine has no certificates to check the webhook's with".into());
        }
        let roots: RootCerts =
            found.certs.iter().map(|it| Certificate::from_der(it).to_owned()).into();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = TlsConfig::builder()
            .root_certs(roots)
            .unversioned_rustls_crypto_provider(provider)
            .build();
        config.tls_config(tls)
    } else {
        config
    };
    Ok(config.build().new_agent())
}

/// A connection that broke off because of who is at its other end.
fn is_of_tls(error: &std::io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(inner, Some(rustls::Error::InvalidCertificate(_)))
}

/// What went wrong, in words that hold nothing of the address.
fn told(error: &ureq::Error) -> String {
    match error {
        ureq::Error::StatusCode(code) => format!("the webhook answered {code}"),
        ureq::Error::Timeout(_) => {
            format!("the webhook did not answer within {} s", WAIT.as_secs())
        }
        ureq::Error::Io(error) if is_of_tls(error) => {
            "the webhook's certificate was not accepted".to_owned()
        }
        ureq::Error::Io(error) => format!("the webhook was not reached: {}", error.kind()),
        ureq::Error::HostNotFound => "the webhook's host is not found".to_owned(),
        ureq::Error::ConnectionFailed => "the webhook was not reached".to_owned(),
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => {
            "the webhook's certificate was not accepted".to_owned()
        }
        _ => "the webhook could not be used".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{is_loopback, post};
    use crate::platform::{Notice, SecretValue};
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpListener;

    fn notice() -> Notice {
        Notice {
            message_id: "stop-1/outcome".to_owned(),
            subject: "HALTED".to_owned(),
            body: "all \"quiet\"".to_owned(),
        }
    }

    /// A server that answers one request with `answer` and gives back what it was sent.
    fn server(answer: &'static str) -> (String, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/hook/planted-9c1e", listener.local_addr().unwrap());
        let served = std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(&stream);
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if let Some(number) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = number.trim().parse().unwrap();
                }
                if line.trim().is_empty() {
                    break;
                }
                head.push_str(&line);
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            (&stream).write_all(answer.as_bytes()).unwrap();
            head + &String::from_utf8(body).unwrap()
        });
        (address, served)
    }

    #[test]
    fn a_notice_arrives_with_its_id() {
        let (address, served) = server("HTTP/1.1 204 No Content\r\n\r\n");
        post(&SecretValue::new(address), "local", &notice()).unwrap();
        let request = served.join().unwrap();
        assert!(request.starts_with("POST /hook/planted-9c1e "), "{request}");
        assert!(request.contains(r#""message_id":"stop-1/outcome""#), "{request}");
        assert!(request.contains(r#""body":"all \"quiet\"""#), "{request}");
    }

    #[test]
    fn failures_say_what_and_never_where() {
        let (address, served) = server("HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n");
        let why = post(&SecretValue::new(address.clone()), "local", &notice()).unwrap_err();
        served.join().unwrap();
        assert_eq!(why, "the webhook answered 500");
        // Nobody listens there any more.
        let why = post(&SecretValue::new(address.clone()), "local", &notice()).unwrap_err();
        assert!(why.starts_with("the webhook was not reached"), "{why}");
        let (moved, served) = server(
            "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/x\r\ncontent-length: 0\r\n\r\n",
        );
        let answer = post(&SecretValue::new(moved.clone()), "local", &notice());
        served.join().unwrap();
        let why = answer.unwrap_err();
        assert_eq!(why, "the webhook answered 302 Found", "and is not followed");
        for bad in ["http://example.com/planted", "ftp://localhost/planted", "planted", ""] {
            let why = post(&SecretValue::new(bad.to_owned()), "local", &notice()).unwrap_err();
            assert!(why.contains("must be an https address") && !why.contains("planted"), "{why}");
        }
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for good in ["http://127.0.0.1:1/x", "http://[::1]:1/x", "http://localhost/x"] {
            assert!(is_loopback(good), "{good}");
        }
        for bad in [
            "http://127.0.0.1.example.com/x",
            "http://localhost.example.com/x",
            "http://user@example.com/x",
            "http://127.0.0.1@example.com/x",
            "https://localhost/x",
        ] {
            assert!(!is_loopback(bad), "{bad}");
        }
    }
}
