//! One file per command: its arguments and one function. The only dispatch stands here.

mod config;
mod engine;

use std::cell::OnceCell;

use trading_core::report::Report;

use crate::cli::Globals;
use crate::ctx::Ctx;
use crate::error::Fault;
use crate::render::{EnvironmentView, Header};
use crate::settings::Access;
use crate::settings::Environment;

/// The commands.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Shows and checks the settings.
    #[command(subcommand)]
    Config(config::Command),
    /// The processes that trade: engine and paper venue.
    #[command(subcommand)]
    Engine(engine::Command),
}

/// A command at work: the process, and what goes for every command.
pub struct Session<'a> {
    /// The process.
    pub ctx: &'a mut Ctx,
    /// What goes for every command.
    pub globals: &'a Globals,
    resolved: OnceCell<(Environment, Access)>,
}

impl<'a> Session<'a> {
    pub(crate) fn new(ctx: &'a mut Ctx, globals: &'a Globals) -> Self {
        if let Some(output) = globals.output {
            ctx.ui.format = output.into();
        }
        Self { ctx, globals, resolved: OnceCell::new() }
    }

    /// The environment that this command works on, by the rules of the contract: reading
    /// commands default to `local`, mutating ones need it named. What stands above the
    /// answer is taken from it.
    pub fn environment(&self, access: Access) -> Result<Environment, Fault> {
        let environment = Environment::resolve(self.ctx, self.globals, access)?;
        // The first one asked for is the one that the answer is about.
        let (environment, _) = self.resolved.get_or_init(|| (environment, access));
        Ok(environment.clone())
    }

    /// What the command does with its environment, once it has asked for one.
    pub(crate) fn access(&self) -> Option<Access> {
        self.resolved.get().map(|(_, access)| *access)
    }

    /// What stands above the answer.
    pub(crate) fn header(&self) -> Header {
        let observed_at = self.ctx.clock.now();
        let show_account = self.globals.show_account;
        let environment = match self.resolved.get() {
            Some((environment, _)) => environment.view(observed_at, show_account),
            None => EnvironmentView::nowhere("no environment was resolved"),
        };
        Header { environment, observed_at, show_account }
    }
}

/// Runs a command to its report.
pub async fn dispatch(command: &Command, session: &mut Session<'_>) -> Result<Report, Fault> {
    match command {
        Command::Config(command) => config::run(command, session).await,
        Command::Engine(command) => engine::run(command, session).await,
    }
}
