//! Gathers flags, variables and files, once per run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use trading_core::report::{Exit, Problem};

use super::environment::Access;
use super::origin::{Origin, Sourced};
use super::schema::{EnvironmentFile, SettingsFile, Span, Wait};
use super::{profile, read};
use crate::cli::{self, Globals};
use crate::ctx::Ctx;
use crate::error::Fault;
use crate::ui::Format;

/// The environment variables that tradectl reads, and what they mean. The last two are
/// given to tasks by the local platform.
pub const VARIABLES: [(&str, &str); 11] = [
    ("TRADECTL_HOME", "one folder for both: settings in `config`, state in `state`"),
    ("TRADECTL_CONFIG", "as `--config`"),
    ("TRADECTL_ENV", "as `--env`, but does not let `--yes` pass"),
    ("TRADECTL_OUTPUT", "as `--output`"),
    ("TRADECTL_TIMEOUT", "as `--timeout`"),
    ("TRADECTL_DEADLINE", "as `--deadline`"),
    ("TRADECTL_SHOW_ACCOUNT", "as `--show-account`: `true` or `false`"),
    ("TRADECTL_REGION", "goes before `region` of an environment on AWS"),
    ("TRADECTL_ENDPOINT", "goes before `endpoint` of an environment on AWS"),
    ("TRADECTL_TASK_ID", "given to a task by the local platform: which task it is"),
    ("TRADECTL_SERVICE", "given to a task by the local platform: of which service"),
];

/// How long one request may take, if nobody says otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The name of a settings file.
const FILE_NAME: &str = "tradectl.toml";

/// Which settings file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// The user's own, in the configuration folder.
    User,
    /// Found upward from the working folder.
    Project,
    /// Named with `--config` or `TRADECTL_CONFIG`.
    Named,
}

/// Where things lie.
#[derive(Clone, Debug)]
pub struct Paths {
    /// One folder per environment below it.
    pub state_root: PathBuf,
    /// The user's own settings file, there or not.
    pub user_file: PathBuf,
}

/// A file's values for one environment.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    pub(super) kind: FileKind,
    pub(super) path: PathBuf,
    pub(super) values: EnvironmentFile,
}

/// Everything that was set, before an environment is chosen.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How answers are written.
    pub output: Sourced<Format>,
    /// The longest that one request may take.
    pub timeout: Sourced<Duration>,
    /// The longest that the command may take, if somebody set it.
    pub deadline: Option<Sourced<Duration>>,
    /// Account ids are shown whole.
    pub show_account: Sourced<bool>,
    /// The environment that was named, if any.
    pub named: Option<Sourced<String>>,
    /// The files that were read.
    pub files: Vec<(FileKind, PathBuf)>,
    /// Where things lie.
    pub paths: Paths,
    /// Without what a project's file says.
    own: Patience,
    pub(super) region: Option<Sourced<String>>,
    pub(super) endpoint: Option<Sourced<String>>,
    /// Where the shell sends the `aws` tools: counts where no settings name an endpoint, and
    /// is refused for production.
    pub(super) ambient_endpoint: Option<Sourced<String>>,
    pub(super) layers: BTreeMap<String, Vec<Layer>>,
}

/// How long is waited.
#[derive(Clone, Copy, Debug)]
struct Patience {
    timeout: Duration,
    deadline: Option<Duration>,
}

impl Paths {
    /// By `TRADECTL_HOME`, the XDG variables, or `HOME`.
    pub fn of(ctx: &Ctx) -> Result<Self, Fault> {
        let folder = |name: &str| {
            let value = ctx.vars.get(name).filter(|value| !value.is_empty());
            value.map(|value| ctx.cwd.join(value))
        };
        let home = |below: &str| {
            folder("HOME").map(|home| home.join(below)).ok_or_else(|| {
                Fault::new(
                    Exit::Settings,
                    "settings.no_home",
                    "neither HOME nor TRADECTL_HOME is set: there is no place for state",
                )
                .hint("set TRADECTL_HOME to a folder of yours")
            })
        };
        if let Some(all) = folder("TRADECTL_HOME") {
            let user_file = all.join("config").join(FILE_NAME);
            return Ok(Self { state_root: all.join("state"), user_file });
        }
        let state = folder("XDG_STATE_HOME").map_or_else(|| home(".local/state"), Ok)?;
        let config = folder("XDG_CONFIG_HOME").map_or_else(|| home(".config"), Ok)?;
        Ok(Self {
            state_root: state.join("tradectl"),
            user_file: config.join("tradectl").join(FILE_NAME),
        })
    }
}

