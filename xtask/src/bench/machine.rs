//! The machine, and what one sync costs on it.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use super::{about, median_and_p95};
use crate::sh::Outcome;

/// How many syncs are measured.
const SYNCS: usize = 200;

/// The machine in one line, and its sync cost in another.
pub(super) fn describe(folder: &Path) -> Outcome<String> {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        text.lines()
            .find_map(|line| {
                line.strip_prefix(name)?.split_once(':').map(|(_, value)| value.trim().to_owned())
            })
            .unwrap_or_else(|| "unknown".to_owned())
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let (median, p95) = sync_cost_ms(folder)?;
    Ok(format!(
        "machine: {}, {cores} cores, {} memory, Linux {}\n\
         sync: {median:.2} ms median, {p95:.2} ms at the 95th percentile ({SYNCS} × 4 KiB and \
         fdatasync)",
        field(&read("/proc/cpuinfo"), "model name"),
        field(&read("/proc/meminfo"), "MemTotal"),
        read("/proc/sys/kernel/osrelease").trim(),
    ))
}

fn sync_cost_ms(folder: &Path) -> Outcome<(f64, f64)> {
    let path = folder.join("sync.tmp");
    let mut file = File::create(&path).map_err(about(&path))?;
    let mut times = Vec::with_capacity(SYNCS);
    for _ in 0..SYNCS {
        let started = Instant::now();
        file.write_all(&[7; 4096]).and_then(|()| file.sync_data()).map_err(about(&path))?;
        times.push(started.elapsed().as_secs_f64() * 1_000.0);
    }
    std::fs::remove_file(&path).map_err(about(&path))?;
    Ok(median_and_p95(&mut times))
}
