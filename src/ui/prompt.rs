//! Prompts. An answer comes from a person at a terminal or not at all: piped input never
//! takes a default, an empty line is no answer, and the end of input declines.

use std::io::BufRead;
use std::sync::{Arc, PoisonError};

use tokio::sync::oneshot;

use super::Ui;
use crate::render::escape;

/// What came back from a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Exactly what was asked for was typed.
    Given,
    /// Something else was typed, or the input ended.
    Declined,
    /// There is nobody to ask: stdin or stderr is not a terminal.
    NobodyThere,
}

impl Ui {
    /// Asks a question and waits until a line is typed, without holding up the runtime.
    /// Only the exact text `expected` (surrounding blanks aside) gives.
    pub async fn confirm(&self, question: &str, expected: &str) -> Answer {
        match self.ask(question).await {
            Some(line) if line.trim() == expected => Answer::Given,
            Some(_) => Answer::Declined,
            None if self.can_ask() => Answer::Declined,
            None => Answer::NobodyThere,
        }
    }

    /// Whether a person can read a question and type an answer.
    pub fn can_ask(&self) -> bool {
        self.terminal.stdin && self.terminal.stderr
    }

    /// Asks and gives the typed line; nothing at the end of input or if nobody can be
    /// asked.
    pub async fn ask(&self, question: &str) -> Option<String> {
        if !self.can_ask() {
            return None;
        }
        self.end_live();
        self.write_err(&format!("{} ", self.fitted(escape::lines(question))));
        self.next_line().await.ok().flatten()
    }

    /// Asks a question on a line of its own while the work and its display go on. `None`:
    /// nobody can be asked, or this process is in the background, where a read from the
    /// terminal would stop it.
    pub fn ask_beside(&self, question: &str) -> Option<oneshot::Receiver<Option<String>>> {
        if !self.can_ask() || !in_foreground() {
            return None;
        }
        self.note(question);
        Some(self.next_line())
    }

    /// The next line of input; none at its end.
    fn next_line(&self) -> oneshot::Receiver<Option<String>> {
        let input = Arc::clone(&self.input);
        let (answer, answered) = oneshot::channel();
        // A thread of its own and not the runtime's pool: a read that nobody ends must not
        // hold up the end of the process.
        std::thread::spawn(move || {
            let mut line = String::new();
            let mut input = input.lock().unwrap_or_else(PoisonError::into_inner);
            let read = input.read_line(&mut line);
            // Whoever asked may have stopped waiting.
            let _unwanted = answer.send(matches!(read, Ok(1..)).then_some(line));
        });
        answered
    }
}

/// Whether this process may read from its terminal. One that is not the session's own never
/// stops its readers.
fn in_foreground() -> bool {
    let group = rustix::termios::tcgetpgrp(rustix::stdio::stdin());
    group.map_or(true, |group| group == rustix::process::getpgrp())
}
