//! One of two replicas is killed, again and again: the other one writes, relays and delivers.

use std::time::{Duration, Instant};

use super::{Servers, WRITES};
use crate::{
    harness::{App, Process},
    postgres::{history::Writers, write},
};

#[tokio::test(flavor = "multi_thread")]
async fn of_two_replicas_on_kafka_one_may_be_killed_again_and_again() {
    let servers = Servers::start().await;
    let app = App::start().await;
    let places = [servers.place(&app), servers.place(&app)];
    let mut processes = [Process::start(&places[0]), Process::start(&places[1])].map(Some);
    let writers = Writers::start(processes.iter().flatten().map(|process| process.api.clone()).collect());
    let kills = 8;
    for kill in 1..=kills {
        writers.reach(kill * WRITES / kills).await;
        let index = kill % 2;
        processes[index].take().unwrap().kill();
        let since = Instant::now();
        let writes = writers.recovery().await;
        // Its lease of the relay, and its partitions, are given to the other one.
        let before = app.delivered().len();
        app.wait_for(before + 1).await;
        let events = since.elapsed();
        println!("one of two replicas killed: writes went on in {writes:.2?}, events in {events:.2?}");
        assert!(events < Duration::from_secs(15), "{events:?}");
        let process = Process::start(&places[index]);
        writers.replace(index, process.api.clone());
        processes[index] = Some(process);
    }
    let written = writers.end().await;
    let api = processes[0].as_ref().unwrap().api.clone();
    written.check(&api, &[&app]).await;
    for process in processes.into_iter().flatten() {
        assert_eq!(process.terminate().await.code(), Some(0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_one_who_relays_has_left_is_delivered_when_it_never_comes_back() {
    let servers = Servers::start().await;
    let app = App::start().await;
    let places = [servers.place(&app), servers.place(&app)];
    let [writing, other] = [Process::start(&places[0]), Process::start(&places[1])];
    // Long enough for the other one to look, and to find nothing: all of it is relayed at once.
    let (start, mut number) = (Instant::now(), 0);
    while start.elapsed() < Duration::from_secs(12) {
        number += 1;
        assert_eq!(write(&writing.api, "k", number).await, 204);
        app.wait_for(usize::try_from(number).unwrap()).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    servers.kafka.pause().unwrap();
    assert_eq!(write(&writing.api, "k", number + 1).await, 204);
    writing.kill();
    servers.kafka.resume().unwrap();
    let killed = Instant::now();
    let delivered = app.wait_for(usize::try_from(number + 1).unwrap()).await;
    assert_eq!(delivered.last().unwrap().data()["number"], number + 1);
    println!("what a killed replica had left came {:.2?} after it", killed.elapsed());
    assert_eq!(other.terminate().await.code(), Some(0));
}
