//! Strategies, positions, orders: whole reads, single conditional changes.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};
use trading_core::model::{OrderRow, PositionRow, Reading, Row, StrategyId, StrategyRow, Written};

use super::expression::{Placeholders, with_placeholders};
use super::{OURS, Store, Table, attr, describe, no_table, no_table_to_write, stands};
use crate::platform::RowUpdate;
use crate::platform::aws::calls;
use crate::platform::aws::errors::{Failure, Kind};
use crate::platform::aws::send::Failed;

/// Which items of a table are wanted.
pub(super) enum Which<'a> {
    /// Everything that is not ours.
    Others,
    /// Those of ours whose key begins so.
    Beginning(&'a str),
    /// Those of ours whose key begins so and that have an attribute.
    BeginningWith(&'a str, &'static str),
}

impl Store {
    /// All items of a table, strongly consistent: an empty page with a key to go on from is
    /// no end.
    pub(super) async fn scan(&self, table: &Table, which: Which<'_>) -> Result<Vec<Row>, Failure> {
        let mut it = Placeholders::default();
        let key = it.name(&table.key);
        let text =
            |it: &mut Placeholders, text: &str| it.value(&trading_core::model::Attr::text(text));
        let filter = match which {
            Which::Others => {
                let (ours, latch) = (text(&mut it, OURS), text(&mut it, &self.tables.latch_key));
                ours.zip(latch).map(|(ours, latch)| {
                    format!("NOT begins_with({key}, {ours}) AND {key} <> {latch}")
                })
            }
            Which::Beginning(prefix) => {
                text(&mut it, prefix).map(|prefix| format!("begins_with({key}, {prefix})"))
            }
            Which::BeginningWith(prefix, attribute) => {
                let attribute = it.name(attribute);
                text(&mut it, prefix).map(|prefix| {
                    format!("begins_with({key}, {prefix}) AND attribute_exists({attribute})")
                })
            }
        };
        let scan = self.client.scan().table_name(&table.name).consistent_read(true);
        let scan = with_placeholders!(scan.set_filter_expression(filter), it);
        let mut rows = Vec::new();
        let mut from = None;
        loop {
            let page = scan.clone().set_exclusive_start_key(from.take());
            let answer = self.connection.sender.send(&calls::SCAN, || page.clone().send()).await;
            let page = answer.map_err(|failed| self.about(table, failed.failure))?.value;
            rows.extend(page.items().iter().map(attr::row));
            match page.last_evaluated_key {
                Some(key) if !key.is_empty() => from = Some(key),
                _ => return Ok(rows),
            }
        }
    }

    async fn read<T>(
        &self,
        table: Option<&Table>,
        what: &'static str,
        make: impl Fn(String, Row) -> T,
    ) -> Reading<Vec<T>> {
        let Some(table) = table else { return no_table(what) };
        let rows = match self.scan(table, Which::Others).await {
            Ok(rows) => rows,
            Err(failure) => return failure.reading(what),
        };
        let mut made = Vec::with_capacity(rows.len());
        for row in rows {
            let Some(id) = table.id(&row).map(str::to_owned) else { return table.no_id() };
            made.push((id, row));
        }
        made.sort_by(|(one, _), (two, _)| one.cmp(two));
        let made = made.into_iter().map(|(id, row)| make(id, row)).collect();
        Reading::known(made, what, self.now())
    }

    pub(super) async fn read_strategies(&self) -> Reading<Vec<StrategyRow>> {
        let make = |id: String, row| StrategyRow { id: id.into(), row };
        self.read(self.tables.strategies.as_ref(), "strategies table", make).await
    }

    pub(super) async fn read_strategy(&self, id: &StrategyId) -> Reading<Vec<StrategyRow>> {
        const WHAT: &str = "strategies table";
        let Some(table) = &self.tables.strategies else { return no_table(WHAT) };
        // What lies there for us is no strategy, whatever name is asked for.
        if id.as_str().starts_with(OURS) || id.as_str() == self.tables.latch_key {
            return Reading::known(Vec::new(), WHAT, self.now());
        }
        match self.item(table, id.as_str()).await {
            Ok(row) => {
                let row = row.map(|row| StrategyRow { id: id.clone(), row });
                Reading::known(row.into_iter().collect(), WHAT, self.now())
            }
            Err(failure) => failure.reading(WHAT),
        }
    }

