//! How much of what is there the patterns of the settings name.

use trading_core::model::{Listing, Reading, Service, matches};

use super::{Check, State, counted};

/// How many services there are, and how many of them the settings name.
pub(super) fn services_named(services: &Listing<Service>, patterns: Option<&str>) -> String {
    let count = services.found.len();
    let Some(patterns) = patterns else { return format!("{count} services") };
    let is_named =
        |it: &&Service| patterns.split(' ').any(|pattern| matches(pattern, it.name.as_str()));
    let named = services.found.iter().filter(is_named).count();
    format!("{count} services, {named} of them {patterns}")
}

/// How many log groups each pattern of the settings names: one that names none is no pattern of
/// this system's, whatever the others name.
pub(super) fn log_groups(groups: &Reading<Vec<String>>, patterns: Option<&str>) -> Vec<Check> {
    const ID: &str = "log groups";
    let subject = |pattern: &str| format!("{ID} {pattern}");
    let (Some(found), Some(patterns)) = (groups.value(), patterns) else {
        return vec![counted(
            ID,
            &patterns.map_or_else(|| "log_groups".to_owned(), subject),
            groups,
        )];
    };
    let check = |pattern: &str| match found.iter().filter(|it| matches(pattern, it)).count() {
        0 => Check::new(ID, State::Info, subject(pattern), "no log group is named so"),
        count => Check::new(ID, State::Ok, subject(pattern), format!("{count} {ID}")),
    };
    patterns.split_whitespace().map(check).collect()
}

#[cfg(test)]
mod tests {
    use super::{Reading, State, log_groups};
    use trading_core::model::Utc;

    #[test]
    fn a_pattern_of_log_groups_that_names_none_is_told_beside_one_that_does() {
        let found = vec!["/ecs/tradai/dev".to_owned(), "/ecs/new-a".to_owned()];
        let found = Reading::known(found, "log groups", Utc::UNIX_EPOCH);
        let checks = log_groups(&found, Some("/ecs/tradai/dev /ecs/old-* /ecs/*"));
        let told: Vec<_> =
            checks.iter().map(|it| (it.state, it.subject.as_str(), it.detail.as_str())).collect();
        assert_eq!(
            told,
            [
                (State::Ok, "log groups /ecs/tradai/dev", "1 log groups"),
                (State::Info, "log groups /ecs/old-*", "no log group is named so"),
                (State::Ok, "log groups /ecs/*", "2 log groups"),
            ]
        );
        let absent = Reading::absent("log groups", "the settings name no log groups");
        assert_eq!(log_groups(&absent, None)[0].subject, "log_groups");
        let dark = Reading::unreachable("log groups", "dark");
        let dark = log_groups(&dark, Some("a b"));
        assert_eq!((dark.len(), dark[0].subject.as_str()), (1, "log groups a b"));
    }
}
