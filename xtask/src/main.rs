//! The hub for those who work on tradectl: `cargo xtask <task>`.
//!
//! | room | what it holds |
//! |---|---|
//! | [`sh`] | the repository's root, running other programs |
//! | [`aws`] | the AWS-compatible server that tests talk to |
//! | [`needs`] | what this machine must have, said in one line when it is missing |
//! | `bench` | figures, each beside its limit |
//! | `generate` | files that are generated from the product's types |
//! | [`sandbox`] | the same server with a scenario in it, for people |
//! | [`test`] | everything that must hold before a change lands |
//! | [`tidy`] | the rules of the house that no compiler checks |
//!
//! It builds in seconds and needs no C compiler, so that it can say what is missing before
//! the build of the product would fail for it.

mod aws;
#[cfg(feature = "bench")]
mod bench;
#[cfg(feature = "product")]
mod generate;
mod needs;
mod sandbox;
mod sh;
mod test;
mod tidy;

use std::io::Write;
use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask <task>

  test    everything that must hold: format, tidy, clippy, all tests; with --no-aws
          without those that need an AWS-compatible server
  test aws [words]
          only those that need one; words go to the test runner
  tidy    the rules of ARCHITECTURE.md that no compiler checks
  aws-sandbox [scenario]
          an AWS-compatible server with a system in it, until Ctrl-C: tradai-dev,
          ops-pipeline or wide
  gen     completions, man pages, references, schemas; with --check only compares
  bench   figures of a release build, each beside its limit
  bench aws [binary]
          those of the commands on AWS, beside the `aws` command and a bare loop on one
          AWS-compatible server; of a binary that is there already, if it is named
";

/// The tasks that need more than the small build of this program has: it then starts a
/// bigger build of itself.
mod product {
    use crate::sh::Outcome;

    #[cfg(feature = "product")]
    pub(crate) fn generate(check: bool) -> Outcome {
        crate::generate::run(check)
    }

    #[cfg(not(feature = "product"))]
    pub(crate) fn generate(check: bool) -> Outcome {
        let args: &[&str] = if check { &["gen", "--check"] } else { &["gen"] };
        again(&["--features", "product"], args)
    }

    #[cfg(feature = "bench")]
    pub(crate) fn bench(words: &[&str]) -> Outcome {
        match words {
            [] => crate::bench::run(),
            ["aws"] => crate::bench::run_aws(None),
            ["aws", binary] => crate::bench::run_aws(Some(binary)),
            _ => {
                Err(format!("there are no figures `{}`: nothing, or aws [binary]", words.join(" ")))
            }
        }
    }

    #[cfg(not(feature = "bench"))]
    pub(crate) fn bench(words: &[&str]) -> Outcome {
        again(&["--features", "bench", "--release"], &[&["bench"], words].concat())
    }

    #[cfg(not(all(feature = "product", feature = "bench")))]
    fn again(build: &[&str], args: &[&str]) -> Outcome {
        let mut cargo = crate::sh::cargo();
        cargo.args(["run", "--quiet", "--package", "xtask"]).args(build);
        crate::sh::run("a bigger build of xtask", cargo.arg("--").args(args))
    }
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let outcome = match args.as_slice() {
        ["test"] => test::run(true),
        ["test", "--no-aws"] => test::run(false),
        ["test", "aws", words @ ..] => test::only_aws(words),
        ["tidy"] => tidy::run(),
        ["help" | "--help" | "-h"] | [] | [_, "--help" | "-h"] => {
            sh::say(USAGE.trim_end());
            return ExitCode::SUCCESS;
        }
        ["aws-sandbox"] => sandbox::run("tradai-dev"),
        ["aws-sandbox", scenario] => sandbox::run(scenario),
        ["bench", words @ ..] => product::bench(words),
        ["gen"] => product::generate(false),
        ["gen", "--check"] => product::generate(true),
        _ => {
            sh::complain(&format!("there is no task `{}`\n\n{USAGE}", args.join(" ")));
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // Buffered data first, so that the reason is the last line that is read.
            if std::io::stdout().flush().is_err() {
                return ExitCode::FAILURE;
            }
            sh::complain(&message);
            ExitCode::FAILURE
        }
    }
}
