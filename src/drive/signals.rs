//! What may happen to an operator's terminal while a command acts. Before consent a signal
//! ends the command with nothing changed; after it, only a person's word ends acts.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use crate::ui::Ui;

/// What a person is asked at the first Ctrl-C.
const QUESTION: &str =
    "end acts here? what is done stays done, the rest is left as it is (y/N; Ctrl-C again: yes)";

/// The signals that a command hears instead of being killed by them, from the moment that
/// this is made to the end of the process.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    asked: bool,
    answer: Option<oneshot::Receiver<Option<String>>>,
}

impl Signals {
    /// Hears from now on. Within a runtime.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            asked: false,
            answer: None,
        })
    }

    /// Before consent: waits for anything that ends a command.
    pub async fn any(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }

    /// After consent: waits for a person's wish to end acts. The first Ctrl-C asks, where
    /// somebody can answer, while the work goes on; a second one is an answer. A hang-up or
    /// a service manager's SIGTERM is nobody's wish. Nothing is lost if this is dropped and
    /// asked for again.
    pub(crate) async fn wish_to_end(&mut self, ui: &Ui) {
        loop {
            tokio::select! {
                biased;
                _ = self.interrupt.recv() => {
                    if self.asked {
                        return;
                    }
                    self.asked = true;
                    self.ask(ui);
                }
                line = answered(&mut self.answer) => {
                    self.answer = None;
                    // The end of input says nothing: a second Ctrl-C still ends acts.
                    let Some(line) = line else { continue };
                    if matches!(line.trim(), "y" | "Y" | "yes") {
                        return;
                    }
                    self.asked = false;
                    ui.note("going on");
                }
                _ = self.terminate.recv() => {
                    ui.note("SIGTERM: what was approved goes on to its outcome");
                }
                _ = self.hangup.recv() => {}
            }
        }
    }

    fn ask(&mut self, ui: &Ui) {
        self.answer = ui.ask_beside(QUESTION);
        if self.answer.is_none() {
            ui.note("interrupted, and going on: nobody can be asked; a second SIGINT ends acts");
        }
    }
}

async fn answered(answer: &mut Option<oneshot::Receiver<Option<String>>>) -> Option<String> {
    match answer {
        Some(answer) => answer.await.ok().flatten(),
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustix::process::{Signal, getpid, kill_process};

    use super::Signals;
    use crate::ui::{Captured, Terminal, Ui};

    const PERSON: Terminal =
        Terminal { stdin: true, stdout: true, stderr: true, width: 80, color: false };

    fn raise(signal: Signal) {
        kill_process(getpid(), signal).unwrap();
    }

    /// Waits for a wish until the operator has been told `words`, or has wished.
    async fn told(signals: &mut Signals, ui: &Ui, seen: &Captured, words: &str) -> bool {
        let mut times = 0;
        loop {
            tokio::select! {
                biased;
                () = signals.wish_to_end(ui) => return true,
                // Dropped and asked for again, as the driver does.
                () = tokio::time::sleep(Duration::from_millis(1)) => {}
            }
            if seen.err().contains(words) {
                return false;
            }
            times += 1;
            assert!(times < 30_000, "never told {words:?}: {:?}", seen.err());
        }
    }

    #[tokio::test]
    async fn what_came_before_anybody_listened_is_heard_and_nobody_there_is_not_asked() {
        let (ui, seen) = Ui::captured("", Terminal::none(80));
        let mut signals = Signals::listen().unwrap();
        raise(Signal::INT);
        assert!(!told(&mut signals, &ui, &seen, "nobody can be asked").await);
        raise(Signal::HUP);
        raise(Signal::TERM);
        assert!(!told(&mut signals, &ui, &seen, "goes on to its outcome").await);
        raise(Signal::INT);
        assert!(told(&mut signals, &ui, &seen, "(only a wish ends this)").await);
    }

    #[tokio::test]
    async fn a_person_is_asked_and_only_yes_or_a_second_interrupt_ends_acts() {
        let (ui, seen) = Ui::captured("\nn\ny\n", PERSON);
        let mut signals = Signals::listen().unwrap();
        for answered in 1..=2 {
            raise(Signal::INT);
            let mut heard = String::new();
            while heard.matches("going on").count() < answered {
                assert!(!told(&mut signals, &ui, &seen, "going on").await);
                heard = seen.err();
            }
        }
        raise(Signal::INT);
        assert!(told(&mut signals, &ui, &seen, "(only a wish ends this)").await);
        assert_eq!(seen.err().matches("end acts here?").count(), 3, "{}", seen.err());
    }

    #[tokio::test]
    async fn the_end_of_input_is_no_answer() {
        let (ui, seen) = Ui::captured("", PERSON);
        let mut signals = Signals::listen().unwrap();
        raise(Signal::INT);
        assert!(!told(&mut signals, &ui, &seen, "end acts here?").await);
        raise(Signal::INT);
        assert!(told(&mut signals, &ui, &seen, "(only a wish ends this)").await);
        assert_eq!(seen.err().matches("end acts here?").count(), 1, "{}", seen.err());
    }
}
