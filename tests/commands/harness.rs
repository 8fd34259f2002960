//! A world for commands to run in.

use std::collections::BTreeMap;
use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use clap::Parser;
use tempfile::TempDir;
use tradectl::cli::Cli;
use tradectl::ctx::{Ctx, Ids};
use tradectl::platform::Clock;
use tradectl::platform::local::{Blueprint, setup};
use tradectl::settings::{Access, Environment};
use tradectl::ui::{Captured, Terminal, Ui};
use trading_core::model::{StrategyRow, Utc};
use trading_core::report::Exit;

/// A home, a working folder and what a terminal would say.
pub(crate) struct World {
    root: TempDir,
    pub(crate) vars: BTreeMap<String, String>,
    pub(crate) terminal: Terminal,
    pub(crate) now: Utc,
    pub(crate) input: String,
    /// Where commands run, if not in the usual folder.
    pub(crate) folder: Option<PathBuf>,
}

/// What a command left behind.
pub(crate) struct Ran {
    pub(crate) exit: Exit,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl World {
    /// Nothing set, no terminal, 100 columns, a Monday on which New York's market is open.
    pub(crate) fn new() -> Self {
        // Always a path of the same length, so that pages are laid out alike everywhere.
        let root = tempfile::Builder::new()
            .prefix("tc")
            .rand_bytes(6)
            .tempdir_in("/tmp")
            .expect("a temporary folder");
        let folder = |name: &str| {
            let path = root.path().join(name);
            std::fs::create_dir(&path).expect("a folder");
            path.display().to_string()
        };
        let home = folder("user");
        folder("desk");
        Self {
            // Nobody asks the network who this machine is.
            vars: BTreeMap::from([
                ("HOME".to_owned(), home),
                ("AWS_EC2_METADATA_DISABLED".to_owned(), "true".to_owned()),
            ]),
            terminal: Terminal::none(100),
            now: "2026-11-23T15:04:05Z".parse().expect("a time"),
            input: String::new(),
            folder: None,
            root,
        }
    }

    /// The folder that commands work in.
    pub(crate) fn work(&self) -> PathBuf {
        self.root.path().join("desk")
    }

    /// Writes a file that only its owner can write.
    pub(crate) fn file(&self, below_root: &str, text: &str) -> PathBuf {
        let path = self.root.path().join(below_root);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("its folder");
        std::fs::write(&path, text).expect("written");
        set_mode(&path, 0o600);
        path
    }

    /// The user's own settings file.
    pub(crate) fn user_file(&self, text: &str) -> PathBuf {
        self.file("user/.config/tradectl/tradectl.toml", text)
    }

    /// A settings file in the working folder.
    pub(crate) fn project_file(&self, text: &str) -> PathBuf {
        self.file("desk/tradectl.toml", text)
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.vars.insert(name.to_owned(), value.to_owned());
    }

    /// Runs `tradectl LINE`, the line split at blanks.
    pub(crate) fn run(&self, line: &str) -> Ran {
        self.run_words(line.split_whitespace())
    }

    /// Runs `tradectl WORDS…`.
    pub(crate) fn run_words<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Ran {
        let (ui, captured) = Ui::captured(&self.input, self.terminal);
        let exit = self.run_with(words, ui);
        self.ran(exit, &captured)
    }

    /// An environment as commands of this world resolve it.
    pub(crate) fn environment(&self, name: &str) -> Environment {
        let (ui, _) = Ui::captured("", self.terminal);
        let cli = Cli::parse_from(["tradectl", "config", "show", "--env", name]);
        Environment::resolve(&self.ctx(ui), &cli.globals, Access::Read).expect("resolves")
    }

    /// Makes the folder of the local platform, with two engines that do not run and these
    /// strategies beside two of ours. Starts nothing.
    pub(crate) fn set_up(&self, strategies: Vec<StrategyRow>) -> Environment {
        let environment = self.environment("local");
        let mut blueprint = Blueprint::demo(&environment, Path::new("tradectl"), 2, 2);
        blueprint.strategies.extend(strategies);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime
            .expect("a runtime")
            .block_on(setup(&environment, Arc::new(Fixed(self.now)), &blueprint))
            .expect("set up");
        environment
    }

    /// A process of this world.
    pub(crate) fn ctx(&self, ui: Ui) -> Ctx {
        Ctx {
            clock: Arc::new(Fixed(self.now)),
            ids: Arc::new(Counted::default()),
            vars: self.vars.clone(),
            cwd: self.folder.clone().unwrap_or_else(|| self.work()),
            exe: PathBuf::from(env!("CARGO_BIN_EXE_tradectl")),
            ui,
        }
    }

    /// Runs with streams of the caller's.
    pub(crate) fn run_with<'a>(&self, words: impl IntoIterator<Item = &'a str>, ui: Ui) -> Exit {
        let argv = std::iter::once("tradectl").chain(words).map(Into::into);
        tradectl::run(argv, self.ctx(ui))
    }

    fn ran(&self, exit: Exit, captured: &Captured) -> Ran {
        let root = self.root.path().display().to_string();
        let neutral = |text: String| text.replace(&root, "/tmp/tc######");
        Ran { exit, out: neutral(captured.out()), err: neutral(captured.err()) }
    }
}

impl Ran {
    /// The one document on stdout.
    pub(crate) fn json(&self) -> serde_json::Value {
        let document = serde_json::from_str(&self.out).expect("exactly one JSON document");
        crate::contract::assert_keeps(&document);
        document
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "exit {}", self.exit.code())?;
        write!(f, "--- stdout\n{}--- stderr\n{}", self.out, self.err)
    }
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("a mode");
}

/// A clock that stands.
pub(crate) struct Fixed(pub(crate) Utc);

impl Clock for Fixed {
    fn now(&self) -> Utc {
        self.0
    }
    fn since_boot(&self) -> Duration {
        Duration::from_secs(1_000)
    }
}

#[derive(Default)]
struct Counted(AtomicU32);

impl Ids for Counted {
    fn fresh(&self, prefix: &str) -> String {
        format!("{prefix}-{:04}", self.0.fetch_add(1, Ordering::Relaxed))
    }
}
