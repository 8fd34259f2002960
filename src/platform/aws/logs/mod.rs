//! Lines in CloudWatch Logs, of several groups at once. What could not be read, in whole or in
//! part, stands beside the lines as a gap.

mod filter;
mod groups;
mod pattern;
mod spans;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_cloudwatchlogs::Client;
use tokio::task::JoinSet;
use trading_core::model::{Gap, GapKind, LogLine, LogList, LogQuery, Reading};

use super::connect::Connection;
use crate::platform::{Fut, Logs};
use crate::settings::{Environment, PlatformKind};

const WHAT: &str = "logs";

/// The logs of one environment.
#[derive(Clone)]
pub(super) struct CloudWatch {
    client: Client,
    ecs: aws_sdk_ecs::Client,
    connection: Arc<Connection>,
    cluster: Option<String>,
    /// Of the names of log groups, with spaces between them.
    patterns: Option<String>,
    region: String,
}

impl CloudWatch {
    pub(super) fn new(connection: &Arc<Connection>, environment: &Environment) -> Self {
        let region = match &environment.platform {
            PlatformKind::Aws { region, .. } => region.clone(),
            PlatformKind::Local { .. } => String::new(),
        };
        Self {
            client: Client::new(&connection.config("CLOUDWATCH_LOGS")),
            ecs: aws_sdk_ecs::Client::new(&connection.config("ECS")),
            connection: Arc::clone(connection),
            cluster: environment.names.get("cluster").cloned(),
            patterns: environment.names.get("log_groups").cloned(),
            region,
        }
    }

    fn now_ms(&self) -> i64 {
        self.connection.sender.now().as_millisecond()
    }

    /// Looks everywhere at once. Whoever waits for the answer waits as long as one request may
    /// take: what has come by then is an answer, so a part of that time is left.
    async fn read(&self, query: &LogQuery) -> Reading<LogList> {
        let sender = &self.connection.sender;
        let within = sender.timeout * 4 / 5;
        let started = sender.clock.since_boot();
        let Ok(found) = tokio::time::timeout(within, self.places(query)).await else {
            return Reading::unreachable(
                WHAT,
                format!("no answer within {within:?} where they lie"),
            );
        };
        let left = within.saturating_sub(sender.clock.since_boot().saturating_sub(started));
        let mut asked = JoinSet::new();
        let silent = found.places.is_empty();
        for place in found.places {
            let (logs, query) = (self.clone(), query.clone());
            asked.spawn(async move { logs.search(&place, &query, left).await });
        }
        let mut list = LogList { lines: Vec::new(), gaps: found.gaps };
        let mut answered = false;
        while let Some(joined) = asked.join_next().await {
            match joined {
                Ok((lines, gap)) => {
                    answered |= gap.is_none() || !lines.is_empty();
                    list.lines.extend(lines);
                    list.gaps.extend(gap);
                }
                Err(error) => list.gaps.push(ended(&error)),
            }
        }
        if let (true, Some(gap)) = (silent || !answered, Gap::of_all(WHAT, &list.gaps)) {
            return Reading::Gap(gap);
        }
        list.gaps.sort_by(|one, two| one.source.cmp(&two.source));
        query.newest(&mut list.lines);
        Reading::known(list, WHAT, sender.now())
    }

    /// The lines of one group, and what of them could not be read.
    async fn search(
        &self,
        place: &groups::Place,
        query: &LogQuery,
        within: Duration,
    ) -> (Vec<LogLine>, Option<Gap>) {
        let mut found = filter::Found::default();
        let looked = tokio::time::timeout(within, self.look_through(place, query, &mut found));
        let source = format!("log group {}", place.group);
        let gap = match looked.await {
            Ok(Ok(())) => None,
            Ok(Err(failure)) => {
                let reading: Reading<()> = failure.reading(&source);
                reading.as_gap().map(|gap| Gap {
                    why: format!("{}; {}", gap.why, found.so_far()),
                    ..gap.clone()
                })
            }
            Err(_) => {
                let why = format!("not all of it within {within:?}; {}", found.so_far());
                Some(Gap { kind: GapKind::Unreachable, source, why })
            }
        };
        (found.into_lines(), gap)
    }
}

fn ended(error: &tokio::task::JoinError) -> Gap {
    Gap { kind: GapKind::Unreachable, source: WHAT.to_owned(), why: error.to_string() }
}

impl Logs for CloudWatch {
    fn groups(&self) -> Fut<'_, Reading<Vec<String>>> {
        Box::pin(async {
            let found = self.places(&LogQuery::default()).await;
            if let Some(gap) = Gap::of_all("log groups", &found.gaps) {
                return Reading::Gap(gap);
            }
            let names = found.places.into_iter().map(|place| place.group);
            let names: BTreeSet<String> = names.collect();
            Reading::known(names.into_iter().collect(), "log groups", self.connection.sender.now())
        })
    }
    fn query<'a>(&'a self, query: &'a LogQuery) -> Fut<'a, Reading<LogList>> {
        Box::pin(self.read(query))
    }
}
