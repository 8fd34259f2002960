//! The embedded platform with the real binary: several processes, one environment.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod contract;

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use tradectl::platform::local::linux::{Process, processes_of_task};
use tradectl::venue::Venue;

/// A home with nothing in it; whatever runs in it ends with it.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::Builder::new().prefix("tl").tempdir_in("/tmp").unwrap())
    }
    fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tradectl"));
        command.args(words.split_whitespace()).args(["--output", "json"]);
        command.env_clear().env("TRADECTL_HOME", self.0.path());
        command
    }
    /// The exit code and the one document.
    fn run(&self, words: &str) -> (i32, Value) {
        answer(&self.command(words).output().unwrap())
    }
    fn status(&self) -> Value {
        self.run("local status").1["data"].clone()
    }
    /// Ids of tasks in a state, in their order.
    fn tasks(&self, state: &str) -> Vec<String> {
        let status = self.status();
        let tasks = status["tasks"]["value"].as_array().unwrap_or_else(|| panic!("{status:#}"));
        let wanted = tasks.iter().filter(|task| task["state"] == state);
        wanted.map(|task| task["id"].as_str().unwrap().to_owned()).collect()
    }
    fn supervisor(&self) -> Option<Process> {
        let pid = self.status()["supervision"]["value"]["pid"].as_u64()?;
        Process::of_pid(u32::try_from(pid).unwrap())
    }
    fn platform(&self, file: &str) -> std::path::PathBuf {
        self.0.path().join("state/local/platform").join(file)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Some(supervisor) = self.supervisor() {
            let _gone = supervisor.kill();
        }
        for task in self.tasks("RUNNING").iter().chain(&self.tasks("STOPPING")) {
            for process in processes_of_task(task) {
                let _gone = process.kill();
            }
        }
    }
}

fn answer(output: &Output) -> (i32, Value) {
    let document = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        let (out, err) = (&output.stdout, &output.stderr);
        panic!("{error}: {} {}", String::from_utf8_lossy(out), String::from_utf8_lossy(err))
    });
    contract::assert_keeps(&document);
    (output.status.code().unwrap_or(-1), document)
}

#[test]
fn up_survives_its_supervisor_and_down_proves_itself() {
    let home = Home::new();
    let (code, document) = home.run("local status");
    assert_eq!((code, document["errors"][0]["code"].as_str()), (10, Some("local.not_set_up")));
    let (code, document) = home.run("local up --detach");
    assert_eq!(code, 0, "{document:#}");
    let before = home.tasks("RUNNING");
    assert_eq!(before.len(), 2, "paper venue and engine");
    let processes: Vec<Process> = before.iter().flat_map(|id| processes_of_task(id)).collect();
    // Killed, the supervisor takes nothing with it; the next one takes over what runs.
    let healthy = home.run("status").1;
    assert_eq!(healthy["data"]["supervision"]["state"], "alive", "{healthy:#}");
    home.supervisor().unwrap().kill().unwrap();
    assert_eq!(home.tasks("RUNNING"), before);
    let (code, document) = home.run("status");
    assert_eq!((code, document["outcome"].as_str()), (1, Some("attention")), "{document:#}");
    assert_eq!(document["findings"][0]["id"], "supervisor.absent");
    let (code, document) = home.run("local up --detach");
    assert_eq!(code, 0, "{document:#}");
    assert_eq!(home.tasks("RUNNING"), before, "adopted, not doubled");
    assert!(home.supervisor().is_some());
    let (_, again) = home.run("local up --detach");
    assert_eq!(again["data"]["supervised"], "already");
    let beside = home.command("local up").output().unwrap();
    let told = String::from_utf8_lossy(&beside.stderr).into_owned();
    let (code, document) = answer(&beside);
    assert_eq!((code, document["errors"][0]["code"].as_str()), (11, Some("local.supervised")));
    assert!(!told.contains("supervising"), "it does not: {told}");
    let (code, document) = home.run("local down");
    assert_eq!((code, document["outcome"].as_str()), (0, Some("down")), "{document:#}");
    assert!(home.tasks("RUNNING").is_empty() && home.supervisor().is_none());
    assert!(processes.iter().all(|process| !process.is_alive()));
    let (code, document) = home.run("local down");
    assert_eq!((code, document["outcome"].as_str()), (0, Some("down")), "again: {document:#}");
}

