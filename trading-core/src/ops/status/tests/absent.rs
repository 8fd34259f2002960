//! What should be there and is not.

use super::*;

#[test]
fn a_table_that_is_named_and_missing_beside_services_that_are_there_is_told() {
    let mut status = Status::new(request());
    let mut world = SimWorld::busy();
    for want in status.wants(start()) {
        let seen = match want.ask {
            crate::ops::Ask::Read(Query::Strategies) => {
                let why = "no table t in eu-central-1";
                Answer::Read(Box::new(Seen::Strategies(Reading::absent("strategies table", why))))
            }
            other => world.answer(other),
        };
        status.give(start(), want.ticket, seen);
    }
    let report = status.outcome(start()).unwrap();
    let found = report.findings.iter().find(|it| it.id == "strategies.absent").unwrap();
    assert!(found.message.contains("no table t in eu-central-1"), "{found:?}");
    assert!(found.next.as_deref().unwrap().starts_with("tradectl doctor --env "));
    assert!(report.errors.is_empty(), "{:?}", report.errors);
    assert_eq!((report.outcome.as_str(), report.exit), ("attention", Exit::No));
}

#[test]
fn a_cluster_that_is_named_and_not_there_is_told() {
    let told = |cluster: Option<&str>| {
        let mut status =
            Status::new(StatusRequest { cluster: cluster.map(str::to_owned), ..request() });
        let mut world = well();
        for want in status.wants(start()) {
            let seen = match want.ask {
                crate::ops::Ask::Read(Query::Services) => Answer::Read(Box::new(Seen::Services(
                    Reading::absent("services", "no cluster c in eu-central-1"),
                ))),
                other => world.answer(other),
            };
            status.give(start(), want.ticket, seen);
        }
        let found = status.outcome(start()).unwrap().findings;
        found.into_iter().find(|it| it.id == "services.absent").map(|it| it.message)
    };
    let message = told(Some("c")).unwrap();
    assert!(message.contains("no cluster c in eu-central-1"), "{message}");
    assert_eq!(told(None), None, "where no cluster is named none is missed");
}

#[test]
fn a_row_that_names_a_service_that_is_not_there_is_told_with_the_nearest_name() {
    let named = |status: &str| {
        let mut world = well();
        world.rows[0].row.set(StrategyRow::SERVICE, Attr::text("engin-1"));
        world.rows[0].row.set(StrategyRow::STATUS, Attr::text(status));
        world
    };
    let report = status(&mut named("running"));
    let found = report.findings.iter().find(|it| it.id == "strategy.service_absent").unwrap();
    assert_eq!((found.subject.as_str(), report.exit), ("a", Exit::No));
    assert!(found.message.contains("engin-1") && found.message.contains("engine-1?"), "{found:?}");
    let next = found.next.as_deref().unwrap();
    assert!(next.contains("create engin-1, or name engine-1"), "{next}");
    // At rest it needs none; and one of those not read may be it.
    assert!(!ids(&status(&mut named("stopped"))).contains(&"strategy.service_absent"));
    let mut world = named("running");
    world.dark_single.insert("engine-1".to_owned());
    assert!(!ids(&status(&mut world)).contains(&"strategy.service_absent"));
}
