//! Names that scopes are given by, and what is said of one that names nothing.

use crate::model::Scope;
use crate::report::{Problem, nearest};

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
