//! Figures: printed with the machine and its sync cost, each beside its limit. Nothing here
//! is a test: a busy machine is slow, and the ratios say so in the same run.

mod aws;
mod machine;
mod start;
mod stop;

use std::path::{Path, PathBuf};

use crate::sh::{self, Outcome};

/// A measured figure and what it may be.
struct Figure {
    name: &'static str,
    value: f64,
    limit: f64,
    /// The more, the better: the limit is the least that it may be.
    at_least: bool,
    unit: &'static str,
}

impl Figure {
    fn new(name: &'static str, value: f64, limit: f64, unit: &'static str) -> Self {
        Self { name, value, limit, at_least: false, unit }
    }
    fn at_least(name: &'static str, value: f64, limit: f64, unit: &'static str) -> Self {
        Self { at_least: true, ..Self::new(name, value, limit, unit) }
    }
    fn held(&self) -> bool {
        // A value that is no number passes neither way.
        if self.at_least { self.value >= self.limit } else { self.value <= self.limit }
    }
    fn say(&self) {
        let mark = if self.held() { "ok" } else { "MISSED" };
        let Self { name, value, limit, at_least, unit } = self;
        let least = if *at_least { "at least" } else { "limit" };
        sh::say(&format!(
            "{name:<44} {value:>9.1} {unit:<3} {least:<8} {limit:>7.1} {unit:<3} {mark}"
        ));
    }
}

/// The product, built as it is shipped.
fn release_build() -> Outcome<PathBuf> {
    let mut cargo = sh::cargo();
    sh::run("release build", cargo.args(["build", "--release", "--package", "tradectl"]))?;
    Ok(sh::target_dir()?.join("release/tradectl"))
}

/// Measures the product on AWS: a release build, or the binary that is named.
pub(crate) fn run_aws(binary: Option<&str>) -> Outcome {
    aws::run(binary)
}

/// Builds the product as it is shipped, and measures it.
pub(crate) fn run() -> Outcome {
    let binary = release_build()?;
    // Short, because the names of sockets are limited, and where the drill would lie anyway.
    let folder = std::env::temp_dir().join(format!("tradectl-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(about(&folder))?;
    let measured = measure(&binary, &folder);
    std::fs::remove_dir_all(&folder).map_err(about(&folder))?;
    verdict(measured?)
}

fn verdict(missed: usize) -> Outcome {
    if missed == 0 { Ok(()) } else { Err(format!("{missed} figures missed their limits")) }
}

/// Prints all figures, and counts those that missed their limits.
fn measure(binary: &Path, folder: &Path) -> Outcome<usize> {
    sh::say(&machine::describe(folder)?);
    let mut figures = start::measure(binary)?;
    figures.extend(stop::measure(binary, folder)?);
    figures.iter().for_each(Figure::say);
    Ok(figures.iter().filter(|figure| !figure.held()).count())
}

/// The value in the middle, and the one that 95 of 100 do not pass; sorts.
fn median_and_p95(values: &mut [f64]) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    let at = |part: usize| values.get(values.len() * part / 100).copied().unwrap_or(f64::NAN);
    (at(50), at(95))
}

/// An error with the file that it is about.
fn about(path: &Path) -> impl Fn(std::io::Error) -> String + '_ {
    move |error| format!("{}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::{Figure, median_and_p95};

    #[test]
    fn the_middle_and_the_tail_are_found() {
        let mut values: Vec<f64> = (0..100).rev().map(f64::from).collect();
        let (median, p95) = median_and_p95(&mut values);
        assert!((median - 50.0).abs() < 1e-9 && (p95 - 95.0).abs() < 1e-9);
    }

    #[test]
    fn a_figure_that_is_not_a_number_is_missed() {
        assert!(Figure::new("a", 1.0, 1.0, "ms").held());
        assert!(!Figure::new("a", 1.1, 1.0, "ms").held());
        assert!(!Figure::new("a", f64::NAN, 1.0, "ms").held());
        assert!(Figure::at_least("a", 1.0, 1.0, "×").held());
        assert!(!Figure::at_least("a", 0.9, 1.0, "×").held());
        assert!(!Figure::at_least("a", f64::NAN, 1.0, "×").held());
    }
}
