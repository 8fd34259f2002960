//! The tables of `compute.db`.

use rusqlite::types::{Type, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use trading_core::model::{
    Gap, GapKind, Listing, Schedule, ScheduleId, ServiceEvent, ServiceName, TaskId, Utc,
};

use super::db::Schema;
use super::document::to_sql_error;
use super::record::{DeploymentRecord, ScheduleRecord, ServiceRecord, TaskDefinition, TaskRecord};

pub(super) static SCHEMA: Schema = Schema {
    name: "compute.db",
    migrations: &["
        CREATE TABLE services (name TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE task_definitions (family TEXT NOT NULL, revision INTEGER NOT NULL,
                                       document TEXT NOT NULL, PRIMARY KEY (family, revision))
            WITHOUT ROWID;
        CREATE TABLE tasks (id TEXT PRIMARY KEY, stopped INTEGER NOT NULL, document TEXT NOT NULL)
            WITHOUT ROWID;
        CREATE INDEX tasks_live ON tasks (id) WHERE stopped = 0;
        CREATE TABLE events (number INTEGER PRIMARY KEY AUTOINCREMENT, service TEXT NOT NULL,
                             at TEXT NOT NULL, message TEXT NOT NULL);
        CREATE INDEX events_by_service ON events (service, number);
        CREATE TABLE schedules (id TEXT PRIMARY KEY, document TEXT NOT NULL,
                                anchor TEXT NOT NULL, fired TEXT) WITHOUT ROWID;
        CREATE TABLE settings (name TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID;
    "],
    durable: false,
};

/// How many stopped tasks are remembered.
const STOPPED_KEPT: u32 = 200;
/// How many events of a service are remembered.
const EVENTS_KEPT: u32 = 100;

/// A time from a text column.
pub(super) fn time_column(column: usize, text: &str) -> rusqlite::Result<Utc> {
    text.parse().map_err(|error: jiff::Error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}

fn parsed<T: DeserializeOwned>(text: &str) -> rusqlite::Result<T> {
    serde_json::from_str(text)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(error)))
}

fn text_of<T: Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(to_sql_error)
}

/// All rows of a table as (key, document, …). One that is odd hides none of the others: it is
/// a gap of that name.
fn listing<T>(
    connection: &Connection,
    sql: &str,
    read: impl Fn(&str, &Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Listing<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let mut list = Listing::default();
    while let Some(row) = rows.next()? {
        let key = key_column(row.get_ref(0)?);
        match read(&key, row) {
            Ok(record) => list.found.push(record),
            Err(error) => {
                let why = odd(&error).ok_or(error)?;
                list.gaps.push(Gap { kind: GapKind::Unparsed, source: key, why });
            }
        }
    }
    Ok(list)
}

/// A row's key, whatever stands there.
fn key_column(column: ValueRef<'_>) -> String {
    match column {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            String::from_utf8_lossy(bytes).into_owned()
        }
        ValueRef::Null => "null".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
    }
}

/// What is wrong with one row; `None`: it was not the row, but the reading.
pub(super) fn odd(error: &rusqlite::Error) -> Option<String> {
    match error {
        rusqlite::Error::FromSqlConversionFailure(_, _, why) => Some(why.to_string()),
        rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::Utf8Error(..) => Some(error.to_string()),
        _ => None,
    }
}

/// A record's document. One that names another than its row is odd: what is written to the
/// one would never reach the other.
fn own<T: DeserializeOwned>(
    key: &str,
    row: &Row<'_>,
    name: impl Fn(&T) -> &str,
) -> rusqlite::Result<T> {
    let record: T = parsed(row.get_ref(1)?.as_str()?)?;
    match name(&record) {
        name if name == key => Ok(record),
        name => Err(unlike(format!("its document is that of `{name}`"))),
    }
}

fn unlike(why: String) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(1, Type::Text, why.into())
}

fn document<T: DeserializeOwned>(
    connection: &Connection,
    sql: &str,
    key: &str,
) -> rusqlite::Result<Option<T>> {
    let text: Option<String> =
        connection.prepare_cached(sql)?.query_row([key], |row| row.get(0)).optional()?;
    text.map(|text| parsed(&text)).transpose().map_err(|error| named(key, error))
}

/// One row of a table as (key, document), which is odd where it names another than its key.
fn own_of<T: DeserializeOwned>(
    connection: &Connection,
    sql: &str,
    key: &str,
    name: impl Fn(&T) -> &str,
) -> rusqlite::Result<Option<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_row([key], |row| own(key, row, name)).optional();
    found.map_err(|error| named(key, error))
}

