//! A change where the service takes no condition: look, compare, write, look again. Between
//! the look and the write somebody else may write; the window is one request wide.

use std::fmt::Display;

use trading_core::model::{Utc, Written};

use crate::platform::aws::errors::{Failure, Kind};

/// How often it is written at most, each time after a look that found the old value.
const MOST_WRITES: u32 = 5;

/// What is to be changed.
pub(super) struct Change<T> {
    /// `service engine`.
    pub(super) what: String,
    /// What must stand there.
    pub(super) expected: T,
    /// What shall stand there.
    pub(super) wanted: T,
}

/// What has been sent until now.
enum Sent {
    Nothing,
    /// Taken, but the answer does not say what stands there now.
    Taken,
    /// It may have been carried out.
    Lost(Failure),
}

impl<T: PartialEq + Display> Change<T> {
    /// Makes the change. `turn` waits until it may be written, which can take long: so it comes
    /// before the look. `look` says what stands there, if it exists; `write` sends once, and
    /// says what stands there now, if its answer does.
    pub(super) async fn make<G, M, L, W>(
        &self,
        now: impl Fn() -> Utc,
        turn: impl Fn() -> M,
        look: impl Fn() -> L,
        write: impl Fn(G) -> W,
    ) -> Written
    where
        M: Future<Output = Result<G, Failure>>,
        L: Future<Output = Result<Option<T>, Failure>>,
        W: Future<Output = Result<Option<T>, Failure>>,
    {
        let mut sent = Sent::Nothing;
        let mut writes = 0;
        loop {
            let turn = match &sent {
                // It is only looked at again.
                Sent::Taken => None,
                Sent::Nothing | Sent::Lost(_) => Some(turn().await),
            };
            if let (Sent::Nothing, Some(Err(failure))) = (&sent, &turn) {
                return self.not_seen(&sent, failure);
            }
            let found = match look().await {
                Ok(found) => found,
                Err(failure) => return self.not_seen(&sent, &failure),
            };
            if found.as_ref() == Some(&self.wanted) {
                return match sent {
                    Sent::Nothing => Written::Already,
                    Sent::Taken | Sent::Lost(_) => Written::Applied { at: now() },
                };
            }
            let as_expected = found.as_ref() == Some(&self.expected);
            match &sent {
                Sent::Nothing if !as_expected => return self.refused(found.as_ref()),
                Sent::Taken => return self.unknown("it was taken", found.as_ref()),
                Sent::Lost(failure) if !as_expected || writes >= MOST_WRITES => {
                    return self.unknown(&failure.to_string(), found.as_ref());
                }
                Sent::Nothing if writes >= MOST_WRITES => return self.refused(found.as_ref()),
                Sent::Nothing | Sent::Lost(_) => {}
            }
            let turn = match turn {
                Some(Ok(turn)) => turn,
                Some(Err(failure)) => return self.not_written(&sent, &failure),
                None => return self.unknown("it was taken", found.as_ref()),
            };
            writes += 1;
            match write(turn).await {
                Ok(Some(stands)) if stands == self.wanted => {
                    return Written::Applied { at: now() };
                }
                Ok(_) => sent = Sent::Taken,
                Err(failure) if failure.may_have_acted => sent = Sent::Lost(failure),
                // Somebody else wrote at the same time: what they wrote decides.
                Err(failure) if failure.kind == Kind::Condition => {}
                // Nothing was done, and others are fast: in another turn, after another look.
                Err(failure) if failure.kind == Kind::Throttled && writes < MOST_WRITES => {}
                Err(failure) => return self.not_written(&sent, &failure),
            }
        }
    }

    fn shown(&self, found: Option<&T>) -> String {
        found.map_or_else(|| format!("no such {}", self.what), ToString::to_string)
    }

    fn refused(&self, found: Option<&T>) -> Written {
        Written::Refused { expected: self.expected.to_string(), found: self.shown(found) }
    }

