//! Leases: an item per strategy. Its generation never falls back.

use std::time::Duration;

use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};
use trading_core::model::{Attr, EngineId, Lease, Reading, Row, StrategyId, Utc, Written};

use super::expression::{Placeholders, with_placeholders};
use super::rows::{Which, condition_failed};
use super::{OURS, Store, Table, no_table, no_table_to_write};
use crate::platform::aws::calls;
use crate::platform::aws::errors::Failure;

const WHAT: &str = "leases";
const OWNER: &str = "owner";
const STRATEGY: &str = "strategy";
const GENERATION: &str = "generation";
const EXPIRES_MS: &str = "expires_at_ms";

/// How often a lease that changes under our hands is looked at again.
const LOOKS: u32 = 4;

fn prefix() -> String {
    format!("{OURS}lease__/")
}

fn key_of(strategy: &StrategyId) -> String {
    format!("{}{strategy}", prefix())
}

/// Why a lease is not known.
enum Odd {
    Failed(Failure),
    Unparsed(String),
}

impl Odd {
    fn reading<T>(&self) -> Reading<T> {
        match self {
            Self::Failed(failure) => failure.reading(WHAT),
            Self::Unparsed(why) => Reading::unparsed(WHAT, why.clone()),
        }
    }
}

impl Store {
    pub(super) async fn read_leases(&self) -> Reading<Vec<Lease>> {
        let Some(table) = &self.tables.records else { return no_table(WHAT) };
        match self.all_leases(table).await {
            Ok(leases) => Reading::known(leases, WHAT, self.now()),
            Err(odd) => odd.reading(),
        }
    }

    pub(super) async fn read_lease(&self, strategy: &StrategyId) -> Reading<Vec<Lease>> {
        let Some(table) = &self.tables.records else { return no_table(WHAT) };
        let row = match self.item(table, &key_of(strategy)).await {
            Ok(row) => row,
            Err(failure) => return failure.reading(WHAT),
        };
        match row.as_ref().map(lease_of).transpose() {
            Ok(lease) => Reading::known(lease.into_iter().collect(), WHAT, self.now()),
            Err(odd) => odd.reading(),
        }
    }

    async fn all_leases(&self, table: &Table) -> Result<Vec<Lease>, Odd> {
        let rows = self.scan(table, Which::Beginning(&prefix())).await.map_err(Odd::Failed)?;
        let mut leases: Vec<Lease> = rows.iter().map(lease_of).collect::<Result<_, _>>()?;
        leases.sort_by(|one, two| one.strategy.cmp(&two.strategy));
        Ok(leases)
    }

    pub(super) async fn take_all(
        &self,
        owner: &EngineId,
        strategies: &[StrategyId],
        ttl: Duration,
    ) -> Reading<Vec<Lease>> {
        let Some(table) = &self.tables.records else { return no_table(WHAT) };
        let mut leases = Vec::with_capacity(strategies.len());
        for strategy in strategies {
            match self.take(table, owner, strategy, ttl).await {
                Ok(lease) => leases.push(lease),
                Err(odd) => return odd.reading(),
            }
        }
        Reading::known(leases, WHAT, self.now())
    }

    /// Takes a lease that is free or has run out, in the next generation; renews one that is
    /// ours, in the same; leaves another's.
    async fn take(
        &self,
        table: &Table,
        owner: &EngineId,
        strategy: &StrategyId,
        ttl: Duration,
    ) -> Result<Lease, Odd> {
        let mut standing: Option<Lease> = None;
        for _ in 0..LOOKS {
            let now = self.now();
            let next = match &standing {
                Some(lease) if lease.owner != *owner && lease.expires_at > now => {
                    return Ok(lease.clone());
                }
                Some(lease) if lease.owner == *owner => lease.generation,
                Some(lease) => lease.generation.saturating_add(1),
                None => 1,
            };
            let wanted = Lease {
                strategy: strategy.clone(),
                owner: owner.clone(),
                generation: next,
                expires_at: to_the_millisecond(now.saturating_add(ttl).unwrap_or(Utc::MAX)),
            };
            match self.put(table, &wanted, standing.as_ref()).await? {
                None => return Ok(wanted),
                found => standing = found,
            }
        }
        Err(Odd::Unparsed(format!("the lease of {strategy} changed {LOOKS} times meanwhile")))
    }