    pub(super) async fn read_positions(&self) -> Reading<Vec<PositionRow>> {
        let make = |id: String, row| PositionRow { id: id.into(), row };
        self.read(self.tables.positions.as_ref(), "positions table", make).await
    }

    pub(super) async fn read_open_orders(&self) -> Reading<Vec<OrderRow>> {
        let make = |id: String, row| OrderRow { id: id.into(), row };
        let all = self.read(self.tables.orders.as_ref(), "orders table", make).await;
        all.map(|orders| orders.into_iter().filter(|order| !order.is_at_rest()).collect())
    }

    pub(super) async fn update_all(&self, updates: &[RowUpdate]) -> Vec<Written> {
        let Some(table) = self.tables.strategies.clone() else {
            return vec![no_table_to_write("strategies table"); updates.len()];
        };
        self.in_parallel(updates.to_vec(), move |store, update| {
            let table = table.clone();
            async move { store.update(&table, &update).await }
        })
        .await
    }

    pub(super) async fn merge_all(
        &self,
        table: Option<&Table>,
        what: &'static str,
        rows: Vec<(String, Row)>,
    ) -> Vec<Written> {
        let Some(table) = table.cloned() else {
            return vec![no_table_to_write(what); rows.len()];
        };
        self.in_parallel(rows, move |store, (id, row)| {
            let table = table.clone();
            async move { store.merge(&table, &id, &row).await }
        })
        .await
    }

    async fn in_parallel<I, F>(
        &self,
        items: Vec<I>,
        one: impl Fn(Self, I) -> F + Send + Sync + 'static,
    ) -> Vec<Written>
    where
        I: Send + 'static,
        F: Future<Output = Written> + Send + 'static,
    {
        let store = self.clone();
        self.turns.all(items, move |item| one(store.clone(), item)).await
    }

    /// Changes one row on its condition.
    async fn update(&self, table: &Table, update: &RowUpdate) -> Written {
        let id = update.strategy.as_str();
        let mut it = Placeholders::default();
        let mut conditions = vec![format!("attribute_exists({})", it.name(&table.key))];
        for (name, value) in &update.require {
            match it.is(name, value.as_ref()) {
                Some(condition) => conditions.push(condition),
                None => return unsendable(name),
            }
        }
        let change = it.change(update.set.iter().map(|(name, value)| (name, value.as_ref())));
        let (key, value) = table.key(id);
        let ask = self
            .client
            .update_item()
            .table_name(&table.name)
            .key(key, value)
            .condition_expression(conditions.join(" AND "))
            .set_update_expression(change)
            .return_values(ReturnValue::UpdatedOld)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let ask = with_placeholders!(ask, it);
        let answer = self.connection.sender.send(&calls::UPDATE_ITEM, || ask.clone().send()).await;
        let failed = match answer {
            Ok(answer) => {
                let old = answer.value.attributes().map(attr::row).unwrap_or_default();
                // Where an earlier attempt was lost, what stands there may be our own.
                return if !answer.after_loss && all_stand(&old, update) {
                    Written::Already
                } else {
                    Written::Applied { at: self.now() }
                };
            }
            Err(failed) => failed,
        };
        match condition_failed(&failed) {
            Some(Some(found)) => self.refused(update, &found, failed.failure.may_have_acted),
            Some(None) if failed.failure.may_have_acted => gone_since(&failed.failure),
            Some(None) => no_such_row(id),
            None if failed.failure.may_have_acted => {
                self.read_back(table, update, &failed.failure).await
            }
            None => failed.failure.written(&format!("table {}", table.name)),
        }
    }

