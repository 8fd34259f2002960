//! Small rooms: files, functions, command files.

use super::Problem;
use super::source::{Kind, Source, closing};

/// A file past this is long.
pub(super) const FILE_LONG: usize = 400;
/// A file past this is refused.
pub(super) const FILE_MAX: usize = 700;
/// A function of the product past this many lines of code is refused.
pub(super) const FUNCTION_MAX: usize = 70;
/// A test's story may be longer than a function of the product, but not without end.
const TEST_FUNCTION_MAX: usize = 120;
/// A command is its arguments and one function; past this it does somebody else's work.
const COMMAND_MAX: usize = 300;

/// Checks one file.
pub(super) fn check(source: &Source, problems: &mut Vec<Problem>) {
    let lines = source.text.lines().count();
    if lines > FILE_MAX {
        problems.push(Problem::error(
            &source.path,
            0,
            "file-length",
            format!("{lines} lines, at most {FILE_MAX}: make it a folder with smaller rooms"),
        ));
    } else if lines > FILE_LONG {
        let text = format!("{lines} lines, aim at {FILE_LONG}");
        problems.push(Problem::error(&source.path, 0, "file-length", text).warning());
    }
    if source.below("src/cmd") && lines > COMMAND_MAX && !source.only_tests {
        problems.push(Problem::error(
            &source.path,
            0,
            "command-length",
            format!(
                "{lines} lines, at most {COMMAND_MAX}: a command is its arguments and one \
                 function; decisions go to trading-core, effects behind the ports"
            ),
        ));
    }
    functions(source, problems);
}

/// Lines with code in them, from the line of `fn` to its closing brace.
fn functions(source: &Source, problems: &mut Vec<Problem>) {
    for (at, token) in source.tokens.iter().enumerate() {
        let Some(name) = source.near(at, 1).filter(|name| name.kind == Kind::Ident) else {
            continue;
        };
        if !token.is("fn") {
            continue;
        }
        let Some(body) = body(source, at) else { continue };
        let end = closing(&source.tokens, body);
        let mut lines: Vec<usize> =
            source.tokens[at..=end].iter().map(|token| token.line).collect();
        lines.dedup();
        let test = token.test || source.only_tests;
        let max = if test { TEST_FUNCTION_MAX } else { FUNCTION_MAX };
        if lines.len() > max {
            problems.push(Problem::error(
                &source.path,
                token.line,
                "function-length",
                format!(
                    "`{}` has {} lines of code, at most {max}: give its parts names",
                    name.text,
                    lines.len()
                ),
            ));
        }
    }
}

/// The opening brace of the function whose `fn` stands at `at`; none for a declaration.
fn body(source: &Source, at: usize) -> Option<usize> {
    let mut here = at;
    loop {
        let token = source.tokens.get(here)?;
        if token.punct(";") {
            return None;
        }
        if token.punct("{") {
            return Some(here);
        }
        here = if token.kind == Kind::Open { closing(&source.tokens, here) } else { here } + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::source::Source;

    fn rules(path: &str, text: &str) -> Vec<(&'static str, bool)> {
        let mut problems = Vec::new();
        check(&Source::parse(path, text).unwrap(), &mut problems);
        problems.iter().map(|problem| (problem.rule, problem.warning)).collect()
    }

    #[test]
    fn long_files_are_said_and_giant_ones_refused() {
        assert_eq!(rules("src/a.rs", &"// x\n".repeat(400)), []);
        assert_eq!(rules("src/a.rs", &"// x\n".repeat(401)), [("file-length", true)]);
        assert_eq!(rules("src/a.rs", &"// x\n".repeat(701)), [("file-length", false)]);
        assert_eq!(rules("src/cmd/a.rs", &"// x\n".repeat(301)), [("command-length", false)]);
    }

    #[test]
    fn a_function_is_measured_in_lines_of_code() {
        let function = |lines: usize| {
            format!(
                "trait T {{ fn t(); }}\nfn f(a: [u8; {{ 3 }}]) {{\n{}}}\n",
                "g();\n\n// c\n".repeat(lines)
            )
        };
        assert_eq!(rules("src/a.rs", &function(68)), []);
        assert_eq!(rules("src/a.rs", &function(69)), [("function-length", false)]);
        let test = format!("#[cfg(test)]\nmod t {{ {} }}", function(69));
        assert_eq!(rules("src/a.rs", &test), []);
    }
}
