//! One file per command: its arguments and one function. The only dispatch stands here.

mod account;
mod approve;
mod completions;
mod config;
mod doctor;
mod drill;
mod emergency_stop;
mod engine;
mod heartbeat;
mod iam_policy;
mod journal;
mod kill;
mod local;
mod look;
mod planned;
mod resume;
mod scope;
mod spelled;
mod status;

use std::cell::{Cell, OnceCell};
use std::rc::Rc;
use std::time::Duration;

use trading_core::model::Utc;
use trading_core::report::{Block, Report};

use crate::cli::Globals;
use crate::ctx::Ctx;
use crate::drive::deadline::DeadlineWatch;
use crate::error::Fault;
use crate::render::{EnvironmentView, Fact, Header};
use crate::settings::{Access, Environment, Settings};
use crate::ui::Format;

/// The commands.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Stops all trading, proves it, and records what a resume needs.
    EmergencyStop(emergency_stop::Arguments),
    /// Puts back what a stop changed, and releases the latch.
    Resume(resume::Arguments),
    /// Exercises on throw-away environments.
    #[command(subcommand)]
    Drill(drill::Command),
    /// Shows and checks the settings.
    #[command(subcommand)]
    Config(config::Command),
    /// The processes that trade: engine and paper venue.
    #[command(subcommand)]
    Engine(engine::Command),
    /// Lists, judges and recovers strategies' heartbeats.
    #[command(subcommand)]
    Heartbeat(heartbeat::Command),
    /// Looks whether this machine, the settings and the environment are fit to be worked
    /// with; changes nothing.
    Doctor,
    /// Shows the whole environment on one screen, the worst first.
    ///
    /// Services, strategies with the ages of their heartbeats, open positions and what protects
    /// them, resting orders, schedules and the latch, in one parallel read. Ends with 1 if
    /// something is wrong, with 23 if not everything could be read.
    ///
    /// With `--scope` one service or strategy alone: nothing else is asked, and the answer says
    /// what was not.
    Status(status::Arguments),
    /// What operators' commands did on this machine, read back.
    #[command(subcommand)]
    Journal(journal::Command),
    /// Writes the permissions that an environment on AWS needs, as a policy of IAM.
    ///
    /// Made from the calls that this build can make, on what the settings name. Asks nobody.
    IamPolicy(iam_policy::Arguments),
    /// Writes the completion script of a shell.
    Completions(completions::Arguments),
    /// The embedded platform: a whole environment on this machine.
    #[command(subcommand)]
    Local(local::Command),
}

/// A command at work: the process, and what goes for every command.
pub struct Session<'a> {
    /// The process.
    pub ctx: &'a mut Ctx,
    /// What goes for every command.
    pub globals: &'a Globals,
    /// The command line, word by word, the program first.
    pub(crate) typed: Vec<String>,
    settings: Result<Settings, Fault>,
    /// What is wrong with the file of the working folder, where the command goes on without.
    set_aside: Option<Fault>,
    resolved: Rc<OnceCell<(Environment, Access)>>,
    /// It looks, and answers at its deadline with what it has seen.
    answers: Rc<Cell<bool>>,
    /// Which account answered, once somebody has asked.
    account: OnceCell<Fact>,
}

impl<'a> Session<'a> {
    pub(crate) fn new(ctx: &'a mut Ctx, globals: &'a Globals, command: &Command) -> Self {
        let (settings, set_aside) = if matches!(command, Command::EmergencyStop(_)) {
            Settings::load_for_stop(ctx, globals)
                .map_or_else(|fault| (Err(fault), None), |(it, aside)| (Ok(it), aside))
        } else {
            (Settings::load(ctx, globals), None)
        };
        ctx.ui.format = match &settings {
            Ok(settings) => settings.output.value,
            // The fault itself is told in the form that the command line asks for.
            Err(_) => globals.output.map_or(Format::Human, Into::into),
        };
        ctx.ui.show_account = match &settings {
            Ok(settings) => settings.show_account.value,
            Err(_) => globals.show_account,
        };
        let account = OnceCell::new();
        let (typed, resolved, answers) = (Vec::new(), Rc::default(), Rc::default());
        Self { ctx, globals, typed, settings, set_aside, resolved, answers, account }
    }

    /// Everything that was set.
    pub fn settings(&self) -> Result<&Settings, Fault> {
        self.settings.as_ref().map_err(Clone::clone)
    }

    /// The longest that one request may take.
    pub fn timeout(&self) -> Result<Duration, Fault> {
        Ok(self.settings()?.timeout.value)
    }

    /// The longest that this command may take, if nobody says otherwise `default`.
    pub fn deadline(&self, default: Duration) -> Result<Duration, Fault> {
        Ok(self.settings()?.deadline.as_ref().map_or(default, |deadline| deadline.value))
    }

