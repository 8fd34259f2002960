//! Which of several ids somebody means who typed one, or the beginning of one.

/// What was meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meant<'a> {
    /// This one: exactly what was typed, or the only one that begins so.
    One(&'a str),
    /// None begins so.
    None,
    /// These begin so, and it is none of them as it stands.
    Several(Vec<&'a str>),
}

/// Looks for what was typed among the ids that there are. An empty word means none.
pub fn meant<'a>(typed: &str, ids: impl IntoIterator<Item = &'a str>) -> Meant<'a> {
    let mut fitting: Vec<&str> = ids.into_iter().filter(|id| id.starts_with(typed)).collect();
    fitting.sort_unstable();
    fitting.dedup();
    let exact = fitting.iter().find(|id| **id == typed);
    match (exact, fitting.as_slice()) {
        _ if typed.is_empty() => Meant::None,
        (Some(exact), _) => Meant::One(exact),
        (None, []) => Meant::None,
        (None, [only]) => Meant::One(only),
        (None, _) => Meant::Several(fitting),
    }
}

#[cfg(test)]
mod tests {
    use super::{Meant, meant};

    #[test]
    fn the_beginning_of_an_id_is_enough_where_no_other_begins_so() {
        let ids = ["stop-1a", "stop-1b", "stop-2", "stop-22"];
        let of = |typed| meant(typed, ids);
        assert_eq!(of("stop-1a"), Meant::One("stop-1a"));
        assert_eq!(of("stop-22"), Meant::One("stop-22"));
        assert_eq!(of("stop-2"), Meant::One("stop-2"), "what is typed whole is meant");
        assert_eq!(of("stop-1"), Meant::Several(vec!["stop-1a", "stop-1b"]));
        assert_eq!((of("stop-3"), of("top-1a"), of("")), (Meant::None, Meant::None, Meant::None));
        assert_eq!(meant("r", ["r1", "r1"]), Meant::One("r1"), "one that is told of twice");
    }
}
