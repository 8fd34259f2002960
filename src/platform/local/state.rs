//! Strategies, positions, orders, leases: the rows that engines and operators share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use trading_core::model::{
    ClientOrderId, EngineId, Latch, Lease, OrderRow, PositionId, PositionRow, Reading,
    RestoreChunk, Row, StopId, StrategyId, StrategyRow, Utc, Written,
};

use super::control::Control;
use super::db::{Db, DbError, Schema};
use super::document::Document;
use super::parsed::Parsed;
use crate::platform::{Clock, Fut, RowUpdate, StateStore};

pub(super) static SCHEMA: Schema = Schema {
    name: "state.db",
    migrations: &["
        CREATE TABLE strategies (id TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE positions (id TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE orders (id TEXT PRIMARY KEY, document TEXT NOT NULL,
                             terminal INTEGER NOT NULL) WITHOUT ROWID;
        CREATE INDEX orders_open ON orders (id) WHERE terminal = 0;
        CREATE TABLE leases (strategy TEXT PRIMARY KEY, owner TEXT NOT NULL,
                             generation INTEGER NOT NULL, expires_at TEXT NOT NULL) WITHOUT ROWID;
    "],
    durable: false,
};

/// Rows committed in one transaction at most.
const BATCH: usize = 64;

/// The state store: rows in `state.db`, latch and restore records in `control.db`.
pub(super) struct State {
    pub(super) db: Db,
    pub(super) control: Control,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) parsed: Arc<ParsedTables>,
}

/// What was read last of each table.
#[derive(Default)]
pub(super) struct ParsedTables {
    strategies: Mutex<Parsed>,
    positions: Mutex<Parsed>,
    orders: Mutex<Parsed>,
}

impl ParsedTables {
    fn of(&self, table: Table) -> &Mutex<Parsed> {
        match table {
            Table::Strategies => &self.strategies,
            Table::Positions => &self.positions,
            Table::Orders => &self.orders,
        }
    }
}

/// The tables of documents.
#[derive(Clone, Copy)]
enum Table {
    Strategies,
    Positions,
    Orders,
}

impl Table {
    /// The key's attribute.
    fn key(self) -> &'static str {
        match self {
            Self::Strategies => "strategy_id",
            Self::Positions => PositionRow::POSITION_ID,
            Self::Orders => OrderRow::ORDER_ID,
        }
    }
    fn select_all(self) -> &'static str {
        match self {
            Self::Strategies => "SELECT id, document FROM strategies ORDER BY id",
            Self::Positions => "SELECT id, document FROM positions ORDER BY id",
            Self::Orders => "SELECT id, document FROM orders WHERE terminal = 0 ORDER BY id",
        }
    }
    fn select_one(self) -> &'static str {
        match self {
            Self::Strategies => "SELECT document FROM strategies WHERE id = ?1",
            Self::Positions => "SELECT document FROM positions WHERE id = ?1",
            Self::Orders => "SELECT document FROM orders WHERE id = ?1",
        }
    }
    fn put(self) -> &'static str {
        match self {
            Self::Strategies => "REPLACE INTO strategies (id, document) VALUES (?1, ?2)",
            Self::Positions => "REPLACE INTO positions (id, document) VALUES (?1, ?2)",
            Self::Orders => "REPLACE INTO orders (id, document, terminal) VALUES (?1, ?2, ?3)",
        }
    }

    fn all(
        self,
        connection: &Connection,
        parsed: &ParsedTables,
    ) -> rusqlite::Result<Vec<(Arc<str>, Row)>> {
        let mut statement = connection.prepare_cached(self.select_all())?;
        let mut parsed = parsed.of(self).lock().unwrap_or_else(PoisonError::into_inner);
        parsed.read(statement.query([])?, self.key())
    }
    fn one(self, tx: &Transaction<'_>, id: &str) -> rusqlite::Result<Option<Document>> {
        let mut statement = tx.prepare_cached(self.select_one())?;
        statement
            .query_row([id], |row| Ok(Document::from_column(row.get_ref(0)?, (self.key(), id))))
            .optional()
    }
    fn store(self, tx: &Transaction<'_>, id: &str, document: &Document) -> rusqlite::Result<()> {
        let mut statement = tx.prepare_cached(self.put())?;
        let text = document.to_text((self.key(), id))?;
        match self {
            Self::Orders => {
                let order = OrderRow { id: id.into(), row: document.to_row() };
                statement.execute(params![id, text, order.is_at_rest()])?
            }
            _ => statement.execute(params![id, text])?,
        };
        Ok(())
    }
}

