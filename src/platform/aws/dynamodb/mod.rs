//! The state store in DynamoDB. The latch, restore records and leases are items beside the
//! strategies, under keys of ours: a stop must work where nobody has deployed anything for
//! it. `records_table` moves the last two into a table of their own.

mod attr;
mod expression;
mod latch;
mod leases;
mod records;
mod rows;
mod turns;

#[cfg(test)]
pub(super) use attr::value;

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use trading_core::model::{
    Attr, EngineId, LATCH_KEY, Latch, Lease, OrderRow, PositionRow, Reading, RestoreChunk, Row,
    StopId, StrategyId, StrategyRow, Written,
};

use self::turns::Turns;
use super::calls;
use super::connect::Connection;
use super::errors::Failure;
use crate::platform::{Fut, RowUpdate, StateStore};
use crate::settings::Environment;

/// What keys of ours begin with. Never the key of a strategy.
const OURS: &str = "__tradectl_";

/// A table and its key attributes.
#[derive(Clone, Debug)]
struct Table {
    name: String,
    /// The attribute that tells an item from all others.
    key: String,
    /// Further attributes of the table's key; a row names them beside its id.
    beside: Vec<String>,
    /// What operators call it.
    what: &'static str,
}

impl Table {
    /// The key of an item.
    fn key(&self, id: &str) -> (String, AttributeValue) {
        (self.key.clone(), AttributeValue::S(id.to_owned()))
    }
    /// The id of an item.
    fn id<'a>(&self, row: &'a Row) -> Option<&'a str> {
        row.text_opt(&self.key)
    }
    fn no_id<T>(&self) -> Reading<T> {
        Reading::unparsed(
            self.what,
            format!("table {} has an item without the text attribute `{}`", self.name, self.key),
        )
    }
}

/// The tables that the settings name.
#[derive(Clone, Debug)]
struct Tables {
    strategies: Option<Table>,
    latch: Option<Table>,
    latch_key: String,
    records: Option<Table>,
    positions: Option<Table>,
    orders: Option<Table>,
}

impl Tables {
    fn of(environment: &Environment) -> Self {
        let name = |key: &str| environment.names.get(key).cloned();
        let table = |table: Option<String>, key: &str, or: &str, what| {
            let key = name(key).unwrap_or_else(|| or.to_owned());
            // The last one is the id; the others, if any, are only where it lies.
            let mut keys: Vec<String> = key.split_whitespace().map(str::to_owned).collect();
            let key = keys.pop().unwrap_or_else(|| or.to_owned());
            table.map(|name| Table { name, key, beside: keys, what })
        };
        let own = |named, what| table(named, "strategies_key", "strategy_id", what);
        let latch = name("latch_table").or_else(|| name("strategies_table"));
        Self {
            strategies: own(name("strategies_table"), "strategies table"),
            latch: own(latch.clone(), "latch"),
            latch_key: name("latch_key").unwrap_or_else(|| LATCH_KEY.to_owned()),
            records: own(name("records_table").or(latch), "restore records and leases"),
            positions: table(
                name("positions_table"),
                "positions_key",
                PositionRow::POSITION_ID,
                "positions table",
            ),
            orders: table(name("orders_table"), "orders_key", OrderRow::ORDER_ID, "orders table"),
        }
    }
}

/// The state store.
#[derive(Clone)]
pub(super) struct Store {
    client: Client,
    connection: Arc<Connection>,
    tables: Tables,
    turns: Turns,
}

impl Store {
    pub(super) fn new(connection: &Arc<Connection>, environment: &Environment) -> Self {
        Self {
            client: Client::new(&connection.config("DYNAMODB")),
            connection: Arc::clone(connection),
            tables: Tables::of(environment),
            turns: Turns::new(),
        }
    }

    fn now(&self) -> trading_core::model::Utc {
        self.connection.sender.now()
    }

    /// A failure that names the table which is not there.
    fn about(&self, table: &Table, failure: Failure) -> Failure {
        failure.about("table", &table.name, self.connection.region())
    }

