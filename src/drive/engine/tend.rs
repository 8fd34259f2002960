//! What the loop tends to by the clock: rows, leases, the latch, acknowledgements.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use trading_core::engine::{self, Control, Event, Mode, Spec};
use trading_core::model::{Effective, Lease, StrategyId, StrategyRow, Symbol, Utc};

use super::guard::{HeldLease, ReadLatch, after};
use super::{Answer, Shell, leftovers};

/// How often the rows are read at most.
const ROWS_EVERY: Duration = Duration::from_millis(500);
/// How long a lease lasts, and how often it is renewed.
const LEASE_TTL: Duration = Duration::from_secs(3);
const LEASE_EVERY: Duration = Duration::from_millis(750);
/// How often beats are written.
const BEAT_EVERY: Duration = Duration::from_secs(2);
/// How often changed rows are written.
const KEEP_EVERY: Duration = Duration::from_millis(500);
/// How often rows are looked for that the engine does not know.
const LEFTOVERS_EVERY: Duration = Duration::from_secs(10);
/// How often the state's digest goes to the event log.
const MARK_EVERY: Duration = Duration::from_secs(30);

/// When something is due again.
#[derive(Default)]
struct Due(Option<Duration>);

impl Due {
    fn is_due(&mut self, now: Duration, every: Duration) -> bool {
        let due = self.0.is_none_or(|at| now >= at);
        if due {
            self.0 = Some(now + every);
        }
        due
    }
}

/// When everything is due again.
#[derive(Default)]
pub(super) struct DueTimes {
    rows: Due,
    leases: Due,
    beats: Due,
    keep: Due,
    marks: Due,
    leftovers: Due,
}

impl Shell {
    pub(super) fn tick(&mut self) {
        let (now, since_boot) = (self.world.clock.now(), self.world.clock.since_boot());
        self.drop_lost_leases();
        self.tell_controls();
        self.feed_input(Event::Tick { at: now });
        self.acknowledge();
        if !self.rows_running && self.due.rows.is_due(since_boot, ROWS_EVERY) {
            self.read_rows();
        }
        if !self.leases_running && self.due.leases.is_due(since_boot, LEASE_EVERY) {
            self.renew_leases();
        }
        if self.due.beats.is_due(since_boot, BEAT_EVERY) {
            self.keeper.beat(now);
        }
        if self.due.keep.is_due(since_boot, KEEP_EVERY) {
            self.keeper.write(&self.engine, &self.world);
        }
        let symbols: BTreeSet<Symbol> = self
            .adopted
            .keys()
            .filter_map(|id| self.engine.runner(id))
            .map(|runner| runner.spec.symbol.clone())
            .collect();
        self.feed.want(symbols, &self.world);
        if !self.adopted.is_empty() && self.due.leftovers.is_due(since_boot, LEFTOVERS_EVERY) {
            self.settle_leftovers();
        }
        if self.due.marks.is_due(since_boot, MARK_EVERY) {
            let marked = self.log.mark(&self.engine);
            if let Err(why) = marked.and_then(|()| self.log.rotate_if_long(&self.engine)) {
                self.broken.get_or_insert(why);
            }
        }
    }

    fn settle_leftovers(&self) {
        let strategies: BTreeSet<StrategyId> = self.adopted.keys().cloned().collect();
        let runners = strategies.iter().filter_map(|id| self.engine.runner(id));
        let known = runners.flat_map(|runner| runner.orders.keys().cloned()).collect();
        leftovers::settle(Arc::clone(&self.state), self.world.clone(), strategies, known);
    }

    /// Reads the latch over and over, strongly consistent. Its age counts from before the
    /// read, on the clock that counts suspend.
    pub(super) fn watch_latch(&self) {
        let (world, state) = (self.world.clone(), Arc::clone(&self.state));
        let poll = Duration::from_millis(self.timings.latch_poll_ms);
        tokio::spawn(async move {
            while !world.answers.is_closed() {
                let (wall, since_boot) = (world.clock.now(), world.clock.since_boot());
                match state.latch().await.into_result() {
                    Ok(latch) => world.tell(Answer::Latch(ReadLatch { latch, wall, since_boot })),
                    Err(gap) => world.tell(Answer::LatchUnread(gap)),
                }
                tokio::time::sleep(poll).await;
            }
        });
    }

    /// Tells the core what the latch says now, where that is news.
    pub(super) fn tell_controls(&mut self) {
        for strategy in self.adopted.keys().cloned().collect::<Vec<_>>() {
            let control = self.world.guard.control(&strategy);
            if self.engine.runner(&strategy).is_some_and(|runner| runner.latch != control) {
                self.feed_input(Event::Latch { strategy, control });
            }
        }
    }

    /// Acknowledges a stop for each strategy that can no longer send. Under reduce-only it
    /// can: an acknowledgement of that would count for a halt that comes later. Nor does
    /// one speak for a strategy whose lease is somebody else's by now.
    pub(super) fn acknowledge(&mut self) {
        for strategy in self.adopted.keys() {
            let Some(runner) = self.engine.runner(strategy) else { continue };
            let leased = self.world.guard.lease(strategy).is_some();
            if runner.latch != Control::Halt || !runner.is_quiet() || !leased {
                continue;
            }
            if let Some(Effective::Held { stop_id: Some(stop_id), level }) =
                self.world.guard.effective(strategy)
                && level.halts()
            {
                self.keeper.acknowledge(strategy, stop_id, &self.engine, &self.world);
            }
        }
        self.keeper.write_acknowledgements(&self.world);
    }