#[test]
fn odd_rows_keep_nothing_else_from_being_stopped_or_brought_down() {
    let home = Home::new();
    let (code, document) = home.run("local up --detach");
    assert_eq!(code, 0, "{document:#}");
    let database = rusqlite::Connection::open(home.platform("compute.db")).unwrap();
    let odd = r#"INSERT INTO tasks VALUES ('odd', 0, '{"state":"WEIRD"}');
                 INSERT INTO services VALUES ('broken', '{"name":"broken"}');
                 INSERT INTO schedules VALUES ('a/odd', '{"id":"a/odd"}', 'now', NULL);"#;
    database.execute_batch(odd).unwrap();
    let (code, document) = home.run("emergency-stop --yes --env local --reason odd --deadline 8s");
    assert_eq!((code, document["outcome"].as_str()), (22, Some("UNKNOWN")), "{document:#}");
    let desired = "SELECT json_extract(document, '$.desired') FROM services WHERE name = 'engine'";
    let desired: u32 = database.query_row(desired, [], |row| row.get(0)).unwrap();
    assert_eq!(desired, 0, "{document:#}");
    let told = document.to_string();
    for name in ["odd", "broken", "a/odd"] {
        assert!(told.contains(name), "{name}: {document:#}");
    }
    let (code, document) = home.run("doctor");
    assert_eq!((code, document["outcome"].as_str()), (1, Some("unfit")), "{document:#}");
    let findings = document["findings"].as_array().unwrap();
    for name in ["odd", "broken", "a/odd"] {
        let named = |it: &Value| it["message"].as_str().unwrap().starts_with(&format!("{name}: "));
        assert!(findings.iter().any(named), "{name}: {document:#}");
    }
    let (code, document) = home.run("local down");
    assert_eq!((code, document["outcome"].as_str()), (22, Some("UNKNOWN")), "{document:#}");
    assert_eq!(document["data"]["unread"][0]["source"], "odd", "{document:#}");
    assert!(document["data"]["tasks_stopped"].as_u64() > Some(0), "{document:#}");
    assert!(home.tasks("RUNNING").is_empty() && home.supervisor().is_none());
    // One that is over is told by doctor alone.
    database.execute("UPDATE tasks SET stopped = 1 WHERE id = 'odd'", []).unwrap();
    let (code, document) = home.run("local down");
    assert_eq!((code, document["outcome"].as_str()), (0, Some("down")), "{document:#}");
    let checks = home.run("doctor").1["data"]["checks"].to_string();
    assert!(checks.contains("has ended, and its row is not understood"), "{checks}");
}

#[test]
fn beats_of_what_does_not_run_are_not_counted() {
    let home = Home::new();
    let (code, document) = home.run("local up --detach");
    assert_eq!(code, 0, "{document:#}");
    assert_eq!(home.run("local down").0, 0);
    let database = rusqlite::Connection::open(home.platform("compute.db")).unwrap();
    let none = "UPDATE services SET document = json_set(document, '$.desired', 0)
                WHERE name = 'engine'";
    assert_eq!(database.execute(none, []).unwrap(), 1);
    let mut up = Command::new(env!("CARGO_BIN_EXE_tradectl"));
    up.args(["local", "up", "--detach"]).env_clear().env("TRADECTL_HOME", home.0.path());
    let told = String::from_utf8_lossy(&up.output().unwrap().stdout).into_owned();
    let said = "0 of 4 strategies beat. Not running, desired 0: engine.";
    assert!(told.contains(said), "{told}");
}

#[test]
fn what_cannot_be_read_at_all_keeps_its_supervisor() {
    let home = Home::new();
    let (code, document) = home.run("local up --detach");
    assert_eq!(code, 0, "{document:#}");
    let database = rusqlite::Connection::open(home.platform("compute.db")).unwrap();
    database.execute_batch("ALTER TABLE tasks RENAME TO gone").unwrap();
    let (code, document) = home.run("local down");
    assert_eq!(
        (code, document["errors"][0]["code"].as_str()),
        (11, Some("local.tasks_unreadable"))
    );
    assert_eq!(document["errors"][0]["hint"], "tradectl doctor", "{document:#}");
    assert!(home.supervisor().is_some());
    database.execute_batch("ALTER TABLE gone RENAME TO tasks").unwrap();
    let (code, document) = home.run("local down");
    assert_eq!((code, document["outcome"].as_str()), (0, Some("down")), "{document:#}");
}