impl State {
    /// All rows of a table.
    async fn rows<T: Send + 'static>(
        &self,
        table: Table,
        what: &'static str,
        make: fn(Arc<str>, Row) -> T,
    ) -> Reading<Vec<T>> {
        let parsed = Arc::clone(&self.parsed);
        let read = self.db.read(move |connection| table.all(connection, &parsed)).await;
        match read {
            Ok(rows) => Reading::known(
                rows.into_iter().map(|(id, row)| make(id, row)).collect(),
                what,
                self.clock.now(),
            ),
            Err(error) => error.reading(what),
        }
    }

    /// Runs `one` over all items, a batch to a transaction, one answer per item. A batch
    /// that fails answers so for each of its items and does not stop the next, unless the
    /// file is locked: then nobody waits for each of them.
    async fn in_batches<I: Clone + Send + 'static>(
        &self,
        items: &[I],
        one: fn(&Transaction<'_>, &I, Utc) -> rusqlite::Result<Written>,
    ) -> Vec<Written> {
        let mut answers = Vec::with_capacity(items.len());
        for batch in items.chunks(BATCH) {
            let (owned, at) = (batch.to_vec(), self.clock.now());
            let written = self
                .db
                .write(move |tx| {
                    owned.iter().map(|item| one(tx, item, at)).collect::<Result<Vec<_>, _>>()
                })
                .await;
            match written {
                Ok(batch) => answers.extend(batch),
                Err(error) => {
                    let all =
                        if error.is_busy() { items.len() - answers.len() } else { batch.len() };
                    answers.extend(std::iter::repeat_n(error.written(), all));
                    if error.is_busy() {
                        break;
                    }
                }
            }
        }
        answers
    }

    /// Creates strategies that are not there yet; those that are stay untouched.
    pub(super) async fn create_strategies(&self, rows: &[StrategyRow]) -> Result<(), DbError> {
        let rows = rows.to_vec();
        self.db
            .write(move |tx| {
                for row in &rows {
                    let id = row.id.as_str();
                    if Table::Strategies.one(tx, id)?.is_none() {
                        let mut document = Document::from_row(&row.row);
                        document.set(Table::Strategies.key(), &trading_core::model::Attr::text(id));
                        Table::Strategies.store(tx, id, &document)?;
                    }
                }
                Ok(())
            })
            .await
    }
}

fn update_one(tx: &Transaction<'_>, update: &RowUpdate, at: Utc) -> rusqlite::Result<Written> {
    let id = update.strategy.as_str();
    let Some(mut document) = Table::Strategies.one(tx, id)? else {
        return Ok(Written::Refused {
            expected: format!("a row `{id}`"),
            found: "no such row".to_owned(),
        });
    };
    let written = document.update(update, at);
    if matches!(written, Written::Applied { .. }) {
        Table::Strategies.store(tx, id, &document)?;
    }
    Ok(written)
}

fn merge_one(
    tx: &Transaction<'_>,
    (table, id, row): &(Table, String, Row),
    at: Utc,
) -> rusqlite::Result<Written> {
    let found = table.one(tx, id)?;
    let is_new = found.is_none();
    let mut document = found.unwrap_or_default();
    let key = Row::default().with_text(table.key(), id.as_str());
    let changed = document.merge(row) | document.merge(&key);
    if !changed && !is_new {
        return Ok(Written::Already);
    }
    table.store(tx, id, &document)?;
    Ok(Written::Applied { at })
}

