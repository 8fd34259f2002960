//! Exceptions to lints carry their reasons; code in documentation is not run and says so.

use super::Problem;
use super::source::{Kind, Source, closing};

/// Checks one file.
pub(super) fn check(source: &Source, problems: &mut Vec<Problem>) {
    exceptions(source, problems);
    documentation(source, problems);
}

/// `#[allow(…)]` and `#[expect(…)]` need a `reason`.
fn exceptions(source: &Source, problems: &mut Vec<Problem>) {
    for (at, token) in source.tokens.iter().enumerate() {
        let inner = source.near(at, 1).is_some_and(|token| token.punct("!"));
        let open = at + 1 + usize::from(inner);
        let starts = token.punct("#") && source.tokens.get(open).is_some_and(|t| t.punct("["));
        if !starts {
            continue;
        }
        let end = closing(&source.tokens, open);
        let attribute = &source.tokens[open..=end];
        let exception = attribute
            .iter()
            .zip(attribute.iter().skip(1))
            .find(|(name, after)| (name.is("allow") || name.is("expect")) && after.punct("("));
        if let Some((name, _)) = exception
            && !attribute.iter().any(|token| token.is("reason"))
        {
            problems.push(Problem::error(
                &source.path,
                name.line,
                "lint-reason",
                format!("`{}` without a reason: add `reason = \"…\"`, or repair it", name.text),
            ));
        }
    }
}

/// The test run does not compile documentation (`doctest = false`), so a fenced block that
/// looks like Rust would never be checked.
fn documentation(source: &Source, problems: &mut Vec<Problem>) {
    let mut fenced = false;
    let mut last_line = 0;
    for (at, token) in source.tokens.iter().enumerate() {
        let doc = token.is("doc") && source.near(at, 1).is_some_and(|token| token.punct("="));
        let Some(text) = source.near(at, 2).filter(|text| doc && text.kind == Kind::Literal) else {
            continue;
        };
        if token.line > last_line + 1 {
            fenced = false;
        }
        last_line = token.line;
        let line = text.text.trim_start_matches('r').trim_matches(['"', '#', ' ']);
        let Some(info) = line.strip_prefix("```") else { continue };
        if !fenced && !matches!(info, "text" | "toml" | "json" | "console") {
            problems.push(Problem::error(
                &source.path,
                token.line,
                "doc-code",
                "documentation is not compiled here: write ```text, or make it a test",
            ));
        }
        fenced = !fenced;
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::source::Source;

    fn rules(text: &str) -> Vec<(&'static str, usize)> {
        let mut problems = Vec::new();
        check(&Source::parse("src/a.rs", text).unwrap(), &mut problems);
        problems.iter().map(|problem| (problem.rule, problem.line)).collect()
    }

    #[test]
    fn an_exception_needs_a_reason() {
        assert_eq!(rules("#[expect(dead_code)]\nfn a() {}"), [("lint-reason", 1)]);
        assert_eq!(rules("#![allow(dead_code)]"), [("lint-reason", 1)]);
        assert_eq!(rules("\n#[cfg_attr(test, allow(dead_code))]\nfn a() {}"), [("lint-reason", 2)]);
        assert_eq!(rules("#[expect(dead_code, reason = \"x\")]\nfn a() { b.expect(\"c\"); }"), []);
    }

    #[test]
    fn documentation_that_looks_run_is_named() {
        assert_eq!(rules("/// a\n/// ```\n/// b();\n/// ```\nfn a() {}"), [("doc-code", 2)]);
        assert_eq!(rules("/// ```rust\n/// ```\nfn a() {}"), [("doc-code", 1)]);
        assert_eq!(rules("/// ```text\n/// b\n/// ```\nfn a() {}"), []);
    }
}