#[test]
fn what_runs_under_rows_that_cannot_be_read_keeps_its_supervisor() {
    let home = Home::new();
    let (code, document) = home.run("local up --detach");
    assert_eq!(code, 0, "{document:#}");
    let processes: Vec<Process> =
        home.tasks("RUNNING").iter().flat_map(|task| processes_of_task(task)).collect();
    let database = rusqlite::Connection::open(home.platform("compute.db")).unwrap();
    let to = |from: &str, to: &str| {
        let sql = "UPDATE tasks SET document = replace(document, ?1, ?2)";
        assert!(database.execute(sql, [from, to]).unwrap() > 0);
    };
    to("RUNNING", "WEIRD");
    let (code, document) = home.run("local down");
    let error = &document["errors"][0];
    assert_eq!((code, error["code"].as_str()), (11, Some("local.tasks_unreadable")));
    let hint = error["hint"].as_str().unwrap();
    let named = |it: &Process| hint.split(' ').any(|word| word == it.pid.to_string());
    assert!(hint.starts_with("kill ") && processes.iter().all(named), "{document:#}");
    to("WEIRD", "RUNNING");
    assert!(home.supervisor().is_some());
    assert!(processes.iter().all(|process| process.is_alive()));
    let (code, document) = home.run("local down");
    assert_eq!((code, document["outcome"].as_str()), (0, Some("down")), "{document:#}");
}

#[test]
fn nothing_comes_up_under_a_stop_and_everything_after_its_resume() {
    let home = Home::new();
    assert_eq!(home.run("local up --detach").0, 0);
    let (code, document) = home.run("emergency-stop --env local --yes --reason test");
    assert_eq!((code, document["outcome"].as_str()), (0, Some("HALTED")), "{document:#}");
    let stop = document["data"]["stop_id"].as_str().unwrap();
    let (code, document) = home.run("local up --detach");
    assert_eq!((code, document["errors"][0]["code"].as_str()), (11, Some("local.held")));
    assert!(document["errors"][0]["message"].as_str().unwrap().contains(stop), "{document:#}");
    assert_eq!(home.tasks("RUNNING").len(), 1, "the paper venue is support and goes on");
    let (code, document) = home.run("local status");
    assert_eq!((code, document["outcome"].as_str()), (0, Some("held")), "{document:#}");
    assert!(document["findings"][0]["message"].as_str().unwrap().contains(stop), "{document:#}");
    let (code, document) = home.run("resume --env local --yes --reason over");
    assert_eq!(code, 0, "{document:#}");
    assert_eq!(home.tasks("RUNNING").len(), 2, "the engine is back");
    let (code, document) = home.run("local up --detach");
    assert_eq!(code, 0, "{document:#}");
}

#[test]
fn a_resume_brings_the_supervisor_back_and_until_it_is_over_nobody_else_does() {
    let home = Home::new();
    assert_eq!(home.run("local up --detach").0, 0);
    let stop = "emergency-stop --env local --keep-compute --yes --reason test";
    assert_eq!(home.run(stop).1["outcome"], "HALTED");
    home.supervisor().unwrap().kill().unwrap();
    let (code, document) = home.run("resume --env local --yes --reason over");
    assert_eq!((code, document["outcome"].as_str()), (0, Some("RELEASED")), "{document:#}");
    assert!(home.supervisor().is_some(), "nobody acts on desired counts");
    // With everything ended too.
    assert_eq!(home.run(stop).1["outcome"], "HALTED");
    assert_eq!(home.run("local down").0, 0);
    assert_eq!(home.run("local up --detach").0, 11);
    let next = home.run("local status").1["findings"][0]["next"].clone();
    assert!(next.as_str().unwrap().contains(" resume stop-"), "it would be refused: {next}");
    let rows = rusqlite::Connection::open(home.platform("state.db")).unwrap();
    let status = "UPDATE strategies SET document = json_set(document, '$.status.S', 'paused')
                  WHERE id = 'demo-001'";
    assert_eq!(rows.execute(status, []).unwrap(), 1);
    let (code, document) = home.run("resume --env local --yes --reason over");
    assert_eq!((code, document["outcome"].as_str()), (21, Some("PARTIAL")), "{document:#}");
    let (code, document) = home.run("local up --detach");
    assert_eq!((code, document["errors"][0]["code"].as_str()), (11, Some("local.held")));
    assert!(document["errors"][0]["hint"].as_str().unwrap().contains(" resume stop-"));
    let leave = "resume --env local --yes --reason over --leave strategy=demo-001";
    let (code, document) = home.run(leave);
    assert_eq!((code, document["outcome"].as_str()), (0, Some("RELEASED")), "{document:#}");
    assert_eq!(home.run("local up --detach").0, 0);
}

