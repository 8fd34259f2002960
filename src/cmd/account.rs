//! Whether the account that answers is the one that is expected, the same way for every
//! command: reads go on without an answer and say so, changes do not, a stop does, loudly.

use std::time::Duration;

use jiff::SignedDuration;
use trading_core::model::{GapKind, Reading};
use trading_core::ops::heartbeat::SKEW_MS;
use trading_core::report::{Block, Cell, Exit, Finding, Report, Severity, Tone};

use super::Session;
use crate::error::Fault;
use crate::platform::{Account, Traffic};
use crate::render::Fact;
use crate::settings::{Environment, PlatformKind};

/// What an account that cannot be verified means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Insist {
    /// The command reads: it goes on, and its answer says so.
    Read,
    /// The same, for a command that is asked how things stand just now.
    Look,
    /// The command changes something: it does not.
    Change,
    /// Trading must be stopped: it goes on, and says so first.
    Stop,
}

impl Insist {
    /// A dry run of a change only reads.
    pub(super) fn of_dry_run(dry_run: bool) -> Self {
        if dry_run { Self::Read } else { Self::Change }
    }
}

/// Trading is not kept waiting longer than this for who answers.
const STOP_WAITS: Duration = Duration::from_secs(3);

/// What came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verified {
    /// The right one answered, or there are no accounts.
    Yes,
    /// Nobody said which.
    No {
        /// The cause.
        why: String,
    },
}

/// Asks who answers; `Ok`: the right one, or nobody said which. The wrong account ends every
/// command.
pub(super) async fn ask(
    session: &Session<'_>,
    environment: &Environment,
    account: &dyn Account,
    insist: Insist,
) -> Result<Reading<String>, Fault> {
    let timeout = match insist {
        Insist::Stop => session.timeout()?.min(STOP_WAITS),
        Insist::Read | Insist::Look | Insist::Change => session.timeout()?,
    };
    let asked = tokio::time::timeout(timeout, account.id(insist != Insist::Read)).await;
    let answer = asked.unwrap_or_else(|_| {
        Reading::unreachable("account", format!("no answer within {timeout:?}"))
    });
    if let Some(found) = answer.value() {
        if let Some(expected) = expected(environment).filter(|expected| expected != found) {
            return Err(wrong(environment, expected, found));
        }
        session.account_is(Fact::Known(found.clone()));
    }
    Ok(answer)
}

fn expected(environment: &Environment) -> Option<&str> {
    match &environment.platform {
        PlatformKind::Local { .. } => None,
        PlatformKind::Aws { account, .. } => account.as_deref(),
    }
}

/// Makes sure of who answers, as far as the command has to.
pub(super) async fn check(
    session: &Session<'_>,
    environment: &Environment,
    account: &dyn Account,
    insist: Insist,
) -> Result<Verified, Fault> {
    if matches!(environment.platform, PlatformKind::Local { .. }) {
        return Ok(Verified::Yes);
    }
    let gap = match ask(session, environment, account, insist).await? {
        Reading::Known { .. } => return Ok(Verified::Yes),
        // Keys that are good for nothing; that this one question is denied says nothing of them.
        Reading::Gap(gap) if account.traffic().keys_refused => {
            let message = format!("AWS does not take our credentials: {}", gap.why);
            return Err(Fault::new(Exit::Settings, "aws.credentials", message));
        }
        Reading::Gap(gap) => gap,
    };
    let expected = expected(environment).unwrap_or("none in particular");
    session.account_is(Fact::Missing {
        state: "unverified",
        why: format!("expected {expected}; {gap}"),
    });
    match insist {
        Insist::Read | Insist::Look => {}
        Insist::Change => {
            let message =
                format!("which account answers could not be verified, nothing was changed: {gap}");
            let hint = match gap.kind {
                GapKind::Denied => {
                    "let these credentials call sts:GetCallerIdentity, which some policy denies \
                     them; an emergency stop does not wait for this"
                }
                _ => "try again; an emergency stop does not wait for this",
            };
            return Err(Fault::new(Exit::Incomplete, "account.unverified", message).hint(hint));
        }
        Insist::Stop => {
            let ui = &session.ctx.ui;
            ui.note(&format!("ACCOUNT NOT VERIFIED (expected {expected}): {gap}"));
            ui.note("the stop goes on");
        }
    }
    Ok(Verified::No { why: gap.to_string() })
}