/// The same error, saying of which row it is where it is of one.
fn named(key: &str, error: rusqlite::Error) -> rusqlite::Error {
    match odd(&error) {
        Some(why) => unlike(format!("the row `{key}` is not understood: {why}")),
        None => error,
    }
}

/// A row that somebody else may look after: one that is odd is as good as none.
pub(super) fn if_read<T>(found: rusqlite::Result<Option<T>>) -> rusqlite::Result<Option<T>> {
    found.or_else(|error| if odd(&error).is_some() { Ok(None) } else { Err(error) })
}

pub(super) fn services(connection: &Connection) -> rusqlite::Result<Listing<ServiceRecord>> {
    listing(connection, "SELECT name, document FROM services ORDER BY name", |key, row| {
        own(key, row, |it: &ServiceRecord| it.name.as_str())
    })
}

pub(super) fn service(
    connection: &Connection,
    name: &ServiceName,
) -> rusqlite::Result<Option<ServiceRecord>> {
    let sql = "SELECT name, document FROM services WHERE name = ?1";
    own_of(connection, sql, name.as_str(), |it: &ServiceRecord| it.name.as_str())
}

pub(super) fn put_service(tx: &Transaction<'_>, record: &ServiceRecord) -> rusqlite::Result<()> {
    tx.prepare_cached("REPLACE INTO services (name, document) VALUES (?1, ?2)")?
        .execute(params![record.name.as_str(), text_of(record)?])?;
    Ok(())
}

/// The newest revision of a family.
pub(super) fn definition(
    connection: &Connection,
    family: &str,
) -> rusqlite::Result<Option<TaskDefinition>> {
    document(
        connection,
        "SELECT document FROM task_definitions WHERE family = ?1 ORDER BY revision DESC LIMIT 1",
        family,
    )
}

/// The definition of this `family:revision`.
pub(super) fn definition_named(
    connection: &Connection,
    name: &str,
) -> rusqlite::Result<Option<TaskDefinition>> {
    let Some((family, revision)) = name.rsplit_once(':') else { return Ok(None) };
    let text: Option<String> = connection
        .prepare_cached(
            "SELECT document FROM task_definitions WHERE family = ?1 AND revision = ?2",
        )?
        .query_row(params![family, revision], |row| row.get(0))
        .optional()?;
    text.map(|text| parsed(&text)).transpose()
}

/// Registers a definition as the family's next revision, unless the newest one is alike.
pub(super) fn register(
    tx: &Transaction<'_>,
    wanted: &TaskDefinition,
) -> rusqlite::Result<TaskDefinition> {
    let newest = definition(tx, &wanted.family)?;
    let revision = newest.as_ref().map_or(0, |it| it.revision);
    if let Some(newest) = newest
        && newest == (TaskDefinition { revision, ..wanted.clone() })
    {
        return Ok(newest);
    }
    let next = TaskDefinition { revision: revision.saturating_add(1), ..wanted.clone() };
    tx.prepare_cached(
        "INSERT INTO task_definitions (family, revision, document) VALUES (?1, ?2, ?3)",
    )?
    .execute(params![next.family, next.revision, text_of(&next)?])?;
    Ok(next)
}

/// All tasks, live ones and those stopped lately, in the order of their ids. Apart from these
/// what is odd among the stopped ones: whether something runs as it the row does not say.
pub(super) fn tasks(connection: &Connection) -> rusqlite::Result<(Listing<TaskRecord>, Vec<Gap>)> {
    let live = "SELECT id, document FROM tasks WHERE stopped IS NOT 1";
    let mut all = listing(connection, live, task_row)?;
    let stopped = "SELECT id, document FROM tasks WHERE stopped = 1";
    let stopped = listing(connection, stopped, task_row)?;
    all.found.extend(stopped.found);
    all.found.sort_by(|a, b| a.id.cmp(&b.id));
    all.gaps.sort_by(|a, b| a.source.cmp(&b.source));
    Ok((all, stopped.gaps))
}

