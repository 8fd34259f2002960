//! The pages and documents of a stop and of its resume, from a scripted world: what the
//! procedures say, rendered as the binary renders it. No clock runs.

#![expect(clippy::panic, reason = "what the script does not know must fail loudly")]

use std::collections::BTreeMap;

use tradectl::render::{EnvironmentView, Fact, Header, Style, document, escape, page};
use trading_core::model::{
    Acknowledges, Attr, Capabilities, Hold, Latch, Level, Listing, NewOrder, OrderPurpose,
    OrderState, OrderType, Phase, PositionRow, Reading, Receipt, RestoreChunk, Role, RoleRule,
    Roles, Row, Scope, Service, Side, StrategyRow, Subject, Supervision, Task, TaskState, Timings,
    Utc, VenueOrder, VenuePosition, Written,
};
use trading_core::ops::emergency_stop::{self, EmergencyStop, Site};
use trading_core::ops::resume::{self, Resume};
use trading_core::ops::{Answer, Ask, Procedure, Query, Seen, Ticket};
use trading_core::plan::{Act, Approval, Binding, Consent, Recorded};
use trading_core::report::Report;

/// A strategy whose name would clear the screen.
const ODD: &str = "drop\u{1b}[2J";

/// One engine with two strategies, one of them with a position that nothing protects.
struct World {
    now: Utc,
    latch: Latch,
    rows: Vec<StrategyRow>,
    service: Service,
    task: Task,
    orders: Vec<VenueOrder>,
    receipts: Vec<Receipt>,
    chunks: Vec<RestoreChunk>,
    /// The engine neither acknowledges nor ends.
    hung: bool,
    /// The positions' table agrees with the venue.
    agrees: bool,
    journal: Result<(), String>,
}

fn span(ms: i64) -> jiff::SignedDuration {
    jiff::SignedDuration::from_millis(ms)
}

impl World {
    fn new() -> Self {
        let now: Utc = "2026-11-23T15:04:05Z".parse().expect("a time");
        let row = |id: &str, status: &str| StrategyRow {
            id: id.into(),
            row: Row::default()
                .with_text("strategy_id", id)
                .with_text(StrategyRow::STATUS, status)
                .with_text(StrategyRow::SERVICE, "engine")
                .with_text(StrategyRow::VENUE, "paper"),
        };
        let order = |id: &str, strategy: &str, purpose, side, order_type| VenueOrder {
            order: NewOrder {
                client_order_id: id.into(),
                strategy: strategy.into(),
                symbol: "BTC/USDT".into(),
                side,
                order_type,
                purpose,
                quantity: 1.into(),
                limit_price: (order_type == OrderType::Limit).then(|| 100.into()),
                stop_price: (order_type == OrderType::Stop).then(|| 90.into()),
                reduce_only: purpose != OrderPurpose::Entry,
                valid_until: None,
            },
            state: OrderState::Live,
            filled_quantity: 0.into(),
            received_at: now - span(60_000),
            reject_reason: None,
        };
        Self {
            now,
            latch: Latch::released(),
            rows: vec![row("breakout", "running"), row(ODD, "runing")],
            service: Service {
                name: "engine".into(),
                family: "engine".to_owned(),
                desired_count: 1,
                running_count: 1,
                pending_count: 0,
                deployments: vec![],
                events: vec![],
                autoscaling: Reading::absent("scaling targets", "it has none"),
            },
            task: Task {
                id: "task-1".into(),
                family: "engine".to_owned(),
                service: Some("engine".into()),
                started_by: "ecs-svc/engine".to_owned(),
                state: TaskState::Running,
                started_at: Some(now - span(3_600_000)),
                stopped_at: None,
                exit_code: None,
                ended_by: None,
                stopped_reason: None,
                container_reason: None,
                task_definition: "engine:1".to_owned(),
            },
            orders: vec![
                order("entry-1", "breakout", OrderPurpose::Entry, Side::Buy, OrderType::Limit),
                order("guard-1", "breakout", OrderPurpose::Protective, Side::Sell, OrderType::Stop),
            ],
            receipts: vec![Receipt {
                client_order_id: "entry-2".into(),
                strategy: "breakout".into(),
                received_at: now + span(180),
                increases_risk: true,
                accepted: true,
            }],
            chunks: vec![],
            hung: false,
            agrees: true,
            journal: Ok(()),
        }
    }

