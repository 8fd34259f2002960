//! A request to the server's control addresses: HTTP/1.1 on loopback, one request for each
//! connection, JSON both ways.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use crate::Failure;

/// Control requests answer at once; filling an account with a large scenario takes longest.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks for something.
pub fn get(address: &str, path: &str) -> Result<Value, Failure> {
    ask("GET", address, path, &[], b"")
}

/// Posts something.
pub fn post(address: &str, path: &str, body: &Value) -> Result<Value, Failure> {
    ask("POST", address, path, &[], body.to_string().as_bytes())
}

/// Sends any request; an answer other than 200 is a failure that quotes it.
pub fn ask(
    method: &str,
    address: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Value, Failure> {
    let what = format!("{method} {address}{path}");
    let host = address.strip_prefix("http://").ok_or_else(|| format!("{what}: not http"))?;
    let answer =
        exchange(method, host, path, headers, body).map_err(|error| format!("{what}: {error}"))?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| format!("{what}: no answer"))?;
    let status = head.split(' ').nth(1).unwrap_or_default();
    if status != "200" {
        return Err(format!("{what}: {status}: {body}"));
    }
    serde_json::from_str(body).map_err(|error| format!("{what}: {error}: {body}"))
}

fn exchange(
    method: &str,
    host: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
