//! The latch: one item, changed only on its epoch. It has no status, heartbeat or expiry, so
//! that nobody takes it for a strategy.

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use serde_json::{Map, Value};
use trading_core::model::{Attr, Latch, Reading, Row, Written};

use super::expression::{Placeholders, with_placeholders};
use super::rows::condition_failed;
use super::{Store, Table, attr, no_table, no_table_to_write};
use crate::platform::aws::calls;

const WHAT: &str = "latch";
const EPOCH: &str = "epoch";

impl Store {
    pub(super) async fn read_latch(&self) -> Reading<Latch> {
        let Some(table) = &self.tables.latch else { return no_table(WHAT) };
        match self.item(table, &self.tables.latch_key).await {
            Ok(None) => Reading::known(Latch::released(), WHAT, self.now()),
            Ok(Some(row)) => match latch_of(table, &row) {
                Ok(latch) => Reading::known(latch, WHAT, self.now()),
                Err(error) => Reading::unparsed(WHAT, error.to_string()),
            },
            Err(failure) => failure.reading(WHAT),
        }
    }

    pub(super) async fn change_latch(&self, expected_epoch: u64, latch: &Latch) -> Written {
        let Some(table) = &self.tables.latch else { return no_table_to_write(WHAT) };
        let attributes = match attributes(latch) {
            Ok(attributes) => attributes,
            Err(error) => {
                return Written::Refused {
                    expected: "a latch that can be written".to_owned(),
                    found: error.to_string(),
                };
            }
        };
        let mut it = Placeholders::default();
        let is = it.is(EPOCH, Some(&Attr::N(expected_epoch.to_string()))).unwrap_or_default();
        // A latch that nobody has written yet is at epoch 0.
        let condition = match expected_epoch {
            0 => format!("attribute_not_exists({}) OR {is}", it.name(&table.key)),
            _ => is,
        };
        // What a newer binary keeps in forms that we cannot carry is not named, and stays.
        let change =
            it.change(attributes.attributes().iter().map(|(name, value)| (name, Some(value))));
        let (key, value) = table.key(&self.tables.latch_key);
        let ask = self
            .client
            .update_item()
            .table_name(&table.name)
            .key(key, value)
            .condition_expression(condition)
            .set_update_expression(change)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let ask = with_placeholders!(ask, it);
        let answer = self.connection.sender.send(&calls::UPDATE_ITEM, || ask.clone().send()).await;
        let failed = match answer {
            Ok(_) => return Written::Applied { at: self.now() },
            Err(failed) => failed,
        };
        let lost = failed.failure.may_have_acted;
        match condition_failed(&failed) {
            Some(found) => {
                let found = found.map(|row| latch_of(table, &row));
                match found {
                    // An attempt of ours was carried out, and its answer was lost.
                    Some(Ok(found)) if lost && found == *latch => {
                        Written::Applied { at: self.now() }
                    }
                    found => Written::Refused {
                        expected: format!("epoch {expected_epoch}"),
                        found: match found {
                            Some(Ok(found)) => format!("epoch {}", found.epoch),
                            Some(Err(error)) => format!("a latch that is not understood: {error}"),
                            None => "no latch".to_owned(),
                        },
                    },
                }
            }
            None if lost => match self.read_latch().await {
                Reading::Known { value, .. } if value == *latch => {
                    Written::Applied { at: self.now() }
                }
                Reading::Known { value, .. } => Written::Unknown {
                    why: format!("{}; read again: epoch {}", failed.failure, value.epoch),
                },
                Reading::Gap(gap) => {
                    Written::Unknown { why: format!("{}; read again: {gap}", failed.failure) }
                }
            },
            None => failed.failure.written(&format!("table {}", table.name)),
        }
    }
}

/// A latch as attributes, so that engines of any make and people with the console read it.
fn attributes(latch: &Latch) -> serde_json::Result<Row> {
    let Value::Object(map) = serde_json::to_value(latch)? else { return Ok(Row::default()) };
    Ok(map.iter().map(|(name, json)| (name.clone(), attr::of_json(json))).collect())
}

fn latch_of(table: &Table, row: &Row) -> serde_json::Result<Latch> {
    let own = row.attributes().iter().filter(|(name, _)| **name != table.key);
    let map: Map<String, Value> =
        own.filter_map(|(name, attr)| Some((name.clone(), attr::to_json(attr)?))).collect();
    Latch::from_json(&Value::Object(map).to_string())
}