    fn seen(&self, query: &Query) -> Seen {
        fn known<T>(world: &World, value: T) -> Reading<T> {
            Reading::known(value, "script", world.now)
        }
        let position = |strategy: &str, quantity: i64| VenuePosition {
            strategy: strategy.into(),
            symbol: "BTC/USDT".into(),
            quantity: quantity.into(),
            entry_price: 100.into(),
        };
        match query {
            Query::Latch => Seen::Latch(known(self, self.latch.clone())),
            Query::Strategies => Seen::Strategies(known(self, self.rows.clone())),
            Query::Services => {
                Seen::Services(known(self, Listing::whole(vec![self.service.clone()])))
            }
            Query::Tasks => Seen::Tasks(known(self, Listing::whole(vec![self.task.clone()]))),
            Query::Schedules => Seen::Schedules(known(self, Default::default())),
            Query::Positions => {
                let rows =
                    [("breakout", "1"), (ODD, "-2")].map(|(strategy, quantity)| PositionRow {
                        id: format!("position-{strategy}").as_str().into(),
                        row: Row::default()
                            .with_text("strategy_id", strategy)
                            .with_text("symbol", "BTC/USDT")
                            .with_text("status", "open")
                            .with("quantity", Attr::N(quantity.to_owned())),
                    });
                let rows = if self.agrees { rows.into() } else { vec![] };
                Seen::Positions(known(self, rows))
            }
            Query::StoredOrders => Seen::StoredOrders(known(self, vec![])),
            Query::Supervision => Seen::Supervision(known(self, Supervision::Platform)),
            Query::Leases => Seen::Leases(known(self, vec![])),
            Query::RestoreChunks(_) => Seen::RestoreChunks(known(self, self.chunks.clone())),
            Query::LooseChunks => {
                let loose = self.chunks.iter().filter(|it| it.is_loose());
                Seen::LooseChunks(known(self, loose.cloned().collect()))
            }
            Query::VenueOrders(venue) => {
                let live = self.orders.iter().filter(|it| !it.state.is_terminal());
                Seen::VenueOrders(venue.clone(), known(self, live.cloned().collect()))
            }
            Query::VenuePositions(venue) => {
                let open = vec![position("breakout", 1), position(ODD, -2)];
                Seen::VenuePositions(venue.clone(), known(self, open))
            }
            Query::Receipts(venue, _) => {
                Seen::Receipts(venue.clone(), known(self, self.receipts.clone()))
            }
            other => panic!("nobody asks for {other:?}"),
        }
    }

    fn apply(&mut self, act: &Act) -> Written {
        match act {
            Act::WriteLatch { latch, .. } => self.latch = latch.clone(),
            Act::SetStatus(write) => {
                let row = self.rows.iter_mut().find(|row| row.id == write.strategy);
                let value = write.value.clone().expect("a status");
                row.expect("the row").row.set(StrategyRow::STATUS, value);
            }
            Act::CancelOrder { order, .. } => {
                let it = self.orders.iter_mut().find(|it| it.order.client_order_id == *order);
                it.expect("the order").state = OrderState::Cancelled;
            }
            Act::SetDesired { desired, .. } => self.service.desired_count = *desired,
            Act::StopTask { .. } | Act::EnsureSupervised | Act::Notify { .. } => {}
            other => panic!("nobody does {other:?}"),
        }
        Written::Applied { at: self.now }
    }

    /// Time passes for the engine.
    fn live(&mut self) {
        let phase = self.latch.holds.first().map(|hold: &Hold| hold.phase.clone());
        let wanted = self.service.desired_count;
        if !self.hung || wanted > 0 {
            self.task.state = if wanted > 0 { TaskState::Running } else { TaskState::Stopped };
            self.service.running_count = wanted;
        }
        for row in &mut self.rows {
            if phase == Some(Phase::Resuming) {
                for beat in ["last_heartbeat", "reconciled_at"] {
                    row.row.set(beat, Attr::text(self.now.to_string()));
                }
            } else if phase.is_some() && !self.hung {
                let id = self.latch.holds[0].stop_id.clone();
                row.row.set(StrategyRow::STOP_ACK, Attr::text(id.as_str()));
            }
        }
    }

    fn answer(&mut self, ask: Ask) -> Answer {
        match ask {
            Ask::Journal { .. } => Answer::Journaled(self.journal.clone()),
            Ask::Record(chunk) => {
                self.chunks.push(chunk.clone());
                Answer::Recorded(chunk, Recorded::StateStore)
            }
            Ask::Read(query) => Answer::Read(Box::new(self.seen(&query))),
            Ask::Act(acts) => {
                let answers = acts.into_iter().map(|(id, act)| (id, self.apply(&act)));
                Answer::Acted(answers.collect())
            }
        }
    }

    fn drive(&mut self, procedure: &mut dyn Procedure) -> Report {
        let mut open: Vec<(Ticket, Ask)> = Vec::new();
        loop {
            let wants = procedure.wants(self.now);
            open.extend(wants.into_iter().map(|want| (want.ticket, want.ask)));
            if let Some(report) = procedure.outcome(self.now) {
                return report;
            }
            self.now += span(5);
            if open.is_empty() {
                self.now = self.now.max(procedure.wake_at().expect("something is awaited"));
            } else {
                let (ticket, ask) = open.remove(0);
                let answer = self.answer(ask);
                procedure.give(self.now, ticket, answer);
            }
            self.live();
        }
    }

