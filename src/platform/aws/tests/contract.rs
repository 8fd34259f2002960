use trading_core::model::{
    Autoscaling, LogSource, Schedule, ScheduleKind, ScheduleTarget, StrategyRow, Supervision,
    Suspended,
};

use super::World;
use super::compute::{LIVE, set_desired};
use crate::platform::contract::{self, Planted, SAID, Seeded};

/// A log group that the contract has for itself.
const LOG: &str = "/ecs/tradai/dev/contract";

async fn seeded(world: &World, strategies: Vec<StrategyRow>) -> Seeded {
    Seeded {
        platform: world.open().await,
        strategies,
        service: LIVE.into(),
        autoscaling: Autoscaling { min_capacity: 1, max_capacity: 2, suspended: Suspended::NONE },
        supervision: Supervision::Platform,
        schedule: Schedule {
            id: "tradai-retraining-scheduler-dev".into(),
            kind: ScheduleKind::Schedule,
            enabled: true,
            expression: "cron(30 3 * * ? *)".to_owned(),
            timezone: "Europe/Berlin".to_owned(),
            targets: vec![ScheduleTarget::Function {
                name: "tradai-retraining-scheduler-dev".to_owned(),
            }],
            loses: None,
        },
        log: LogSource::Group(LOG.to_owned()),
        secret: Planted {
            name: "tradai/dev/exchange/binance",
            key: "api_key",
            value: "sandbox-api-key-1",
        },
        now: world.process.ctx.clock.now(),
    }
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn the_state_store_meets_the_contract() {
    let (world, strategies) = World::with_strategies(150).await;
    // Pages of a few items, an empty one first: a read that stops there is not whole.
    world.sandbox.pages(super::STRATEGIES, 40, true).expect("pages");
    contract::state(&seeded(&world, strategies).await).await;
    assert!(world.sent("Scan") > 3, "more than one page was read");
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn services_and_tasks_meet_the_contract() {
    let world = World::system().await;
    set_desired(&world, LIVE, 2).await;
    contract::compute(&seeded(&world, Vec::new()).await).await;
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn schedules_meet_the_contract() {
    let world = World::system().await;
    contract::schedules_are_toggled_without_loss(&seeded(&world, Vec::new()).await).await;
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn notices_meet_the_contract() {
    let world = World::system().await;
    contract::notices_are_published(&seeded(&world, Vec::new()).await).await;
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn secrets_meet_the_contract() {
    let world = World::system().await;
    contract::secrets_are_named_and_not_shown(&seeded(&world, Vec::new()).await).await;
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn logs_meet_the_contract() {
    let world = World::system().await;
    let seeded = seeded(&world, Vec::new()).await;
    let now_ms = seeded.now.as_millisecond();
    for (seconds, stream, text) in SAID {
        world.log(LOG, stream, now_ms - seconds * 1_000, text).await;
    }
    contract::logs_are_found(&seeded).await;
}
