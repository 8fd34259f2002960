//! From the SDK's errors to what ports answer: the only such place. Errors are told apart by
//! their codes, never by their texts.

use std::error::Error;
use std::fmt;
use std::io::ErrorKind;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;
use rustls::CertificateError;
use trading_core::model::{Gap, GapKind, Reading, Written};

use super::calls::Call;

/// What a call came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// We may not.
    Denied,
    /// Our credentials are not taken: run out, unknown, wrongly signed.
    Credentials,
    /// What was asked for does not exist.
    Absent,
    /// The condition did not hold.
    Condition,
    /// Too fast. Nothing was done.
    Throttled,
    /// The service failed; it may have done what was asked.
    Unavailable,
    /// No answer, or none that can be read; the service may have done what was asked.
    NoAnswer,
    /// Nobody was reached. Nothing was done.
    NotSent,
    /// Whoever answered has a certificate that is not taken. Nothing was sent.
    Untrusted,
    /// The service would not, for a reason of its own. Nothing was done.
    Rejected,
}

impl Kind {
    /// Whether the same call again can come to something else.
    pub(super) fn passes(self) -> bool {
        matches!(self, Self::Throttled | Self::Unavailable | Self::NoAnswer | Self::NotSent)
    }
    /// Whether the service may have done what was asked.
    pub(super) fn may_have_acted(self) -> bool {
        matches!(self, Self::Unavailable | Self::NoAnswer)
    }
}

/// A call that failed, and how.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) call: &'static Call,
    pub(super) kind: Kind,
    /// The service's code, or a word of ours where no service answered.
    pub(super) code: String,
    /// The service's or the connection's words.
    pub(super) message: String,
    pub(super) request_id: Option<String>,
    /// This or an earlier attempt may have been carried out.
    pub(super) may_have_acted: bool,
    /// Attempts that were made.
    pub(super) attempts: u32,
}

/// Shows service, operation, code and request id, and the permission that is missing.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.call.name(), self.code)?;
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        if self.kind == Kind::Denied && self.call.on.is_some() {
            write!(f, "; needs the permission {}", self.call.name())?;
        }
        if self.attempts > 1 {
            write!(f, " ({} attempts)", self.attempts)?;
        }
        match &self.request_id {
            Some(id) => write!(f, " (request id {id})"),
            None => Ok(()),
        }
    }
}

impl Failure {
    /// From an SDK's error.
    pub(super) fn of<E>(call: &'static Call, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let (kind, code, message) = match error {
            SdkError::ServiceError(answer) => {
                let meta = answer.err().meta();
                let code = meta.code().unwrap_or("no code").to_owned();
                let kind = of_code(&code, answer.raw().status().as_u16());
                (kind, code, meta.message().unwrap_or_default().to_owned())
            }
            SdkError::ResponseError(answer) => {
                let status = answer.raw().status().as_u16();
                (Kind::NoAnswer, format!("unreadable answer (HTTP {status})"), chain(error))
            }
            SdkError::TimeoutError(_) => (Kind::NoAnswer, "timeout".to_owned(), chain(error)),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => {
                (Kind::NoAnswer, "timeout".to_owned(), chain(error))
            }
            SdkError::DispatchFailure(_) if certificate_fault(error).is_some() => {
                let why = certificate_fault(error).unwrap_or_default();
                (Kind::Untrusted, "not trusted".to_owned(), why)
            }
            SdkError::DispatchFailure(_) if nobody_reached(error) => {
                (Kind::NotSent, "not reached".to_owned(), chain(error))
            }
            SdkError::DispatchFailure(_) => {
                (Kind::NoAnswer, "connection lost".to_owned(), chain(error))
            }
            // The request was never made: a value that cannot be sent, or no credentials.
            _ => (Kind::Credentials, "not signed".to_owned(), chain(error)),
        };
        // Some causes repeat what kind of error they are.
        let message = message.strip_prefix(&format!("{code}: ")).unwrap_or(&message).to_owned();
        Self {
            call,
            kind,
            code,
            message,
            request_id: error.request_id().map(str::to_owned),
            may_have_acted: kind.may_have_acted(),
            attempts: 1,
        }
    }

    /// The time for all attempts passed before this one could go out.
    pub(super) fn no_turn(call: &'static Call) -> Self {
        let message = "our own rate for it leaves no room before the time is up";
        Self { attempts: 0, ..Self::ours(call, Kind::Throttled, "no turn", message) }
    }

    /// It was not waited for, and is asked for again in the next look.
    pub(super) fn late(call: &'static Call) -> Self {
        let message = "what else there is does not wait for it; the next look asks again";
        Self::ours(call, Kind::NoAnswer, "no answer yet", message)
    }

    /// Says what it is that does not exist: AWS does not always.
    pub(super) fn about(mut self, what: &str, name: &str, region: &str) -> Self {
        if self.kind == Kind::Absent {
            self.message = format!("no {what} {name} in {region}: {}", self.message);
        }
        self
    }

    /// A question that ended without having been answered.
    pub(super) fn ended(call: &'static Call, error: &dyn fmt::Display) -> Self {
        Self::ours(call, Kind::NoAnswer, "ended", &error.to_string())
    }

    /// What no error of the SDK says.
    pub(super) fn ours(call: &'static Call, kind: Kind, code: &str, message: &str) -> Self {
        Self {
            call,
            kind,
            code: code.to_owned(),
            message: message.to_owned(),
            request_id: None,
            may_have_acted: false,
            attempts: 1,
        }
    }

    /// As a read answers it.
    pub(super) fn reading<T>(&self, source: &str) -> Reading<T> {
        Reading::Gap(self.gap(source))
    }

    /// The same, beside what else was read.
    pub(super) fn gap(&self, source: &str) -> Gap {
        let kind = match self.kind {
            Kind::Denied | Kind::Credentials => GapKind::Denied,
            Kind::Absent => GapKind::Absent,
            Kind::Condition
            | Kind::Throttled
            | Kind::Unavailable
            | Kind::NoAnswer
            | Kind::NotSent
            | Kind::Untrusted
            | Kind::Rejected => GapKind::Unreachable,
        };
        Gap { kind, source: source.to_owned(), why: self.to_string() }
    }

    /// As a write answers it. `expected` is what the write was conditional on.
    pub(super) fn written(&self, expected: &str) -> Written {
        let why = self.to_string();
        if self.may_have_acted {
            return Written::Unknown { why };
        }
        match self.kind {
            Kind::Denied | Kind::Credentials => Written::Denied { why },
            Kind::Absent | Kind::Condition | Kind::Rejected => {
                Written::Refused { expected: expected.to_owned(), found: why }
            }
            Kind::Throttled | Kind::NotSent | Kind::Untrusted => Written::Unreachable { why },
            // A look before the write: nothing was sent that could have changed anything.
            _ if !self.call.mutates => Written::Unreachable { why },
            Kind::Unavailable | Kind::NoAnswer => Written::Unknown { why },
        }
    }
}