#[test]
fn a_frozen_supervisor_is_named_and_keeps_nobody_from_stopping() {
    let home = Home::new();
    assert_eq!(home.run("local up --detach").0, 0);
    let supervisor = home.supervisor().unwrap();
    let pid = i32::try_from(supervisor.pid).unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    // A signal works soon, not at once.
    let frozen = |_| home.status()["supervision"]["value"]["state"] == "stopped";
    assert!((0..500).any(frozen), "{:#}", home.status());
    assert_eq!(home.run("local status").0, 1);
    let unsupervised = |document: &Value| {
        let findings = document["findings"].as_array().unwrap();
        findings.iter().find(|it| it["subject"] == "supervisor").cloned().unwrap_or_default()
    };
    let (code, document) = home.run("status");
    let finding = unsupervised(&document);
    assert_eq!((code, finding["id"].as_str()), (1, Some("supervisor.stopped")), "{document:#}");
    assert_eq!(finding["severity"], "critical");
    assert_eq!(finding["next"], format!("kill -CONT {}", supervisor.pid));
    let (code, document) = home.run("local up --detach");
    assert_eq!(code, 20, "it cannot supervise: {document:#}");
    let (code, document) = home.run("emergency-stop --env local --yes --reason test");
    assert_eq!((code, document["outcome"].as_str()), (0, Some("HALTED")), "{document:#}");
    let (code, document) = home.run("local down");
    assert_eq!(code, 0, "{document:#}");
    assert!(!supervisor.is_alive());
}