    /// One item, strongly consistent.
    async fn item(&self, table: &Table, id: &str) -> Result<Option<Row>, Failure> {
        let (key, value) = table.key(id);
        let ask = self.client.get_item().table_name(&table.name).key(key, value);
        let ask = ask.consistent_read(true);
        let answer = self.connection.sender.send(&calls::GET_ITEM, || ask.clone().send()).await;
        let answer = answer.map_err(|failed| self.about(table, failed.failure))?;
        Ok(answer.value.item().map(attr::row))
    }
}

/// Where the settings name no table.
fn no_table<T>(what: &'static str) -> Reading<T> {
    Reading::absent(what, "the settings name no such table")
}

fn no_table_to_write(what: &'static str) -> Written {
    Written::Refused {
        expected: what.to_owned(),
        found: "the settings name no such table".to_owned(),
    }
}

/// `status "running"`, `no status`.
fn describe(name: &str, value: Option<&Attr>) -> String {
    value.map_or_else(|| format!("no {name}"), |attr| format!("{name} {attr}"))
}

/// Whether an attribute stands as it is wanted; `None`: it must be missing.
fn stands(found: Option<&Attr>, wanted: Option<&Attr>) -> bool {
    match (found, wanted) {
        (Some(found), Some(wanted)) => found.is_same(wanted),
        (None, None) => true,
        _ => false,
    }
}

impl StateStore for Store {
    fn strategies(&self) -> Fut<'_, Reading<Vec<StrategyRow>>> {
        Box::pin(self.read_strategies())
    }
    fn strategy<'a>(&'a self, id: &'a StrategyId) -> Fut<'a, Reading<Vec<StrategyRow>>> {
        Box::pin(self.read_strategy(id))
    }
    fn update_strategies<'a>(&'a self, updates: &'a [RowUpdate]) -> Fut<'a, Vec<Written>> {
        Box::pin(self.update_all(updates))
    }
    fn positions(&self) -> Fut<'_, Reading<Vec<PositionRow>>> {
        Box::pin(self.read_positions())
    }
    fn merge_positions<'a>(&'a self, rows: &'a [PositionRow]) -> Fut<'a, Vec<Written>> {
        let rows = rows.iter().map(|it| (it.id.as_str().to_owned(), it.row.clone())).collect();
        Box::pin(self.merge_all(self.tables.positions.as_ref(), "positions table", rows))
    }
    fn open_orders(&self) -> Fut<'_, Reading<Vec<OrderRow>>> {
        Box::pin(self.read_open_orders())
    }
    fn merge_orders<'a>(&'a self, rows: &'a [OrderRow]) -> Fut<'a, Vec<Written>> {
        let rows = rows.iter().map(|it| (it.id.as_str().to_owned(), it.row.clone())).collect();
        Box::pin(self.merge_all(self.tables.orders.as_ref(), "orders table", rows))
    }
    fn latch(&self) -> Fut<'_, Reading<Latch>> {
        Box::pin(self.read_latch())
    }
    fn write_latch<'a>(&'a self, expected_epoch: u64, latch: &'a Latch) -> Fut<'a, Written> {
        Box::pin(self.change_latch(expected_epoch, latch))
    }
    fn restore_chunks<'a>(&'a self, stop_id: &'a StopId) -> Fut<'a, Reading<Vec<RestoreChunk>>> {
        Box::pin(self.read_chunks(stop_id))
    }
    fn loose_chunks(&self) -> Fut<'_, Reading<Vec<RestoreChunk>>> {
        Box::pin(self.read_loose_chunks())
    }
    fn put_restore_chunk<'a>(&'a self, chunk: &'a RestoreChunk) -> Fut<'a, Written> {
        Box::pin(self.put_chunk(chunk))
    }
    fn leases(&self) -> Fut<'_, Reading<Vec<Lease>>> {
        Box::pin(self.read_leases())
    }
    fn lease<'a>(&'a self, strategy: &'a StrategyId) -> Fut<'a, Reading<Vec<Lease>>> {
        Box::pin(self.read_lease(strategy))
    }
    fn take_leases<'a>(
        &'a self,
        owner: &'a EngineId,
        strategies: &'a [StrategyId],
        ttl: Duration,
    ) -> Fut<'a, Reading<Vec<Lease>>> {
        Box::pin(self.take_all(owner, strategies, ttl))
    }
    fn release_leases<'a>(&'a self, owner: &'a EngineId) -> Fut<'a, Written> {
        Box::pin(self.release_all(owner))
    }
}
