//! A database and a broker that are away for a while: 5 s, or as many as the variable `FAULT_SECONDS` says.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use super::{Servers, WRITES};
use crate::{
    harness::{App, app::Delivered},
    postgres::history::Writers,
};

/// How soon after a fault everything goes on.
const RECOVERY: Duration = Duration::from_secs(10);

/// How long a fault lasts.
fn fault() -> Duration {
    let seconds = std::env::var("FAULT_SECONDS").ok().map(|text| text.parse().expect("FAULT_SECONDS is a number"));
    Duration::from_secs(seconds.unwrap_or(5))
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_broker_is_unreachable_writes_go_on_and_their_events_follow() {
    let servers = Servers::start().await;
    let app = App::start().await;
    let sidecar = servers.place(&app).start().await;
    let writers = Writers::start(vec![sidecar.api.clone()]);
    writers.reach(WRITES / 4).await;
    app.wait_for(1).await;
    servers.kafka.pause().unwrap();
    let since = Instant::now();
    let mut before = writers.count();
    // Longer than a publish waits.
    while since.elapsed() < fault().max(Duration::from_secs(8)) {
        writers.reach(before + 1).await;
        before = writers.count();
    }
    let heard = app.delivered().len();
    servers.kafka.resume().unwrap();
    let back = Instant::now();
    app.wait_for(heard + 1).await;
    let took = back.elapsed();
    writers.reach(WRITES).await;
    let written = writers.end().await;
    assert_eq!(written.refused, 0, "writes need no broker");
    written.check(&sidecar.api, &[&app]).await;
    // What was on its way when the broker went arrives once it is back, and is not sent again.
    let place = |event: &Delivered| (event.headers["__partition"].clone(), event.headers["__offset"].clone());
    let mut places = HashMap::new();
    for event in app.delivered() {
        let first = places.entry(event.data().to_string()).or_insert_with(|| place(&event));
        assert_eq!(*first, place(&event), "{} was published twice", event.data());
    }
    println!(
        "broker unreachable for {:.0?}: events went on {took:.2?} after it was back, {} that waited had come after {:.2?}",
        fault(),
        written.acknowledged - heard,
        back.elapsed()
    );
    assert!(took < RECOVERY, "{took:?}");
    sidecar.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_away_every_call_says_when_to_come_back() {
    let mut servers = Servers::start().await;
    let app = App::start().await;
    let sidecar = servers.place(&app).start().await;
    let writers = Writers::start(vec![sidecar.api.clone()]);
    writers.reach(WRITES / 2).await;
    servers.postgres.kill();
    let since = Instant::now();
    let mut slowest = Duration::ZERO;
    while since.elapsed() < fault() {
        let asked = Instant::now();
        let answer = sidecar.api.get("/v1.0/state/statestore/w0").await;
        assert_eq!((answer.status, answer.header("retry-after").as_str()), (503, "1"), "{answer:?}");
        slowest = slowest.max(asked.elapsed());
    }
    servers.postgres.start_again().await.unwrap();
    let (back, heard) = (Instant::now(), app.delivered().len());
    let writes = writers.recovery().await;
    app.wait_for(heard + 1).await;
    let events = back.elapsed();
    println!(
        "PostgreSQL away for {:.0?}: the slowest refusal took {slowest:.2?}; writes went on {writes:.2?} after it was \
         back, events {events:.2?}",
        fault()
    );
    assert!(writes < RECOVERY && events < RECOVERY, "{writes:?} {events:?}");
    writers.reach(WRITES).await;
    writers.end().await.check(&sidecar.api, &[&app]).await;
    sidecar.stop().await;
}
