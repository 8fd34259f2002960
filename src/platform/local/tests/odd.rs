//! Rows of `compute.db` that are not understood: each is a gap of its own, is left as it is,
//! and hides no other.

use trading_core::model::{GapKind, Listing, Reading};

use super::blueprint;
use super::world::{World, running, until};
use crate::platform::local::db::Db;
use crate::platform::local::{ServiceSpec, odd_tasks, paths_of, setup, tables};

fn compute_db(world: &World) -> Db {
    Db::new(paths_of(&world.environment).unwrap().compute_db(), &tables::SCHEMA)
}

fn gaps<T>(reading: Reading<Listing<T>>) -> Vec<String> {
    let gaps = reading.into_result().unwrap().gaps;
    assert!(gaps.iter().all(|gap| gap.kind == GapKind::Unparsed), "{gaps:?}");
    gaps.into_iter().map(|gap| gap.source).collect()
}

/// All that stands in the odd rows.
fn odd_rows(db: &Db) -> Vec<String> {
    let sql = "SELECT document FROM services WHERE name != 'engine'
               UNION SELECT document FROM tasks WHERE id LIKE 'odd%'
               UNION SELECT document FROM schedules WHERE id != 'group/nightly'";
    db.read_blocking(|it| it.prepare(sql)?.query_map([], |row| row.get::<_, String>(0))?.collect())
        .unwrap()
}

const ODD: &str = r#"
    INSERT INTO services VALUES ('broken', '{"name":"broken"}'), ('words', 'none'),
        ('other', '{"name":"another","family":"f","desired":0,"autoscaling":null,"deployments":[]}');
    INSERT INTO tasks VALUES ('odd-1', 0, '{"id":"odd-1"}'), ('odd-2', 1, '{"state":"WEIRD"}');
    INSERT INTO schedules VALUES ('a', '{"id":"a"}', '2026-11-23T00:00:00Z', NULL),
        ('z', '[]', 'yesterday', NULL);
"#;

#[tokio::test]
async fn odd_rows_keep_no_other_from_being_read_stopped_or_supervised() {
    let world = World::new(&["sleep", "1000"], 1).await;
    let db = compute_db(&world);
    db.write_blocking(|tx| tx.execute_batch(ODD)).unwrap();
    let before = odd_rows(&db);
    let mut supervisor = world.supervisor();
    until(&mut supervisor, &world, running(1)).await;
    let (compute, schedules) = (&world.platform.compute, &world.platform.schedules);
    assert_eq!(gaps(compute.services().await), ["broken", "other", "words"]);
    assert_eq!(gaps(schedules.schedules().await), ["a", "z"]);
    let tasks = compute.tasks().await;
    let why = &tasks.value().unwrap().gaps[0].why;
    assert!(why.ends_with("no process of it was found"), "{why}");
    assert_eq!(gaps(tasks), ["odd-1"]);
    let log = std::fs::read_to_string(
        paths_of(&world.environment).unwrap().supervisor_log().with_extension("jsonl"),
    );
    let log = log.unwrap_or_default();
    for name in ["broken", "odd-1", "a: "] {
        assert!(log.contains(name), "{name}: {log}");
    }
    assert_eq!(log.matches("left alone").count(), 1, "{log}");
    world.desired(1, 0).await;
    assert!(schedules.set_enabled(&"group/nightly".into(), false).await.stands());
    until(&mut supervisor, &world, running(0)).await;
    assert_eq!(odd_rows(&db), before);
}

#[tokio::test]
async fn what_may_run_already_under_an_odd_row_is_not_started_beside_it() {
    let world = World::new(&["sleep", "1000"], 1).await;
    let mut supervisor = world.supervisor();
    let task = until(&mut supervisor, &world, running(1)).await.remove(0);
    let odd = r#"UPDATE tasks SET document = replace(document, 'RUNNING', 'WEIRD')"#;
    let db = compute_db(&world);
    db.write_blocking(|tx| tx.execute(odd, [])).unwrap();
    for _ in 0..3 {
        supervisor.tick().await.unwrap();
    }
    let tasks = world.platform.compute.tasks().await;
    let Reading::Gap(gap) = tasks else { panic!("{tasks:?}") };
    assert!(gap.why.contains("runs as it"), "{gap}");
    let paths = paths_of(&world.environment).unwrap();
    assert!(paths.task_lock(task.id.as_str()).exists());
    // That is said once, and nothing is begun for it in each round.
    let told = world.events().await;
    let told: Vec<_> = told.iter().filter(|it| it.contains("was not started")).collect();
    assert!(told.len() == 1 && told[0].contains(task.id.as_str()), "{told:?}");
    assert_eq!(std::fs::read_dir(paths.locks()).unwrap().count(), 1);
    let count = "SELECT count(*) FROM tasks";
    let count: u32 = db.read_blocking(|it| it.query_row(count, [], |row| row.get(0))).unwrap();
    assert_eq!(count, 1);
    let sound = r#"UPDATE tasks SET document = replace(document, 'WEIRD', 'RUNNING')"#;
    db.write_blocking(|tx| tx.execute(sound, [])).unwrap();
    world.desired(1, 0).await;
    until(&mut supervisor, &world, running(0)).await;
}

