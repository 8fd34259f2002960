//! Dying on purpose, for drills and tests of crashes: `--kill-at N` ends this process as
//! `kill -9` would, at the n-th place where a crash could fall. It works only in an
//! environment that a drill has marked as its own.

use trading_core::report::Exit;

use crate::drive::drill::MARK;
use crate::drive::run::KillPoint;
use crate::error::Fault;
use crate::settings::{Environment, PlatformKind};

/// Where to die.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct KillArgs {
    /// Dies at the n-th place; drills only.
    #[arg(long, hide = true, value_name = "N")]
    kill_at: Option<u32>,
}

impl KillArgs {
    /// The place, if one was named and the environment is a drill's.
    pub(super) fn point(self, environment: &Environment) -> Result<KillPoint, Fault> {
        let Some(place) = self.kill_at else { return Ok(KillPoint::never()) };
        match &environment.platform {
            PlatformKind::Local { directory } if directory.join(MARK).exists() => {
                Ok(KillPoint::at(place))
            }
            _ => Err(Fault::new(
                Exit::Usage,
                "kill.not_a_drill",
                "--kill-at works only in an environment that `tradectl drill` has made",
            )),
        }
    }
}
