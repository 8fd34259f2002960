//! The page: one screen.

use super::findings::{reasons, state_word};
use super::{About, View};
use crate::model::{
    Gap, GapKind, Hold, Latch, OrderPurpose, OrderType, Reading, RestoreValue, Role, Schedule,
    Service, Side, Task, TaskState, Utc, VenueOrder,
};
use crate::ops::heartbeat::{Pulse, beat_cells};
use crate::ops::positions::holdings_table;
use crate::ops::supervision::line as supervision_line;
use crate::report::{Block, Cell, Tone, ago, stamp};

/// How many rows of one table fit on a screen with the others.
const ROWS: usize = 12;

impl View<'_> {
    pub(super) fn page(&self) -> Vec<Block> {
        let world = self.world;
        let mut page = Vec::new();
        if let Some(latch) = &world.latch {
            page.push(known(latch, |latch| self.latch_line(latch)).unwrap_or_else(gap_line));
        }
        page.extend(self.left_behind_line());
        page.extend(self.stopped_line());
        if let Some(supervision) = &world.supervision {
            let line = known(supervision, |it| supervision_line(it, self.now));
            page.push(line.unwrap_or_else(gap_line));
        }
        self.part(&mut page, "Services", world.services.as_ref(), |services| {
            let mut blocks = self.table(
                vec!["service", "role", "running", "desired", "last event"],
                services.into_iter().map(|it| self.service_cells(it)).collect(),
                &self.whole_page(),
            );
            if self.request.about != About::Everything {
                blocks.extend(services.into_iter().map(scaling_line));
            }
            blocks
        });
        self.task_part(&mut page);
        self.part(&mut page, "Strategies", world.strategies.as_ref(), |_| self.strategies());
        self.positions(&mut page);
        for (venue, orders) in &world.orders {
            self.part(&mut page, &format!("Resting orders at {venue}"), Some(orders), |orders| {
                self.table(
                    vec!["order", "strategy", "purpose", "side", "quantity", "symbol", "price"],
                    orders.iter().map(order_cells).collect(),
                    &self.whole_page(),
                )
            });
        }
        self.part(&mut page, "Schedules", world.schedules.as_ref(), |schedules| {
            self.table(
                vec!["schedule", "state", "expression", "starts"],
                schedules.into_iter().map(schedule_cells).collect(),
                &self.whole_page(),
            )
        });
        let unread = world.unlisted().map(|gap| format!("not known: {gap}"));
        page.extend(unread.map(|text| Block::Line(Cell::toned(text, Tone::Warn))));
        let outside = self.request.outside_line();
        let lacks = self.request.lacks.iter().map(|what| format!("not covered: {what}"));
        let dim = |text: String| Block::Line(Cell::toned(text, Tone::Dim));
        page.extend(outside.into_iter().chain(lacks).map(dim));
        page
    }

    /// The words of the same command that leaves nothing out of its page.
    pub(super) fn whole_page(&self) -> String {
        match self.request.about.part() {
            Some(part) => format!("status --all --scope {part}"),
            None => "status --all".to_owned(),
        }
    }

    /// Which tasks: where one thing was asked about. Of a whole environment those that no service
    /// tells of; what is wrong with another one stands in the findings.
    fn task_part(&self, page: &mut Vec<Block>) {
        if self.request.about == About::Everything {
            return self.own_tasks(page);
        }
        self.part(page, "Tasks", self.world.tasks.as_ref(), |_| match self.tasks() {
            Some(Ok(mut tasks)) => {
                // What lives first; of what ended, the latest.
                tasks.sort_by_key(|task| {
                    std::cmp::Reverse((task.stopped_at.is_none(), task.stopped_at))
                });
                self.table(
                    vec!["task", "state", "began", "ended", "why"],
                    tasks.into_iter().map(|task| self.task_cells(task)).collect(),
                    &self.whole_page(),
                )
            }
            Some(Err(why)) => {
                vec![Block::Line(Cell::toned(format!("not known: {why}"), Tone::Warn))]
            }
            None => Vec::new(),
        });
    }

    fn own_tasks(&self, page: &mut Vec<Block>) {
        let live = |task: &&Task| task.service.is_none() && task.state != TaskState::Stopped;
        let tasks: Vec<&Task> = self.known_tasks().filter(live).collect();
        if tasks.is_empty() {
            return;
        }
        page.push(Block::Heading("Tasks of no service".to_owned()));
        let since = |at: Option<Utc>| at.map(|at| ago(self.age(at))).unwrap_or_default();
        let cells = |task: &Task| {
            vec![
                Cell::plain(task.id.as_str()),
                Cell::plain(&task.family),
                Cell::plain(state_word(task.state)),
                Cell::plain(since(task.started_at)),
                Cell::plain(&task.started_by),
            ]
        };
        page.extend(self.table(
            vec!["task", "family", "state", "began", "started by"],
            tasks.into_iter().map(cells).collect(),
            &self.whole_page(),
        ));
    }

    fn task_cells(&self, task: &Task) -> Vec<Cell> {
        let since = |at: Option<Utc>| at.map(|at| ago(self.age(at))).unwrap_or_default();
        let code = task.exit_code.map(|code| format!("exit code {code}"));
        let why = code.into_iter().chain(reasons(task).map(str::to_owned));
        let why: Vec<String> = why.collect();
        vec![
            Cell::plain(task.id.as_str()),
            Cell::plain(state_word(task.state)),
            Cell::plain(since(task.started_at)),
            Cell::plain(since(task.stopped_at)),
            Cell::toned(why.join(": "), Tone::Dim),
        ]
    }

    /// A heading and what stands under it, or why nothing does.
    fn part<T>(
        &self,
        page: &mut Vec<Block>,
        heading: &str,
        reading: Option<&Reading<T>>,
        blocks: impl FnOnce(&T) -> Vec<Block>,
    ) {
        let Some(reading) = reading else { return };
        page.push(Block::Heading(heading.to_owned()));
        match reading {
            Reading::Known { value, .. } => page.extend(blocks(value)),
            Reading::Gap(gap) => page.push(gap_line(gap)),
        }
    }

    /// A table of what fits, and a line that says what does not.
    fn table(
        &self,
        columns: Vec<&'static str>,
        mut rows: Vec<Vec<Cell>>,
        more: &str,
    ) -> Vec<Block> {
        let hidden = if self.request.all { 0 } else { rows.len().saturating_sub(ROWS) };
        if hidden > 0 {
            rows.truncate(ROWS);
        }
        let mut blocks = vec![Block::Table { columns, rows }];
        if hidden > 0 {
            let line = format!("… and {hidden} more: {}", self.command(more));
            blocks.push(Block::Line(Cell::toned(line, Tone::Dim)));
        }
        blocks
    }

    fn latch_line(&self, latch: &Latch) -> Block {
        let (here, elsewhere): (Vec<_>, Vec<_>) =
            latch.holds.iter().partition(|hold| self.is_covered_by(&hold.scope));
        let holds: Vec<String> = here.into_iter().map(|hold| self.hold_words(hold)).collect();
        if holds.is_empty() {
            let elsewhere = match elsewhere.len() {
                0 => String::new(),
                some => format!(" here ({some} others do not cover {})", self.request.about),
            };
            return Block::Line(Cell::toned(format!("latch: free{elsewhere}"), Tone::Good));
        }
        Block::Line(Cell::toned(format!("latch: HELD: {}", holds.join("; ")), Tone::Bad))
    }

    /// What holds, by whom and for how long.
    pub(super) fn hold_words(&self, hold: &Hold) -> String {
        let (since, age) = (stamp(hold.at), ago(self.age(hold.at)));
        let Hold { level, scope, stop_id, phase, .. } = hold;
        format!("{level} {scope} by {stop_id} since {since} ({age}, {})", phase.as_str())
    }

    pub(super) fn role_word(&self, service: &Service) -> &'static str {
        match self.request.site.service_role(service) {
            Some(Role::Entry) => "entry",
            Some(Role::Exit) => "exit",
            Some(Role::Both) => "both",
            Some(Role::Support) => "support",
            None => "unclassified",
        }
    }

    fn service_cells(&self, service: &Service) -> Vec<Cell> {
        let short = service.running_count < service.desired_count;
        let tone = if short { Tone::Bad } else { Tone::Plain };
        let event = service.events.first().map(|event| event.message.clone());
        vec![
            Cell::plain(service.name.as_str()),
            Cell::plain(self.role_word(service)),
            Cell::toned(service.running_count.to_string(), tone),
            Cell::plain(service.desired_count.to_string()),
            Cell::toned(event.unwrap_or_default(), Tone::Dim),
        ]
    }

    fn strategies(&self) -> Vec<Block> {
        let of = |pulse| self.beats.iter().filter(|beat| beat.pulse == pulse).count();
        let pulses = [
            Pulse::Stale,
            Pulse::Unparsed,
            Pulse::Warming,
            Pulse::Unwatched,
            Pulse::Fresh,
            Pulse::AtRest,
        ];
        let counts: Vec<String> = pulses
            .into_iter()
            .filter(|pulse| of(*pulse) > 0)
            .map(|pulse| format!("{} {}", of(pulse), pulse.as_str()))
            .collect();
        let mut blocks = vec![Block::line(counts.join(", "))];
        if counts.is_empty() {
            blocks.clear();
        }
        // Why stands in the findings.
        let cells = |beat| beat_cells(beat).into_iter().take(5).collect();
        blocks.extend(self.table(
            vec!["strategy", "heartbeat", "age", "status", "service"],
            self.beats.iter().map(cells).collect(),
            "heartbeat list",
        ));
        blocks
    }

    fn positions(&self, page: &mut Vec<Block>) {
        let world = self.world;
        if world.positions.is_none() && world.venue_positions.is_empty() {
            return;
        }
        page.push(Block::Heading("Open positions".to_owned()));
        let stored = world.positions.as_ref().and_then(Reading::as_gap);
        let gaps: Vec<&Gap> = stored
            .into_iter()
            .chain(world.venue_positions.values().filter_map(Reading::as_gap))
            .collect();
        page.extend(gaps.iter().map(|gap| gap_line(gap)));
        // An empty table says that there are none: only where everybody has answered.
        if self.holdings.open.is_empty() && !gaps.is_empty() {
            return;
        }
        if let Block::Table { columns, rows } = holdings_table(&self.holdings.open) {
            page.extend(self.table(columns, rows, &self.whole_page()));
        }
    }
}

