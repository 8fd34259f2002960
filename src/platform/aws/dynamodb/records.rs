//! Restore records: an item per chunk, written once.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use trading_core::model::{Reading, RestoreChunk, Row, StopId, Written};

use super::rows::Which;
use super::{Store, attr, no_table, no_table_to_write};
use crate::platform::aws::calls;
use crate::platform::aws::errors::Kind;
use crate::platform::aws::hurry::{PATIENCE, within};

const WHAT: &str = "restore records";
/// The chunk itself, as JSON: to the letter, whatever a table does to numbers.
const DOCUMENT: &str = "document";

/// What an item has whose chunk is loose, so that these few are found without the others.
const LOOSE: &str = "loose";

/// What the keys of all chunks begin with.
fn all() -> String {
    format!("{}restore__/", super::OURS)
}

/// What the keys of a stop's chunks begin with.
fn prefix(stop_id: &StopId) -> String {
    format!("{}{stop_id}/", all())
}

impl Store {
    pub(super) async fn read_chunks(&self, stop_id: &StopId) -> Reading<Vec<RestoreChunk>> {
        let of_stop = self.chunks(Which::Beginning(&prefix(stop_id))).await;
        of_stop.map(|mut chunks| {
            chunks.retain(|chunk| chunk.stop_id == *stop_id);
            chunks
        })
    }

    pub(super) async fn read_loose_chunks(&self) -> Reading<Vec<RestoreChunk>> {
        self.chunks(Which::BeginningWith(&all(), LOOSE)).await
    }

    async fn chunks(&self, which: Which<'_>) -> Reading<Vec<RestoreChunk>> {
        let Some(table) = &self.tables.records else { return no_table(WHAT) };
        let rows = match self.scan(table, which).await {
            Ok(rows) => rows,
            Err(failure) => return failure.reading(WHAT),
        };
        let mut chunks = Vec::with_capacity(rows.len());
        for row in &rows {
            match chunk_of(row) {
                Ok(chunk) => chunks.push(chunk),
                Err(why) => {
                    let key = table.id(row).unwrap_or("an item without a key");
                    return Reading::unparsed(WHAT, format!("{key}: {why}"));
                }
            }
        }
        chunks.sort_by(|one, two| {
            let order = |it: &RestoreChunk| (it.at, it.run_id.clone(), it.chunk);
            order(one).cmp(&order(two))
        });
        Reading::known(chunks, WHAT, self.now())
    }

    /// In a stop everything waits for it that is not written yet, and the journal takes it too:
    /// where the table is silent, it is not waited for long.
    pub(super) async fn put_chunk(&self, chunk: &RestoreChunk) -> Written {
        let (put, sender) = (self.put_patiently(chunk), &self.connection.sender);
        if !sender.is_urgent() || !sender.is_silent(&calls::PUT_ITEM) {
            return put.await;
        }
        let why = || format!("no answer within {PATIENCE:?}, nor to anything before");
        within(Some(PATIENCE), put).await.unwrap_or_else(|| Written::Unknown { why: why() })
    }

    async fn put_patiently(&self, chunk: &RestoreChunk) -> Written {
        let Some(table) = &self.tables.records else { return no_table_to_write(WHAT) };
        let text = match serde_json::to_string(chunk) {
            Ok(text) => text,
            Err(error) => {
                return Written::Refused {
                    expected: "a chunk that can be written".to_owned(),
                    found: error.to_string(),
                };
            }
        };
        let id = format!("{}{}/{:06}", prefix(&chunk.stop_id), chunk.run_id, chunk.chunk);
        let (key, value) = table.key(&id);
        let ask = self
            .client
            .put_item()
            .table_name(&table.name)
            .item(key, value)
            .item(DOCUMENT, AttributeValue::S(text))
            .item("stop_id", AttributeValue::S(chunk.stop_id.to_string()))
            .item("written_at", AttributeValue::S(chunk.at.to_string()))
            .condition_expression("attribute_not_exists(#key)")
            .expression_attribute_names("#key", &table.key)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let ask = match chunk.is_loose() {
            true => ask.item(LOOSE, AttributeValue::Bool(true)),
            false => ask,
        };
        let answer = self.connection.sender.send(&calls::PUT_ITEM, || ask.clone().send()).await;
        let failed = match answer {
            Ok(_) => return Written::Applied { at: self.now() },
            Err(failed) => failed,
        };
        let lost = failed.failure.may_have_acted;
        let found = match &failed.error {
            Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                failed.item().map(attr::row)
            }
            _ if failed.failure.kind == Kind::Condition || lost => {
                match self.item(table, &id).await {
                    Ok(found) => found,
                    Err(failure) => {
                        let why = format!("{}; read again: {failure}", failed.failure);
                        return Written::Unknown { why };
                    }
                }
            }
            _ => return failed.failure.written(&format!("table {}", table.name)),
        };
        match found.as_ref().map(chunk_of) {
            Some(Ok(found)) if found == *chunk && lost => Written::Applied { at: self.now() },
            Some(Ok(found)) if found == *chunk => Written::Already,
            Some(_) => Written::Refused {
                expected: format!("no item `{id}`"),
                found: "another chunk".to_owned(),
            },
            None => Written::Unknown {
                why: format!("{}; read again: it does not stand there yet", failed.failure),
            },
        }
    }
}

fn chunk_of(row: &Row) -> Result<RestoreChunk, String> {
    let text = row.text(DOCUMENT).map_err(|error| error.to_string())?;
    serde_json::from_str(text).map_err(|error| error.to_string())
}
