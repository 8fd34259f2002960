//! Names that scopes are given by, and what is said of one that names nothing.

use super::emergency_stop::Site;
use super::seen::World;
use crate::model::{GapKind, Listing, Reading, Scope, StrategyRow};
use crate::report::{Problem, nearest};

/// A scope that names nothing in an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Nothing {
    /// That it does not exist, and what there is of nearly that name.
    pub(crate) message: String,
    /// The scope of that name, which may have been meant.
    pub(crate) near: Option<Scope>,
}

/// What a scope names, as far as that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// Something that is there.
    Something,
    /// Nothing: all was read of which it could be, and it is not there.
    Nothing(Nothing),
    /// It cannot be told: not all of it was read, and why not.
    Unread(String, GapKind),
}

/// What was found of one kind, and whether that is all.
#[derive(Default)]
struct Found<'a> {
    names: Vec<&'a str>,
    /// Why it was not all read, if so: what waiting may mend before what it does not.
    gap: Option<GapKind>,
}

impl<'a> Found<'a> {
    /// The names of what was read: none where it is confirmed not to exist.
    fn take<T, N: IntoIterator<Item = &'a str>>(
        &mut self,
        reading: Option<&'a Reading<T>>,
        names: impl Fn(&'a T) -> N,
    ) {
        match reading {
            Some(Reading::Known { value, .. }) => self.names.extend(names(value)),
            Some(gap) if gap.is_absent() => {}
            Some(Reading::Gap(gap)) => self.miss(gap.kind),
            None => self.miss(GapKind::Unreachable),
        }
    }
    fn miss(&mut self, kind: GapKind) {
        if self.gap.is_none_or(|known| known == GapKind::Denied) {
            self.gap = Some(kind);
        }
    }
    fn take_list<T>(
        &mut self,
        reading: Option<&'a Reading<Listing<T>>>,
        name: impl Fn(&'a T) -> Option<&'a str>,
    ) {
        let gaps = reading.and_then(Reading::value).into_iter().flat_map(|list| &list.gaps);
        gaps.for_each(|gap| self.miss(gap.kind));
        self.take(reading, |list| list.into_iter().filter_map(&name));
    }
}

/// That a scope names nothing; `None`: it names something, or may.
pub(crate) fn nothing(scope: &Scope, world: &World, site: &Site) -> Option<Nothing> {
    match named(scope, world, site) {
        Named::Nothing(nothing) => Some(nothing),
        Named::Something | Named::Unread(..) => None,
    }
}

/// Whether a scope names something. A row that does not say where it runs names no service.
pub(crate) fn named(scope: &Scope, world: &World, site: &Site) -> Named {
    let mut found = Found::default();
    let has_rows = site.capabilities.strategies;
    let (kind, name) = match scope {
        Scope::All | Scope::Unrecognized(_) => return Named::Something,
        Scope::Venue(name) => {
            found.names.extend(site.capabilities.venues.iter().map(|it| it.as_str()));
            // Where nothing of ours can ask it, rows may name it all the same.
            if has_rows {
                found.take(world.strategies.as_ref(), |rows| {
                    rows.iter().filter_map(|row| row.row.text_opt(StrategyRow::VENUE))
                });
            }
            ("venue", name.as_str())
        }
        Scope::Strategy(id) => {
            if has_rows {
                found.take(world.strategies.as_ref(), |rows| rows.iter().map(|it| it.id.as_str()));
            }
            // What rests or is open at a venue is covered without a row, too.
            for venue in &site.capabilities.venues {
                let orders = world.orders.get(venue);
                found.take(orders, |all| all.iter().map(|it| it.order.strategy.as_str()));
                let positions = world.venue_positions.get(venue);
                found.take(positions, |all| all.iter().map(|it| it.strategy.as_str()));
            }
            ("strategy", id.as_str())
        }
        Scope::Service(name) => {
            let placed = |row| world.target(row).service.as_ref() == Some(name);
            if world.rows().iter().any(placed) {
                return Named::Something;
            }
            if has_rows {
                found.take(world.strategies.as_ref(), |_| None);
            }
            found.take_list(world.services.as_ref(), |it| Some(it.name.as_str()));
            found.take_list(world.tasks.as_ref(), |it| Some(it.service.as_ref()?.as_str()));
            ("service", name.as_str())
        }
    };
    if found.names.contains(&name) {
        return Named::Something;
    }
    if let Some(gap) = found.gap {
        return Named::Unread(format!("whether there is a {kind} `{name}` was not read"), gap);
    }
    let near = nearest(name, found.names);
    let meant = near.map(|near| format!(" (`{near}` is)")).unwrap_or_default();
    Named::Nothing(Nothing {
        message: format!("there is no {kind} `{name}` here{meant}"),
        near: near.map(|near| Scope::from(format!("{kind}={near}"))),
    })
}

/// The strategies, or the venues, that a scope may name. Rows may name a venue that nothing of
/// ours can ask.
pub fn names(scope: &Scope, site: &Site, rows: &[StrategyRow]) -> Vec<String> {
    let Scope::Venue(_) = scope else { return rows.iter().map(|it| it.id.to_string()).collect() };
    let configured = site.capabilities.venues.iter().map(ToString::to_string);
    configured.chain(rows.iter().filter_map(|it| Some(it.venue()?.to_string()))).collect()
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
