//! An emergency stop of 1,000 strategies in 4 engine processes, by the drill that everybody
//! can type, against a bare loop that commits the same rows.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use rusqlite::types::Value as Cell;
use rusqlite::{Connection, params_from_iter};
use serde_json::Value;

use super::{Figure, about, median_and_p95};
use crate::sh::{self, Outcome};

const STRATEGIES: &str = "1000";
const ENGINES: &str = "4";
/// Rows that the loop commits at once.
const BATCH: usize = 64;
/// How often the loop runs; the one in the middle counts.
const LOOPS: usize = 5;

/// Runs the drill and the loop, both below `folder`.
pub(super) fn measure(binary: &Path, folder: &Path) -> Outcome<Vec<Figure>> {
    let document = drill(binary, folder)?;
    sh::say(&format!(
        "drill: {STRATEGIES} strategies, {ENGINES} engines, one hung: {}",
        text(&document, "/outcome")?
    ));
    let kept = PathBuf::from(text(&document, "/environment/directory")?);
    let bare = bare_loop_ms(&kept, folder)?;
    let figures = figures(&document, bare)?;
    sh::say(&format!(
        "the stop waited {} ms of {} ms for acknowledgements, drains and the gap between its \
         proofs; a bare loop commits the same rows in {bare:.1} ms",
        number(&document, "/data/timing/stop/waited_ms")?,
        number(&document, "/data/timing/stop/time_to_end_ms")?,
    ));
    Ok(figures)
}

fn figures(document: &Value, bare_ms: f64) -> Outcome<Vec<Figure>> {
    let of_stop = |name: &str| number(document, &format!("/data/timing/stop/{name}"));
    let tool_ms = of_stop("time_to_end_ms")? - of_stop("waited_ms")?;
    // No order after the latch at all has no time.
    let last_order = match document.pointer("/data/timing/time_to_last_order_ms") {
        Some(Value::Object(missing)) if missing.get("state") == Some(&"absent".into()) => 0.0,
        _ => number(document, "/data/timing/time_to_last_order_ms")?,
    };
    let after = number(document, "/data/orders_after_latch")?;
    Ok(vec![
        Figure::new("latch to the last order received", last_order, 1_000.0, "ms"),
        Figure::new("orders received after the bound", after, 0.0, ""),
        Figure::new("time to the latch", of_stop("time_to_latch_ms")?, 1_000.0, "ms"),
        Figure::new("tool time, over that of a bare loop", tool_ms / bare_ms, 3.0, "×"),
        Figure::new("syncs of the journal", of_stop("journal_syncs")?, 40.0, ""),
    ])
}

/// The drill's document. What it started it has ended; its folder is kept below `folder`.
fn drill(binary: &Path, folder: &Path) -> Outcome<Value> {
    let output = Command::new(binary)
        .args(["drill", "emergency-stop", "--strategies", STRATEGIES, "--engines", ENGINES])
        .args(["--seed", "7", "--keep", "--output", "json"])
        .env("TMPDIR", folder)
        .env("TRADECTL_HOME", folder.join("home"))
        .stdin(Stdio::null())
        .output()
        .map_err(about(binary))?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    serde_json::from_str(&stdout)
        .map_err(|error| format!("the drill ended with {}: {error}\n{stderr}", output.status))
}

/// Commits the rows that the stop wrote, with the same pragmas, into fresh files beside; the
/// middle of several runs.
fn bare_loop_ms(kept: &Path, folder: &Path) -> Outcome<f64> {
    let open = |file: &str| Connection::open(kept.join(file));
    let mut times = Vec::new();
    for _ in 0..LOOPS {
        let run = || -> rusqlite::Result<f64> {
            let state = fresh(&folder.join("loop-state.db"), "NORMAL")?;
            let strategies = Rows::read(&open("state.db")?, "strategies")?;
            let control = fresh(&folder.join("loop-control.db"), "FULL")?;
            let source = open("control.db")?;
            let latch = Rows::read(&source, "latch")?;
            let batches = strategies.rows.len().div_ceil(BATCH);
            let restore = Rows::read(&source, "restore")?.split(batches);
            loop_ms([(control, vec![latch, restore], 1), (state, vec![strategies], BATCH)])
        };
        times.push(run().map_err(|error| format!("the bare loop: {error}"))?);
    }
    Ok(median_and_p95(&mut times).0)
}

/// Writes all rows twice, and times the second time: the stop changes rows that are there.
/// They must differ, for SQLite does not write what stands there already.
/// With each database: its tables, and how many rows one commit takes.
fn loop_ms(work: [(Connection, Vec<Rows>, usize); 2]) -> rusqlite::Result<f64> {
    let mut elapsed = 0.0;
    for (mut target, tables, batch) in work {
        for table in &tables {
            target.execute_batch(&table.sql)?;
            table.commit(&mut target, batch, " ")?;
            let started = Instant::now();
            table.commit(&mut target, batch, "")?;
            elapsed += started.elapsed().as_secs_f64() * 1_000.0;
        }
    }
    Ok(elapsed)
}