    /// The environment that this command works on, by the rules of the contract: reading
    /// commands default to `local`, mutating ones need it named. What stands above the
    /// answer is taken from it.
    pub fn environment(&self, access: Access) -> Result<Environment, Fault> {
        let environment = self.settings()?.environment(access)?;
        tracing::debug!(environment = environment.name, platform = ?environment.platform, "resolved");
        // The first one asked for is the one that the answer is about.
        let (environment, _) = self.resolved.get_or_init(|| (environment, access));
        Ok(environment.clone())
    }

    /// The answer is about this environment, which the command has made itself.
    pub(crate) fn answers_about(&self, environment: &Environment) {
        // The first one that an answer was about stays: there is one header.
        let _first = self.resolved.set((environment.clone(), Access::Local));
    }

    /// The account that answers, or why that is not known.
    pub(crate) fn account_is(&self, account: Fact) {
        // The first answer stays: a command asks once.
        let _first = self.account.set(account);
    }

    /// When this look has to answer with what it has seen; nothing else cuts it off now.
    pub(crate) fn look_until(&self) -> Result<Option<Utc>, Fault> {
        self.answers.set(true);
        let deadline = self.settings()?.deadline.as_ref().map(|deadline| deadline.value);
        let now = self.ctx.clock.now();
        Ok(deadline.map(|after| now.saturating_add(after).unwrap_or(Utc::MAX)))
    }

    /// What cuts a reading command off, if somebody set a deadline.
    pub(crate) fn deadline_watch(&self) -> DeadlineWatch {
        let set = self.settings.as_ref().ok().and_then(|settings| settings.deadline.as_ref());
        DeadlineWatch {
            deadline: set.map(|deadline| deadline.value),
            resolved: Rc::clone(&self.resolved),
            answers: Rc::clone(&self.answers),
        }
    }

    /// Commands that a report tells people to type name the environment. Where that takes
    /// more than its name (a settings file), they get the rest too; a settings file that was
    /// named stands in every one of them, also where no environment was resolved.
    pub(crate) fn spell_out(&self, report: &mut Report) {
        let place = self.resolved.get().map(|(environment, _)| {
            let whole = environment.launch_args.iter().map(|word| planned::quoted(word));
            (format!("--env {}", environment.name), whole.collect::<Vec<_>>().join(" "))
        });
        let file = self.globals.config.as_ref().map(|it| it.display().to_string());
        let spell = |text: &mut String| {
            if let Some((short, whole)) = &place {
                spelled::place(text, short, whole);
            }
            if let Some(file) = &file {
                spelled::config(text, file);
            }
        };
        report.findings.iter_mut().filter_map(|it| it.next.as_mut()).for_each(spell);
        report.errors.iter_mut().filter_map(|it| it.hint.as_mut()).for_each(spell);
        report.fold.iter_mut().map(|it| &mut it.all).for_each(spell);
        report.body.iter_mut().flat_map(Block::commands).for_each(spell);
    }

    /// What the command does with its environment, once it has asked for one.
    pub(crate) fn access(&self) -> Option<Access> {
        self.resolved.get().map(|(_, access)| *access)
    }

    /// What stands above the answer.
    pub(crate) fn header(&self) -> Header {
        let observed_at = self.ctx.clock.now();
        let show_account = self.ctx.ui.show_account;
        let environment = match self.resolved.get() {
            Some((environment, _)) => {
                let mut view = environment.view(observed_at, show_account);
                if let Some(account) = self.account.get() {
                    view.account = account.masked(show_account);
                    view.account_verified = account.known().is_some();
                }
                view
            }
            None if self.settings.is_err() => {
                EnvironmentView::nowhere("the settings cannot be used")
            }
            None => EnvironmentView::nowhere("no environment was resolved"),
        };
        Header { environment, observed_at, show_account }
    }
}

/// Runs a command to its report.
pub async fn dispatch(command: &Command, session: &mut Session<'_>) -> Result<Report, Fault> {
    match command {
        Command::Engine(command) => engine::run(command, session).await,
        Command::EmergencyStop(args) => emergency_stop::run(args, session).await,
        Command::Status(arguments) => status::run(arguments, session).await,
        Command::Journal(command) => journal::run(command, session).await,
        Command::Heartbeat(command) => heartbeat::run(command, session).await,
        Command::Resume(args) => resume::run(args, session).await,
        Command::Drill(command) => drill::run(command, session).await,
        Command::Config(command) => config::run(command, session).await,
        Command::Doctor => doctor::run(session).await,
        Command::IamPolicy(arguments) => iam_policy::run(session, arguments),
        Command::Completions(arguments) => completions::run(arguments),
        Command::Local(command) => local::run(command, session).await,
    }
}

/// The shapes of `data` in the JSON documents of the commands that answer by themselves.
#[cfg(feature = "schema")]
pub(crate) fn data_schemas() -> impl Iterator<Item = (&'static str, schemars::Schema)> {
    let these = [
        ("completions", completions::data_schema()),
        ("doctor", doctor::data_schema()),
        ("drill.emergency-stop", drill::data_schema()),
        ("iam-policy", iam_policy::data_schema()),
        ("engine.replay", engine::replay_schema()),
    ];
    these.into_iter().chain(config::data_schemas()).chain(local::data_schemas())
}
