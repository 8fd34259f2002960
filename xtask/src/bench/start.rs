//! What the smallest command costs, and how big the binary is.

use std::io::{PipeReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{Figure, about, median_and_p95};
use crate::sh::Outcome;

/// How often the command is started.
const RUNS: usize = 50;
/// What a pipe holds on Linux before a writer must wait, in bytes.
const PIPE: usize = 65_536;

/// `--version`: time and memory; the size of the stripped binary.
pub(super) fn measure(binary: &Path) -> Outcome<Vec<Figure>> {
    let mut times = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let started = Instant::now();
        let output = Command::new(binary).arg("--version").output().map_err(about(binary))?;
        times.push(started.elapsed().as_secs_f64() * 1_000.0);
        if !output.status.success() {
            return Err(format!("`tradectl --version` ended with {}", output.status));
        }
    }
    let (median, _) = median_and_p95(&mut times);
    let bytes = std::fs::metadata(binary).map_err(about(binary))?.len();
    Ok(vec![
        Figure::new("tradectl --version, median wall time", median, 5.0, "ms"),
        Figure::new("tradectl --version, peak resident", peak_mb(binary)?, 12.0, "MB"),
        Figure::new("binary, stripped", megabytes(bytes), 30.0, "MB"),
    ])
}

/// The most memory that `--version` ever held. It writes into a pipe that is full, so it
/// still stands there to be asked when all its work but the last write is done.
fn peak_mb(binary: &Path) -> Outcome<f64> {
    let (reader, mut writer) = std::io::pipe().map_err(about(binary))?;
    writer.write_all(&vec![b' '; PIPE]).map_err(about(binary))?;
    let mut child = Command::new(binary)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(writer)
        .spawn()
        .map_err(about(binary))?;
    let peak = blocked_peak_kb(&child);
    let drained = drain(reader, &mut child).map_err(about(binary));
    let peak = peak?;
    drained?;
    Ok(megabytes(peak * 1024))
}

/// Waits until the child sleeps in its write, and reads its high-water mark.
fn blocked_peak_kb(child: &Child) -> Outcome<u64> {
    let path = format!("/proc/{}/status", child.id());
    let deadline = Instant::now() + Duration::from_secs(10);
    let (mut last, mut same) = (0, 0);
    while Instant::now() < deadline {
        let status = std::fs::read_to_string(&path).map_err(about(Path::new(&path)))?;
        let field = |name: &str| {
            status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim).unwrap_or("")
        };
        let peak = field("VmHWM:").trim_end_matches("kB").trim().parse().unwrap_or(0);
        let settled = field("State:").starts_with('S') && peak == last && peak > 0;
        same = if settled { same + 1 } else { 0 };
        if same > 100 {
            return Ok(peak);
        }
        last = peak;
        std::thread::yield_now();
    }
    Err("`tradectl --version` did not come to its write within 10 s".to_owned())
}

/// Lets the child end.
fn drain(mut reader: PipeReader, child: &mut Child) -> std::io::Result<()> {
    let mut rest = Vec::new();
    reader.read_to_end(&mut rest)?;
    child.wait().map(|_| ())
}

#[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52 bytes")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}