#[test]
fn an_engine_that_dies_under_reduce_only_comes_back_and_only_reduces() {
    let home = Home::new();
    assert_eq!(home.run("local up --detach").0, 0);
    let engine = || {
        let status = home.status();
        let tasks = status["tasks"]["value"].as_array().unwrap();
        let live = |it: &&Value| it["service"] == "engine" && it["state"] == "RUNNING";
        tasks.iter().find(live).map(|it| it["id"].as_str().unwrap().to_owned())
    };
    let signal = |process: Process, signal| {
        let pid = rustix::process::Pid::from_raw(i32::try_from(process.pid).unwrap()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    };
    let positions = || {
        let status = home.run("status").1;
        status["data"]["positions"].as_array().map(Vec::len)
    };
    let client = tradectl::venue::paper::connect(&home.platform(""));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // By the venue: the table may be behind it. What is to close is no order that rests there.
    let open_at_venue = || {
        let (positions, orders) = runtime.block_on(async {
            (Venue::positions(&client).await, Venue::open_orders(&client).await)
        });
        let orders = orders.into_result().unwrap();
        let held = positions.into_result().unwrap().into_iter().filter(|it| !it.quantity.is_zero());
        let closes = |strategy| {
            orders.iter().any(|it| it.order.strategy == strategy && it.order.reduce_only)
        };
        held.filter(|it| !closes(it.strategy.clone())).count()
    };
    let before = engine().unwrap();
    let process = processes_of_task(&before)[0];
    // Frozen with something open: it cannot close that before it is killed.
    until("a position that stays open", || {
        if open_at_venue() == 0 {
            return false;
        }
        signal(process, rustix::process::Signal::STOP);
        while !process.is_frozen() {
            std::thread::yield_now();
        }
        let open = open_at_venue() > 0;
        if !open {
            signal(process, rustix::process::Signal::CONT);
        }
        open
    });
    home.run("emergency-stop --env local --level reduce-only --yes --reason test");
    let latch = home.run("status").1["data"]["latch"].clone();
    let hold = &latch["holds"][0];
    assert_eq!(hold["level"], "reduce-only", "{latch:#}");
    let held_at: trading_core::model::Utc = hold["at"].as_str().unwrap().parse().unwrap();
    process.kill().unwrap();
    until("another engine", || engine().is_some_and(|it| it != before));
    until("every position closed by it", || positions() == Some(0));
    let back = engine().unwrap();
    assert_ne!(back, before);
    let receipts = runtime.block_on(Venue::receipts_since(&client, held_at));
    let receipts = receipts.into_result().unwrap();
    let reduced = receipts.iter().filter(|it| it.accepted && !it.increases_risk).count();
    assert!(reduced > 0, "{receipts:?}");
    let bound = held_at.checked_add(Duration::from_secs(1)).unwrap();
    let late = receipts.iter().filter(|it| it.increases_risk && it.received_at > bound);
    assert_eq!(late.filter(|it| it.accepted).count(), 0, "{receipts:?}");
    // A halt does not let it back.
    let (code, document) = home.run("emergency-stop --env local --yes --reason test");
    assert_eq!((code, document["outcome"].as_str()), (0, Some("HALTED")), "{document:#}");
    assert_eq!(engine(), None);
}

/// Looks until something is so, with a generous deadline.
#[expect(clippy::disallowed_methods, reason = "between two looks at real processes")]
fn until(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !so() {
        assert!(Instant::now() < deadline, "never seen: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_limit_on_file_sizes_ends_nobody_and_the_latch_is_engaged() {
    let home = Home::new();
    assert_eq!(home.run("local up --detach").0, 0);
    // 16 or 32 KiB, as the shell counts: what was allocated before, and little more.
    let limited = |words: &str| {
        let program = env!("CARGO_BIN_EXE_tradectl");
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("ulimit -f 32; exec {program} {words} --output json"));
        command.env("TRADECTL_HOME", home.0.path());
        command.output().unwrap()
    };
    let output = limited("emergency-stop --env local --yes --reason full --deadline 6s");
    let (code, document) = answer(&output);
    // What was not written down is said: this is no complete stop.
    assert!((21..=22).contains(&code), "{code} {document:#}");
    // Whatever could not be written down: nothing trades any more.
    let status = home.status();
    let services = status["services"]["value"].as_array().unwrap();
    let engine = services.iter().find(|service| service["name"] == "engine").unwrap();
    assert_eq!(engine["running_count"], 0, "{document:#}");
    let (code, document) = home.run("local up --detach");
    assert_eq!(code, 11, "the latch holds: {document:#}");
}

#[test]
fn everything_killed_at_once_comes_up_again_with_its_state_whole() {
    let home = Home::new();
    for round in 0..3 {
        let (code, document) = home.run("local up --detach");
        assert_eq!(code, 0, "round {round}: {document:#}");
        let supervisor = home.supervisor().unwrap();
        let tasks = home.tasks("RUNNING");
        assert_eq!(tasks.len(), 2, "round {round}");
        // In the middle of whatever they were writing, without a word.
        supervisor.kill().unwrap();
        for process in tasks.iter().flat_map(|task| processes_of_task(task)) {
            process.kill().unwrap();
        }
        for file in ["state.db", "control.db", "compute.db", "venue.db"] {
            let database = rusqlite::Connection::open(home.platform(file)).unwrap();
            let check: String =
                database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
            assert_eq!(check, "ok", "round {round}: {file}");
        }
    }
    // A kill is obeyed soon, not at once.
    let gone = |home: &Home| home.tasks("RUNNING").is_empty() && home.tasks("PENDING").is_empty();
    assert!((0..500).any(|_| gone(&home)), "{:#}", home.status());
}

#[test]
fn logs_show_what_a_task_wrote_and_escape_nothing_in_json() {
    let home = Home::new();
    assert_eq!(home.run("local up --detach").0, 0);
    let folder = home.platform("logs/engine");
    std::fs::write(folder.join("zz-hostile.out"), "\u{1b}[2Jhostile\n").unwrap();
    let (code, document) = home.run("local logs --group engine --stream zz");
    assert_eq!(code, 0);
    let lines = document["data"]["lines"]["value"].as_array().unwrap();
    assert_eq!(lines.len(), 1, "{document:#}");
    assert_eq!(lines[0]["message"], "\u{1b}[2Jhostile");
    let mut human = Command::new(env!("CARGO_BIN_EXE_tradectl"));
    human.args(["local", "logs", "--stream", "zz"]).env("TRADECTL_HOME", home.0.path());
    let shown = String::from_utf8(human.output().unwrap().stdout).unwrap();
    assert!(shown.contains("hostile") && !shown.contains('\u{1b}'), "{shown:?}");
    // A long line goes to whatever reads a pipe as it is.
    let long = format!("{{\"text\":\"{}\"}}", "word ".repeat(60));
    std::fs::write(folder.join("yy-long.out"), format!("{long}\n")).unwrap();
    let mut human = Command::new(env!("CARGO_BIN_EXE_tradectl"));
    human.args(["local", "logs", "--stream", "yy"]).env("TRADECTL_HOME", home.0.path());
    let shown = String::from_utf8(human.output().unwrap().stdout).unwrap();
    assert!(shown.lines().any(|line| line.ends_with(&long)), "{shown}");
    let (code, document) = home.run("local logs --group engin");
    let error = &document["errors"][0];
    assert_eq!((code, error["code"].as_str()), (1, Some("logs.no_such_group")), "{document:#}");
    assert_eq!(error["hint"], "tradectl local logs --group engine");
    assert!(error["message"].as_str().unwrap().contains("engine, paper-venue, supervisor"));
    let (code, document) = home.run("local logs --since 1m --until 5m");
    assert_eq!((code, document["errors"][0]["code"].as_str()), (2, Some("logs.window")));
    let (code, document) = home.run("local logs --follow");
    assert_eq!((code, document["errors"][0]["code"].as_str()), (2, Some("logs.follow_json")));
}

#[test]
fn a_drill_ends_at_its_deadline_and_leaves_nothing() {
    let folder = tempfile::Builder::new().prefix("tl").tempdir_in("/tmp").unwrap();
    let mut drill = Command::new(env!("CARGO_BIN_EXE_tradectl"));
    drill.args(["drill", "emergency-stop", "--deadline", "1s", "--output", "json"]).env_clear();
    drill.env("TRADECTL_HOME", folder.path().join("home")).env("TMPDIR", folder.path());
    let (code, document) = answer(&drill.output().unwrap());
    assert_eq!((code, document["errors"][0]["code"].as_str()), (24, Some("drill.deadline")));
    assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none(), "its folder is left");
}

/// The status of a strategy as its row has it now.
fn status_of(home: &Home, strategy: &str) -> String {
    let (_, list) = home.run("heartbeat list");
    let beats = list["data"]["beats"].as_array().unwrap_or_else(|| panic!("{list:#}"));
    let beat = beats.iter().find(|beat| beat["strategy"] == strategy);
    beat.unwrap()["status"].as_str().unwrap().to_owned()
}

#[test]
fn a_frozen_engine_is_ended_and_a_killed_recovery_gone_on_with() {
    let home = Home::new();
    assert_eq!(home.run("local up --detach").0, 0);
    let tasks = home.status()["tasks"]["value"].as_array().unwrap().clone();
    let engine = tasks.iter().find(|task| task["service"] == "engine").unwrap();
    let engine = engine["id"].as_str().unwrap();
    for process in processes_of_task(engine) {
        let pid = rustix::process::Pid::from_raw(i32::try_from(process.pid).unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    }
    let recover = "heartbeat recover demo-001 --env local --reason frozen --yes";
    // Killed as soon as it has stopped the strategy: its owner is frozen and lets go of
    // nothing, so there is time.
    let mut killed = home.command(&format!("{recover} --anyway"));
    let mut killed = killed.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    while status_of(&home, "demo-001") != "stopped" {
        assert!(begun.elapsed() < Duration::from_secs(60), "it was never stopped");
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    let (_, runs) = home.run("journal list");
    let run = &runs["data"]["runs"][0];
    assert_eq!(run["ended"]["state"], "did_not_end", "{runs:#}");

    let (code, document) = home.run("status");
    let named = |it: &&Value| it["id"] == "strategy.left_stopped" && it["subject"] == "demo-001";
    assert!(document["findings"].as_array().unwrap().iter().any(|it| named(&it)), "{document:#}");
    assert_eq!(code, 1);

    let (code, document) = home.run(recover);
    assert_eq!((code, document["outcome"].as_str()), (0, Some("recovered")), "{document:#}");
    assert_eq!(document["data"]["continues"], run["run_id"], "{document:#}");
    assert_eq!(status_of(&home, "demo-001"), "running");
    assert!(home.tasks("STOPPED").contains(&engine.to_owned()), "the frozen one was seen to end");
    assert!(processes_of_task(engine).is_empty(), "two engines");
    let (code, document) = home.run("journal verify");
    assert_eq!(code, 0, "{document:#}");
    let (code, document) = home.run("journal replay last");
    assert_eq!((code, document["outcome"].as_str()), (0, Some("recovered")), "{document:#}");
}