    fn unknown(&self, so_far: &str, found: Option<&T>) -> Written {
        Written::Unknown { why: format!("{so_far}; read again: {}", self.shown(found)) }
    }

    fn not_seen(&self, sent: &Sent, failure: &Failure) -> Written {
        match sent {
            Sent::Nothing => failure.written(&self.what),
            Sent::Taken => Written::Unknown { why: format!("it was taken; read again: {failure}") },
            Sent::Lost(lost) => Written::Unknown { why: format!("{lost}; read again: {failure}") },
        }
    }

    fn not_written(&self, sent: &Sent, failure: &Failure) -> Written {
        match sent {
            Sent::Nothing | Sent::Taken => failure.written(&self.what),
            Sent::Lost(lost) => Written::Unknown { why: format!("{lost}; then {failure}") },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::VecDeque;

    use super::{Change, MOST_WRITES};
    use crate::platform::aws::calls;
    use crate::platform::aws::errors::{Failure, Kind};
    use trading_core::model::{Utc, Written};

    type Told = Result<Option<u32>, Failure>;

    fn failed(kind: Kind) -> Told {
        let failure = Failure::ours(&calls::UPDATE_SERVICE, kind, "code", "");
        Err(Failure { may_have_acted: kind.may_have_acted(), ..failure })
    }

    fn unread() -> Told {
        Err(Failure::ours(&calls::DESCRIBE_SERVICES, Kind::NoAnswer, "timeout", ""))
    }

    /// From 2 to 0: what is seen at each look and told at each write; the last look repeats.
    /// The answer, and how often was written.
    fn make(looks: Vec<Told>, writes: Vec<Told>) -> (Written, usize) {
        make_in_turn(looks, writes, vec![])
    }

    /// The same, with what became of the first turns.
    fn make_in_turn(
        looks: Vec<Told>,
        writes: Vec<Told>,
        turns: Vec<Result<(), Failure>>,
    ) -> (Written, usize) {
        let turns = RefCell::new(VecDeque::from(turns));
        let change = Change { what: "service s".to_owned(), expected: 2, wanted: 0 };
        let (looks, told) = (RefCell::new(VecDeque::from(looks)), writes.len());
        let writes = RefCell::new(VecDeque::from(writes));
        let look = || {
            let mut looks = looks.borrow_mut();
            let next = if looks.len() > 1 { looks.pop_front() } else { looks.front().cloned() };
            std::future::ready(next.unwrap())
        };
        let write = |()| std::future::ready(writes.borrow_mut().pop_front().unwrap());
        let turn = || std::future::ready(turns.borrow_mut().pop_front().unwrap_or(Ok(())));
        let made = change.make(|| Utc::UNIX_EPOCH, turn, look, write);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let written = runtime.block_on(made);
        (written, told - writes.borrow().len())
    }

    fn why(written: Written) -> String {
        match written {
            Written::Unknown { why } => why,
            other => panic!("{other:?}"),
        }
    }

    const APPLIED: Written = Written::Applied { at: Utc::UNIX_EPOCH };

    #[test]
    fn it_writes_only_over_what_is_expected_and_only_if_it_must() {
        assert_eq!(make(vec![Ok(Some(0))], vec![]), (Written::Already, 0));
        let refused = |found: &str| Written::Refused { expected: "2".into(), found: found.into() };
        assert_eq!(make(vec![Ok(Some(5))], vec![]), (refused("5"), 0));
        assert_eq!(make(vec![Ok(None)], vec![]), (refused("no such service s"), 0));
        assert_eq!(make(vec![Ok(Some(2))], vec![Ok(Some(0))]), (APPLIED, 1));
        let denied = make(vec![Ok(Some(2))], vec![failed(Kind::Denied)]);
        assert!(matches!(denied.0, Written::Denied { .. }), "{denied:?}");
        let unseen = make(vec![unread()], vec![]);
        assert!(matches!(unseen.0, Written::Unreachable { .. }), "nothing was sent: {unseen:?}");
    }

    #[test]
    fn what_was_taken_without_a_word_is_looked_at_and_not_sent_again() {
        assert_eq!(make(vec![Ok(Some(2)), Ok(Some(0))], vec![Ok(None)]), (APPLIED, 1));
        let (still, writes) = make(vec![Ok(Some(2))], vec![Ok(None), Ok(None)]);
        assert_eq!((why(still).as_str(), writes), ("it was taken; read again: 2", 1));
        let (other, _) = make(vec![Ok(Some(2)), Ok(Some(1))], vec![Ok(Some(1))]);
        assert_eq!(why(other), "it was taken; read again: 1");
        let (dark, _) = make(vec![Ok(Some(2)), unread()], vec![Ok(None)]);
        assert!(why(dark).starts_with("it was taken; read again: ecs:DescribeServices"));
    }

    #[test]
    fn a_lost_answer_never_overwrites_what_came_after_it() {
        let lost = || failed(Kind::NoAnswer);
        assert_eq!(make(vec![Ok(Some(2)), Ok(Some(0))], vec![lost()]), (APPLIED, 1));
        // It was not carried out: the old value still stands there, and it is sent again.
        let again = vec![lost(), Ok(Some(0))];
        assert_eq!(make(vec![Ok(Some(2)), Ok(Some(2))], again), (APPLIED, 2));
        // Somebody else has written since: whether ours came before is not known.
        let (other, writes) = make(vec![Ok(Some(2)), Ok(Some(3))], vec![lost(), lost()]);
        assert_eq!(writes, 1);
        assert!(why(other).ends_with("read again: 3"));
        let most = usize::try_from(MOST_WRITES).unwrap();
        let for_ever = (0..9).map(|_| lost()).collect();
        let (never, writes) = make(vec![Ok(Some(2))], for_ever);
        assert_eq!(writes, most);
        assert!(why(never).ends_with("read again: 2"));
        let (dark, _) = make(vec![Ok(Some(2)), unread()], vec![lost()]);
        assert!(why(dark).contains("read again: ecs:DescribeServices"));
    }

    #[test]
    fn a_turn_that_does_not_come_is_never_an_unknown_outcome() {
        let none = || Err(Failure::no_turn(&calls::UPDATE_SERVICE));
        let (unsent, writes) = make_in_turn(vec![], vec![], vec![none()]);
        assert!(matches!(unsent, Written::Unreachable { .. }), "{unsent:?}");
        assert_eq!(writes, 0, "it is not even looked at");
        // Told to slow down, and no other turn: nothing was done either.
        let slow = || failed(Kind::Throttled);
        let (slowed, _) = make_in_turn(vec![Ok(Some(2))], vec![slow()], vec![Ok(()), none()]);
        assert!(matches!(slowed, Written::Unreachable { .. }), "{slowed:?}");
        assert_eq!(make(vec![Ok(Some(2))], vec![slow(), Ok(Some(0))]), (APPLIED, 2));
        let (slowed, _) = make(vec![Ok(Some(2))], (0..9).map(|_| slow()).collect());
        assert!(matches!(slowed, Written::Unreachable { .. }), "{slowed:?}");
        // After a lost answer it is looked at all the same.
        let lost = || failed(Kind::NoAnswer);
        let done = vec![Ok(Some(2)), Ok(Some(0))];
        assert_eq!(make_in_turn(done, vec![lost()], vec![Ok(()), none()]), (APPLIED, 1));
        let (other, _) = make_in_turn(vec![Ok(Some(2))], vec![lost()], vec![Ok(()), none()]);
        assert!(why(other).contains("our own rate"));
    }

    #[test]
    fn whoever_writes_at_the_same_time_decides() {
        let busy = || failed(Kind::Condition);
        assert_eq!(make(vec![Ok(Some(2)), Ok(Some(2))], vec![busy(), Ok(Some(0))]), (APPLIED, 2));
        let refused = Written::Refused { expected: "2".into(), found: "4".into() };
        assert_eq!(make(vec![Ok(Some(2)), Ok(Some(4))], vec![busy()]), (refused, 1));
    }
}