    fn stop(&mut self, keep_compute: bool, run: &str) -> Report {
        let site = site();
        let request = emergency_stop::Request {
            stop_id: "stop-1".into(),
            run_id: run.into(),
            level: Level::Halt,
            scope: Scope::All,
            flatten: false,
            cancel_protective: false,
            keep_compute,
            include: vec![],
            reason: "a test".to_owned(),
            actor: "alice@desk".to_owned(),
            started_at: self.now,
            deadline_at: self.now + span(30_000),
        };
        let binding = Binding::Stop {
            environment: site.environment.clone(),
            account: None,
            endpoint: site.endpoint.clone(),
            scope: request.scope.clone(),
            level: request.level.clone(),
            flags: request.flags(),
        };
        let approval = granted(binding);
        self.drive(&mut EmergencyStop::new(site, request, Some((approval, "typed"))))
    }

    fn resume(&mut self) -> Report {
        let request = resume::Request {
            run_id: "run-2".into(),
            stop_id: None,
            reason: "mended".to_owned(),
            record: vec![],
            record_files: vec![],
            leave: vec![],
            take: vec![],
            actor: "alice@desk".to_owned(),
            started_at: self.now,
            asked_at: self.now,
            deadline_at: self.now + span(30_000),
        };
        let mut survey = Resume::new(site(), request.clone(), None);
        self.drive(&mut survey);
        let digest = survey.plan_digest().expect("a plan").clone();
        let approval = granted(Binding::Plan { environment: "desk".to_owned(), digest });
        self.drive(&mut Resume::new(site(), request, Some((approval, "typed"))))
    }
}

fn granted(binding: Binding) -> Approval {
    Approval::grant(binding, &Consent::Typed("desk".to_owned())).expect("granted")
}

fn site() -> Site {
    let rule = RoleRule { subject: Subject::Service, pattern: "engine*".into(), role: Role::Both };
    Site {
        environment: "desk".to_owned(),
        account: None,
        endpoint: "/srv/desk".to_owned(),
        roles: Roles(vec![rule]),
        acknowledges: Acknowledges::StopAck,
        timings: Timings::default(),
        capabilities: Capabilities {
            strategies: true,
            positions: true,
            venues: vec!["paper".into()],
            notices: true,
        },
        over_network: false,
        unread_schedules: None,
    }
}

/// As the binary shows it: human at two widths without colour, and the document.
fn shown(report: &Report) -> BTreeMap<&'static str, String> {
    let known = |text: &str| Fact::Known(text.to_owned());
    let header = Header {
        environment: EnvironmentView {
            name: known("desk"),
            platform: known("local"),
            account_verified: false,
            account: Fact::unknown("there is none"),
            region: Fact::unknown("there is none"),
            endpoint: Fact::unknown("there is none"),
            endpoint_origin: Fact::unknown("there is none"),
            directory: known("/srv/desk"),
            production: tradectl::render::Fact::Known(false),
            market: known("always open"),
            project_file: Fact::unknown("there is none"),
        },
        observed_at: "2026-11-23T15:04:05Z".parse().expect("a time"),
        show_account: false,
    };
    let human = |width| page(report, &header, Style { width, color: false });
    for width in [100, 40] {
        let page = human(width);
        assert!(page.chars().all(|c| escape::is_safe(c) || c == '\n'), "{page:?}");
    }
    BTreeMap::from([
        ("100 columns", human(100)),
        ("40 columns", human(40)),
        ("document", document(report, &header, false)),
    ])
}

fn pinned(name: &str, report: &Report) {
    let code = report.exit.code();
    let all = shown(report).into_iter().map(|(how, text)| format!("--- {how}\n{text}"));
    let all: String = all.collect();
    insta::assert_snapshot!(name, format!("exit {code}\n{all}"));
}

#[test]
fn a_stop_that_halts_and_the_resume_of_it() {
    let mut world = World::new();
    pinned("stop_halted", &world.stop(false, "run-1"));
    pinned("stop_again", &world.stop(false, "run-1b"));
    world.agrees = false;
    let unreconciled = world.resume();
    assert_eq!(unreconciled.exit.code(), 21);
    pinned("resume_unreconciled", &unreconciled);
    world.agrees = true;
    let released = world.resume();
    assert_eq!((released.outcome.as_str(), world.latch.holds.len()), ("RELEASED", 0));
    pinned("resume_released", &released);
}

#[test]
fn a_stop_that_leaves_something_trading_and_has_no_journal() {
    let mut world = World::new();
    world.hung = true;
    world.journal = Err("no space left on device".to_owned());
    let partial = world.stop(true, "run-1");
    assert_eq!(partial.exit.code(), 21);
    pinned("stop_partial", &partial);
    world.hung = false;
    world.stop(false, "run-1b");
    pinned("resume_without_a_journal", &world.resume());
}
