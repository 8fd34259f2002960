//! One file per command: its arguments and one function. The only dispatch stands here.

mod config;

use trading_core::report::Report;

use crate::cli::Globals;
use crate::ctx::Ctx;
use crate::error::Fault;
use crate::settings::Access;
use crate::settings::Environment;

/// The commands.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Shows and checks the settings.
    #[command(subcommand)]
    Config(config::Command),
}

/// A command at work: the process, and what goes for every command.
pub struct Session<'a> {
    /// The process.
    pub ctx: &'a mut Ctx,
    /// What goes for every command.
    pub globals: &'a Globals,
}

impl Session<'_> {
    /// The environment that this command works on, by the rules of the contract: reading
    /// commands default to `local`, mutating ones need it named.
    pub fn environment(&self, access: Access) -> Result<Environment, Fault> {
        Environment::resolve(self.ctx, self.globals, access)
    }
}

/// Runs a command to its report.
pub async fn dispatch(command: &Command, session: &mut Session<'_>) -> Result<Report, Fault> {
    match command {
        Command::Config(command) => config::run(command, session).await,
    }
}
