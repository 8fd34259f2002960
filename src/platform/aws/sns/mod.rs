//! Notices to people: a topic of SNS, and the web address if one is configured.

mod message;
mod topic;

use std::sync::Arc;

use aws_sdk_sns::Client;
use aws_sdk_sns::types::MessageAttributeValue;
use aws_types::region::Region;
use message::Message;
use topic::{Address, Topic};
use trading_core::model::{Reading, Written};

use super::calls::{GET_TOPIC_ATTRIBUTES, PUBLISH};
use super::connect::Connection;
use crate::platform::webhook::Hook;
use crate::platform::{Account, Fut, Notice, Notify};
use crate::settings::{Environment, PlatformKind};

/// Under this name a message carries its id, for subscribers that see it twice.
const MESSAGE_ID: &str = "message_id";
/// Under this name a topic says how many listen.
const CONFIRMED: &str = "SubscriptionsConfirmed";
/// What is in order with one another at a topic that keeps the order.
const GROUP: &str = "tradectl";

/// Where notices of one environment go.
pub(super) struct Sns {
    connection: Arc<Connection>,
    account: Arc<dyn Account>,
    /// The setting; `None`: there is none.
    topic: Option<String>,
    region: String,
    /// Whose the environment is by the settings: every other account was refused before.
    expected_account: Option<String>,
    hook: Hook,
}

impl Sns {
    pub(super) fn new(
        connection: &Arc<Connection>,
        account: Arc<dyn Account>,
        environment: &Environment,
        hook: Hook,
    ) -> Self {
        let (region, expected_account) = match &environment.platform {
            PlatformKind::Aws { region, account, .. } => (region.clone(), account.clone()),
            PlatformKind::Local { .. } => (String::new(), None),
        };
        Self {
            connection: Arc::clone(connection),
            account,
            topic: environment.names.get("alerts_topic").cloned(),
            region,
            expected_account,
            hook,
        }
    }

    async fn tell(&self, notice: &Notice) -> Written {
        let (told, posted) = tokio::join!(self.to_topic(notice), self.hook.send(notice));
        match (told, posted) {
            (None, None) => Written::Refused {
                expected: "somebody to tell".to_owned(),
                found: "the settings name neither alerts_topic nor a webhook".to_owned(),
            },
            (None, Some(Ok(()))) => Written::Applied { at: self.connection.sender.now() },
            (None, Some(Err(why))) => Written::Unreachable { why },
            (Some(told), None) => told,
            (Some(told), Some(Ok(()))) if told.stands() => told,
            (Some(told), Some(Ok(()))) => beside(told, "the webhook took it"),
            // Sent again it is the same message, so one of the two is not enough.
            (Some(told), Some(Err(why))) if told.stands() => {
                Written::Unreachable { why: format!("{why}; the topic took it") }
            }
            (Some(told), Some(Err(why))) => beside(told, &why),
        }
    }

    /// Publishes to the topic; `None`: the settings name none. An attempt whose answer was lost
    /// is made again: the message says by its id that it is the same.
    async fn to_topic(&self, notice: &Notice) -> Option<Written> {
        let setting = self.topic.as_deref()?;
        let address = match self.address(setting).await {
            Ok(address) => address,
            Err(written) => return Some(written),
        };
        let message = Message::of(notice);
        let id = MessageAttributeValue::builder()
            .data_type("String")
            .string_value(&notice.message_id)
            .build();
        let Ok(id) = id else {
            return Some(Written::Refused {
                expected: "a message's id that can be sent".to_owned(),
                found: notice.message_id.clone(),
            });
        };
        let ask = self
            .client(&address)
            .publish()
            .topic_arn(&address.arn)
            .subject(message.subject)
            .message(message.body)
            .message_attributes(MESSAGE_ID, id);
        let ask = if address.is_fifo() {
            ask.message_group_id(GROUP).message_deduplication_id(&notice.message_id)
        } else {
            ask
        };
        let sender = &self.connection.sender;
        Some(match sender.send(&PUBLISH, || ask.clone().send()).await {
            Ok(_) => Written::Applied { at: sender.now() },
            Err(failed) => failed.failure.written(&format!("topic {setting}")),
        })
    }

    /// How many have subscribed to the topic and confirmed it.
    async fn count_listeners(&self) -> Reading<u32> {
        let Some(setting) = self.topic.as_deref() else {
            return Reading::absent("topic", "the settings name no alerts_topic");
        };
        let source = format!("topic {setting}");
        let address = match self.address(setting).await {
            Ok(address) => address,
            Err(Written::Unreachable { why }) => return Reading::unreachable(source, why),
            Err(other) => return Reading::unparsed(source, format!("{other:?}")),
        };
        let ask = self.client(&address).get_topic_attributes().topic_arn(&address.arn);
        let sender = &self.connection.sender;
        let answer = match sender.send(&GET_TOPIC_ATTRIBUTES, || ask.clone().send()).await {
            Ok(answer) => answer.value,
            Err(failed) => return failed.failure.reading(&source),
        };
        let confirmed = answer.attributes().and_then(|all| all.get(CONFIRMED));
        match confirmed.and_then(|count| count.parse().ok()) {
            Some(count) => Reading::known(count, source, sender.now()),
            None => Reading::unparsed(source, format!("its {CONFIRMED} is no number")),
        }
    }

    /// A client in the region of a topic.
    fn client(&self, address: &Address) -> Client {
        let config = self.connection.config("SNS").to_builder();
        Client::new(&config.region(Region::new(address.region.clone())).build())
    }

    /// Where the topic is. Nobody is asked where the settings say it.
    async fn address(&self, setting: &str) -> Result<Address, Written> {
        let name = match Topic::of(setting) {
            Ok(Topic::At(address)) => return Ok(address),
            Ok(Topic::Named(name)) => name,
            Err(expected) => {
                let found = format!("alerts_topic is `{setting}`");
                return Err(Written::Refused { expected, found });
            }
        };
        if let Some(account) = &self.expected_account {
            return Ok(topic::address(&name, &self.region, account));
        }
        // A message that nobody has sent must not end as one of which nothing is known.
        let wait = self.connection.sender.timeout / 2;
        let why = match tokio::time::timeout(wait, self.account.id(false)).await {
            Ok(reading) => match reading.into_result() {
                Ok(account) => return Ok(topic::address(&name, &self.region, &account)),
                Err(gap) => gap.to_string(),
            },
            Err(_) => format!("account: no answer within {wait:?}"),
        };
        Err(Written::Unreachable {
            why: format!(
                "nothing was sent to topic {name}: its address holds the account, and that is \
                 not known ({why}); the setting account, or an ARN in alerts_topic, would tell it"
            ),
        })
    }
}

/// The same answer, with what came of the other way of telling.
fn beside(written: Written, what: &str) -> Written {
    let and = |why: String| format!("{why}; {what}");
    match written {
        Written::Refused { expected, found } => Written::Refused { expected, found: and(found) },
        Written::Denied { why } => Written::Denied { why: and(why) },
        Written::Unreachable { why } => Written::Unreachable { why: and(why) },
        Written::Unknown { why } => Written::Unknown { why: and(why) },
        stands @ (Written::Applied { .. } | Written::Already) => stands,
    }
}

impl Notify for Sns {
    fn publish<'a>(&'a self, notice: &'a Notice) -> Fut<'a, Written> {
        Box::pin(self.tell(notice))
    }
    fn listeners(&self) -> Fut<'_, Reading<u32>> {
        Box::pin(self.count_listeners())
    }
}
