//! Which fault befalls which request. The words are those of `python/sandbox/proxy/rules.py`,
//! which refuses one that it does not know.

use serde::Serialize;
use serde_json::{Map, Value, json};

/// A rule: which requests, how often, and what happens to them. The first rule that matches and
/// is not used up wins.
///
/// ```text
/// Rule::on("dynamodb", "UpdateItem").after(3).times(1).committed().reset()
/// Rule::all().probability(0.3, 7).throttled()
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Rule(Map<String, Value>);

impl Rule {
    /// Every request.
    pub fn all() -> Self {
        Self::default()
    }

    /// A service's requests for an operation; both are regular expressions that match the whole
    /// name, so `Get.*|Query` is possible.
    pub fn on(service: &str, operation: &str) -> Self {
        Self::default().with("service", json!(service)).with("operation", json!(operation))
    }

    /// Every request to a service.
    pub fn service(service: &str) -> Self {
        Self::default().with("service", json!(service))
    }

    /// Only requests to a REST service for a path that this regular expression matches whole.
    pub fn path(self, path: &str) -> Self {
        self.with("path", json!(path))
    }

    /// Only requests that may change something.
    pub fn mutations(self) -> Self {
        self.with("mutates", json!(true))
    }

    /// Lets so many matching requests through first.
    pub fn after(self, requests: u32) -> Self {
        self.with("after", json!(requests))
    }

    /// Is used up after so many.
    pub fn times(self, requests: u32) -> Self {
        self.with("times", json!(requests))
    }

    /// Happens to this part of them (0 to 1); the same seed draws the same.
    pub fn probability(self, part: f64, seed: u32) -> Self {
        self.with("probability", json!(part)).with("seed", json!(seed))
    }

    /// Waits first, for as long as the rules are not replaced: what others do until then comes
    /// before it for certain.
    pub fn held(self) -> Self {
        self.with("held", json!(true))
    }

    /// The server does it; then comes the fault.
    pub fn committed(self) -> Self {
        self.with("commit", json!(true))
    }

    /// No answer, as long as the client waits.
    pub fn hang(self) -> Self {
        self.with("hang", json!(true))
    }

    /// The connection is reset.
    pub fn reset(self) -> Self {
        self.with("reset", json!(true))
    }

    /// Refused for its rate.
    pub fn throttled(self) -> Self {
        self.with("throttled", json!(true))
    }

    /// Refused for want of permission; the message names the action.
    pub fn denied(self) -> Self {
        self.with("denied", json!(true))
    }

    /// Refused because the token has expired.
    pub fn expired(self) -> Self {
        self.with("expired", json!(true))
    }

    /// 503.
    pub fn unavailable(self) -> Self {
        self.with("unavailable", json!(true))
    }

    /// Any other error.
    pub fn error(self, status: u16, code: &str, message: &str) -> Self {
        self.with("error", json!({ "status": status, "code": code, "message": message }))
    }

    /// An answer of one's own.
    pub fn answer(self, status: u16, content_type: &str, body: &str) -> Self {
        let answer = json!({ "status": status, "content_type": content_type, "body": body });
        self.with("answer", answer)
    }

    /// STS says that the caller is somebody else's account.
    pub fn caller_is(account: &str) -> Self {
        let body = format!(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
             <GetCallerIdentityResult><Arn>arn:aws:iam::{account}:user/operator</Arn>\
             <UserId>AIDATEST</UserId><Account>{account}</Account></GetCallerIdentityResult>\
             <ResponseMetadata><RequestId>made-up</RequestId></ResponseMetadata>\
             </GetCallerIdentityResponse>"
        );
        Self::on("sts", "GetCallerIdentity").answer(200, "text/xml", &body)
    }

    /// The server's answer ends after so many bytes of its body.
    pub fn truncate(self, bytes: u32) -> Self {
        self.with("truncate", json!(bytes))
    }

    /// The server's answer comes 64 bytes at a time, so many seconds apart.
    pub fn drip_s(self, seconds: f64) -> Self {
        self.with("drip_s", json!(seconds))
    }

    /// The answer's Date is so much later (or earlier).
    pub fn date_skew_s(self, seconds: f64) -> Self {
        self.with("date_skew_s", json!(seconds))
    }

    fn with(mut self, part: &str, value: Value) -> Self {
        self.0.insert(part.to_owned(), value);
        self
    }
}