    /// What a failed condition means: done before, done by an attempt of ours whose answer
    /// was lost, or something else stands there.
    fn refused(&self, update: &RowUpdate, found: &Row, after_loss: bool) -> Written {
        if all_stand(found, update) {
            return if after_loss { Written::Applied { at: self.now() } } else { Written::Already };
        }
        if after_loss {
            // What was lost may have been done, and somebody else may have come after it.
            let why = "an answer was lost, and something else stands there now".to_owned();
            return Written::Unknown { why };
        }
        let differs =
            |(name, value): &(&String, &Option<_>)| !stands(found.get(name), Option::as_ref(value));
        match update.require.iter().find(differs) {
            Some((name, value)) => Written::Refused {
                expected: describe(name, value.as_ref()),
                found: describe(name, found.get(name)),
            },
            None => Written::Refused {
                expected: format!("row `{}` as it was read", update.strategy),
                found: "it changed meanwhile".to_owned(),
            },
        }
    }

    /// The answer was lost for good: what stands there tells whether it was done.
    async fn read_back(&self, table: &Table, update: &RowUpdate, lost: &Failure) -> Written {
        match self.item(table, update.strategy.as_str()).await {
            Ok(Some(found)) if all_stand(&found, update) => Written::Applied { at: self.now() },
            Ok(Some(_)) => {
                Written::Unknown { why: format!("{lost}; read again: it does not stand there yet") }
            }
            Ok(None) => gone_since(lost),
            Err(failure) => Written::Unknown { why: format!("{lost}; read again: {failure}") },
        }
    }

    /// Creates a row or sets the attributes that it names.
    async fn merge(&self, table: &Table, id: &str, row: &Row) -> Written {
        let mut it = Placeholders::default();
        let is_key = |name: &String| *name == table.key || table.beside.contains(name);
        let named = row.attributes().iter().filter(|(name, _)| !is_key(name));
        let change = it.change(named.map(|(name, value)| (name, Some(value))));
        if change.is_none() && !row.attributes().keys().all(is_key) {
            return unsendable(id);
        }
        let (key, value) = table.key(id);
        let mut ask = self.client.update_item().table_name(&table.name).key(key, value);
        for name in &table.beside {
            match row.get(name).and_then(attr::value) {
                Some(value) => ask = ask.key(name, value),
                None => return no_whole_key(table, name, id),
            }
        }
        let ask = ask.set_update_expression(change).return_values(ReturnValue::AllOld);
        let ask = with_placeholders!(ask, it);
        let answer = self.connection.sender.send(&calls::UPDATE_ITEM, || ask.clone().send()).await;
        match answer {
            Ok(answer) => {
                let old = answer.value.attributes().map(attr::row).unwrap_or_default();
                let same = |(name, value): (&String, _)| stands(old.get(name), Some(value));
                if !answer.after_loss
                    && !old.attributes().is_empty()
                    && row.attributes().iter().all(same)
                {
                    Written::Already
                } else {
                    Written::Applied { at: self.now() }
                }
            }
            Err(failed) => failed.failure.written(&format!("table {}", table.name)),
        }
    }
}

/// The item on which a condition failed; `Some(None)`: there is none.
pub(super) fn condition_failed(failed: &Failed<UpdateItemError>) -> Option<Option<Row>> {
    match &failed.error {
        Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
            Some(failed.item().filter(|item| !item.is_empty()).map(attr::row))
        }
        _ if failed.failure.kind == Kind::Condition => Some(None),
        _ => None,
    }
}

fn all_stand(row: &Row, update: &RowUpdate) -> bool {
    update.set.iter().all(|(name, value)| stands(row.get(name), value.as_ref()))
}

/// It may have been done before the row went.
fn gone_since(lost: &Failure) -> Written {
    Written::Unknown { why: format!("{lost}; read again: no such row") }
}

fn no_such_row(id: &str) -> Written {
    Written::Refused { expected: format!("a row `{id}`"), found: "no such row".to_owned() }
}

fn no_whole_key(table: &Table, name: &str, id: &str) -> Written {
    Written::Refused {
        expected: format!("`{name}` of row `{id}`: it is part of the key of table {}", table.name),
        found: "no such attribute".to_owned(),
    }
}

fn unsendable(name: &str) -> Written {
    Written::Refused {
        expected: format!("a value for `{name}` that can be sent"),
        found: "bytes that are not in base 64".to_owned(),
    }
}