/// What a service's code means.
fn of_code(code: &str, status: u16) -> Kind {
    match code {
        "AccessDenied"
        | "AccessDeniedException"
        | "AuthorizationError"
        | "AuthorizationErrorException"
        | "NotAuthorized"
        | "UnauthorizedOperation" => Kind::Denied,
        "ExpiredToken"
        | "ExpiredTokenException"
        | "IncompleteSignature"
        | "InvalidAccessKeyId"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "RequestExpired"
        | "RequestTimeTooSkewed"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException" => Kind::Credentials,
        "ClusterNotFoundException"
        | "NotFound"
        | "NotFoundException"
        | "ObjectNotFoundException"
        | "ResourceNotFoundException"
        | "ServiceNotFoundException"
        | "TableNotFoundException" => Kind::Absent,
        "ConcurrentModificationException"
        | "ConcurrentUpdateException"
        | "ConditionalCheckFailedException"
        | "ConflictException" => Kind::Condition,
        "BandwidthLimitExceeded"
        | "KMSThrottling"
        | "ProvisionedThroughputExceededException"
        | "RequestLimitExceeded"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "SlowDown"
        | "Throttled"
        | "ThrottledException"
        | "Throttling"
        | "ThrottlingException"
        | "TooManyRequestsException" => Kind::Throttled,
        _ if status == 429 => Kind::Throttled,
        _ if status >= 500 => Kind::Unavailable,
        _ => Kind::Rejected,
    }
}

/// Whether no byte of the request can have gone out: there was no connection.
fn nobody_reached(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref::<std::io::Error>()
            && matches!(
                io.kind(),
                ErrorKind::ConnectionRefused
                    | ErrorKind::HostUnreachable
                    | ErrorKind::NetworkUnreachable
            )
        {
            return true;
        }
        next = error.source();
    }
    false
}

/// Why a certificate was not taken, if that is what it was, and what helps.
fn certificate_fault(error: &(dyn Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found @ rustls::Error::InvalidCertificate(why)) = error.downcast_ref() {
            return Some(match why {
                CertificateError::UnknownIssuer => format!(
                    "{found}; where a proxy or an endpoint of your own signs, AWS_CA_BUNDLE has to \
                     name a file with its authority's certificate"
                ),
                _ => found.to_string(),
            });
        }
        // What such an error wraps is passed over by its `source`.
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = match wrapped {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    None
}

/// What went wrong, down to the cause: each error of the chain in its own words, once.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    causes(error).join(": ")
}

/// The same, one by one.
pub(super) fn causes(error: &(dyn Error + 'static)) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut next = error.source();
    while let Some(error) = next {
        let text = error.to_string();
        if words.last().is_none_or(|last| !last.contains(&text)) {
            words.push(text);
        }
        next = error.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::aws::calls;
    use aws_sdk_ecs::operation::list_services::ListServicesError;
    use aws_smithy_runtime_api::client::result::ConnectorError;

    #[test]
    fn what_kind_of_error_it_is_is_said_once() {
        let said = |why: &str| {
            let error = SdkError::<ListServicesError, HttpResponse>::timeout_error(why.to_owned());
            Failure::of(&calls::LIST_SERVICES, &error).to_string()
        };
        assert_eq!(said("timeout: no bytes"), "ecs:ListServices: timeout: no bytes");
        assert_eq!(said("no bytes"), "ecs:ListServices: timeout: no bytes");
    }
    #[test]
    fn a_certificate_that_is_not_taken_says_what_helps_and_is_not_asked_for_again() {
        let failed = |why: CertificateError| {
            let why = rustls::Error::InvalidCertificate(why);
            // As it comes: wrapped by the one who shakes hands, and by the one who connects.
            let why = std::io::Error::other(std::io::Error::new(ErrorKind::InvalidData, why));
            let error = ConnectorError::other(why.into(), None);
            let error = SdkError::<ListServicesError, HttpResponse>::dispatch_failure(error);
            Failure::of(&calls::LIST_SERVICES, &error)
        };
        let unknown = failed(CertificateError::UnknownIssuer);
        assert!(unknown.to_string().contains("AWS_CA_BUNDLE"), "{unknown}");
        assert!(!unknown.kind.passes() && !unknown.may_have_acted);
        let expired = failed(CertificateError::Expired);
        assert_eq!(expired.kind, Kind::Untrusted);
        assert!(!expired.to_string().contains("AWS_CA_BUNDLE"), "{expired}");
    }
}