/// A new database with the pragmas of the local platform's.
fn fresh(path: &Path, synchronous: &str) -> rusqlite::Result<Connection> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        // It is not there the first time.
        let _missing = std::fs::remove_file(PathBuf::from(name));
    }
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", synchronous)?;
    Ok(connection)
}

/// The rows of a table, and the statement that makes it.
struct Rows {
    table: &'static str,
    sql: String,
    rows: Vec<Vec<Cell>>,
}

impl Rows {
    fn read(source: &Connection, table: &'static str) -> rusqlite::Result<Self> {
        let query = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?1";
        let sql = source.query_row(query, [table], |row| row.get(0))?;
        let mut statement = source.prepare(&format!("SELECT * FROM {table}"))?;
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| (0..columns).map(|at| row.get(at)).collect())?;
        Ok(Self { table, sql, rows: rows.collect::<rusqlite::Result<_>>()? })
    }

    /// The same text in another number of rows: a loop that works in batches records what it
    /// changes batch by batch. The text stands in the last column, the number before it.
    fn split(mut self, count: usize) -> Self {
        let Some(pattern) = self.rows.first().cloned() else { return self };
        let texts = self.rows.iter().filter_map(|row| match row.last() {
            Some(Cell::Text(text)) => Some(text.as_str()),
            _ => None,
        });
        let all: Vec<char> = texts.flat_map(str::chars).collect();
        let size = all.len().div_ceil(count.max(1)).max(1);
        let numbers = 0_i64..;
        self.rows = all
            .chunks(size)
            .zip(numbers)
            .map(|(piece, number)| {
                let mut row = pattern.clone();
                row.truncate(pattern.len().saturating_sub(2));
                row.extend([Cell::Integer(number), Cell::Text(piece.iter().collect())]);
                row
            })
            .collect();
        self
    }

    /// Writes all rows, `batch` to a commit, each text with something added.
    fn commit(&self, target: &mut Connection, batch: usize, add: &str) -> rusqlite::Result<()> {
        for rows in self.rows.chunks(batch) {
            let transaction = target.transaction()?;
            for row in rows {
                let mut row = row.clone();
                if let Some(Cell::Text(text)) = row.last_mut() {
                    text.push_str(add);
                }
                let places = vec!["?"; row.len()].join(", ");
                let sql = format!("REPLACE INTO {} VALUES ({places})", self.table);
                transaction.prepare_cached(&sql)?.execute(params_from_iter(row))?;
            }
            transaction.commit()?;
        }
        Ok(())
    }
}

fn text<'a>(document: &'a Value, pointer: &str) -> Outcome<&'a str> {
    document
        .pointer(pointer)
        .and_then(Value::as_str)
        .ok_or_else(|| format!("the drill's document has no text at {pointer}"))
}

fn number(document: &Value, pointer: &str) -> Outcome<f64> {
    document
        .pointer(pointer)
        .and_then(Value::as_f64)
        .ok_or_else(|| format!("the drill's document has no number at {pointer}"))
}

#[cfg(test)]
mod tests {
    use super::{Rows, figures};

    #[test]
    fn the_figures_are_taken_from_the_drills_document() {
        let document = |last: serde_json::Value| {
            serde_json::json!({"data": {"orders_after_latch": 1, "timing": {
                "time_to_last_order_ms": last,
                "stop": {"time_to_end_ms": 3_000, "waited_ms": 2_900, "time_to_latch_ms": 9,
                         "journal_syncs": 5}}}})
        };
        let none = serde_json::json!({"state": "absent", "why": "no order came"});
        let found = figures(&document(none), 20.0).unwrap();
        let values: Vec<(f64, bool)> = found.iter().map(|it| (it.value, it.held())).collect();
        assert_eq!(values, [(0.0, true), (1.0, false), (9.0, true), (5.0, false), (5.0, true)]);
        assert!(figures(&document("none".into()), 20.0).is_err());
    }

    #[test]
    fn the_loop_commits_the_same_text() {
        let source = rusqlite::Connection::open_in_memory().unwrap();
        let sql = "CREATE TABLE restore (id TEXT, chunk INTEGER, document TEXT)";
        source.execute_batch(sql).unwrap();
        for (number, text) in ["abcde", "fghij"].into_iter().enumerate() {
            let row = ("stop", i64::try_from(number).unwrap(), text);
            source.execute("INSERT INTO restore VALUES (?1, ?2, ?3)", row).unwrap();
        }
        let rows = Rows::read(&source, "restore").unwrap().split(3);
        let mut target = rusqlite::Connection::open_in_memory().unwrap();
        target.execute_batch(&rows.sql).unwrap();
        rows.commit(&mut target, 2, "!").unwrap();
        let all: String = target
            .query_row("SELECT group_concat(document, '|') FROM restore", [], |row| row.get(0))
            .unwrap();
        assert_eq!(all, "abcd!|efgh!|ij!");
    }
}
