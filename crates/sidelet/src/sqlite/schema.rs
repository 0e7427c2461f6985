//! The tables, and whether a file is ours.

use rusqlite::Connection;

use super::Place;
use crate::store::OpenError;

/// The version of the tables below, with all upgrades. A file with a higher one was written by a newer release.
const VERSION: i64 = 3;
/// Marks a file as ours (`SDLT`), so that no other program's tables are written to.
const APPLICATION_ID: i64 = 0x5344_4c54;
/// Pages after which the log of writes is folded into the file: 16 MiB, so that documents of 80 KB do not fold every 50.
const CHECKPOINT_PAGES: i64 = 4096;

/// What the log of writes keeps of its length once it is folded: twice what it usually has.
const WAL_BYTES: i64 = 32 << 20;

/// `item`: state. `expires` in Unix milliseconds.
///
/// `message`: the log. `position` is the partition's id times 2^40 plus the offset, so that a partition is one range of
/// the table's own key and an append is an append. `time` and `expires` in Unix milliseconds; `attributes` is JSON.
///
/// `partition.start`: no offset below it is there any more; numbering goes on from it when all are gone.
///
/// `consumer_offset`: all below `next` are finished, but for those in `unfinished` (a JSON list).
const TABLES: &str = "
    CREATE TABLE item (
        store TEXT NOT NULL,
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        etag TEXT NOT NULL,
        expires INTEGER,
        PRIMARY KEY (store, key)
    );
    CREATE INDEX item_expires ON item (expires) WHERE expires IS NOT NULL;
    CREATE TABLE topic (
        first_partition INTEGER PRIMARY KEY,
        partitions INTEGER NOT NULL,
        pubsub TEXT NOT NULL,
        name TEXT NOT NULL,
        UNIQUE (pubsub, name)
    );
    CREATE TABLE partition (
        id INTEGER PRIMARY KEY,
        start INTEGER NOT NULL
    );
    CREATE TABLE message (
        position INTEGER PRIMARY KEY,
        time INTEGER NOT NULL,
        key TEXT,
        attributes TEXT NOT NULL,
        expires INTEGER,
        content BLOB NOT NULL
    );
    CREATE TABLE consumer_offset (
        consumer_group TEXT NOT NULL,
        partition INTEGER NOT NULL,
        next INTEGER NOT NULL,
        unfinished TEXT NOT NULL,
        PRIMARY KEY (consumer_group, partition)
    ) WITHOUT ROWID;
";

/// What each version added to the one before, from the second on.
///
/// `job`: an id is never used again, so that what a call comes to is never noted of a job that took another's place.
/// `due` is the tick that comes next and `expires` the last moment for one, in Unix milliseconds; `fired` counts ticks;
/// `terms` and `data` are JSON.
///
/// `cron_tick`: the tick of a cron binding that comes next for an app, by the schedule that said so.
///
/// `outbox`: messages whose pub/sub is elsewhere, in the order of their transactions. `refused` says why no pub/sub will
/// ever take one: then it is kept for people.
const UPGRADES: [&str; 2] = [
    "
    CREATE TABLE job (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        app TEXT NOT NULL,
        name TEXT NOT NULL,
        due INTEGER NOT NULL,
        fired INTEGER NOT NULL,
        expires INTEGER,
        terms TEXT NOT NULL,
        data TEXT NOT NULL,
        UNIQUE (app, name)
    );
    CREATE TABLE cron_tick (
        binding TEXT NOT NULL,
        app TEXT NOT NULL,
        schedule TEXT NOT NULL,
        due INTEGER NOT NULL,
        PRIMARY KEY (binding, app)
    ) WITHOUT ROWID;
",
    "
    CREATE TABLE outbox (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        pubsub TEXT NOT NULL,
        topic TEXT NOT NULL,
        key TEXT,
        attributes TEXT NOT NULL,
        expires INTEGER,
        content BLOB NOT NULL,
        refused TEXT
    );
",
];

/// Makes the tables in a new file, brings those of an older release up to date, and refuses a file that is not ours or newer than this program.
pub(crate) fn prepare(connection: &Connection, place: &Place) -> Result<(), OpenError> {
    let name = match place {
        Place::Memory => ":memory:".to_owned(),
        Place::File(path) => path.display().to_string(),
    };
    let failed = |source: rusqlite::Error| OpenError::new(&name, source);
    let application: i64 = pragma(connection, "application_id").map_err(failed)?;
    let version: i64 = pragma(connection, "user_version").map_err(failed)?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    if tables > 0 && application != APPLICATION_ID {
        return Err(OpenError::new(&name, "it is a database of another program"));
    }
    if version > VERSION {
        let reason = format!("it has version {version}, and this program knows versions up to {VERSION}; update it");
        return Err(OpenError::new(&name, reason));
    }
    configure(connection).map_err(failed)?;
    let mut text = String::new();
    if tables == 0 {
        text.push_str(&format!("{TABLES} PRAGMA application_id = {APPLICATION_ID};"));
    }
    // A new file has version 0, and its tables are those of version 1.
    let upgrades = UPGRADES.iter().skip(usize::try_from(version - 1).unwrap_or(0));
    upgrades.for_each(|upgrade| text.push_str(upgrade));
    if !text.is_empty() {
        let text = format!("BEGIN IMMEDIATE; {text} PRAGMA user_version = {VERSION}; COMMIT;");
        connection.execute_batch(&text).map_err(failed)?;
    }
    Ok(())
}

/// A write-ahead log that is on the disk before a commit returns: what was answered survives a power cut.
fn configure(connection: &Connection) -> Result<(), rusqlite::Error> {
    // Counts in a new file only: what is removed is given back by `Upkeep`, some at a time.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.query_row(&format!("PRAGMA journal_size_limit = {WAL_BYTES}"), [], |_| Ok(()))?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

fn pragma(connection: &Connection, name: &str) -> Result<i64, rusqlite::Error> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}
