//! Enabled schedules that start nothing.

use super::*;

#[test]
fn a_schedule_that_starts_tasks_in_a_cluster_that_does_not_exist_is_trouble() {
    let task = |cluster: &str| ScheduleTarget::Task {
        cluster: cluster.to_owned(),
        family: "bars".to_owned(),
    };
    let found = |targets: Vec<ScheduleTarget>, enabled: bool| {
        let mut world = well();
        world.schedules.truncate(1);
        world.schedules[0].targets = targets;
        world.schedules[0].enabled = enabled;
        let request = StatusRequest { cluster: Some("ours".to_owned()), ..request() };
        let report = status_of(&mut world, request);
        let found = report.findings.iter().find(|it| it.id == "schedule.cluster_absent").cloned();
        found.map(|it| (it.subject, it.message, report.exit))
    };
    let (subject, message, exit) = found(vec![task("our")], true).unwrap();
    assert_eq!((subject.as_str(), exit), ("jobs", Exit::No));
    assert!(message.contains("cluster our,") && message.contains("ours is ours"), "{message}");
    assert_eq!(found(vec![task("our")], false), None, "nobody misses what is disabled");
    assert_eq!(found(vec![task("ours")], true), None);
    assert_eq!(found(vec![task("ours"), task("other")], true), None, "nobody asked for the other");
    assert_eq!(found(vec![ScheduleTarget::Function { name: "f".to_owned() }], true), None);
}

#[test]
fn a_schedule_that_nobody_can_read_is_trouble_and_says_what_was_expected() {
    let found = |expression: &str, timezone: &str, enabled: bool| {
        let mut world = well();
        world.schedules.truncate(1);
        world.schedules[0].expression = expression.to_owned();
        world.schedules[0].timezone = timezone.to_owned();
        world.schedules[0].enabled = enabled;
        let report = status(&mut world);
        let found = report.findings.iter().find(|it| it.id == "schedule.not_understood").cloned();
        found.map(|it| (it.subject, it.message, report.exit))
    };
    let (subject, message, exit) = found("cron(whatever)", "UTC", true).unwrap();
    assert_eq!((subject.as_str(), exit), ("jobs", Exit::No));
    assert!(message.contains("`cron(whatever)`") && message.contains("six fields"), "{message}");
    let (_, message, _) = found("cron(0 9 * * ? *)", "Europe/Atlantis", true).unwrap();
    assert!(message.contains("Europe/Atlantis"), "{message}");
    assert_eq!(found("cron(whatever)", "UTC", false), None, "nobody misses what is disabled");
    assert_eq!(found("cron(0 9 * * ? *)", "UTC", true), None);
}
