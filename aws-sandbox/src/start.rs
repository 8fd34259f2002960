//! The server as a process: its Python environment, its start and its end.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde::Deserialize;

use crate::Failure;

/// The oldest Python that the pinned packages and the scenarios' format need.
const PYTHON: (u32, u32) = (3, 11);

/// A Python environment with the pinned packages in it.
#[derive(Clone, Debug)]
pub struct Python {
    /// The interpreter.
    interpreter: PathBuf,
    /// The folder of the server's sources.
    sources: PathBuf,
}

impl Python {
    /// The environment below `target` for the sources below the repository's `root`, made on
    /// first use and again when the pinned packages change. `say` is told before something
    /// takes long.
    pub fn prepare(root: &Path, target: &Path, mut say: impl FnMut(&str)) -> Result<Self, Failure> {
        let sources = root.join("aws-sandbox/python");
        let requirements = sources.join("requirements.txt");
        let pinned = fs::read_to_string(&requirements)
            .map_err(|error| format!("{}: {error}", requirements.display()))?;
        let version = python_version()?;
        let home = target.join("aws-test-server");
        let said = |error: std::io::Error| format!("{}: {error}", home.display());
        fs::create_dir_all(&home).map_err(said)?;
        // Two runs at once: the second waits and finds it made.
        let lock = File::create(home.join("lock")).map_err(said)?;
        lock.lock().map_err(said)?;
        let venv = home.join("venv");
        let python = Self { interpreter: venv.join("bin/python"), sources };
        let stamp = home.join("made-of");
        let made_of = format!("{version}\n{pinned}");
        if fs::read_to_string(&stamp).is_ok_and(|text| text == made_of) {
            return Ok(python);
        }
        say("makes the Python environment of the AWS test server (once, about a minute)");
        if venv.exists() {
            fs::remove_dir_all(&venv).map_err(said)?;
        }
        run(Command::new("python3").args(["-m", "venv"]).arg(&venv)).map_err(|error| {
            format!(
                "the AWS test server needs Python's venv (Debian: apt install python3-venv), or \
                 leave it out with --no-aws: {error}"
            )
        })?;
        let mut pip = Command::new(&python.interpreter);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]);
        run(pip.arg(&requirements)).map_err(|error| {
            format!(
                "the AWS test server's packages cannot be installed with pip; --no-aws leaves \
                 these tests out: {error}"
            )
        })?;
        fs::write(&stamp, made_of).map_err(said)?;
        Ok(python)
    }

    /// A command line of this interpreter, in the folder of the server's sources.
    pub fn command(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        let mut command = Command::new(&self.interpreter);
        // No compiled files beside the sources.
        command.current_dir(&self.sources).env("PYTHONDONTWRITEBYTECODE", "1").args(args);
        command
    }

    /// The real `aws` of this environment.
    pub fn aws(&self) -> PathBuf {
        self.interpreter.with_file_name("aws")
    }

    /// Starts the server and its proxy.
    pub fn start(&self, lifetime_s: u32) -> Result<Server, Failure> {
        let mut command = self.command(["-m", "sandbox", "--lifetime-s"]);
        command.arg(lifetime_s.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("python: {error}"))?;
        let mut line = String::new();
        let read = match child.stdout.take() {
            Some(out) => BufReader::new(out).read_line(&mut line).map_err(|e| e.to_string()),
            None => Err("it has no output".to_owned()),
        };
        let addresses = read.and_then(|_| serde_json::from_str(&line).map_err(|e| e.to_string()));
        // From here on the child is ended whatever happens.
        let mut server = Server { child, addresses: Addresses::default() };
        server.addresses = addresses
            .map_err(|error| format!("the AWS test server did not start: {error}: {line:?}"))?;
        Ok(server)
    }
}

/// Where a server and its proxy answer.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Addresses {
    /// The server's own.
    pub server: String,
    /// The proxy's.
    pub proxy: String,
}

/// A running server. It ends with this value, and also when this process dies: it watches its
/// standard input.
#[derive(Debug)]
pub struct Server {
    child: Child,
    addresses: Addresses,
}

impl Server {
    /// Where it answers.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it ends by itself.
    pub fn wait(&mut self) -> Result<(), Failure> {
        // Its input must stay open: `Child::wait` would close it.
        let input = self.child.stdin.take();
        let ended = self.child.wait();
        drop(input);
        ended.map(|_| ()).map_err(|error| format!("the AWS test server: {error}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing is left to do for one that has ended already.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn python_version() -> Result<String, Failure> {
    let (major, minor) = PYTHON;
    let needs = format!(
        "the AWS test server needs Python {major}.{minor} or newer as `python3` (Debian: apt \
         install python3 python3-venv), or leave its tests out with --no-aws"
    );
    let out = Command::new("python3")
        .args(["-c", "import sys; print(*sys.version_info[:3], sys.prefix)"])
        .stdin(Stdio::null())
        .output()
        .map_err(|_| needs.clone())?;
    let text = String::from_utf8_lossy(&out.stdout).trim().to_owned();
    let mut numbers = text.split(' ').map_while(|it| it.parse::<u32>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(a), Some(b)) if (a, b) >= PYTHON => Ok(text),
        _ => Err(format!("{needs}; it is {text:?}")),
    }
}

fn run(command: &mut Command) -> Result<(), Failure> {
    let name = command.get_program().to_string_lossy().into_owned();
    let out = command.stdin(Stdio::null()).output().map_err(|error| format!("{name}: {error}"))?;
    if out.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&out.stderr);
    let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("said nothing");
    Err(format!("{name} failed ({}): {last}", out.status))
}
