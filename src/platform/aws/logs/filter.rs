//! The lines of one log group. Pages may be empty and still not the last.

use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
use trading_core::model::{LogLine, LogQuery, Utc};

use super::groups::Place;
use super::spans::{Span, Spans};
use super::{CloudWatch, pattern};
use crate::platform::aws::calls;
use crate::platform::aws::errors::Failure;

/// Lines beyond the wanted ones that are kept of a span.
const MOST_KEPT: usize = 10_000;

/// What has come by now.
#[derive(Default)]
pub(super) struct Found {
    /// Of the spans that were read whole.
    whole: Vec<LogLine>,
    /// Of the span that is being read.
    begun: Vec<LogLine>,
    /// From here on all lines are there.
    whole_from: Option<Utc>,
}

impl Found {
    /// How far it came, for who has to do with a part.
    pub(super) fn so_far(&self) -> String {
        match self.whole_from {
            Some(from) => format!("only from {from} on all lines are here"),
            None => "lines of any time may be missing".to_owned(),
        }
    }
    pub(super) fn into_lines(mut self) -> Vec<LogLine> {
        self.whole.append(&mut self.begun);
        self.whole
    }
    /// The span has been read to its end.
    fn finish(&mut self, span: Span) {
        self.whole.append(&mut self.begun);
        self.whole_from = time(span.start).or(self.whole_from);
    }
}

impl CloudWatch {
    /// Reads a group's lines into `found`, the newest span of time first if only the newest
    /// lines are wanted.
    pub(super) async fn look_through(
        &self,
        place: &Place,
        query: &LogQuery,
        found: &mut Found,
    ) -> Result<(), Failure> {
        let since = query.since.map_or(0, |it| it.as_millisecond());
        let until = query.until.map(|it| it.as_millisecond());
        let (floor, now) = (since.max(place.floor_ms), self.now_ms());
        let spans = match query.limit {
            None => Spans::whole(floor, until, now),
            Some(_) => Spans::newest_first(floor, until, now),
        };
        for span in spans {
            self.read_span(place, query, span, found).await?;
            found.finish(span);
            if query.limit.is_some_and(|limit| found.whole.len() >= limit) {
                break;
            }
        }
        Ok(())
    }

    async fn read_span(
        &self,
        place: &Place,
        query: &LogQuery,
        span: Span,
        found: &mut Found,
    ) -> Result<(), Failure> {
        let call = calls::filter_log_events(&self.region);
        let prefix = place.stream_prefix.clone().or_else(|| query.stream_prefix.clone());
        let ask = self
            .client
            .filter_log_events()
            .log_group_name(&place.group)
            .start_time(span.start)
            .set_end_time(span.end)
            .set_log_stream_name_prefix(prefix)
            .set_filter_pattern(query.contains.as_deref().and_then(pattern::quoted));
        let mut from: Option<String> = None;
        loop {
            let page = ask.clone().set_next_token(from.take());
            let answer = self.connection.sender.send(call, || page.clone().send()).await;
            let page = answer.map_err(|failed| failed.failure)?.value;
            for event in page.events.unwrap_or_default() {
                let Some(line) = line(&place.group, event) else { continue };
                let begins = |it: &String| line.stream.starts_with(it.as_str());
                if place.stream_prefix.as_ref().is_none_or(begins) && query.takes(&line) {
                    found.begun.push(line);
                }
            }
            // Where only the newest are wanted, a busy span is not kept whole. Pages are in
            // order only within themselves.
            if query.limit.is_some_and(|limit| found.begun.len() > limit.saturating_add(MOST_KEPT))
            {
                query.newest(&mut found.begun);
            }
            match page.next_token {
                Some(token) if !token.is_empty() => from = Some(token),
                _ => return Ok(()),
            }
        }
    }
}

fn line(group: &str, event: FilteredLogEvent) -> Option<LogLine> {
    Some(LogLine {
        at: time(event.timestamp?)?,
        group: group.to_owned(),
        stream: event.log_stream_name.unwrap_or_default(),
        message: event.message.unwrap_or_default().trim_end_matches(['\n', '\r']).to_owned(),
    })
}

fn time(ms: i64) -> Option<Utc> {
    Utc::from_millisecond(ms).ok()
}

#[cfg(test)]
mod tests {
    use super::{Found, LogLine, Span, time};

    fn line(ms: i64) -> LogLine {
        let text = String::new;
        LogLine { at: time(ms).unwrap(), group: text(), stream: text(), message: text() }
    }

    #[test]
    fn a_part_says_from_when_on_it_is_whole() {
        let mut found = Found::default();
        assert_eq!(found.so_far(), "lines of any time may be missing");
        found.begun.extend([line(70), line(80)]);
        found.finish(Span { start: 60, end: None });
        found.begun.extend([line(10), line(20)]);
        assert_eq!(found.so_far(), "only from 1970-01-01T00:00:00.06Z on all lines are here");
        assert_eq!(found.into_lines().len(), 4, "what was read of the next span is there too");
    }
}
