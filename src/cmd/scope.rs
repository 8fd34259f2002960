//! `--scope`: what a command is about, in the same words for every command that takes it.

use trading_core::model::Scope;
use trading_core::ops::status::About;

/// What can be stopped.
pub(super) fn stopped(text: &str) -> Result<Scope, String> {
    match Scope::from(text.to_owned()) {
        Scope::Unrecognized(_) => {
            Err("expected `all`, `strategy=ID`, `service=NAME` or `venue=NAME`".to_owned())
        }
        scope => Ok(scope),
    }
}

/// What can be looked at alone.
pub(super) fn looked_at(text: &str) -> Result<About, String> {
    About::try_from(Scope::from(text.to_owned()))
        .map_err(|_| "expected `all`, `strategy=ID` or `service=NAME`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::{About, looked_at, stopped};

    #[test]
    fn what_is_looked_at_is_named_as_what_is_stopped() {
        for text in ["all", "strategy=a", "service=b"] {
            assert_eq!(looked_at(text).unwrap().to_string(), stopped(text).unwrap().to_string());
        }
        assert_eq!(looked_at("all"), Ok(About::Everything));
        for text in ["venue=paper", "strategy=", "strategy", "", "everything"] {
            assert!(looked_at(text).unwrap_err().contains("`service=NAME`"), "{text}");
        }
        assert!(stopped("venue=paper").is_ok() && stopped("everything").is_err());
    }
}
