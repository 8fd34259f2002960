//! What no resume of this binary is for: stops that nobody knows, and latches of a newer one.

use super::*;

fn named(world: &mut SimWorld, stop: &str) -> Report {
    let asked = Request { stop_id: Some(stop.into()), ..request(world, "r9") };
    resume_with(world, asked, None).unwrap()
}

#[test]
fn a_stop_that_nobody_knows_is_no_stop_that_is_over() {
    let mut world = stopped();
    assert_eq!(resume(&mut world).outcome, "RELEASED");
    // One that is over is over, by its whole name or the beginning of it.
    for known in ["stop-r1", "stop-r"] {
        let report = named(&mut world, known);
        assert_eq!((report.outcome.as_str(), report.exit), ("nothing held", Exit::Ok), "{known}");
    }
    let report = named(&mut world, "stop-none");
    assert_eq!(report.exit, Exit::Refused, "{report:#?}");
    let told = &report.errors[0];
    assert!(told.message.contains("nothing holds, and there is no stop `stop-none`"), "{told:?}");
    assert_eq!(told.hint.as_deref(), Some("tradectl status --env sim"));
    // What could not be read may know it.
    world.dark.insert(Query::Stops);
    let report = named(&mut world, "stop-none");
    assert_eq!(report.exit, Exit::Refused, "{report:#?}");
    assert!(report.errors[0].message.contains("is not known: sim: unreachable: dark"));
    // The state store alone is enough, as on another machine.
    assert_eq!(named(&mut world, "stop-r1").outcome, "nothing held");
}

#[test]
fn a_newer_latch_does_not_lead_to_the_resume_that_was_refused() {
    let mut world = stopped();
    world.latch.format = LATCH_FORMAT + 1;
    let report = resume(&mut world);
    assert_eq!(report.exit, Exit::Refused, "{report:#?}");
    let hint = report.errors[0].hint.as_deref().unwrap();
    assert!(hint.ends_with("tradectl status --env sim") && !hint.contains("resume"), "{hint}");
}
