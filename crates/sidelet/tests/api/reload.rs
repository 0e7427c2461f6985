//! Subscriptions and resiliency change while the sidecar runs.

use std::sync::{
    Arc, Barrier,
    atomic::{AtomicUsize, Ordering},
};

use axum::response::IntoResponse;
use serde_json::json;
use tokio::sync::Notify;

use crate::harness::{App, COMPONENTS, Place, Process, Sidecar, app::answer, eventually, resiliency, subscription};

/// The paths that the sidecar delivers to now.
async fn paths(sidecar: &Sidecar) -> Vec<String> {
    let metadata = sidecar.api.get("/v1.0/metadata").await.json();
    let rules = metadata["subscriptions"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|subscription| subscription["rules"].as_array().unwrap());
    rules.map(|rule| rule["path"].as_str().unwrap().to_owned()).collect()
}

async fn delivers_to(sidecar: &Sidecar, expected: &[&str]) {
    eventually("the change of the files", async || (paths(sidecar).await == expected).then_some(())).await;
}

#[tokio::test]
async fn subscriptions_come_change_and_go_with_their_files() {
    let app = App::start().await;
    let mut place = Place::new(COMPONENTS);
    place.serve(&app);
    let sidecar = place.start().await;
    sidecar.api.publish("t", "k", 0).await;
    place.write("s.yaml", &subscription("s", "t", "/first", ""));
    delivers_to(&sidecar, &["/first"]).await;
    app.wait_for(1).await;
    place.write("s.yaml", &subscription("s", "t", "/second", ""));
    delivers_to(&sidecar, &["/second"]).await;
    sidecar.api.publish("t", "k", 1).await;
    assert_eq!(app.wait_for(2).await[1].route, "/second");
    std::fs::remove_file(place.path().join("resources/s.yaml")).unwrap();
    delivers_to(&sidecar, &[]).await;
    sidecar.api.publish("t", "k", 2).await;
    // It goes on where it was.
    place.write("s.yaml", &subscription("s", "t", "/third", ""));
    let delivered = app.wait_for(3).await;
    assert_eq!((delivered[2].route.as_str(), &delivered[2].data()["number"]), ("/third", &json!(2)));
    sidecar.stop().await;
    assert_eq!(app.delivered().len(), 3);
}

#[tokio::test]
async fn a_broken_file_changes_nothing() {
    let app = App::start().await;
    let mut place = Place::new(COMPONENTS);
    place.serve(&app);
    place.write("s.yaml", &subscription("s", "t", "/s", ""));
    let sidecar = place.start().await;
    for broken in [
        subscription("s", "t", "/s", "").replace("default:", "rules: [{match: 'event.', path: /x}]\n    default:"),
        subscription("s", "t", "/s", "").replace("pubsubname: pubsub", "pubsubname: nobody"),
        "{".to_owned(),
        resiliency("{policies: {timeouts: {t: soon}}}"),
    ] {
        place.write("s.yaml", &broken);
        sidecar.running.reload().await;
        assert_eq!(paths(&sidecar).await, ["/s"], "{broken}");
    }
    sidecar.api.publish("t", "k", 0).await;
    app.wait_for(1).await;
    place.write("s.yaml", &subscription("s", "t", "/mended", ""));
    sidecar.running.reload().await;
    assert_eq!(paths(&sidecar).await, ["/mended"]);
    sidecar.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_on_its_way_is_neither_lost_nor_repeated() {
    let (begun, goes_on) = (Arc::new(Notify::new()), Arc::new(Barrier::new(2)));
    let app = App::answering({
        let (begun, goes_on) = (begun.clone(), goes_on.clone());
        move |delivered| {
            if delivered.route == "/old" {
                begun.notify_one();
                tokio::task::block_in_place(|| goes_on.wait());
            }
            ().into_response()
        }
    })
    .await;
    let mut place = Place::new(COMPONENTS);
    place.serve(&app);
    place.write("s.yaml", &subscription("s", "t", "/old", ""));
    let sidecar = place.start().await;
    sidecar.api.publish("t", "k", 0).await;
    sidecar.api.publish("t", "k", 1).await;
    begun.notified().await;
    // Another route while it is on its way; then the subscription goes, and comes back.
    place.write("s.yaml", &subscription("s", "t", "/new", ""));
    sidecar.running.reload().await;
    std::fs::remove_file(place.path().join("resources/s.yaml")).unwrap();
    sidecar.running.reload().await;
    place.write("s.yaml", &subscription("s", "t", "/newer", ""));
    let (ended, ()) = tokio::join!(sidecar.running.reload(), async {
        tokio::task::spawn_blocking(move || goes_on.wait()).await.unwrap();
    });
    let () = ended;
    let delivered = app.wait_for(2).await;
    let seen: Vec<_> =
        delivered.iter().map(|message| (message.route.as_str(), message.data()["number"].as_i64().unwrap())).collect();
    assert_eq!(seen, [("/old", 0), ("/newer", 1)]);
    sidecar.stop().await;
    assert_eq!(app.delivered().len(), 2);
}

#[tokio::test]
async fn a_resiliency_file_changes_what_is_tried() {
    let tries = Arc::new(AtomicUsize::new(0));
    let app = App::answering({
        let tries = tries.clone();
        move |delivered| {
            let fails = delivered.route == "/t";
            tries.fetch_add(usize::from(fails), Ordering::SeqCst);
            answer(if fails { 500 } else { 200 }, "")
        }
    })
    .await;
    let letters = subscription("letters", "t-dlq", "/letters", "");
    let mut place = Place::new(&format!("{COMPONENTS}{}{letters}", subscription("s", "t", "/t", "t-dlq")));
    place.serve(&app);
    let policy = |most: &str| {
        resiliency(&format!(
            "{{policies: {{retries: {{r: {{duration: 5ms, maxRetries: {most}}}}}}}, targets: {{components: {{pubsub: {{inbound: {{retry: r}}}}}}}}}}"
        ))
    };
    place.write("r.yaml", &policy("-1"));
    let sidecar = place.start().await;
    sidecar.api.publish("t", "k", 0).await;
    eventually("many tries", async || (tries.load(Ordering::SeqCst) > 20).then_some(())).await;
    place.write("r.yaml", &policy("2"));
    sidecar.running.reload().await;
    eventually("the dead letter", async || {
        app.delivered().iter().any(|delivered| delivered.route == "/letters").then_some(())
    })
    .await;
    sidecar.stop().await;
}

#[tokio::test]
async fn a_hangup_reads_the_files_and_asks_the_apps_again() {
    let app = App::start().await;
    let mut place = Place::new(COMPONENTS);
    place.serve(&app);
    let process = Process::start(&place);
    eventually("the first question", async || (app.asked() == 1).then_some(())).await;
    app.subscribes(&json!([{"pubsubname": "pubsub", "topic": "t", "route": "/own"}]));
    process.signal("HUP");
    process.api.publish("t", "k", 0).await;
    assert_eq!(app.wait_for(1).await[0].route, "/own");
    assert_eq!(process.terminate().await.code(), Some(0));
}
