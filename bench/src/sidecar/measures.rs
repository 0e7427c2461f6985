//! What is measured of one sidecar, one figure after the other.

use std::time::Duration;

use anyhow::Result;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::app::App;
use super::backends::Backends;
use super::client::{Connection, run};
use super::process::{Peer, Sidecar};
use super::table::Table;
use crate::latency::{milliseconds, percentile};
use crate::load::Figures;

/// Connections of a load.
const MANY: usize = 16;
/// Keys that a load goes through.
const KEYS: usize = 1_000;
/// How long a sidecar is left alone before its idle memory counts.
const REST: Duration = Duration::from_secs(2);
/// Events in each second of a steady flow.
const STEADY: u32 = 50;
/// Transactions with an event in each second, where the outbox keeps up.
const OUTBOX: u32 = 2_000;
/// Transactions with an event, one after the other.
const FEW: usize = 3;
const MORE: usize = 200;

/// Measures everything of one sidecar, once.
pub(super) async fn measure(peer: &Peer, backends: Backends, window: Duration, table: &mut Table) -> Result<()> {
    let app = App::start().await?;
    let prepared = backends.prepare(peer).await?;
    let sidecar = Sidecar::start(peer, &prepared.components, app.port).await?;
    let mut note = |what: &str, unit, value| table.note(peer.name, what, unit, value);
    note("start to ready", "ms", milliseconds(sidecar.ready_after));
    sleep(REST).await;
    note("memory, idle", "MiB", sidecar.resident()?);
    for connections in [1, MANY] {
        rates(&mut note, "state save", connections, state_save(&sidecar, connections, window).await?);
        rates(&mut note, "state get", connections, state_get(&sidecar, connections, window).await?);
        rates(
            &mut note,
            "get and transaction with entity tag",
            connections,
            transact(&sidecar, connections, window).await?,
        );
    }
    let mut steady = publish_steadily(&sidecar, &app, window).await?;
    times(&mut note, &format!("publish to delivery at {STEADY}/s"), &mut steady);
    full_speed(&sidecar, &app, window, &mut note).await?;
    // daprd's outbox hands out one event in a second: more would never arrive.
    let few = if peer.name == "daprd" { FEW } else { MORE };
    let mut one_by_one = outbox_one_by_one(&sidecar, &app, few).await?;
    times(&mut note, "outbox, request to delivery, one at a time", &mut one_by_one);
    if peer.name != "daprd" {
        let mut many = outbox_at_rate(&sidecar, &app, window).await?;
        times(&mut note, &format!("outbox, request to delivery at {OUTBOX}/s"), &mut many);
    }
    note("memory, after the load", "MiB", sidecar.resident()?);
    Ok(())
}