/// The files that a command reads: the user's own, and the one that is named, or else the
/// first `tradectl.toml` upward from the working folder.
fn candidates(
    ctx: &Ctx,
    globals: &Globals,
    paths: &Paths,
    project: Project,
) -> Vec<(FileKind, PathBuf)> {
    let mut files = vec![(FileKind::User, paths.user_file.clone())];
    let variable = ctx.vars.get("TRADECTL_CONFIG").filter(|it| !it.is_empty()).map(PathBuf::from);
    if let Some(named) = globals.config.clone().or(variable) {
        files.push((FileKind::Named, ctx.cwd.join(named)));
        return files;
    }
    if project == Project::SetAside {
        return files;
    }
    let upward = ctx.cwd.ancestors().map(|folder| folder.join(FILE_NAME));
    // Whatever stands there ends the search, a broken link too: to pass over it would be
    // to take a file further up that nobody meant.
    let found = upward.into_iter().find(|path| path.symlink_metadata().is_ok());
    files.extend(found.filter(|it| *it != paths.user_file).map(|it| (FileKind::Project, it)));
    files
}

/// What becomes of a file that merely lies in the working folder or above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Project {
    Read,
    SetAside,
}

/// Everything that is wrong with the files, for `config check`.
pub fn problems(ctx: &Ctx, globals: &Globals) -> Result<Vec<Problem>, Fault> {
    let paths = Paths::of(ctx)?;
    let mut problems = Vec::new();
    for (_, path) in candidates(ctx, globals, &paths, Project::Read) {
        if let Err(wrong) = read::settings_file(&path) {
            problems.extend(wrong.0);
        }
    }
    if problems.is_empty() {
        problems.extend(Settings::load(ctx, globals).err().map(|fault| fault.problem()));
    }
    Ok(problems)
}

/// The files as they were read.
struct Files {
    user: SettingsFile,
    /// The named or the project's one.
    other: SettingsFile,
    /// Those that were there.
    read: Vec<(FileKind, PathBuf)>,
}

impl Files {
    fn read(ctx: &Ctx, globals: &Globals, paths: &Paths, project: Project) -> Result<Self, Fault> {
        let mut files = Self {
            user: SettingsFile::default(),
            other: SettingsFile::default(),
            read: Vec::new(),
        };
        for (kind, path) in candidates(ctx, globals, paths, project) {
            let wrong = |wrong: read::Wrong| {
                let fault = wrong.fault();
                match (kind, fault.hint.clone()) {
                    // Whoever must stop trading now needs not mend a file first.
                    (FileKind::Project, Some(hint)) if !hint.contains("folder") => {
                        fault.hint(format!("{hint}; or work from another folder"))
                    }
                    _ => fault,
                }
            };
            match read::settings_file(&path).map_err(wrong)? {
                Some(file) if kind == FileKind::User => files.user = file,
                Some(file) => files.other = file,
                None if kind == FileKind::Named => {
                    let message = format!("there is no settings file {}", path.display());
                    return Err(Fault::new(Exit::Settings, "settings.missing", message)
                        .hint("name one that exists with --config, or leave it out"));
                }
                None => continue,
            }
            files.read.push((kind, path));
        }
        files.check_default_env(paths)?;
        Ok(files)
    }

    /// The file that is not the user's own.
    fn second(&self) -> Option<&(FileKind, PathBuf)> {
        self.read.iter().find(|(kind, _)| *kind != FileKind::User)
    }

    /// Only the user says what is worked on without being named.
    fn check_default_env(&self, paths: &Paths) -> Result<(), Fault> {
        let (Some(_), Some((_, path))) = (&self.other.default_env, self.second()) else {
            return Ok(());
        };
        let message = format!(
            "{}: `default_env` may stand only in your own settings file, {}",
            path.display(),
            paths.user_file.display()
        );
        Err(Fault::new(Exit::Settings, "settings.default_env", message)
            .hint("take it out, or name the environment with --env"))
    }
}

impl Settings {
    /// Reads flags, variables and files.
    pub fn load(ctx: &Ctx, globals: &Globals) -> Result<Self, Fault> {
        Self::load_with(ctx, globals, Project::Read)
    }

    /// The same for a stop: a broken file that merely lies in the working folder, or above
    /// it, must not keep anybody from stopping an environment that is known without it. Such
    /// a file is set aside, and what is wrong with it is given back.
    pub(crate) fn load_for_stop(
        ctx: &Ctx,
        globals: &Globals,
    ) -> Result<(Self, Option<Fault>), Fault> {
        let broken = match Self::load(ctx, globals) {
            Ok(settings) => return Ok((settings, None)),
            Err(fault) => fault,
        };
        match Self::load_with(ctx, globals, Project::SetAside) {
            Ok(settings) if settings.environment(Access::Mutate).is_ok() => {
                Ok((settings, Some(broken)))
            }
            Ok(_) | Err(_) => Err(broken),
        }
    }

