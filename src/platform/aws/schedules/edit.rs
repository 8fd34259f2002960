//! A schedule is switched without loss. Its API replaces: what an update leaves out goes back
//! to its default. So the document that was answered goes back as it came, with the one word
//! changed, fields that this build has never heard of included, and afterwards all of it is
//! compared.

use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use serde_json::{Map, Value};
use trading_core::model::{ScheduleId, Written};

use super::{Schedules, Switch, group_and_name};
use crate::platform::aws::calls;
use crate::platform::aws::change::Change;
use crate::platform::aws::errors::{Failure, Kind};
use crate::platform::aws::send::Turn;

const STATE: &str = "State";
/// What an answer says of itself, and an update does not take.
const OF_THE_ANSWER: [&str; 4] = ["Arn", "CreationDate", "LastModificationDate", "Name"];

type Document = Map<String, Value>;

impl Schedules {
    pub(super) async fn switch_schedule(&self, id: &ScheduleId, wanted: bool) -> Written {
        let change = Change {
            what: format!("schedule {id}"),
            expected: Switch::clean(!wanted),
            wanted: Switch::clean(wanted),
        };
        // What was answered last, and what was sent last.
        let (seen, sent) = (Mutex::new(None), Mutex::new(None));
        let look = || async {
            let Some(found) = self.document(id).await? else { return Ok(None) };
            let enabled = match found.get(STATE).and_then(Value::as_str) {
                Some("ENABLED") => true,
                Some("DISABLED") => false,
                other => return Err(odd(&format!("{STATE} is {other:?}"))),
            };
            let changed = locked(&sent).as_ref().map(|sent| differences(sent, &found));
            *locked(&seen) = Some(found);
            Ok(Some(Switch { enabled, changed: changed.unwrap_or_default() }))
        };
        let write = |turn| async {
            let document = locked(&seen).clone();
            let Some(mut document) = document else { return Err(odd("nothing was read")) };
            document.insert(STATE.to_owned(), if wanted { "ENABLED" } else { "DISABLED" }.into());
            *locked(&sent) = Some(document.clone());
            self.replace(turn, id, &document).await.map(|()| None)
        };
        let turn = || self.connection.sender.turn(&calls::UPDATE_SCHEDULE);
        change.make(|| self.now(), turn, look, write).await
    }

    /// The whole of what can be set of a schedule, as the service words it.
    async fn document(&self, id: &ScheduleId) -> Result<Option<Document>, Failure> {
        let (group, name) = group_and_name(id);
        let ask = self.scheduler.get_schedule().group_name(group).name(name);
        let body = Body::default();
        let sender = &self.connection.sender;
        let answer = sender.send(&calls::GET_SCHEDULE, || {
            ask.clone().customize().interceptor(body.clone()).send()
        });
        match answer.await {
            Ok(_) => {}
            Err(failed) if failed.failure.kind == Kind::Absent => return Ok(None),
            Err(failed) => return Err(failed.failure),
        }
        let text = locked(&body.0).take().unwrap_or_default();
        let mut document: Document =
            serde_json::from_slice(&text).map_err(|error| odd(&error.to_string()))?;
        document.retain(|key, value| !OF_THE_ANSWER.contains(&key.as_str()) && !value.is_null());
        Ok(Some(document))
    }

    async fn replace(
        &self,
        turn: Turn,
        id: &ScheduleId,
        document: &Document,
    ) -> Result<(), Failure> {
        let (_, name) = group_and_name(id);
        let body = serde_json::to_vec(document).map_err(|error| odd(&error.to_string()))?;
        let put = self.scheduler.update_schedule().name(name);
        let sender = &self.connection.sender;
        let answer = sender.send_unconditional(turn, || {
            let body = body.clone();
            let put = put.clone().customize().mutate_request(move |request| {
                request.headers_mut().insert("content-length", body.len().to_string());
                *request.body_mut() = SdkBody::from(body.clone());
            });
            put.send()
        });
        answer.await.map(|_| ()).map_err(|failed| failed.failure)
    }
}

fn locked<T>(it: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}

fn odd(why: &str) -> Failure {
    Failure::ours(&calls::GET_SCHEDULE, Kind::Rejected, "not understood", why)
}

/// Keeps the body of an answer as it came.
#[derive(Clone, Debug, Default)]
struct Body(Arc<Mutex<Option<Vec<u8>>>>);

impl Intercept for Body {
    fn name(&self) -> &'static str {
        "Body"
    }
    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        *locked(&self.0) = context.response().body().bytes().map(<[u8]>::to_vec);
        Ok(())
    }
}

/// Where two documents differ, apart from the switch: the fields' paths.
fn differences(sent: &Document, found: &Document) -> Vec<String> {
    let mut paths = Vec::new();
    differ_in("", sent, found, &mut paths);
    paths.retain(|path| path != STATE);
    paths
}

fn differ_in(above: &str, sent: &Document, found: &Document, paths: &mut Vec<String>) {
    let more = found.keys().filter(|key| !sent.contains_key(*key));
    for key in sent.keys().chain(more) {
        let path = if above.is_empty() { key.clone() } else { format!("{above}.{key}") };
        match (sent.get(key), found.get(key)) {
            (Some(Value::Object(sent)), Some(Value::Object(found))) => {
                differ_in(&path, sent, found, paths);
            }
            (one, two) if one == two => {}
            _ => paths.push(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Document, differences};

    fn document(text: &str) -> Document {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn every_field_is_compared_and_named_by_its_path() {
        let sent = document(
            r#"{"State": "DISABLED", "StartDate": 1.5, "Later": [1, {"Unheard": true}],
                "Target": {"Arn": "a", "Input": "{}", "Ecs": {"Count": 1}}}"#,
        );
        assert!(differences(&sent, &sent).is_empty());
        let switched = document(
            r#"{"State": "ENABLED", "StartDate": 1.5, "Later": [1, {"Unheard": true}],
                "Target": {"Arn": "a", "Input": "{}", "Ecs": {"Count": 1}}}"#,
        );
        assert!(differences(&sent, &switched).is_empty(), "the switch is compared elsewhere");
        let other = document(
            r#"{"State": "DISABLED", "StartDate": 1.5, "Later": [1, {"Unheard": false}],
                "Target": {"Arn": "a", "Ecs": {"Count": 2, "Group": "g"}}}"#,
        );
        let paths = ["Later", "Target.Ecs.Count", "Target.Ecs.Group", "Target.Input"];
        assert_eq!(differences(&sent, &other), paths);
    }
}
