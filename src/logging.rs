//! The tool's own log: spans and events of `tracing`, redacted, to stderr with `-v` and to
//! `--log-file`. No subscriber at all without either.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::level_filters::LevelFilter;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use trading_core::report::Exit;

use crate::cli::Globals;
use crate::ctx::Ctx;
use crate::error::Fault;
use crate::render::{escape, mask};
use crate::ui::Shared;

/// Starts the log of this run, which lasts as long as the guard.
pub(crate) fn start(globals: &Globals, ctx: &Ctx) -> Result<Option<DefaultGuard>, Fault> {
    let level = match globals.verbose {
        0 => LevelFilter::INFO,
        1 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let file = globals.log_file.as_deref().map(|path| {
        let path = ctx.cwd.join(path);
        let opened = OpenOptions::new().append(true).create(true).mode(0o600).open(&path);
        let opened = opened.and_then(|file| {
            // A file that was there before may be open to others.
            rustix::fs::fchmod(&file, rustix::fs::Mode::from_raw_mode(0o600))?;
            Ok(file)
        });
        opened.map_err(|error| {
            Fault::new(
                Exit::Settings,
                "log_file",
                format!("the log file {} cannot be written: {error}", path.display()),
            )
            .hint("name another file with --log-file")
        })
    });
    let file = file.transpose()?;
    if globals.verbose == 0 && file.is_none() {
        return Ok(None);
    }
    let to_err = (globals.verbose > 0).then(|| layer(Redacted { to: ctx.ui.log_stream() }));
    let to_file = file.map(|file| {
        let stream: Shared = Arc::new(Mutex::new(Box::new(file)));
        layer(Redacted { to: stream })
    });
    let own = filter_fn(|metadata| is_own(metadata.target()));
    let registry = tracing_subscriber::registry().with(level).with(own);
    let subscriber = registry.with(to_err).with(to_file);
    Ok(Some(tracing::subscriber::set_default(subscriber)))
}

/// Whether a part of the tool speaks. Libraries write down whole requests: signatures, tokens
/// of sessions, and if a variable says so, the values of secrets.
fn is_own(target: &str) -> bool {
    let own = [env!("CARGO_CRATE_NAME"), "trading_core"];
    own.contains(&target.split("::").next().unwrap_or_default())
}

/// The runtime of a command: one thread, and helpers for blocking calls that share this
/// thread's log.
pub(crate) fn runtime() -> io::Result<tokio::runtime::Runtime> {
    let dispatch = tracing::dispatcher::get_default(Clone::clone);
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .on_thread_start(move || {
            // Lasts as long as the thread.
            std::mem::forget(tracing::dispatcher::set_default(&dispatch));
        })
        .build()
}

fn layer<S>(to: Redacted) -> impl tracing_subscriber::Layer<S>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    tracing_subscriber::fmt::layer().with_ansi(false).with_target(false).with_writer(to)
}

/// A writer that masks account ids and the secret part of web addresses, and escapes what
/// would act on a terminal.
#[derive(Clone)]
struct Redacted {
    to: Shared,
}

impl Write for Redacted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let text = mask::urls(&mask::text(&escape::lines(&text)));
        let mut to = self.to.lock().unwrap_or_else(PoisonError::into_inner);
        to.write_all(text.as_bytes())?;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        self.to.lock().unwrap_or_else(PoisonError::into_inner).flush()
    }
}

impl<'a> MakeWriter<'a> for Redacted {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use clap::Parser;

    use super::start;
    use crate::ctx::{Ctx, SystemClock, SystemIds};
    use crate::ui::{Terminal, Ui};

    #[test]
    fn only_the_tools_own_parts_speak_however_much_is_asked_for() {
        let (ui, captured) = Ui::captured("", Terminal::none(80));
        let clock = Arc::new(SystemClock);
        let ctx = Ctx {
            ids: Arc::new(SystemIds::new(clock.clone())),
            clock,
            vars: BTreeMap::new(),
            cwd: "/nowhere".into(),
            exe: "tradectl".into(),
            ui,
        };
        let words = ["tradectl", "-vvv", "config", "show"];
        let cli = crate::cli::Cli::try_parse_from(words).unwrap();
        let guard = start(&cli.globals, &ctx).unwrap();
        tracing::trace!("ours");
        tracing::error!(target: "tradectl_else", "another's");
        tracing::error!(target: "aws_smithy_runtime::client", "request {{ authorization: planted }}");
        drop(guard);
        let log = captured.err();
        assert!(log.contains("ours"), "{log}");
        assert!(!log.contains("planted") && !log.contains("another's"), "{log}");
    }
}
