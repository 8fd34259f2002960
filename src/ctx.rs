//! What a command gets from the process: injected once, so that a test can give its own.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use trading_core::model::Utc;

use trading_core::report::Exit;

use crate::error::Fault;
use crate::os;
use crate::platform::Clock;
use crate::ui::Ui;

/// The process as a command sees it.
pub struct Ctx {
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// Where fresh ids come from.
    pub ids: Arc<dyn Ids>,
    /// The process's environment variables, read once.
    pub vars: BTreeMap<String, String>,
    /// The working folder.
    pub cwd: PathBuf,
    /// This executable, for the processes that it starts.
    pub exe: PathBuf,
    /// Streams, terminal, prompts, progress.
    pub ui: Ui,
}

/// Where fresh ids come from. Tests and drills inject a counted or seeded one.
pub trait Ids: Send + Sync {
    /// An id that no other call on any machine will give: `{prefix}-{time}-{random}`.
    fn fresh(&self, prefix: &str) -> String;
}

/// The machine's clocks.
#[derive(Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    fn now(&self) -> Utc {
        Utc::now()
    }
    fn since_boot(&self) -> Duration {
        let time = rustix::time::clock_gettime(os::SINCE_BOOT);
        let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
        let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
        Duration::new(seconds, nanos)
    }
}

/// Ids from the wall clock and the kernel's random numbers.
pub struct SystemIds {
    clock: Arc<dyn Clock>,
}

impl SystemIds {
    /// Ids that begin with the time of `clock`.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock }
    }
}

impl Ids for SystemIds {
    fn fresh(&self, prefix: &str) -> String {
        let now = self.clock.now();
        // Should the kernel give none, the nanoseconds still tell two ids of one machine apart.
        let random = os::random().unwrap_or(now.subsec_nanosecond().to_le_bytes());
        format!("{prefix}-{}-{:08x}", now.strftime("%Y%m%dT%H%M%SZ"), u32::from_le_bytes(random))
    }
}

impl Ctx {
    /// The real process.
    pub fn from_process() -> Result<Self, Fault> {
        let fault = |what: &str, error: std::io::Error| {
            Fault::new(Exit::Settings, "process", format!("{what} cannot be found: {error}"))
        };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        // A variable that is not UTF-8 cannot be one of ours.
        let vars: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Ok(Self {
            ids: Arc::new(SystemIds::new(Arc::clone(&clock))),
            clock,
            ui: Ui::from_process(&vars),
            vars,
            cwd: std::env::current_dir().map_err(|error| fault("the working folder", error))?,
            exe: std::env::current_exe().map_err(|error| fault("this executable", error))?,
        })
    }
}

/// Makes a write beyond a limit on file sizes fail like a full disk, instead of ending the
/// process (SIGXFSZ). Within a runtime, once per process.
pub fn outlive_file_limits() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    // The handler stays for the life of the process; nobody needs to hear of the signal.
    signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw())).map(drop)
}