impl StateStore for State {
    fn strategies(&self) -> Fut<'_, Reading<Vec<StrategyRow>>> {
        Box::pin(self.rows(Table::Strategies, "strategies table", |id, row| StrategyRow {
            id: StrategyId::new(id),
            row,
        }))
    }
    fn update_strategies<'a>(&'a self, updates: &'a [RowUpdate]) -> Fut<'a, Vec<Written>> {
        Box::pin(self.in_batches(updates, update_one))
    }
    fn positions(&self) -> Fut<'_, Reading<Vec<PositionRow>>> {
        Box::pin(self.rows(Table::Positions, "positions table", |id, row| PositionRow {
            id: PositionId::new(id),
            row,
        }))
    }
    fn merge_positions<'a>(&'a self, rows: &'a [PositionRow]) -> Fut<'a, Vec<Written>> {
        Box::pin(async move {
            let items: Vec<_> = rows
                .iter()
                .map(|row| (Table::Positions, row.id.as_str().to_owned(), row.row.clone()))
                .collect();
            self.in_batches(&items, merge_one).await
        })
    }
    fn open_orders(&self) -> Fut<'_, Reading<Vec<OrderRow>>> {
        Box::pin(self.rows(Table::Orders, "orders table", |id, row| OrderRow {
            id: ClientOrderId::new(id),
            row,
        }))
    }
    fn merge_orders<'a>(&'a self, rows: &'a [OrderRow]) -> Fut<'a, Vec<Written>> {
        Box::pin(async move {
            let items: Vec<_> = rows
                .iter()
                .map(|row| (Table::Orders, row.id.as_str().to_owned(), row.row.clone()))
                .collect();
            self.in_batches(&items, merge_one).await
        })
    }
    fn latch(&self) -> Fut<'_, Reading<Latch>> {
        Box::pin(self.control.latch())
    }
    fn write_latch<'a>(&'a self, expected_epoch: u64, latch: &'a Latch) -> Fut<'a, Written> {
        Box::pin(self.control.write_latch(expected_epoch, latch))
    }
    fn restore_chunks<'a>(&'a self, stop_id: &'a StopId) -> Fut<'a, Reading<Vec<RestoreChunk>>> {
        Box::pin(self.control.restore_chunks(stop_id))
    }
    fn loose_chunks(&self) -> Fut<'_, Reading<Vec<RestoreChunk>>> {
        Box::pin(self.control.loose_chunks())
    }
    fn put_restore_chunk<'a>(&'a self, chunk: &'a RestoreChunk) -> Fut<'a, Written> {
        Box::pin(self.control.put_restore_chunk(chunk))
    }
    fn leases(&self) -> Fut<'_, Reading<Vec<Lease>>> {
        Box::pin(async move {
            match self.db.read(all_leases).await {
                Ok(leases) => Reading::known(leases, "leases", self.clock.now()),
                Err(error) => error.reading("leases"),
            }
        })
    }
    fn take_leases<'a>(
        &'a self,
        owner: &'a EngineId,
        strategies: &'a [StrategyId],
        ttl: Duration,
    ) -> Fut<'a, Reading<Vec<Lease>>> {
        Box::pin(async move {
            let (owner, strategies, now) = (owner.clone(), strategies.to_vec(), self.clock.now());
            let taken = self
                .db
                .write(move |tx| {
                    let standing: BTreeMap<_, _> = all_leases(tx)?
                        .into_iter()
                        .map(|lease| (lease.strategy.clone(), lease))
                        .collect();
                    strategies
                        .iter()
                        .map(|id| take_lease(tx, standing.get(id), id, &owner, now, ttl))
                        .collect::<Result<Vec<_>, _>>()
                })
                .await;
            match taken {
                Ok(leases) => Reading::known(leases, "leases", now),
                Err(error) => error.reading("leases"),
            }
        })
    }
    fn release_leases<'a>(&'a self, owner: &'a EngineId) -> Fut<'a, Written> {
        Box::pin(async move {
            let (owner, at) = (owner.clone(), self.clock.now());
            let released = self
                .db
                .write(move |tx| {
                    let mine: Vec<_> = all_leases(tx)?
                        .into_iter()
                        .filter(|lease| lease.owner == owner && lease.expires_at > at)
                        .collect();
                    for lease in &mine {
                        // The row stays: its generation must never fall back.
                        put_lease(tx, &Lease { expires_at: at, ..lease.clone() })?;
                    }
                    Ok(!mine.is_empty())
                })
                .await;
            match released {
                Ok(true) => Written::Applied { at },
                Ok(false) => Written::Already,
                Err(error) => error.written(),
            }
        })
    }
}

fn all_leases(connection: &Connection) -> rusqlite::Result<Vec<Lease>> {
    let mut statement = connection
        .prepare_cached("SELECT strategy, owner, generation, expires_at FROM leases ORDER BY 1")?;
    let rows = statement.query_map([], |row| {
        let expires_at: String = row.get(3)?;
        Ok(Lease {
            strategy: row.get::<_, String>(0)?.into(),
            owner: row.get::<_, String>(1)?.into(),
            generation: row.get(2)?,
            expires_at: super::tables::time_column(3, &expires_at)?,
        })
    })?;
    rows.collect()
}

fn put_lease(tx: &Transaction<'_>, lease: &Lease) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "REPLACE INTO leases (strategy, owner, generation, expires_at) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![
        lease.strategy.as_str(),
        lease.owner.as_str(),
        lease.generation,
        lease.expires_at.to_string()
    ])?;
    Ok(())
}

/// Takes, renews or leaves one lease. A free or run-out lease of another is taken with the
/// next generation; a lease that is ours is renewed in the same one.
fn take_lease(
    tx: &Transaction<'_>,
    standing: Option<&Lease>,
    strategy: &StrategyId,
    owner: &EngineId,
    now: Utc,
    ttl: Duration,
) -> rusqlite::Result<Lease> {
    let generation = match standing {
        Some(lease) if lease.owner == *owner => lease.generation,
        Some(lease) if lease.expires_at > now => return Ok(lease.clone()),
        Some(lease) => lease.generation.saturating_add(1),
        None => 1,
    };
    let expires_at = now
        .saturating_add(ttl)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    let lease = Lease { strategy: strategy.clone(), owner: owner.clone(), generation, expires_at };
    put_lease(tx, &lease)?;
    Ok(lease)
}