pub(super) fn live_tasks(connection: &Connection) -> rusqlite::Result<Listing<TaskRecord>> {
    listing(connection, "SELECT id, document FROM tasks WHERE stopped = 0 ORDER BY id", task_row)
}

fn task_row(key: &str, row: &Row<'_>) -> rusqlite::Result<TaskRecord> {
    own(key, row, |it: &TaskRecord| it.id.as_str())
}

/// How many live tasks a service has. Not known where a row is odd that something may run as,
/// unless it names another service: what may run is not started beside itself.
pub(super) fn live_of(
    connection: &Connection,
    service: &ServiceName,
    may_run: impl Fn(&str) -> bool,
) -> rusqlite::Result<usize> {
    let (listed, stopped) = tasks(connection)?;
    let mut statement = connection.prepare_cached("SELECT document FROM tasks WHERE id = ?1")?;
    let odd = listed.gaps.iter().chain(&stopped).filter(|gap| may_run(&gap.source));
    for Gap { source, why, .. } in odd {
        let text = statement.query_row([source], |row| Ok(key_column(row.get_ref(0)?)));
        let document: Option<serde_json::Value> =
            text.optional()?.and_then(|text| serde_json::from_str(&text).ok());
        let named = document.as_ref().and_then(|it| it["service"].as_str());
        if named.is_none_or(|name| name == service.as_str()) {
            return Err(unlike(format!("task {source} may be one of it and runs: {why}")));
        }
    }
    let live = listed.found.iter().filter(|task| task.is_live());
    Ok(live.filter(|task| task.service.as_ref() == Some(service)).count())
}

pub(super) fn task(connection: &Connection, id: &TaskId) -> rusqlite::Result<Option<TaskRecord>> {
    let sql = "SELECT id, document FROM tasks WHERE id = ?1";
    own_of(connection, sql, id.as_str(), |it: &TaskRecord| it.id.as_str())
}

pub(super) fn put_task(tx: &Transaction<'_>, record: &TaskRecord) -> rusqlite::Result<()> {
    tx.prepare_cached("REPLACE INTO tasks (id, stopped, document) VALUES (?1, ?2, ?3)")?
        .execute(params![record.id.as_str(), !record.is_live(), text_of(record)?])?;
    if !record.is_live() {
        // Ids begin with their time: the greatest are the newest.
        tx.prepare_cached(
            "DELETE FROM tasks WHERE stopped = 1 AND id NOT IN
             (SELECT id FROM tasks WHERE stopped = 1 ORDER BY id DESC LIMIT ?1)",
        )?
        .execute([STOPPED_KEPT])?;
    }
    Ok(())
}

/// Says something about a service; the oldest of more than 100 events go.
pub(super) fn add_event(
    tx: &Transaction<'_>,
    service: &ServiceName,
    at: Utc,
    message: &str,
) -> rusqlite::Result<()> {
    tx.prepare_cached("INSERT INTO events (service, at, message) VALUES (?1, ?2, ?3)")?
        .execute(params![service.as_str(), at.to_string(), message])?;
    tx.prepare_cached(
        "DELETE FROM events WHERE service = ?1 AND number NOT IN
         (SELECT number FROM events WHERE service = ?1 ORDER BY number DESC LIMIT ?2)",
    )?
    .execute(params![service.as_str(), EVENTS_KEPT])?;
    Ok(())
}

/// The events of a service, newest first.
pub(super) fn events(
    connection: &Connection,
    service: &ServiceName,
) -> rusqlite::Result<Vec<ServiceEvent>> {
    let mut statement = connection.prepare_cached(
        "SELECT at, message FROM events WHERE service = ?1 ORDER BY number DESC LIMIT ?2",
    )?;
    let rows = statement.query_map(params![service.as_str(), EVENTS_KEPT], |row| {
        let at: String = row.get(0)?;
        Ok(ServiceEvent { at: time_column(0, &at)?, message: row.get(1)? })
    })?;
    rows.collect()
}