    /// Puts a lease in the place of `standing`; `Some`: another stands there now.
    async fn put(
        &self,
        table: &Table,
        wanted: &Lease,
        standing: Option<&Lease>,
    ) -> Result<Option<Lease>, Odd> {
        let mut it = Placeholders::default();
        let number = |number: u64| Attr::N(number.to_string());
        let condition = match standing {
            None => Some(format!("attribute_not_exists({})", it.name(&table.key))),
            Some(lease) => {
                let owner = it.is(OWNER, Some(&Attr::text(lease.owner.as_str())));
                let generation = it.is(GENERATION, Some(&number(lease.generation)));
                owner.zip(generation).map(|(owner, generation)| format!("{owner} AND {generation}"))
            }
        };
        let attributes = [
            (STRATEGY.to_owned(), Attr::text(wanted.strategy.as_str())),
            (OWNER.to_owned(), Attr::text(wanted.owner.as_str())),
            (GENERATION.to_owned(), number(wanted.generation)),
            (EXPIRES_MS.to_owned(), Attr::N(wanted.expires_at.as_millisecond().to_string())),
        ];
        let change = it.change(attributes.iter().map(|(name, value)| (name, Some(value))));
        let (key, value) = table.key(&key_of(&wanted.strategy));
        let ask = self
            .client
            .update_item()
            .table_name(&table.name)
            .key(key, value)
            .set_condition_expression(condition)
            .set_update_expression(change)
            .return_values(ReturnValue::None)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let ask = with_placeholders!(ask, it);
        let answer = self.connection.sender.send(&calls::UPDATE_ITEM, || ask.clone().send()).await;
        let Err(failed) = answer else { return Ok(None) };
        match condition_failed(&failed) {
            Some(Some(row)) => Ok(Some(lease_of(&row)?)),
            Some(None) => {
                Err(Odd::Unparsed(format!("no lease of {} stands there", wanted.strategy)))
            }
            None => Err(Odd::Failed(failed.failure)),
        }
    }

    pub(super) async fn release_all(&self, owner: &EngineId) -> Written {
        let Some(table) = &self.tables.records else { return no_table_to_write(WHAT) };
        let leases = match self.all_leases(table).await {
            Ok(leases) => leases,
            Err(Odd::Failed(failure)) => return failure.written("leases"),
            Err(Odd::Unparsed(why)) => {
                return Written::Refused { expected: "leases".to_owned(), found: why };
            }
        };
        let at = self.now();
        let mine = leases.into_iter().filter(|it| it.owner == *owner && it.expires_at > at);
        let mut released = Written::Already;
        for lease in mine {
            // The item stays: its generation must never fall back.
            let free = Lease { expires_at: to_the_millisecond(at), ..lease.clone() };
            match self.put(table, &free, Some(&lease)).await {
                Ok(None) => released = Written::Applied { at },
                // Another has taken it meanwhile: it is not ours any more.
                Ok(Some(_)) => {}
                Err(Odd::Failed(failure)) => return failure.written("leases"),
                Err(Odd::Unparsed(why)) => {
                    return Written::Refused { expected: "a lease".to_owned(), found: why };
                }
            }
        }
        released
    }
}

/// As a lease is stored: never longer than it was asked for.
fn to_the_millisecond(at: Utc) -> Utc {
    Utc::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

fn lease_of(row: &Row) -> Result<Lease, Odd> {
    let odd = |error: trading_core::model::AttrError| Odd::Unparsed(error.to_string());
    let whole = |name: &str| -> Result<i64, Odd> {
        let number = row.decimal(name).map_err(odd)?;
        i64::try_from(number).map_err(|_| Odd::Unparsed(format!("`{name}` is no whole number")))
    };
    let expires_at = Utc::from_millisecond(whole(EXPIRES_MS)?)
        .map_err(|error| Odd::Unparsed(format!("`{EXPIRES_MS}`: {error}")))?;
    Ok(Lease {
        strategy: row.text(STRATEGY).map_err(odd)?.into(),
        owner: row.text(OWNER).map_err(odd)?.into(),
        generation: u64::try_from(whole(GENERATION)?)
            .map_err(|_| Odd::Unparsed(format!("`{GENERATION}` is negative")))?,
        expires_at,
    })
}
