//! The live display on a terminal, and the plain lines elsewhere.

use std::collections::BTreeMap;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use trading_core::report::{Progress, ProgressKind};

use crate::render::escape;

/// One line per subject on the terminal of stderr.
pub(super) struct Live {
    all: MultiProgress,
    bars: BTreeMap<String, ProgressBar>,
    /// Columns.
    width: usize,
}

impl Live {
    pub(super) fn new(width: usize) -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        Self { all, bars: BTreeMap::new(), width }
    }

    /// The terminal is none that can be drawn on.
    pub(super) fn is_hidden(&self) -> bool {
        self.all.is_hidden()
    }

    /// Shows an event on its subject's line.
    pub(super) fn show(&mut self, progress: &Progress) {
        let subject = escape::line(&progress.subject);
        let all = &self.all;
        let bar = self
            .bars
            .entry(subject.clone())
            .or_insert_with(|| all.add(ProgressBar::no_length()).with_prefix(subject));
        bar.set_style(style(progress.total.is_some(), self.width));
        if let Some(total) = progress.total {
            bar.set_length(total);
        }
        if let Some(done) = progress.done {
            bar.set_position(done);
        }
        let message = escape::line(&progress.message);
        let message = match progress.kind {
            ProgressKind::Failed => format!("FAILED {message}"),
            ProgressKind::Done => format!("done {message}"),
            ProgressKind::Waiting => format!("waiting {message}"),
            ProgressKind::Started | ProgressKind::Advanced | ProgressKind::Note => message,
        };
        if progress.kind.is_end() {
            bar.abandon_with_message(message);
        } else {
            bar.set_message(message);
        }
        bar.tick();
    }

    /// Writes something else to the terminal without tearing the display.
    pub(super) fn suspended(&self, write: impl FnOnce()) {
        self.all.suspend(write);
    }

    /// Leaves the last state of each line on the screen.
    pub(super) fn end(self) {
        for bar in self.bars.values().filter(|bar| !bar.is_finished()) {
            bar.abandon();
        }
    }
}

/// From how many columns on a bar leaves room for words beside it.
const BAR_FITS: usize = 64;

/// A bar where there is a total, a line where there is none. No line is longer than the
/// terminal: one that wraps could not be drawn over again.
fn template(counted: bool, width: usize) -> &'static str {
    match (counted, width >= BAR_FITS) {
        (true, true) => "{prefix:<22!} [{bar:20}] {pos}/{len} {wide_msg}",
        (false, true) => "{prefix:<22!} {wide_msg}",
        (true, false) => "{prefix:<10!} {pos}/{len} {wide_msg}",
        (false, false) => "{prefix:<10!} {wide_msg}",
    }
}

fn style(counted: bool, width: usize) -> ProgressStyle {
    let template = template(counted, width);
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Which events become plain lines. Of one that only counts on, a subject gets a line a second,
/// by the events' own time; what is left out is made up for by the next, or at the end.
#[derive(Default)]
pub(super) struct Lines {
    subjects: BTreeMap<String, Told>,
}

struct Told {
    second: i64,
    left_out: Option<String>,
}

impl Lines {
    /// The line of an event, if it gets one now, after those that were left out in earlier
    /// seconds.
    pub(super) fn take(&mut self, progress: &Progress) -> Option<String> {
        let line = self.one(progress)?;
        let now = progress.at.as_second();
        let earlier = self.subjects.values_mut().filter(|it| it.second < now);
        let earlier = earlier.filter_map(|it| Some((it.second, it.left_out.take()?)));
        let mut earlier: Vec<(i64, String)> = earlier.collect();
        earlier.sort();
        Some(earlier.into_iter().map(|(_, line)| line).chain([line]).collect())
    }

    fn one(&mut self, progress: &Progress) -> Option<String> {
        let line = plain(progress);
        // What is not counted is told by nothing else, and the last count is what it came to.
        if progress.done.is_none() {
            return Some(line);
        }
        let second = progress.at.as_second();
        let told = self.subjects.get_mut(&progress.subject);
        let is_last = progress.done == progress.total;
        if let Some(told) = told.filter(|it| it.second == second && !is_last) {
            told.left_out = Some(line);
            return None;
        }
        self.subjects.insert(progress.subject.clone(), Told { second, left_out: None });
        Some(line)
    }

    /// What was left out and not made up for.
    pub(super) fn rest(&mut self) -> String {
        let left_out = self.subjects.values_mut().filter_map(|it| it.left_out.take());
        left_out.collect()
    }
}

/// The event as one plain line, escaped.
fn plain(progress: &Progress) -> String {
    let time = progress.at.strftime("%H:%M:%SZ");
    let kind = progress.kind.as_str();
    let mut line = format!("{time} {} {kind}", escape::line(&progress.subject));
    match (progress.done, progress.total) {
        (Some(done), Some(total)) => line.push_str(&format!(" {done}/{total}")),
        (Some(done), None) => line.push_str(&format!(" {done}")),
        (None, _) => {}
    }
    if !progress.message.is_empty() {
        line.push_str(": ");
        line.push_str(&escape::line(&progress.message));
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use indicatif::{ProgressBar, TermLike};

    use super::{Lines, Progress, ProgressDrawTarget, ProgressKind, style};
    use trading_core::model::Utc;

    /// A terminal that keeps what is written to it.
    #[derive(Debug)]
    struct Screen(u16, Arc<Mutex<String>>);

    impl TermLike for Screen {
        fn width(&self) -> u16 {
            self.0
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(text)
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.1.lock().expect("one thread").push_str(text);
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            self.1.lock().expect("one thread").clear();
            Ok(())
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_was_left_out_comes_before_what_is_later() {
        let mut lines = Lines::default();
        let mut take = |second: i64, subject: &str, done: u64| {
            let at = Utc::from_second(second).expect("a time");
            let event = Progress::new(at, ProgressKind::Advanced, subject, "").counted(done, 9);
            lines.take(&event).unwrap_or_default()
        };
        assert_eq!(take(1, "rows", 1), "00:00:01Z rows advanced 1/9\n");
        assert_eq!(take(1, "rows", 2), "");
        assert_eq!(take(1, "notify", 1), "00:00:01Z notify advanced 1/9\n");
        let both = "00:00:01Z rows advanced 2/9\n00:00:02Z notify advanced 2/9\n";
        assert_eq!(take(2, "notify", 2), both);
        assert_eq!(take(3, "rows", 3), "00:00:03Z rows advanced 3/9\n");
        assert_eq!(lines.rest(), "");
    }

    #[test]
    fn no_line_of_the_display_is_longer_than_the_terminal() {
        for width in [30_u16, 40, 80] {
            for counted in [true, false] {
                let shown = Arc::new(Mutex::new(String::new()));
                let screen = Screen(width, Arc::clone(&shown));
                let target = ProgressDrawTarget::term_like(Box::new(screen));
                let bar = ProgressBar::with_draw_target(Some(12), target);
                bar.set_style(style(counted, usize::from(width)));
                bar.set_position(12);
                bar.set_prefix("a subject with a very long name indeed");
                bar.abandon_with_message("done 12 of 12, and more words than there is room for");
                let shown = shown.lock().expect("one thread");
                let line = shown.trim_end();
                assert!(line.chars().count() <= usize::from(width), "{width}: {line:?}");
                assert!(line.contains("done 12"), "{width}: {line:?}");
            }
        }
    }
}