    /// The longest that one request of a stop may take: no project's file shortens it.
    pub(crate) fn stop_timeout(&self) -> Duration {
        self.timeout.value.max(self.own.timeout)
    }

    /// The longest that a stop may take: no project's file shortens it.
    pub(crate) fn stop_deadline(&self, default: Duration) -> Duration {
        let set = self.deadline.as_ref().map_or(default, |it| it.value);
        set.max(self.own.deadline.unwrap_or(default))
    }

    fn load_with(ctx: &Ctx, globals: &Globals, project: Project) -> Result<Self, Fault> {
        // Whole, so that a flag which nobody reads does not compile. The log is started
        // before there are settings, by `logging`; the file is found by `candidates`, and how
        // long is waited by `patience`.
        let Globals {
            env,
            config: _,
            output,
            show_account,
            timeout: _,
            deadline: _,
            verbose: _,
            log_file: _,
        } = globals;
        let paths = Paths::of(ctx)?;
        let mut files = Files::read(ctx, globals, &paths, project)?;
        let layers = layers(&mut files, &paths)?;
        let second = files.second().map(|(_, path)| path.clone()).unwrap_or_default();
        let pick = Pick { ctx, user: &paths.user_file, second: &second };
        // Whole, so that a key which nobody reads does not compile; what is left of the
        // environments has gone into the layers.
        let mine = files.user;
        let SettingsFile {
            format: _,
            default_env,
            output: my_output,
            timeout: my_timeout,
            deadline: my_deadline,
            show_account: my_show,
            environments: _,
        } = mine;
        let other = files.other;
        let output =
            pick.of(("--output", *output), ("TRADECTL_OUTPUT", word), (other.output, my_output))?;
        let theirs = (other.timeout, other.deadline);
        let mine = (my_timeout, my_deadline);
        let (timeout, deadline) = pick.patience(globals, theirs, mine)?;
        let by_project = files.read.iter().any(|(kind, _)| *kind == FileKind::Project);
        let theirs = if by_project { (None, None) } else { theirs };
        let (own_timeout, own_deadline) = pick.patience(globals, theirs, mine)?;
        let own = Patience {
            timeout: own_timeout.map_or(TIMEOUT, |it| it.value),
            deadline: own_deadline.map(|it| it.value),
        };
        let show_account = pick.of(
            ("--show-account", show_account.then_some(true)),
            ("TRADECTL_SHOW_ACCOUNT", truth),
            (other.show_account, my_show),
        )?;
        Ok(Self {
            output: output.map_or(Sourced::default_value(Format::Human), |it| {
                Sourced::new(it.value.into(), it.origin)
            }),
            timeout: timeout.unwrap_or(Sourced::default_value(TIMEOUT)),
            deadline,
            show_account: show_account.unwrap_or(Sourced::default_value(false)),
            named: pick.of(("--env", env.clone()), ("TRADECTL_ENV", text), (None, default_env))?,
            region: pick.of(("", None), ("TRADECTL_REGION", text), (None, None))?,
            endpoint: pick.of(("", None), ("TRADECTL_ENDPOINT", text), (None, None))?,
            ambient_endpoint: pick.of(("", None), ("AWS_ENDPOINT_URL", text), (None, None))?,
            files: files.read,
            paths,
            own,
            layers,
        })
    }

    /// The project's file, if one was read.
    pub(super) fn project_file(&self) -> Option<PathBuf> {
        let project = self.files.iter().find(|(kind, _)| *kind == FileKind::Project);
        project.map(|(_, path)| path.clone())
    }

    /// Every environment's name.
    pub fn environments(&self) -> Result<Vec<String>, Fault> {
        let built_in = profile::environments()?.into_iter().map(|(name, _)| name);
        let mut names: Vec<String> = built_in.collect();
        names.extend(
            self.layers.keys().filter(|name| !names.contains(name)).cloned().collect::<Vec<_>>(),
        );
        Ok(names)
    }
}

