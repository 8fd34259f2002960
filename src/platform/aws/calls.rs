//! Every call that we make, with the permission that it needs. A call that does not stand
//! here cannot be sent.

use trading_core::model::Rate;

/// A call.
#[derive(Debug)]
pub(super) struct Call {
    /// The service, as the wire and IAM name it.
    pub(super) service: &'static str,
    /// The operation.
    pub(super) operation: &'static str,
    /// The permission; `None`: needs none.
    pub(super) action: Option<&'static str>,
    /// It changes something.
    pub(super) mutates: bool,
    /// The bucket that it draws from, where a rate is documented.
    pub(super) bucket: Option<(&'static str, Rate)>,
}

impl Call {
    /// `dynamodb:Scan`.
    pub(super) fn name(&self) -> String {
        format!("{}:{}", self.service, self.operation)
    }
}

const READ: Call = Call { service: "", operation: "", action: None, mutates: false, bucket: None };

pub(super) static GET_CALLER_IDENTITY: Call =
    Call { service: "sts", operation: "GetCallerIdentity", ..READ };
pub(super) static SCAN: Call =
    Call { service: "dynamodb", operation: "Scan", action: Some("dynamodb:Scan"), ..READ };
pub(super) static GET_ITEM: Call =
    Call { service: "dynamodb", operation: "GetItem", action: Some("dynamodb:GetItem"), ..READ };
pub(super) static UPDATE_ITEM: Call = Call {
    service: "dynamodb",
    operation: "UpdateItem",
    action: Some("dynamodb:UpdateItem"),
    mutates: true,
    ..READ
};
pub(super) static PUT_ITEM: Call = Call {
    service: "dynamodb",
    operation: "PutItem",
    action: Some("dynamodb:PutItem"),
    mutates: true,
    ..READ
};