    fn read_rows(&mut self) {
        self.rows_running = true;
        let (world, state) = (self.world.clone(), Arc::clone(&self.state));
        tokio::spawn(async move { world.tell(Answer::Rows(state.strategies().await)) });
    }

    pub(super) fn take_rows(&mut self, rows: Vec<StrategyRow>) {
        let mut seen = BTreeMap::new();
        let mut unrunnable = BTreeMap::new();
        for row in rows {
            let runner = self.engine.runner(&row.id);
            if !engine::is_run_by(&row, &self.service, runner) {
                continue;
            }
            let (wanted, why_not) = engine::to_run(&row, &self.venue_name, runner);
            self.keeper.saw(&row);
            unrunnable.extend(why_not.map(|why| (row.id.clone(), why.to_string())));
            seen.extend(wanted.map(|wanted| (row.id, wanted)));
        }
        for (strategy, why) in &unrunnable {
            if self.unrunnable.get(strategy) != Some(why) {
                let note = format!("strategy {strategy} is not run: {why}");
                self.sink.note(self.world.clock.now(), "error", &note);
            }
        }
        self.unrunnable = unrunnable;
        let news = seen.keys().any(|id| !self.rows.contains_key(id));
        self.rows = seen;
        for strategy in self.adopted.keys().cloned().collect::<Vec<_>>() {
            let mode = self.rows.get(&strategy).map_or(Mode::Idle, |wanted| wanted.mode);
            if self.engine.runner(&strategy).is_some_and(|runner| runner.mode != mode) {
                self.feed_input(Event::Mode { strategy, mode });
            }
        }
        self.take_new_terms();
        if news && !self.leases_running {
            self.renew_leases();
        }
    }

    /// Takes another stake, capital or symbol over, as soon as nothing is open under the
    /// old terms.
    fn take_new_terms(&mut self) {
        for (strategy, generation) in self.adopted.clone() {
            let (Some(wanted), Some(runner)) =
                (self.rows.get(&strategy), self.engine.runner(&strategy))
            else {
                continue;
            };
            let spec = Spec { generation, ..wanted.spec.clone() };
            let flat = runner.position.quantity.0 == 0 && runner.open_orders().next().is_none();
            if flat && runner.spec != spec {
                self.feed_input(Event::Adopt(spec));
            }
        }
    }

    /// Strategies to hold: those that are to run, and those that a stop still waits for.
    fn to_lease(&self) -> Vec<StrategyId> {
        let active = self.rows.iter().filter(|(_, wanted)| wanted.mode != Mode::Idle);
        let mut wanted: BTreeSet<StrategyId> = active.map(|(id, _)| id.clone()).collect();
        let owes = |id: &StrategyId| self.keeper.owes(id, self.world.guard.effective(id).as_ref());
        let held = self.adopted.keys().filter(|id| {
            let uncertain = self.engine.runner(id).is_some_and(|runner| !runner.is_quiet());
            uncertain || owes(id)
        });
        wanted.extend(held.cloned());
        wanted.extend(self.keeper.let_go().filter(|id| owes(id)).cloned());
        wanted.into_iter().collect()
    }

    fn renew_leases(&mut self) {
        let asked = self.to_lease();
        if asked.is_empty() || self.ending {
            return;
        }
        self.leases_running = true;
        let (world, state, owner) =
            (self.world.clone(), Arc::clone(&self.state), self.owner.clone());
        tokio::spawn(async move {
            let (wall, since_boot) = (world.clock.now(), world.clock.since_boot());
            let read = state.take_leases(&owner, &asked, LEASE_TTL).await;
            world.tell(Answer::Leases { asked, wall, since_boot, read });
        });
    }

    pub(super) fn take_leases(
        &mut self,
        asked: &[StrategyId],
        leases: &[Lease],
        wall: Utc,
        since_boot: Duration,
    ) {
        for strategy in asked {
            let mine = leases.iter().find(|it| it.strategy == *strategy && it.owner == self.owner);
            let held = mine.map(|lease| HeldLease {
                generation: lease.generation,
                until_since_boot: since_boot + LEASE_TTL,
                until_wall: after(wall, LEASE_TTL),
            });
            self.world.guard.set_lease(strategy, held);
            match held {
                Some(held) => self.adopt(strategy, held.generation),
                None => self.keeper.taken(strategy),
            }
        }
        self.drop_lost_leases();
    }

    /// Takes a strategy on whose lease is new.
    fn adopt(&mut self, strategy: &StrategyId, generation: u64) {
        let Some(wanted) = self.rows.get(strategy) else { return };
        if self.adopted.get(strategy) == Some(&generation) {
            return;
        }
        let (mut spec, mode) = (wanted.spec.clone(), wanted.mode);
        spec.generation = generation;
        self.adopted.insert(strategy.clone(), generation);
        self.keeper.adopted(strategy, self.world.clock.now());
        self.keeper.trading_state(strategy, self.engine.state());
        self.feed_input(Event::Adopt(spec));
        let control = self.world.guard.control(strategy);
        self.feed_input(Event::Latch { strategy: strategy.clone(), control });
        self.feed_input(Event::Mode { strategy: strategy.clone(), mode });
    }

    /// Lets go of strategies whose lease has run out or is somebody else's.
    fn drop_lost_leases(&mut self) {
        let lost: Vec<StrategyId> = self
            .adopted
            .keys()
            .filter(|id| self.world.guard.lease(id).is_none())
            .cloned()
            .collect();
        for strategy in lost {
            self.adopted.remove(&strategy);
            self.keeper.released(&strategy);
            let why = "its lease has run out or was taken".to_owned();
            self.feed_input(Event::Release { strategy, why });
        }
    }
}
