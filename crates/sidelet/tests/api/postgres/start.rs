//! A database that does not answer when the sidecar starts: nobody waits longer than for one that goes away later.

use std::time::{Duration, Instant};

use futures::future::join_all;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::harness::{Api, Place, eventually, postgres};

fn place(url: &str) -> Place {
    Place::new(&postgres::store("statestore", url, &[("timeout", "1s")]))
}

/// Twenty reads at once, which are all to be refused within some two time limits.
async fn are_refused_in_time(api: &Api) {
    let start = Instant::now();
    let answers = join_all((0..20).map(|_| api.get("/v1.0/state/statestore/k"))).await;
    for answer in answers {
        assert_eq!((answer.status, answer.header("retry-after").as_str()), (503, "1"), "{answer:?}");
    }
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_do_not_queue_behind_a_database_that_takes_connections_and_says_nothing() {
    // Connections are taken by the system; nobody reads what comes over them.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let sidecar = place(&format!("postgres://u@127.0.0.1:{port}/d?sslmode=disable")).start().await;
    for _ in 0..2 {
        are_refused_in_time(&sidecar.api).await;
    }
    sidecar.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_refused_in_time_while_the_version_of_the_tables_cannot_be_read() {
    let (server, url) = postgres::database().await;
    let place = place(&url);
    place.start().await.stop().await;
    let lock = postgres::Lock::hold(server, &url, "lock table dapr_metadata in access exclusive mode").await;
    let sidecar = place.start().await;
    are_refused_in_time(&sidecar.api).await;
    lock.release().await;
    eventually("an answer", async || (sidecar.api.get("/v1.0/state/statestore/k").await.status == 204).then_some(()))
        .await;
    sidecar.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_refused_in_time_while_another_replica_brings_the_tables_up_to_date() {
    let (server, url) = postgres::database().await;
    let migrating = "select pg_advisory_xact_lock(hashtext('sidelet migration'), hashtext('\"state\"'))";
    let lock = postgres::Lock::hold(server, &url, migrating).await;
    let sidecar = place(&url).start().await;
    are_refused_in_time(&sidecar.api).await;
    lock.release().await;
    eventually("an answer", async || (sidecar.api.get("/v1.0/state/statestore/k").await.status == 204).then_some(()))
        .await;
    sidecar.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_cannot_reach_the_database_is_a_database_that_is_away() {
    let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = proxy.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut client, _) = proxy.accept().await.unwrap();
            let _ = client.read(&mut [0; 1024]).await;
            let fields = b"SFATAL\0VFATAL\0CXX000\0Mcouldn't connect to compute node\0\0";
            let length = u32::try_from(fields.len() + 4).unwrap().to_be_bytes();
            let _ = client.write_all(&[&b"E"[..], &length, fields].concat()).await;
        }
    });
    let sidecar = place(&format!("postgres://u@127.0.0.1:{port}/d?sslmode=disable")).start().await;
    are_refused_in_time(&sidecar.api).await;
    sidecar.stop().await;
}