/// Brings services, families and schedules up to a blueprint. A row that is odd is left as it
/// is and answered, and keeps no other from being brought up.
pub(super) fn apply(
    tx: &Transaction<'_>,
    blueprint: &super::Blueprint,
    now: Utc,
) -> rusqlite::Result<Vec<Gap>> {
    put_supervisor_argv(tx, &blueprint.supervisor)?;
    let mut left = Vec::new();
    for family in &blueprint.families {
        left.extend(unless_odd(&family.family, register(tx, family).map(drop))?);
    }
    for spec in &blueprint.services {
        left.extend(unless_odd(spec.name.as_str(), apply_service(tx, spec, now))?);
    }
    let known = schedules(tx)?;
    let stands = |id: &str| {
        known.found.iter().any(|it| it.schedule.id.as_str() == id)
            || known.gaps.iter().any(|gap| gap.source == id)
    };
    for schedule in &blueprint.schedules {
        if !stands(schedule.id.as_str()) {
            let schedule = schedule.clone();
            put_schedule(tx, &ScheduleRecord { schedule, anchor: now, fired: None })?;
        }
    }
    Ok(left)
}

/// A row that is odd as a gap of that name.
fn unless_odd(name: &str, met: rusqlite::Result<()>) -> rusqlite::Result<Option<Gap>> {
    let Err(error) = met else { return Ok(None) };
    let why = odd(&error).ok_or(error)?;
    Ok(Some(Gap { kind: GapKind::Unparsed, source: name.to_owned(), why }))
}

fn apply_service(
    tx: &Transaction<'_>,
    spec: &super::ServiceSpec,
    now: Utc,
) -> rusqlite::Result<()> {
    let found = service(tx, &spec.name)?;
    let wanted = TaskDefinition {
        family: spec.family.clone(),
        revision: 0,
        argv: spec.argv.clone(),
        env: spec.env.clone(),
        stop_timeout_ms: spec.stop_timeout_ms,
    };
    let definition = register(tx, &wanted)?.name();
    let mut record = found.clone().unwrap_or_else(|| ServiceRecord {
        name: spec.name.clone(),
        family: spec.family.clone(),
        desired: spec.desired,
        autoscaling: spec.autoscaling,
        deployments: Vec::new(),
    });
    if record.deployments.first().map(|it| &it.task_definition) != Some(&definition) {
        record.family.clone_from(&spec.family);
        let id = format!("{}-{}", definition.replace(':', "-"), now.as_millisecond());
        let deployment =
            DeploymentRecord { id, task_definition: definition, created_at: now, completed: false };
        record.deployments.insert(0, deployment);
    }
    if found.as_ref() != Some(&record) {
        put_service(tx, &record)?;
    }
    Ok(())
}

pub(super) fn schedules(connection: &Connection) -> rusqlite::Result<Listing<ScheduleRecord>> {
    let sql = "SELECT id, document, anchor, fired FROM schedules ORDER BY id";
    listing(connection, sql, |key, row| {
        let fired: Option<String> = row.get(3)?;
        Ok(ScheduleRecord {
            schedule: own(key, row, |it: &Schedule| it.id.as_str())?,
            anchor: time_column(2, &row.get::<_, String>(2)?)?,
            fired: fired.map(|text| time_column(3, &text)).transpose()?,
        })
    })
}

pub(super) fn put_schedule(tx: &Transaction<'_>, it: &ScheduleRecord) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "REPLACE INTO schedules (id, document, anchor, fired) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![
        it.schedule.id.as_str(),
        text_of(&it.schedule)?,
        it.anchor.to_string(),
        it.fired.map(|at| at.to_string())
    ])?;
    Ok(())
}

/// Remembers that a schedule's due time was acted upon.
pub(super) fn mark_fired(tx: &Transaction<'_>, id: &ScheduleId, at: Utc) -> rusqlite::Result<()> {
    tx.prepare_cached("UPDATE schedules SET fired = ?2 WHERE id = ?1")?
        .execute(params![id.as_str(), at.to_string()])?;
    Ok(())
}

/// How the supervisor is started.
pub(super) fn supervisor_argv(connection: &Connection) -> rusqlite::Result<Option<Vec<String>>> {
    document(connection, "SELECT document FROM settings WHERE name = ?1", "supervisor_argv")
}

pub(super) fn put_supervisor_argv(tx: &Transaction<'_>, argv: &[String]) -> rusqlite::Result<()> {
    tx.prepare_cached("REPLACE INTO settings (name, document) VALUES ('supervisor_argv', ?1)")?
        .execute([text_of(&argv)?])?;
    Ok(())
}