fn wrong(environment: &Environment, expected: &str, found: &str) -> Fault {
    let message = format!(
        "{} is account {expected}, and account {found} answers: nothing was changed",
        environment.name
    );
    Fault::new(Exit::Settings, "account.wrong", message).hint(way_to(&environment.platform))
}

/// How credentials of another account are taken: what the settings name goes before the shell.
fn way_to(platform: &PlatformKind) -> String {
    let named = match platform {
        PlatformKind::Aws { profile: Some(profile), .. } => format!(
            "set credentials_profile to a profile of the right account (it is {profile}; \
             config show tells where that is set)"
        ),
        PlatformKind::Aws { credentials_file: Some(file), .. } => {
            format!("keep credentials of the right account in {}", file.display())
        }
        _ => "take the credentials of the right account (AWS_PROFILE)".to_owned(),
    };
    format!("{named}, or name the right --env; --show-account shows both whole")
}

/// What is to be said of the account and of the traffic with the platform, in a report.
pub(super) fn tell(report: &mut Report, verified: &Verified, traffic: &Traffic, insist: Insist) {
    if let Verified::No { why } = verified {
        let severity = if insist == Insist::Stop { Severity::Error } else { Severity::Warning };
        let message = format!("which account answered could not be verified: {why}");
        report.findings.push(Finding::new("account.unverified", severity, "account", message));
        if insist == Insist::Read {
            report.complete = false;
            if report.exit == Exit::Ok {
                report.exit = Exit::Incomplete;
            }
        }
    }
    if let Some(renew) = &traffic.renew {
        // First of all: whatever else failed failed for this, and no policy mends it.
        let message = "AWS did not take our credentials any more: they ran out, or were taken \
                       back; with fresh ones the same command goes on from here";
        let critical = Severity::Critical;
        let finding = Finding::new("account.credentials_refused", critical, "credentials", message);
        report.findings.insert(0, finding.next(renew));
    }
    if let Some(skew_ms) = traffic.skew_ms.filter(|skew| skew.abs() > SKEW_MS) {
        let side = if skew_ms > 0 { "behind" } else { "ahead of" };
        let message = format!(
            "this machine's clock is {} s {side} the platform's; ages are by the platform's",
            skew_ms.abs() / 1_000
        );
        report.findings.push(
            Finding::new("clock.skew", Severity::Warning, "clock", message)
                .next("timedatectl status"),
        );
    }
    report.findings.sort_by_key(|finding| finding.severity);
    let said = [("told to slow down", &traffic.throttled), ("asked again", &traffic.repeated)];
    for (what, calls) in said.into_iter().filter(|(_, calls)| !calls.is_empty()) {
        let times: u64 = calls.values().sum();
        let each: Vec<String> = calls.iter().map(|(call, n)| format!("{call} {n}")).collect();
        let text = format!("{what} {times} times: {}", each.join(", "));
        report.body.push(Block::Line(Cell::toned(text, Tone::Dim)));
    }
}

/// Credentials that run out before a long command can end are said before it begins.
pub(super) fn warn_of_expiry(session: &Session<'_>, traffic: &Traffic, takes: Duration) {
    let Some(at) = traffic.credentials_expire_at else { return };
    let now = session.ctx.clock.now();
    let takes = SignedDuration::try_from(takes).unwrap_or(SignedDuration::MAX);
    if now.saturating_add(takes).is_ok_and(|end| end > at) {
        session.ctx.ui.note(&format!(
            "the credentials run out at {at}, which may be before this ends; it can be continued \
             with fresh ones"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_another_account_is_one_that_the_settings_do_not_overrule() {
        let way = |profile: Option<&str>, file: Option<&str>| {
            way_to(&PlatformKind::Aws {
                region: "eu-central-1".to_owned(),
                account: None,
                endpoint: None,
                profile: profile.map(str::to_owned),
                credentials_file: file.map(Into::into),
            })
        };
        assert!(way(None, None).contains("AWS_PROFILE"));
        assert!(
            way(None, Some("/etc/keys"))
                .starts_with("keep credentials of the right account in /etc/keys")
        );
        let both = way(Some("desk"), Some("/etc/keys"));
        assert!(both.contains("credentials_profile") && both.contains("desk"), "{both}");
        assert!(!both.contains("AWS_PROFILE"), "{both}");
    }
}
