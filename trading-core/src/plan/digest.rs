//! A plan's digest: what an approval binds.

use super::Step;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

/// SHA-256 over the canonical steps, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct PlanDigest(String);

impl PlanDigest {
    /// The digest as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// Whether a person named this digest: the whole, or its first twelve or more digits.
    pub fn is_named_by(&self, text: &str) -> bool {
        text.len() >= 12 && self.0.starts_with(&text.to_ascii_lowercase())
    }
    /// The first twelve digits: what a person copies.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}
impl fmt::Display for PlanDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The digest of steps: their acts with expected values and what they wait for, whatever
/// their order; no times, ages or explanations.
pub fn digest(steps: &[Step]) -> PlanDigest {
    let mut canonical: Vec<String> = steps
        .iter()
        .map(|step| {
            let mut after: Vec<_> = step.after.iter().chain(&step.needs).collect();
            after.sort();
            let text =
                serde_json::to_string(&(&step.id, &step.act, &step.restore, &step.awaits, after));
            // Every part is plain data with text keys: it always has a JSON form. Should
            // that ever change, the debug form still tells two plans apart.
            text.unwrap_or_else(|_| format!("{step:?}"))
        })
        .collect();
    canonical.sort();
    let mut hasher = Sha256::new();
    for line in canonical {
        hasher.update(line.as_bytes());
        hasher.update(b"\n");
    }
    PlanDigest(hex(&hasher.finalize()))
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
