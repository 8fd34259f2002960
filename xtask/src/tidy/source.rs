//! Source files as flat lists of tokens, so that a rule is a look at neighbours. Comments
//! and whitespace are gone; a doc comment is an attribute with a literal in it.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::sh::Outcome;

/// Folders with sources, from the repository's root.
const FOLDERS: [&str; 11] = [
    "aws-sandbox/src",
    "aws-sandbox/tests",
    "src",
    "tests",
    "benches",
    "trading-core/src",
    "trading-core/tests",
    "trading-core/benches",
    "xtask/src",
    "xtask/tests",
    "examples",
];

/// One source file.
pub(crate) struct Source {
    /// From the repository's root, with `/`.
    pub(crate) path: String,
    /// The text.
    pub(crate) text: String,
    /// The tokens, in order.
    pub(crate) tokens: Vec<Token>,
    /// Only compiled for tests: decided by `reach`.
    pub(crate) only_tests: bool,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Ident,
    Punct,
    Literal,
    Open,
    Close,
}

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) text: String,
    pub(crate) line: usize,
    /// Stands below a `#[cfg(test)]`.
    pub(crate) test: bool,
}

impl Token {
    /// Whether it is this identifier.
    pub(crate) fn is(&self, ident: &str) -> bool {
        self.kind == Kind::Ident && self.text == ident
    }
    /// Whether it is this punctuation or delimiter.
    pub(crate) fn punct(&self, text: &str) -> bool {
        matches!(self.kind, Kind::Punct | Kind::Open | Kind::Close) && self.text == text
    }
}

impl Source {
    /// Reads a text.
    pub(crate) fn parse(path: &str, text: &str) -> Outcome<Self> {
        let stream = TokenStream::from_str(text)
            .map_err(|error| format!("{path} cannot be read as Rust: {error}"))?;
        let mut tokens = Vec::new();
        flatten(stream, &mut tokens);
        mark_tests(&mut tokens);
        let only_tests = false;
        Ok(Self { path: path.to_owned(), text: text.to_owned(), tokens, only_tests })
    }

    /// The tokens with their positions, those of tests left out.
    pub(crate) fn product(&self) -> impl Iterator<Item = (usize, &Token)> {
        let all = !self.only_tests;
        self.tokens.iter().enumerate().filter(move |(_, token)| all && !token.test)
    }

    /// The token at a distance from another.
    pub(crate) fn near(&self, at: usize, offset: isize) -> Option<&Token> {
        self.tokens.get(at.checked_add_signed(offset)?)
    }

    /// Whether the path below `folder` holds this file.
    pub(crate) fn below(&self, folder: &str) -> bool {
        self.path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
    }
}

/// The index of the delimiter that closes the one at `open`.
pub(crate) fn closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at;
                }
            }
            _ => {}
        }
    }
    tokens.len().saturating_sub(1)
}

/// The last token of the item that begins at `start`: its `;`, or the end of its body.
pub(crate) fn item_end(tokens: &[Token], start: usize) -> usize {
    let mut at = start;
    while let Some(token) = tokens.get(at) {
        if token.punct(";") {
            return at;
        }
        if token.kind == Kind::Open {
            let close = closing(tokens, at);
            if token.text == "{" {
                return close;
            }
            at = close;
        }
        at += 1;
    }
    tokens.len().saturating_sub(1)
}

fn flatten(stream: TokenStream, out: &mut Vec<Token>) {
    let push = |kind, text: String, line, out: &mut Vec<Token>| {
        out.push(Token { kind, text, line, test: false });
    };
    for tree in stream {
        let line = tree.span().start().line;
        match tree {
            TokenTree::Ident(ident) => push(Kind::Ident, ident.to_string(), line, out),
            TokenTree::Punct(punct) => push(Kind::Punct, punct.as_char().to_string(), line, out),
            TokenTree::Literal(literal) => push(Kind::Literal, literal.to_string(), line, out),
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                push(Kind::Open, open.to_owned(), line, out);
                flatten(group.stream(), out);
                push(Kind::Close, close.to_owned(), group.span_close().end().line, out);
            }
        }
    }
}

/// Marks what stands below `#[cfg(test)]`.
fn mark_tests(tokens: &mut [Token]) {
    const CFG_TEST: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut at = 0;
    while at + CFG_TEST.len() <= tokens.len() {
        let here = tokens[at..].iter().zip(CFG_TEST).all(|(token, text)| token.text == text);
        if here {
            let mut item = at + CFG_TEST.len();
            // Further attributes stand between this one and its item.
            while tokens.get(item).is_some_and(|token| token.punct("#")) {
                item = closing(tokens, item + 1) + 1;
            }
            let end = item_end(tokens, item);
            for token in &mut tokens[at..=end] {
                token.test = true;
            }
            at = end;
        }
        at += 1;
    }
}

/// All sources of the repository, in order of their paths.
pub(crate) fn load(root: &Path) -> Outcome<Vec<Source>> {
    let mut files = Vec::new();
    for folder in FOLDERS {
        collect(&root.join(folder), &mut files)?;
    }
    files.sort();
    let mut sources = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file)
            .map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
        sources.push(Source::parse(&relative(root, &file), &text)?);
    }
    Ok(sources)
}

/// A file's path from the root, with `/`.
pub(crate) fn relative(root: &Path, file: &Path) -> String {
    file.strip_prefix(root).unwrap_or(file).to_string_lossy().replace('\\', "/")
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Outcome {
    if !folder.is_dir() {
        return Ok(());
    }
    let entries = std::fs::read_dir(folder)
        .map_err(|error| format!("{} cannot be read: {error}", folder.display()))?;
    for entry in entries {
        let path = entry.map_err(|error| format!("{}: {error}", folder.display()))?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Source;

    #[test]
    fn tests_are_told_from_product_and_comments_are_no_code() {
        let text = "// alpha\nfn beta() {}\n#[cfg(test)]\n#[rustfmt::skip]\nmod t { fn gamma() {} }\nfn delta() {}\n#[cfg(test)]\nmod epsilon;\nfn zeta() {}\n";
        let source = Source::parse("a.rs", text).unwrap();
        let names: Vec<_> = source
            .product()
            .filter(|(_, token)| {
                ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"]
                    .contains(&token.text.as_str())
            })
            .map(|(_, token)| (token.text.as_str(), token.line))
            .collect();
        assert_eq!(names, [("beta", 2), ("delta", 6), ("zeta", 9)]);
    }
}
