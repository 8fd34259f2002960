//! `tradectl iam-policy`: the least that must be allowed.

use serde::Serialize;
use trading_core::report::{Block, Exit, Report};

use super::Session;
use crate::error::Fault;
use crate::platform::Holder;
use crate::settings::{Access, Environment};

const COMMAND: &str = "iam-policy";

/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// For whom.
    #[command(flatten)]
    holder: HolderArgs,
}

/// For whom; without any: an operator.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
struct HolderArgs {
    /// For commands that only read.
    #[arg(long)]
    readonly: bool,
    /// For every command (the default).
    #[arg(long)]
    operator: bool,
    /// For an emergency stop and nothing else.
    #[arg(long)]
    emergency_stop: bool,
}

/// The command's part of the JSON document.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Data {
    environment: String,
    /// `readonly`, `operator` or `emergency-stop`.
    holder: &'static str,
    /// The policy, in IAM's words.
    policy: serde_json::Value,
}

impl HolderArgs {
    fn holder(&self) -> Holder {
        match (self.readonly, self.emergency_stop) {
            (true, _) => Holder::Reader,
            (_, true) => Holder::EmergencyStop,
            // Said or not.
            _ => Holder::Operator,
        }
    }
}

fn word(holder: Holder) -> &'static str {
    match holder {
        Holder::Reader => "readonly",
        Holder::EmergencyStop => "emergency-stop",
        Holder::Operator => "operator",
    }
}

/// Runs the command. What it writes is the policy and nothing else, fit for a file.
pub(super) fn run(session: &Session<'_>, arguments: &Arguments) -> Result<Report, Fault> {
    // Not by way of the session: no header stands above a document for another tool.
    let environment = session.settings()?.environment(Access::Read)?;
    let holder = arguments.holder.holder();
    let Some(text) = environment.permissions(holder)? else {
        return Err(not_on_aws(&environment));
    };
    let policy = serde_json::from_str(&text)
        .map_err(|error| Fault::new(Exit::Bug, "iam_policy", error.to_string()))?;
    let mut report = Report::new(COMMAND, "written", Exit::Ok);
    report.body.push(Block::Verbatim(text));
    let data = Data { environment: environment.name, holder: word(holder), policy };
    report.data = serde_json::to_value(data).unwrap_or_default();
    Ok(report)
}

fn not_on_aws(environment: &Environment) -> Fault {
    let message =
        format!("environment {} is not on AWS: it needs no permissions", environment.name);
    Fault::new(Exit::Usage, "iam_policy.local", message)
        .hint("name one that is: tradectl iam-policy --env tradai-dev")
}

/// The shape of `data` in the JSON document.
#[cfg(feature = "schema")]
pub(super) fn data_schema() -> schemars::Schema {
    trading_core::report::schema_of::<Data>()
}