fn known<T>(reading: &Reading<T>, block: impl FnOnce(&T) -> Block) -> Result<Block, &Gap> {
    match reading {
        Reading::Known { value, .. } => Ok(block(value)),
        Reading::Gap(gap) => Err(gap),
    }
}

fn gap_line(gap: &Gap) -> Block {
    Block::Line(Cell::toned(gap.to_string(), Tone::Bad))
}

fn scaling_line(service: &Service) -> Block {
    match &service.autoscaling {
        Reading::Known { value, .. } => Block::line(RestoreValue::Autoscaling(*value).to_string()),
        Reading::Gap(gap) if gap.kind == GapKind::Absent => {
            Block::Line(Cell::toned("scaling target: none", Tone::Dim))
        }
        Reading::Gap(gap) => gap_line(gap),
    }
}

fn order_cells(order: &VenueOrder) -> Vec<Cell> {
    let it = &order.order;
    let purpose = match it.purpose {
        OrderPurpose::Entry => "entry",
        OrderPurpose::Exit => "exit",
        OrderPurpose::Protective => "protective",
    };
    let price = match (it.order_type, it.limit_price, it.stop_price) {
        (OrderType::Stop, _, Some(price)) => format!("stop {price}"),
        (_, Some(price), _) => price.to_string(),
        _ => "market".to_owned(),
    };
    vec![
        Cell::plain(it.client_order_id.as_str()),
        Cell::plain(it.strategy.as_str()),
        Cell::plain(purpose),
        Cell::plain(if it.side == Side::Buy { "buy" } else { "sell" }),
        Cell::plain((it.quantity - order.filled_quantity).to_string()),
        Cell::plain(it.symbol.as_str()),
        Cell::plain(price),
    ]
}

fn schedule_cells(schedule: &Schedule) -> Vec<Cell> {
    let starts: Vec<String> = schedule.targets.iter().map(ToString::to_string).collect();
    let (state, tone) =
        if schedule.enabled { ("enabled", Tone::Plain) } else { ("disabled", Tone::Dim) };
    vec![
        Cell::plain(schedule.id.as_str()),
        Cell::toned(state, tone),
        Cell::plain(format!("{} {}", schedule.expression, schedule.timezone)),
        Cell::plain(starts.join(", ")),
    ]
}