fn rates(note: &mut impl FnMut(&str, &'static str, f64), what: &str, connections: usize, figures: Figures) {
    let what = format!("{what}, {connections} connection{}", if connections == 1 { "" } else { "s" });
    note(&what, "/s", figures.per_second);
    note(&format!("{what}, p50"), "ms", figures.p50);
    note(&format!("{what}, p99"), "ms", figures.p99);
}

fn times(note: &mut impl FnMut(&str, &'static str, f64), what: &str, times: &mut [Duration]) {
    for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
        note(&format!("{what}, {name}"), "ms", milliseconds(percentile(times, share)));
    }
}

/// Different keys of each connection, so that nobody waits for another's row.
fn key(connection: usize, repeat: usize) -> String {
    format!("k{connection}-{}", repeat % (KEYS / MANY))
}

const VALUE: &str =
    r#"{"title":"Buy milk","description":"Ask for a receipt, and look at last year's notes before.","done":false}"#;

async fn state_save(sidecar: &Sidecar, connections: usize, window: Duration) -> Result<Figures> {
    run(sidecar.port, connections, window, async |connection, number, repeat| {
        let body = format!(r#"[{{"key":"{}","value":{VALUE}}}]"#, key(number, repeat));
        connection.call("POST", "/v1.0/state/statestore", body).await.map(drop)
    })
    .await
}

async fn state_get(sidecar: &Sidecar, connections: usize, window: Duration) -> Result<Figures> {
    run(sidecar.port, connections, window, async |connection, number, repeat| {
        let path = format!("/v1.0/state/statestore/{}", key(number, repeat));
        connection.call("GET", &path, "").await.map(drop)
    })
    .await
}

/// Reads an item and changes it under its entity tag: a write of the application.
async fn transact(sidecar: &Sidecar, connections: usize, window: Duration) -> Result<Figures> {
    run(sidecar.port, connections, window, async |connection, number, repeat| {
        let key = key(number, repeat);
        let etag = connection.call("GET", &format!("/v1.0/state/statestore/{key}"), "").await?.etag;
        let body = format!(
            r#"{{"operations":[{{"operation":"upsert","request":{{"key":"{key}","value":{VALUE},"etag":"{etag}"}}}}]}}"#
        );
        connection.call("POST", "/v1.0/state/statestore/transaction", body).await.map(drop)
    })
    .await
}

async fn publish(connection: &mut Connection, app: &App, key: usize) -> Result<()> {
    let path = format!("/v1.0/publish/pubsub/events?metadata.partitionKey=u{key}");
    connection.call("POST", &path, app.event()).await.map(drop)
}

async fn publish_steadily(sidecar: &Sidecar, app: &App, window: Duration) -> Result<Vec<Duration>> {
    let mut connection = Connection::open(sidecar.port).await?;
    // The first event opens what is opened on first use.
    publish(&mut connection, app, 0).await?;
    app.take(1).await?;
    let count = (STEADY * window.as_secs() as u32).max(STEADY) as usize;
    let mut ticks = steadily(STEADY);
    for number in 0..count {
        ticks.tick().await;
        publish(&mut connection, app, number).await?;
    }
    app.take(count).await
}

/// Publishes as fast as it goes and waits until all has arrived.
async fn full_speed(
    sidecar: &Sidecar,
    app: &App,
    window: Duration,
    note: &mut impl FnMut(&str, &'static str, f64),
) -> Result<()> {
    let (begin, worked) = (Instant::now(), sidecar.processor_time()?);
    let figures =
        run(sidecar.port, MANY, window, async |connection, number, _| publish(connection, app, number).await).await?;
    let arrived = app.take(figures.requests).await?.len() as f64;
    note(&format!("publish at full speed, {MANY} connections"), "/s", figures.per_second);
    note("delivered at full speed", "/s", arrived / begin.elapsed().as_secs_f64());
    note("processor time of 1,000 messages", "ms", (sidecar.processor_time()? - worked) * 1_000_000.0 / arrived);
    Ok(())
}

/// A document and its event.
fn transaction(app: &App, key: usize, number: usize) -> String {
    let event = app.event();
    format!(
        r#"{{"operations":[{{"operation":"upsert","request":{{"key":"o{key}","value":{event},"metadata":{{"contentType":"application/json","partitionKey":"u{key}","number":"{number}"}}}}}}]}}"#
    )
}

async fn outbox_one_by_one(sidecar: &Sidecar, app: &App, count: usize) -> Result<Vec<Duration>> {
    let mut connection = Connection::open(sidecar.port).await?;
    let mut all = Vec::new();
    for number in 0..count {
        connection.call("POST", "/v1.0/state/outboxstore/transaction", transaction(app, number, number)).await?;
        all.extend(app.take(1).await?);
    }
    Ok(all)
}

async fn outbox_at_rate(sidecar: &Sidecar, app: &App, window: Duration) -> Result<Vec<Duration>> {
    let each = OUTBOX / MANY as u32;
    let count = each as usize * window.as_secs() as usize;
    let writers = (0..MANY).map(|writer| async move {
        let mut connection = Connection::open(sidecar.port).await?;
        let mut ticks = steadily(each);
        for number in 0..count {
            ticks.tick().await;
            let body = transaction(app, writer * KEYS + number % KEYS, number);
            connection.call("POST", "/v1.0/state/outboxstore/transaction", body).await?;
        }
        anyhow::Ok(())
    });
    futures::future::try_join_all(writers).await?;
    app.take(count * MANY).await
}

/// So many ticks in a second. A late one is made up for, as by clients who do not wait for each other.
fn steadily(rate: u32) -> tokio::time::Interval {
    let mut ticks = interval(Duration::from_secs(1) / rate);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    ticks
}