/// The files' environments, the user's first. A file that merely lies in a folder must not
/// change what a known name means.
fn layers(files: &mut Files, paths: &Paths) -> Result<BTreeMap<String, Vec<Layer>>, Fault> {
    let second = files.second().cloned();
    let mut layers: BTreeMap<String, Vec<Layer>> = BTreeMap::new();
    let built_in = profile::environments()?;
    let files = [
        Some((FileKind::User, paths.user_file.clone(), &mut files.user)),
        second.map(|(kind, path)| (kind, path, &mut files.other)),
    ];
    for (kind, path, file) in files.into_iter().flatten() {
        for (name, mut values) in std::mem::take(&mut file.environments) {
            check_name(&name, &path)?;
            let known = layers.contains_key(&name) || built_in.iter().any(|(it, _)| *it == name);
            if kind == FileKind::Project && known {
                let message = format!(
                    "{}: [environments.{name}] would redefine an environment that exists; a \
                     project's file may only add new ones",
                    path.display()
                );
                return Err(Fault::new(Exit::Settings, "settings.redefines", message).hint(
                    format!("give it another name, or move it to {}", paths.user_file.display()),
                ));
            }
            let base = path.parent().unwrap_or(Path::new("/"));
            values.directory = values.directory.map(|folder| base.join(folder));
            values.credentials_file = values.credentials_file.map(|file| base.join(file));
            layers.entry(name).or_default().push(Layer { kind, path: path.clone(), values });
        }
    }
    Ok(layers)
}

/// A name becomes a folder and is typed to confirm: plain words only.
fn check_name(name: &str, path: &Path) -> Result<(), Fault> {
    let plain =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    if name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(plain)
        && name.len() <= 64
    {
        return Ok(());
    }
    let message = format!(
        "{}: `{name}` cannot name an environment: use a-z, 0-9, `-`, `_` and `.`, at most 64",
        path.display()
    );
    Err(Fault::new(Exit::Settings, "environment.name", message).hint("rename it"))
}

/// Timeout and deadline, as far as they are set.
type Waits = (Option<Sourced<Duration>>, Option<Sourced<Duration>>);

/// Finds the strongest place where a value was set.
struct Pick<'a> {
    ctx: &'a Ctx,
    user: &'a Path,
    second: &'a Path,
}

impl Pick<'_> {
    /// Timeout and deadline, as far as they are set, from (timeout, deadline) of the files.
    fn patience(
        &self,
        globals: &Globals,
        by_second: (Option<Wait>, Option<Span>),
        by_user: (Option<Wait>, Option<Span>),
    ) -> Result<Waits, Fault> {
        let wait = |it: Option<Wait>| it.map(|it| it.0);
        let span = |it: Option<Span>| it.map(|it| it.0);
        let timeout = self.of(
            ("--timeout", globals.timeout),
            ("TRADECTL_TIMEOUT", cli::wait),
            (wait(by_second.0), wait(by_user.0)),
        )?;
        let deadline = self.of(
            ("--deadline", globals.deadline),
            ("TRADECTL_DEADLINE", cli::duration),
            (span(by_second.1), span(by_user.1)),
        )?;
        Ok((timeout, deadline))
    }

    fn of<T>(
        &self,
        (flag, by_flag): (&'static str, Option<T>),
        (variable, parse): (&'static str, impl Fn(&str) -> Result<T, String>),
        (by_second, by_user): (Option<T>, Option<T>),
    ) -> Result<Option<Sourced<T>>, Fault> {
        if let Some(value) = by_flag {
            return Ok(Some(Sourced::new(value, Origin::Flag(flag))));
        }
        if let Some(text) = self.ctx.vars.get(variable).filter(|text| !text.is_empty()) {
            let value = parse(text).map_err(|why| {
                Fault::new(Exit::Settings, "settings.variable", format!("{variable}: {why}"))
                    .hint(format!("unset {variable}, or set it right"))
            })?;
            return Ok(Some(Sourced::new(value, Origin::Variable(variable))));
        }
        let file = |value, path: &Path| Sourced::new(value, Origin::File(path.to_path_buf()));
        let by_second = by_second.map(|value| file(value, self.second));
        Ok(by_second.or_else(|| by_user.map(|value| file(value, self.user))))
    }
}

#[expect(clippy::unnecessary_wraps, reason = "one of several parsers; a text is never wrong")]
fn text(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

fn word(text: &str) -> Result<cli::Output, String> {
    <cli::Output as clap::ValueEnum>::from_str(text, false)
        .map_err(|_| format!("`{text}` is not an output: use human, json or jsonl"))
}

fn truth(text: &str) -> Result<bool, String> {
    match text {
        "1" | "true" | "yes" => Ok(true),
        "0" | "false" | "no" => Ok(false),
        _ => Err(format!("`{text}` is neither true nor false")),
    }
}
