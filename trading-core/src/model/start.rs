//! What a latch says to whoever wants to start something that trades.

use super::{Hold, LATCH_FORMAT, Latch, Phase, Scope, ServiceName, VenueName};
use std::fmt;

/// Who wants what started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start<'a> {
    /// Somebody brings a whole environment up.
    Everything,
    /// Somebody, or a scaling target, starts a service's trading, or more of it.
    Ordered {
        /// The service.
        service: &'a ServiceName,
        /// Where it trades; `None`: its own process looks at holds on venues.
        venue: Option<&'a VenueName>,
    },
    /// A supervisor meets what stands: it puts a task in the place of one that ended while
    /// the desired count is what it was, or starts what an enabled schedule is for.
    Standing {
        /// The service; `None`: the task belongs to none, and a hold on any covers it.
        service: Option<&'a ServiceName>,
        /// Where it trades; `None`: its own process looks at holds on venues.
        venue: Option<&'a VenueName>,
    },
}

/// What refuses a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Barrier<'a> {
    /// The latch has a format newer than this binary's: read as a halt of everything.
    Newer(u32),
    /// A hold.
    Hold(&'a Hold),
}

impl fmt::Display for Barrier<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Newer(format) => {
                write!(f, "the latch has format {format}, newer than this binary")
            }
            Self::Hold(Hold { stop_id, level, scope, at, reason, .. }) => {
                write!(f, "{stop_id} holds {scope} at {level} since {at}: {reason}")
            }
        }
    }
}

impl Latch {
    /// What refuses a start, if anything does. A hold on a single strategy refuses none: what
    /// runs it obeys it.
    ///
    /// Any other hold refuses who starts trading or more of it, to the end of its resume, which
    /// may not come. What only meets a count that stands is no such start. Reduce-only keeps
    /// compute and lets exits go on, and a hold on one venue keeps compute whatever its level: an
    /// engine that died under them comes back, held by the latch that it reads before it may send
    /// anything. A halt of everything or of a service refuses that too, until a resume puts the
    /// counts back.
    pub fn refuses(&self, start: Start<'_>) -> Option<Barrier<'_>> {
        if self.format > LATCH_FORMAT {
            return Some(Barrier::Newer(self.format));
        }
        let refuses = |hold: &&Hold| {
            let standing = matches!(start, Start::Standing { .. });
            let lowers_compute = hold.level.halts()
                && !matches!(hold.scope, Scope::Venue(_))
                && hold.phase != Phase::Resuming;
            (lowers_compute || !standing) && covers(&hold.scope, start)
        };
        self.holds.iter().find(refuses).map(Barrier::Hold)
    }
}

fn covers(scope: &Scope, start: Start<'_>) -> bool {
    let (service, venue) = match start {
        Start::Everything => return !matches!(scope, Scope::Strategy(_)),
        Start::Ordered { service, venue } => (Some(service), venue),
        Start::Standing { service, venue } => (service, venue),
    };
    match scope {
        Scope::All | Scope::Unrecognized(_) => true,
        Scope::Service(name) => service.is_none_or(|it| it == name),
        Scope::Venue(name) => venue.is_some_and(|it| it == name),
        Scope::Strategy(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Level, Utc};

    fn latch(level: Level, scope: Scope, phase: Phase) -> Latch {
        let hold = Hold {
            stop_id: "stop-1".into(),
            level,
            scope,
            reason: "a test".to_owned(),
            actor: "ana".to_owned(),
            at: Utc::UNIX_EPOCH,
            phase,
            misplaced: Vec::new(),
            overtook_resume: false,
            unknown: serde_json::Map::new(),
        };
        Latch::released().next(vec![hold])
    }

    #[test]
    fn reduce_only_refuses_an_order_to_start_and_lets_what_stands_come_back() {
        let (engine, other, paper) = ("engine".into(), "other".into(), "paper".into());
        let ordered = Start::Ordered { service: &engine, venue: Some(&paper) };
        let standing = Start::Standing { service: Some(&engine), venue: Some(&paper) };
        let held = [Phase::Held, Phase::Stopping, Phase::Unrecognized("odd".into())];
        for scope in ["all", "service=engine", "venue=paper", "moon"] {
            for phase in &held {
                let of = || Scope::from(scope.to_owned());
                for level in [Level::Halt, Level::Unrecognized("freeze".into())] {
                    let halt = latch(level, of(), phase.clone());
                    for start in [ordered, Start::Everything] {
                        assert!(halt.refuses(start).is_some(), "{halt:?} {start:?}");
                    }
                    // One on a venue leaves compute as it is, so what stands there comes back.
                    let refused = halt.refuses(standing).is_some();
                    assert_eq!(refused, scope != "venue=paper", "{halt:?}");
                }
                let reduce = latch(Level::ReduceOnly, of(), phase.clone());
                assert!(
                    reduce.refuses(ordered).is_some()
                        && reduce.refuses(Start::Everything).is_some()
                );
                assert_eq!(reduce.refuses(standing), None, "{reduce:?}");
            }
            let resuming = latch(Level::Halt, Scope::from(scope.to_owned()), Phase::Resuming);
            assert!([ordered, Start::Everything].iter().all(|it| resuming.refuses(*it).is_some()));
            assert_eq!(resuming.refuses(standing), None, "a resume waits for what it put back");
        }
        let halt = |scope| latch(Level::Halt, scope, Phase::Held);
        assert_eq!(halt(Scope::Service(other)).refuses(standing), None);
        assert_eq!(halt(Scope::Strategy("s".into())).refuses(Start::Everything), None);
        let nobody = Start::Standing { service: None, venue: None };
        assert!(halt(Scope::Service(engine.clone())).refuses(nobody).is_some());
        assert_eq!(halt(Scope::Venue(paper.clone())).refuses(nobody), None);
        let newer = Latch { format: LATCH_FORMAT + 1, ..Latch::released() };
        assert_eq!(newer.refuses(standing), Some(Barrier::Newer(LATCH_FORMAT + 1)));
    }
}
