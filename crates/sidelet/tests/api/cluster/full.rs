//! A broker's disk that takes no more.

use std::time::Instant;

use super::{Servers, WRITES};
use crate::{
    harness::{App, eventually},
    postgres::history::Writers,
};

/// What a partition's file is given.
const PARTITION: u64 = 256 << 10;

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_without_room_ends_and_loses_nothing() {
    let mut servers = Servers::start().await;
    let app = App::start().await;
    let sidecar = servers.place(&app).start().await;
    servers.kafka.limit_files(PARTITION).unwrap();
    let writers = Writers::start(vec![sidecar.api.clone()]);
    eventually("the broker's end", async || servers.kafka.has_ended().then_some(())).await;
    let full = writers.count();
    writers.reach(full + WRITES / 10).await;
    let heard = app.delivered().len();
    servers.kafka.start_again().await.unwrap();
    let back = Instant::now();
    app.wait_for(heard + 1).await;
    println!("the broker's disk full after {full} writes: events went on {:.2?} after it was back", back.elapsed());
    writers.reach(WRITES).await;
    let written = writers.end().await;
    assert_eq!(written.refused, 0, "writes need no broker");
    written.check(&sidecar.api, &[&app]).await;
    sidecar.stop().await;
}
