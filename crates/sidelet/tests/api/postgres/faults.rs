//! A database that is killed, cut off or silent, and replicas that are killed: what was acknowledged is there, with its
//! event, and nothing is half done.

use std::time::{Duration, Instant};

use backends::Postgres;

use super::history::Writers;
use crate::harness::{Api, App, Place, Process, Sidecar, eventually, postgres, subscription};

/// Writes in each history.
const WRITES: usize = 10_000;

fn place(url: &str, app: &App) -> Place {
    let components = postgres::components(url).replace(
        "metadata:\n    - {name: connectionString",
        "metadata:\n    - {name: timeout, value: 1s}\n    - {name: connectionString",
    );
    let mut place = Place::new(&format!("{components}{}", subscription("s", "task-events", "/events/task", "")));
    place.serve(app);
    place
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_goes_away_in_any_way_loses_nothing() {
    let app = App::start().await;
    let mut server = Postgres::start().await.unwrap();
    let url = server.create_database().await.unwrap();
    let sidecar = place(&url, &app).start().await;
    let writers = Writers::start(vec![sidecar.api.clone()]);
    writers.reach(WRITES / 5).await;
    server.kill();
    eventually("a refusal", async || (sidecar.api.get("/v1.0/state/statestore/w0").await.status == 503).then_some(()))
        .await;
    assert_eq!(sidecar.api.get("/v1.0/healthz").await.status, 204);
    server.start_again().await.unwrap();
    println!("PostgreSQL killed and back: recovered in {:.2?}", writers.recovery().await);
    writers.reach(2 * WRITES / 5).await;
    for _ in 0..5 {
        let cut = "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'sidelet'";
        server.query(&url, cut).await.unwrap();
        println!("connections cut: recovered in {:.2?}", writers.recovery().await);
    }
    writers.reach(3 * WRITES / 5).await;
    server.pause().unwrap();
    let start = Instant::now();
    let answer = sidecar.api.get("/v1.0/state/statestore/w0").await;
    assert_eq!((answer.status, answer.header("retry-after").as_str()), (503, "1"), "{answer:?}");
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    // Two time limits of questions, and the end of the lease.
    while start.elapsed() < Duration::from_secs(6) {
        assert_eq!(sidecar.api.get("/v1.0/state/statestore/w0").await.status, 503);
    }
    server.resume().unwrap();
    println!("PostgreSQL silent for 6 s and back: recovered in {:.2?}", writers.recovery().await);
    writers.reach(4 * WRITES / 5).await;
    server.stop().await.unwrap();
    server.start_again().await.unwrap();
    println!("PostgreSQL stopped and started: recovered in {:.2?}", writers.recovery().await);
    writers.reach(WRITES).await;
    writers.end().await.check(&sidecar.api, &[&app]).await;
    sidecar.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_replicas_one_may_be_killed_at_any_time() {
    let (server, url) = postgres::database().await;
    let apps = [App::start().await, App::start().await];
    let places = [place(&url, &apps[0]), place(&url, &apps[1])];
    let mut processes = [Process::start(&places[0]), Process::start(&places[1])].map(Some);
    let apis = processes.iter().flatten().map(|process| process.api.clone()).collect();
    let writers = Writers::start(apis);
    for kill in 0..8 {
        writers.reach((kill + 1) * WRITES / 8).await;
        let index = kill % 2;
        processes[index].take().unwrap().kill();
        println!("one of two replicas killed: writes went on in {:.2?}", writers.recovery().await);
        let start = Instant::now();
        eventually("relaying by the other one", async || {
            let holder = "select count(*) from state_lease where until > now()";
            (server.query(&url, holder).await.unwrap() == "1").then_some(())
        })
        .await;
        println!("one of two replicas killed: events went on in {:.2?} at most", start.elapsed());
        let process = Process::start(&places[index]);
        writers.replace(index, process.api.clone());
        processes[index] = Some(process);
    }
    let written = writers.end().await;
    let api = processes[0].as_ref().unwrap().api.clone();
    written.check(&api, &[&apps[0], &apps[1]]).await;
    for process in processes.into_iter().flatten() {
        assert_eq!(process.terminate().await.code(), Some(0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sidecar_starts_without_its_database_and_uses_it_once_it_is_there() {
    let app = App::start().await;
    let mut server = Postgres::start().await.unwrap();
    let url = server.create_database().await.unwrap();
    server.stop().await.unwrap();
    let sidecar: Sidecar = place(&url, &app).start().await;
    assert_eq!(sidecar.api.get("/v1.0/healthz").await.status, 204);
    let start = Instant::now();
    let answer = sidecar.api.get("/v1.0/state/statestore/k").await;
    assert_eq!((answer.status, answer.header("retry-after").as_str()), (503, "1"), "{answer:?}");
    assert!(start.elapsed() < Duration::from_secs(3));
    server.start_again().await.unwrap();
    let back = Instant::now();
    eventually("a write", async || (super::write(&sidecar.api, "k", 1).await == 204).then_some(())).await;
    app.wait_for(1).await;
    println!("a database that was not there at the start: used {:.2?} after it was", back.elapsed());
    sidecar.stop().await;
}

/// The count of questions to databases.
pub(super) async fn questions(api: &Api, metrics: &str) -> f64 {
    let text = api.client.get(format!("{metrics}/metrics")).send().await.unwrap().text().await.unwrap();
    let counts = text.lines().filter(|line| line.starts_with("sidelet_database_queries_total{"));
    counts.map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_idle_replicas_ask_nothing_of_the_database() {
    let (_, url) = postgres::database().await;
    let app = App::start().await;
    let place = place(&url, &app);
    let other = self::place(&url, &app);
    let processes = [Process::start(&place), Process::start(&other)];
    assert_eq!(super::write(&processes[0].api, "k", 1).await, 204);
    assert_eq!(super::write(&processes[1].api, "k", 2).await, 204);
    app.wait_for(2).await;
    for process in &processes {
        // Until the lease has ended, what one of them may have left is looked for.
        let mut before = questions(&process.api, &process.metrics()).await;
        let mut quiet = Instant::now();
        eventually("quiet", async || {
            let now = questions(&process.api, &process.metrics()).await;
            if now > before {
                (before, quiet) = (now, Instant::now());
            }
            (quiet.elapsed() > Duration::from_secs(7)).then_some(())
        })
        .await;
    }
    for process in processes {
        assert_eq!(process.terminate().await.code(), Some(0));
    }
}
