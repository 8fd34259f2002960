//! What a person reads before consenting to a stop, and what is typed to ask for it again.

use super::{Request, Site};
use crate::model::{Hold, Level, Scope};

impl Request {
    /// The command that asks for this stop again: nothing wider, and nothing less.
    pub fn command(&self, environment: &str) -> String {
        typed(environment, &self.level, &self.scope, &self.flags())
    }

    /// What a person reads before consenting.
    pub fn summary(&self, site: &Site) -> Vec<String> {
        let flags: String = self.flags().iter().map(|flag| format!(", {flag}")).collect();
        let Self { level, scope, .. } = self;
        let mut lines = vec![format!(
            "emergency stop of {} at {}: level {level}, scope {scope}{flags}",
            site.environment, site.endpoint
        )];
        let lowers = level.halts() && !self.keep_compute;
        if lowers && matches!(scope, Scope::All | Scope::Service(_)) {
            lines.push(
                "services go to 0: this also ends whatever manages exits; open positions keep \
                 only what rests at the venue (--keep-compute leaves services running)"
                    .to_owned(),
            );
        }
        if self.flatten && !site.capabilities.venues.is_empty() {
            lines.push("positions are closed at the market, reduce-only".to_owned());
        }
        lines.extend(self.limits(site));
        let in_vain = self.in_vain(site).into_iter();
        lines.extend(in_vain.map(|(what, why)| format!("NOT COVERED: {what}: {why}")));
        lines
    }

    /// What is asked for and this system has no means for: what it is about, and why.
    pub(super) fn in_vain(&self, site: &Site) -> Vec<(&'static str, &'static str)> {
        let no_venue = site.capabilities.venues.is_empty();
        let cases = [
            (
                self.flatten && no_venue,
                "positions",
                "no venue is configured, --flatten closes nothing: what is open stays open",
            ),
            (
                self.cancel_protective && no_venue,
                "protective orders",
                "no venue is configured, --cancel-protective takes nothing back",
            ),
        ];
        let met = cases.into_iter().filter(|(met, ..)| *met);
        met.map(|(_, what, why)| (what, why)).collect()
    }
}

impl Hold {
    /// The command that continues the stop behind this hold. With which flags it was given
    /// does not stand in the latch.
    pub(crate) fn command(&self, environment: &str) -> String {
        typed(environment, &self.level, &self.scope, &[])
    }
}

/// What is left out is what the command line takes for granted, and so are words of a newer
/// version: they count as a halt of everything.
fn typed(environment: &str, level: &Level, scope: &Scope, flags: &[String]) -> String {
    let mut line = format!("tradectl emergency-stop --env {environment}");
    if !level.halts() {
        line.push_str(&format!(" --level {level}"));
    }
    match scope {
        Scope::All | Scope::Unrecognized(_) => {}
        Scope::Strategy(_) | Scope::Service(_) | Scope::Venue(_) => {
            line.push_str(&format!(" --scope {scope}"));
        }
    }
    for flag in flags {
        line.push_str(&format!(" {flag}"));
    }
    line
}
