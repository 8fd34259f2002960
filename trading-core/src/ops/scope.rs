//! Names that scopes are given by, and what is said of one that names nothing.

use super::emergency_stop::Site;
use super::seen::World;
use crate::model::{Reading, Scope};
use crate::report::{Problem, nearest};

/// A scope that names nothing in an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Nothing {
    /// That it does not exist, and what there is of nearly that name.
    pub(crate) message: String,
    /// The scope of that name, which may have been meant.
    pub(crate) near: Option<Scope>,
}

/// Whether a scope names nothing: all was read of which it could be, and it is not there.
pub(crate) fn nothing(scope: &Scope, world: &World, site: &Site) -> Option<Nothing> {
    fn read<T>(reading: Option<&Reading<T>>) -> Option<&T> {
        reading.and_then(Reading::value)
    }
    let rows = world.rows();
    let (kind, name, known): (_, &str, Vec<&str>) = match scope {
        Scope::All | Scope::Unrecognized(_) => return None,
        Scope::Venue(name) => {
            let venues = site.capabilities.venues.iter();
            ("venue", name.as_str(), venues.map(|it| it.as_str()).collect())
        }
        Scope::Strategy(id) => {
            read(world.strategies.as_ref())?;
            let mut names: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
            // What rests or is open at a venue is covered without a row, too.
            for venue in &site.capabilities.venues {
                let orders = read(world.orders.get(venue))?.iter();
                names.extend(orders.map(|it| it.order.strategy.as_str()));
                let positions = read(world.venue_positions.get(venue))?.iter();
                names.extend(positions.map(|it| it.strategy.as_str()));
            }
            ("strategy", id.as_str(), names)
        }
        Scope::Service(name) => {
            let services = read(world.services.as_ref())?;
            let tasks = read(world.tasks.as_ref())?;
            let whole = services.is_whole() && tasks.is_whole();
            if !whole || rows.iter().any(|row| scope.covers(&world.target(row))) {
                return None;
            }
            let mut names: Vec<&str> = services.into_iter().map(|it| it.name.as_str()).collect();
            names.extend(tasks.into_iter().filter_map(|it| Some(it.service.as_ref()?.as_str())));
            ("service", name.as_str(), names)
        }
    };
    if known.contains(&name) {
        return None;
    }
    let near = nearest(name, known);
    let meant = near.map(|near| format!(" (`{near}` is)")).unwrap_or_default();
    Some(Nothing {
        message: format!("there is no {kind} `{name}` here{meant}"),
        near: near.map(|near| Scope::from(format!("{kind}={near}"))),
    })
}

/// What is said of a scope that names nothing in an environment; `None`: what it names is among
/// those `known` there, or it names nothing single. The hint is there where one of the known may
/// have been meant.
pub fn unknown(scope: &Scope, environment: &str, known: &[String]) -> Option<Problem> {
    let (kind, name) = match scope {
        Scope::All | Scope::Unrecognized(_) => return None,
        Scope::Strategy(id) => ("strategy", id.as_str()),
        Scope::Service(name) => ("service", name.as_str()),
        Scope::Venue(name) => ("venue", name.as_str()),
    };
    if known.iter().any(|it| it == name) {
        return None;
    }
    let near = nearest(name, known.iter().map(String::as_str));
    Some(Problem {
        code: "scope.unknown".to_owned(),
        message: format!("there is no {kind} `{name}` in {environment}"),
        hint: near.map(|near| format!("--scope {kind}={near}, or --scope all")),
    })
}

#[cfg(test)]
mod tests {
    use super::{Scope, unknown};

    #[test]
    fn a_name_that_is_not_there_is_told_with_the_one_that_may_be_meant() {
        let known = ["engine-1", "engine-2", "venue"].map(str::to_owned);
        let asked = |name: &str| unknown(&Scope::Service(name.into()), "local", &known);
        let said = asked("engnie-1").unwrap();
        assert_eq!(said.message, "there is no service `engnie-1` in local");
        assert_eq!(said.hint.as_deref(), Some("--scope service=engine-1, or --scope all"));
        assert_eq!(asked("xyzzy").unwrap().hint, None);
        assert_eq!((asked("engine-1"), unknown(&Scope::All, "local", &[])), (None, None));
    }
}
