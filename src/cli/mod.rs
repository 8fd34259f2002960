//! The command line: types and value parsers only. Doc comments are the help.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::ops::{Bound, RangeBounds};
use std::path::PathBuf;

use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, ValueEnum};

use crate::cmd::Command;
use crate::ui::Format;

/// Operations CLI and runbook automation for trading systems.
#[derive(Debug, Parser)]
#[command(name = "tradectl", version, propagate_version = true, disable_help_subcommand = true)]
pub struct Cli {
    /// What goes for every command.
    #[command(flatten)]
    pub globals: Globals,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// What goes for every command.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct Globals {
    /// The environment: `local`, or one that a profile or a settings file names.
    #[arg(long, global = true, value_name = "NAME")]
    pub env: Option<String>,
    /// Reads this settings file instead of searching for `tradectl.toml`.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How the answer is written.
    #[arg(long, global = true, value_enum, value_name = "FORMAT")]
    pub output: Option<Output>,
    /// Shows account ids whole.
    #[arg(long, global = true)]
    pub show_account: bool,
    /// The longest that one request may take [default: 10s].
    #[arg(long, global = true, value_name = "DURATION", allow_hyphen_values = true, value_parser = wait)]
    pub timeout: Option<std::time::Duration>,
    /// The longest that the command may take; answers that are on their way then are waited for
    /// up to 3 s more [default: 120s].
    #[arg(long, global = true, value_name = "DURATION", allow_hyphen_values = true, value_parser = duration)]
    pub deadline: Option<std::time::Duration>,
    /// Says more of what it does, on stderr; twice: everything.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Writes the tool's own log to this file (mode 0600).
    #[arg(long, global = true, value_name = "FILE")]
    pub log_file: Option<PathBuf>,
}

/// How the answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// One screen for a person.
    Human,
    /// Exactly one JSON document on stdout.
    Json,
    /// A stream of JSON events that ends with the same document.
    Jsonl,
}

impl From<Output> for Format {
    fn from(output: Output) -> Self {
        match output {
            Output::Human => Self::Human,
            Output::Json => Self::Json,
            Output::Jsonl => Self::JsonLines,
        }
    }
}

/// The parsed command line and the command's name, its words joined by points.
pub(crate) fn parse(argv: &[OsString]) -> Result<(Cli, String), clap::Error> {
    // Only here: pages and completions would hold every command twice, once under `help`.
    let mut command = Cli::command().disable_help_subcommand(false);
    let matches = command.try_get_matches_from_mut(argv)?;
    let cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
    let mut words = Vec::new();
    let mut level: &ArgMatches = &matches;
    while let Some((word, deeper)) = level.subcommand() {
        words.push(word);
        level = deeper;
    }
    Ok((cli, words.join(".")))
}

/// The output that a command line asks for which could not be parsed: scripts get their
/// document also then.
pub(crate) fn format_of(argv: &[OsString], vars: &BTreeMap<String, String>) -> Format {
    let words = argv.iter().map(|word| word.to_string_lossy()).take_while(|word| word != "--");
    let words: Vec<_> = words.collect();
    let flag = words.iter().enumerate().find_map(|(at, word)| match word.split_once('=') {
        Some(("--output", value)) => Some(value.to_owned()),
        None if word == "--output" => words.get(at + 1).map(ToString::to_string),
        _ => None,
    });
    let wanted = flag.or_else(|| vars.get("TRADECTL_OUTPUT").cloned());
    wanted
        .and_then(|wanted| Output::from_str(&wanted, false).ok())
        .map_or(Format::Human, Into::into)
}

/// A whole number in a range: `1..=64`, `1..`, `..`.
pub fn whole<T: TryFrom<u64>>(
    range: impl RangeBounds<u64> + Clone + Send + Sync + 'static,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static {
    move |text| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.and_then(|number| T::try_from(number).ok()).ok_or_else(|| {
            match (range.start_bound(), range.end_bound()) {
                (Bound::Included(from), Bound::Included(to)) => {
                    format!("expected a whole number from {from} to {to}")
                }
                (Bound::Included(from), _) => format!("expected a whole number from {from} up"),
                _ => "expected a whole number from 0 up".to_owned(),
            }
        })
    }
}

/// A duration in which a request can be answered: with none a stop would stop nothing.
pub fn wait(text: &str) -> Result<std::time::Duration, String> {
    let none = || format!("`{text}` leaves no time to answer");
    duration(text).and_then(|it| if it.is_zero() { Err(none()) } else { Ok(it) })
}

/// A duration with its unit: `250ms`, `90s`, `10m`, `2h`, `1m30s`.
pub fn duration(text: &str) -> Result<std::time::Duration, String> {
    let expected = || {
        format!(
            "`{text}` is not a duration: write a number with its unit, such as 250ms, 90s, 10m or 2h"
        )
    };
    let mut rest = text;
    let mut total = std::time::Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(expected)?;
        let (number, tail) = rest.split_at(digits);
        let unit_len = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_len);
        let number: u64 = number.parse().map_err(|_| expected())?;
        let millis = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(expected()),
        };
        let part = number.checked_mul(millis).ok_or_else(expected)?;
        total = total.checked_add(std::time::Duration::from_millis(part)).ok_or_else(expected)?;
        rest = tail;
    }
    if text.is_empty() { Err(expected()) } else { Ok(total) }
}

#[cfg(test)]
mod tests {
    use super::{duration, wait, whole};
    use std::time::Duration;

    proptest::proptest! {
        #[test]
        fn any_text_is_a_duration_or_says_what_was_expected(text in "\\PC{0,12}|[0-9]{1,20}(ms|s|m|h|d|x)") {
            if let Err(why) = duration(&text) {
                proptest::prop_assert!(why.contains("250ms"), "{}", why);
            }
        }
    }

    #[test]
    fn a_number_that_does_not_fit_says_which_would() {
        let engines = whole::<u32>(1..=64);
        assert_eq!((engines("1"), engines("64")), (Ok(1), Ok(64)));
        for bad in ["0", "65", "x", "", "-1", "1.5", "99999999999999999999"] {
            let why = "expected a whole number from 1 to 64".to_owned();
            assert_eq!(engines(bad), Err(why), "{bad:?}");
        }
        let seed = whole::<u64>(..);
        assert_eq!(seed(&u64::MAX.to_string()), Ok(u64::MAX));
        assert_eq!(seed("-1"), Err("expected a whole number from 0 up".to_owned()));
        let reads = whole::<u32>(1..);
        assert_eq!(reads("4294967296"), Err("expected a whole number from 1 up".to_owned()));
    }

    #[test]
    fn durations_need_a_unit_and_add_up() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("2h"), Ok(Duration::from_secs(7_200)));
        for bad in ["", "10", "s", "10 s", "1.5s", "-1s", "10x", "99999999999999999999s"] {
            assert!(duration(bad).is_err(), "{bad:?} was taken");
        }
        assert_eq!((duration("0s"), wait("0s").is_err()), (Ok(Duration::ZERO), true));
    }
}
