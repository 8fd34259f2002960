//! The venue's durable state: SQLite in WAL mode, one connection, one writer.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use trading_core::model::{
    ClientOrderId, OrderState, Price, Receipt, StrategyId, Symbol, Utc, VenueFill, VenueOrder,
};
use trading_core::sim::{Account, Change};

/// The format that this binary writes.
const FORMAT: i64 = 2;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS orders (
    id TEXT PRIMARY KEY, resting INTEGER NOT NULL, doc TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS orders_resting ON orders (id) WHERE resting = 1;
CREATE TABLE IF NOT EXISTS receipts (
    number INTEGER PRIMARY KEY, received_us INTEGER NOT NULL, doc TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS receipts_received ON receipts (received_us);
CREATE TABLE IF NOT EXISTS fills (
    trade_id TEXT PRIMARY KEY, at_us INTEGER NOT NULL, doc TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS fills_at ON fills (at_us);
CREATE TABLE IF NOT EXISTS accounts (strategy TEXT PRIMARY KEY, doc TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS markets (
    symbol TEXT PRIMARY KEY, step INTEGER NOT NULL, price INTEGER NOT NULL) STRICT;
";

/// From format 1 to 2: when an order came to rest, and which ids were used by orders that are
/// forgotten. What is at rest already counts as having come to rest now.
const TO_2: &str = "
ALTER TABLE orders ADD COLUMN settled_us INTEGER;
UPDATE orders SET settled_us = ?1 WHERE resting = 0;
CREATE INDEX orders_settled ON orders (settled_us) WHERE settled_us IS NOT NULL;
CREATE TABLE spent_serials (
    stem TEXT PRIMARY KEY, generation INTEGER NOT NULL, counter INTEGER NOT NULL) STRICT;
CREATE TABLE spent_names (id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
UPDATE meta SET value = 2 WHERE name = 'format';
";

/// The write-ahead log is cut back to this after a checkpoint.
const WAL_BYTES: i64 = 16 * 1024 * 1024;

/// Why the store could not answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoreError {
    #[error("venue.db: {0}")]
    Sql(#[from] rusqlite::Error),
    #[error("venue.db: {0}")]
    Io(#[from] std::io::Error),
    #[error("venue.db holds a document that cannot be read: {0}")]
    Document(#[from] serde_json::Error),
    #[error("venue.db has format {0}, newer than this binary's {FORMAT}")]
    Newer(i64),
}

/// What a venue starts again from.
pub(super) struct Stored {
    pub(super) accounts: BTreeMap<StrategyId, Account>,
    pub(super) resting: Vec<VenueOrder>,
    pub(super) trades: u64,
    pub(super) markets: BTreeMap<Symbol, (u64, Price)>,
}

/// The store.
pub(super) struct Store {
    pub(super) sql: Connection,
}

pub(super) type Stands<T> = Result<T, StoreError>;

impl Store {
    /// Opens or creates `venue.db`, mode 0600. An older format is brought forward at `now`,
    /// after a copy.
    pub(super) fn open(path: &Path, now: Utc) -> Stands<Self> {
        OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        let sql = Connection::open(path)?;
        // Binds where the file is new: only then can idle pages be given back to the disk.
        sql.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
        sql.busy_timeout(std::time::Duration::from_secs(5))?;
        sql.pragma_update(None, "journal_mode", "WAL")?;
        // Survives kill -9; the paper venue does not promise more (no real money rests here).
        sql.pragma_update(None, "synchronous", "NORMAL")?;
        sql.pragma_update(None, "journal_size_limit", WAL_BYTES)?;
        sql.execute_batch(SCHEMA)?;
        sql.set_prepared_statement_cache_capacity(32);
        let is_new = sql.execute("INSERT OR IGNORE INTO meta VALUES ('format', 1)", [])? > 0;
        let format: i64 =
            sql.query_row("SELECT value FROM meta WHERE name = 'format'", [], |row| row.get(0))?;
        if format > FORMAT {
            return Err(StoreError::Newer(format));
        }
        if format < FORMAT {
            if !is_new {
                keep_copy(&sql, path, format)?;
            }
            let steps = TO_2.replace("?1", &now.as_microsecond().to_string());
            sql.execute_batch(&format!("BEGIN IMMEDIATE; {steps} COMMIT;"))?;
        }
        Ok(Self { sql })
    }
    /// The seed of this environment's markets: the first one given stays.
    pub(super) fn seed(&self, wanted: u64) -> Stands<u64> {
        let stored = i64::from_ne_bytes(wanted.to_ne_bytes());
        self.sql.execute("INSERT OR IGNORE INTO meta VALUES ('seed', ?1)", [stored])?;
        let seed: i64 =
            self.sql
                .query_row("SELECT value FROM meta WHERE name = 'seed'", [], |row| row.get(0))?;
        Ok(u64::from_ne_bytes(seed.to_ne_bytes()))
    }
    /// Everything that a venue starts again from.
    pub(super) fn load(&self) -> Stands<Stored> {
        let mut accounts = BTreeMap::new();
        let mut query = self.sql.prepare("SELECT strategy, doc FROM accounts")?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let strategy: String = row.get(0)?;
            accounts.insert(StrategyId::new(strategy), parse(&row.get::<_, String>(1)?)?);
        }
        let mut markets = BTreeMap::new();
        let mut query = self.sql.prepare("SELECT symbol, step, price FROM markets")?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let (symbol, step): (String, i64) = (row.get(0)?, row.get(1)?);
            let step = u64::try_from(step).unwrap_or(0);
            markets.insert(Symbol::new(symbol), (step, Price(row.get(2)?)));
        }
        let trades: i64 = self.sql.query_row("SELECT count(*) FROM fills", [], |row| row.get(0))?;
        let trades = trades.saturating_add(self.trades_forgotten()?);
        let resting =
            self.documents("SELECT doc FROM orders WHERE resting = 1 ORDER BY id", None)?;
        Ok(Stored { accounts, resting, trades: u64::try_from(trades).unwrap_or(0), markets })
    }

    /// Begins a batch.
    pub(super) fn begin(&self) -> Stands<()> {
        Ok(self.sql.execute_batch("BEGIN IMMEDIATE")?)
    }
    /// Commits a batch.
    pub(super) fn commit(&self) -> Stands<()> {
        Ok(self.sql.execute_batch("COMMIT")?)
    }
    /// Forgets a batch. An error means that nothing was open any more, which is as good.
    pub(super) fn roll_back(&self) {
        let _ = self.sql.execute_batch("ROLLBACK");
    }

    /// Stores a change that came about at `at`.
    pub(super) fn put(&self, change: &Change, at: Utc) -> Stands<()> {
        match change {
            Change::Received(receipt) => {
                let mut put = self
                    .sql
                    .prepare_cached("INSERT INTO receipts (received_us, doc) VALUES (?1, ?2)")?;
                put.execute(params![receipt.received_at.as_microsecond(), text(receipt)?])?;
            }
            Change::Order(order) => {
                let mut put = self.sql.prepare_cached(
                    "INSERT INTO orders (id, resting, doc, settled_us) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (id) DO UPDATE SET resting = ?2, doc = ?3, settled_us = ?4",
                )?;
                let resting = matches!(order.state, OrderState::Live | OrderState::PartlyFilled);
                let settled = (!resting).then(|| at.as_microsecond());
                let id = order.order.client_order_id.as_str();
                put.execute(params![id, resting, text(order)?, settled])?;
            }
            Change::Fill(fill) => {
                let mut put = self.sql.prepare_cached("INSERT INTO fills VALUES (?1, ?2, ?3)")?;
                put.execute(params![fill.trade_id, fill.at.as_microsecond(), text(fill)?])?;
            }
        }
        Ok(())
    }
    /// Stores an account.
    pub(super) fn put_account(&self, strategy: &StrategyId, account: &Account) -> Stands<()> {
        let mut put = self.sql.prepare_cached("INSERT OR REPLACE INTO accounts VALUES (?1, ?2)")?;
        put.execute(params![strategy.as_str(), text(account)?])?;
        Ok(())
    }
    /// Stores where a market stands.
    pub(super) fn put_market(&self, symbol: &Symbol, step: u64, price: Price) -> Stands<()> {
        let mut put =
            self.sql.prepare_cached("INSERT OR REPLACE INTO markets VALUES (?1, ?2, ?3)")?;
        put.execute(params![symbol.as_str(), i64::try_from(step).unwrap_or(i64::MAX), price.0])?;
        Ok(())
    }

    /// An order, at rest or not, if the venue ever had it.
    pub(super) fn order(&self, id: &ClientOrderId) -> Stands<Option<VenueOrder>> {
        let mut query = self.sql.prepare_cached("SELECT doc FROM orders WHERE id = ?1")?;
        let found: Option<String> = query.query_row([id.as_str()], |row| row.get(0)).optional()?;
        found.map(|doc| parse(&doc)).transpose()
    }
    /// Fills at or after a time.
    pub(super) fn fills_since(&self, since: Utc) -> Stands<Vec<VenueFill>> {
        let query = "SELECT doc FROM fills WHERE at_us >= ?1 ORDER BY at_us, rowid";
        self.documents(query, Some(since))
    }
    /// Receipts at or after a time.
    pub(super) fn receipts_since(&self, since: Utc) -> Stands<Vec<Receipt>> {
        let query = "SELECT doc FROM receipts WHERE received_us >= ?1 ORDER BY number";
        self.documents(query, Some(since))
    }

    fn documents<T: DeserializeOwned>(&self, query: &str, since: Option<Utc>) -> Stands<Vec<T>> {
        let mut query = self.sql.prepare_cached(query)?;
        let mut rows = match since {
            Some(since) => query.query([since.as_microsecond()])?,
            None => query.query([])?,
        };
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(parse(&row.get::<_, String>(0)?)?);
        }
        Ok(found)
    }
}

/// A copy of the file as it was before it is brought forward, beside it.
fn keep_copy(sql: &Connection, path: &Path, format: i64) -> Stands<()> {
    let beside = |ending: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".format{format}.{ending}"));
        std::path::PathBuf::from(name)
    };
    let (copy, partial) = (beside("bak"), beside("bak.partial"));
    if copy.exists() {
        return Ok(());
    }
    // Made empty first, so that it never has a wider mode than ours.
    OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&partial)?;
    sql.execute("VACUUM INTO ?1", [partial.to_string_lossy()])?;
    Ok(std::fs::rename(partial, copy)?)
}

fn text<T: Serialize>(value: &T) -> Stands<String> {
    Ok(serde_json::to_string(value)?)
}

fn parse<T: DeserializeOwned>(doc: &str) -> Stands<T> {
    Ok(serde_json::from_str(doc)?)
}