#[tokio::test]
async fn nothing_is_written_through_a_row_that_holds_the_document_of_another() {
    let world = World::new(&["sleep", "1000"], 1).await;
    let db = compute_db(&world);
    let odd =
        "INSERT INTO services SELECT 'engine-2', replace(document, '\"engine\"', '\"engine-2\"')
                   FROM services WHERE name = 'engine';
               UPDATE services SET document =
                   (SELECT document FROM services WHERE name = 'engine-2') WHERE name = 'engine';";
    db.write_blocking(|tx| tx.execute_batch(odd)).unwrap();
    let rows = || {
        let sql = "SELECT name || document FROM services WHERE name LIKE 'engine%'";
        db.read_blocking(|it| {
            let rows: rusqlite::Result<Vec<String>> =
                it.prepare(sql)?.query_map([], |row| row.get(0))?.collect();
            rows
        })
        .unwrap()
    };
    let before = rows();
    let mut wanted = blueprint(0, "engine", &["sleep", "2000"], 1);
    let other = ServiceSpec { name: "other".into(), ..wanted.services[0].clone() };
    wanted.services.push(other);
    let left = setup(&world.environment, world.clock.clone(), &wanted).await.unwrap();
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(left[0].source == "engine" && left[0].why.contains("`engine-2`"), "{left:?}");
    let written = world.platform.compute.set_desired(&"engine".into(), 1, 0).await;
    assert!(!written.stands(), "{written:?}");
    assert_eq!(rows(), before);
    let services = world.platform.compute.services().await.into_result().unwrap();
    assert!(services.found.iter().any(|it| it.name.as_str() == "other"), "{services:?}");
}

#[tokio::test]
async fn an_odd_row_of_a_task_that_is_over_is_no_gap_of_what_runs() {
    let world = World::new(&["sleep", "1000"], 0).await;
    let odd = "INSERT INTO tasks VALUES ('odd-1', 1, 'none')";
    compute_db(&world).write_blocking(|tx| tx.execute(odd, [])).unwrap();
    let tasks = world.platform.compute.tasks().await;
    assert!(tasks.value().is_some_and(Listing::is_whole), "{tasks:?}");
    let told = odd_tasks(&world.environment).await.unwrap();
    assert_eq!((told.len(), told[0].is_over()), (1, true), "{told:?}");
    // What its row says of it is not believed where something runs as it.
    let paths = paths_of(&world.environment).unwrap();
    let lock = std::fs::File::create(paths.task_lock("odd-1")).unwrap();
    lock.lock().unwrap();
    let tasks = world.platform.compute.tasks().await;
    let Reading::Gap(gap) = tasks else { panic!("{tasks:?}") };
    assert!(gap.source == "odd-1" && gap.why.contains("its lock is held"), "{gap}");
    world.supervisor().tick().await.unwrap();
    assert!(paths.task_lock("odd-1").exists());
}

/// What the documentation says of rows of schedules.
#[tokio::test]
async fn a_schedule_made_as_the_documentation_says_starts_its_task() {
    let text = include_str!("../../../../docs/local.md");
    let (_, rest) = text.split_once("```sql").unwrap();
    let (sql, _) = rest.split_once("```").unwrap();
    let world = World::new(&["sleep", "1000"], 0).await;
    compute_db(&world).write_blocking(|tx| tx.execute_batch(sql)).unwrap();
    let mut supervisor = world.supervisor();
    supervisor.tick().await.unwrap();
    assert!(world.tasks().await.is_empty(), "not yet due");
    world.clock.advance(std::time::Duration::from_secs(300));
    supervisor.tick().await.unwrap();
    let tasks = world.tasks().await;
    assert_eq!((tasks.len(), tasks[0].family.as_str()), (1, "nightly"), "{tasks:?}");
}
