//! Which of several holds is resumed, in which order, and what it means that one is gone.

use super::procedure::{End, Resume};
use crate::model::{Hold, Latch, Meant, Scope, a_few, meant};

impl Resume {
    /// The hold that is to be released, and no other that covers the same.
    pub(super) fn choose(&self, holds: &[Hold]) -> Result<Hold, End> {
        let ids = holds.iter().map(|it| it.stop_id.as_str());
        let id =
            match self.request.stop_id.as_ref().map(|asked| (asked, meant(asked.as_str(), ids))) {
                Some((asked, Meant::Several(ids))) => {
                    let ids = a_few(&ids);
                    let why =
                        format!("several stops begin with `{asked}`: {ids}; type more of one");
                    return Err(End::Refused(why));
                }
                Some((_, Meant::One(id))) => Some(id),
                Some((asked, Meant::None)) => Some(asked.as_str()),
                None => None,
            };
        let wanted = |hold: &&Hold| id.is_none_or(|id| id == hold.stop_id.as_str());
        let mut candidates = holds.iter().filter(wanted);
        let hold = match (candidates.next(), candidates.next()) {
            (None, _) if holds.is_empty() => return Err(End::NothingHeld),
            (None, _) => {
                let ids: Vec<&str> = holds.iter().map(|it| it.stop_id.as_str()).collect();
                let asked = self.request.stop_id.as_ref().map_or("", |id| id.as_str());
                let ids = a_few(&ids);
                return Err(End::Refused(format!("no stop `{asked}` holds; what holds is {ids}")));
            }
            (Some(hold), None) => hold.clone(),
            (Some(_), Some(_)) => {
                let ids: Vec<&str> =
                    in_order(holds).into_iter().map(|it| it.stop_id.as_str()).collect();
                let ids = ids.join(", ");
                let why = format!("several stops hold; resume them in this order: {ids}");
                return Err(End::Refused(why));
            }
        };
        let other = holds.iter().find(|it| it.stop_id != hold.stop_id && comes_first(it, &hold));
        match other {
            Some(other) => Err(End::Refused(format!(
                "stop {} of {} holds {} too: resume that one first",
                other.stop_id, other.actor, other.scope
            ))),
            None => Ok(hold),
        }
    }
}

/// Somebody else ended this stop; whether trading goes on then, what holds now tells.
pub(super) fn gone(latch: &Latch, ours: &Hold) -> End {
    let again = latch.holds.iter().find(|it| it.scope == ours.scope || it.scope.covers_all());
    again.map_or(End::ReleasedByOther, |it| {
        let (ours, id, actor) = (&ours.stop_id, &it.stop_id, &it.actor);
        End::StoppedAgain(format!("{ours} was released meanwhile, and {id} of {actor} holds now"))
    })
}

/// Whether another hold has to be resumed before this one: a broader one, or a later one of
/// the same scope. A narrower one stays and goes on holding what it covers.
pub(crate) fn comes_first(other: &Hold, hold: &Hold) -> bool {
    let whole = Scope::covers_all;
    if other.scope == hold.scope || (whole(&other.scope) && whole(&hold.scope)) {
        return (other.at, &other.stop_id) > (hold.at, &hold.stop_id);
    }
    whole(&other.scope)
}

/// Holds in an order in which each can be resumed: the broadest first, and the latest of these.
pub(crate) fn in_order(holds: &[Hold]) -> Vec<&Hold> {
    let mut ordered: Vec<&Hold> = holds.iter().collect();
    ordered
        .sort_by_key(|it| (!it.scope.covers_all(), std::cmp::Reverse((it.at, it.stop_id.clone()))));
    ordered
}

/// What is resumed first so that this hold can be: itself, or one that has to be before it.
pub fn first_for<'a>(holds: &'a [Hold], hold: &'a Hold) -> &'a Hold {
    let first = in_order(holds).into_iter().find(|it| *it == hold || comes_first(it, hold));
    first.unwrap_or(hold)
}
