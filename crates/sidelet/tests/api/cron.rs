//! Cron bindings: called at their times, asked before, and caught up with.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::response::IntoResponse;

use crate::harness::{App, COMPONENTS, Place, app::answer, eventually};

/// A cron component with this metadata in flow style.
fn binding(name: &str, metadata: &str) -> String {
    format!(
        "\n---\napiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {{name: {name}}}\nspec:\n  type: bindings.cron\n  version: v1\n  metadata: [{metadata}]\n"
    )
}

fn place(app: &App, bindings: &str) -> Place {
    let mut place = Place::new(&format!("{COMPONENTS}{bindings}"));
    place.serve(app);
    place
}

#[tokio::test]
async fn a_tick_is_an_empty_post_with_daprds_headers() {
    let app = App::start().await;
    let metadata = "{name: schedule, value: '@every 100ms'}, {name: direction, value: input}";
    let mut place = place(&app, &binding("daily", metadata));
    place.app_token = Some("secret".into());
    let sidecar = place.start().await;
    let ticks = app.wait_for(3).await;
    for tick in &ticks {
        assert_eq!(tick.route, "/daily", "with `direction` the app is not asked before");
        assert_eq!(tick.headers["content-length"], "0");
        assert_eq!(tick.headers["content-type"], "application/json");
        assert_eq!(tick.headers["timezone"], "Local");
        assert_eq!(tick.headers["dapr-api-token"], "secret");
        let time = tick.headers["readtimeutc"].to_str().unwrap();
        assert!(time.starts_with("20") && time.ends_with(" +0000 UTC"), "{time}");
    }
    let metadata = sidecar.api.get("/v1.0/metadata").await.json();
    let component = metadata["components"].as_array().unwrap().iter().find(|component| component["name"] == "daily");
    assert_eq!(component.unwrap()["capabilities"], serde_json::json!(["INPUT_BINDING"]));
    sidecar.stop().await;
}

#[tokio::test]
async fn an_app_is_asked_whether_it_takes_a_binding() {
    let mut app = App::absent(|call| {
        let wanted = call.route == "/taken" || call.method == "POST";
        answer(if wanted { 200 } else { 404 }, "")
    });
    let schedule = "{name: schedule, value: '@every 100ms'}";
    let bindings = binding("left", schedule) + &binding("taken", &format!("{schedule}, {{name: route, value: taken}}"));
    let place = place(&app, &bindings);
    let sidecar = place.start().await;
    app.listen().await;
    let calls = app.wait_for(6).await;
    let count =
        |method: &str, route: &str| calls.iter().filter(|call| call.method == method && call.route == route).count();
    assert_eq!((count("OPTIONS", "/left"), count("OPTIONS", "/taken"), count("POST", "/left")), (1, 1, 0));
    assert!(count("POST", "/taken") >= 4);
    sidecar.stop().await;
}

#[tokio::test]
async fn a_tick_that_was_missed_comes_once_after_the_start() {
    let app = App::start().await;
    let metadata = "{name: schedule, value: '@daily'}, {name: direction, value: input}";
    let place = place(&app, &binding("daily", metadata));
    let sidecar = place.start().await;
    eventually("the note of the first tick", async || due(&sidecar.api).await).await;
    sidecar.stop().await;
    // The sidecar was down for a week.
    let file = rusqlite::Connection::open(place.database()).unwrap();
    assert_eq!(file.execute("UPDATE cron_tick SET due = due - 7 * 86400000", []).unwrap(), 1);
    drop(file);
    let sidecar = place.start().await;
    app.wait_for(1).await;
    eventually("the note of the next tick", async || due(&sidecar.api).await).await;
    sidecar.stop().await;
    let sidecar = place.start().await;
    eventually("the next tick", async || due(&sidecar.api).await).await;
    sidecar.stop().await;
    assert_eq!(app.delivered().len(), 1, "neither at the first start nor at the third");
    // Another schedule begins anew.
    let file = rusqlite::Connection::open(place.database()).unwrap();
    file.execute("UPDATE cron_tick SET due = 1, schedule = '@hourly'", []).unwrap();
    drop(file);
    let sidecar = place.start().await;
    eventually("the next tick", async || due(&sidecar.api).await).await;
    sidecar.stop().await;
    assert_eq!(app.delivered().len(), 1);
}

/// When the one binding is due next, in the time to come.
async fn due(api: &crate::harness::Api) -> Option<String> {
    let view = api.get("/sidelet/v1/jobs").await.json();
    let due = view["cron"][0]["nextDue"].as_str()?.to_owned();
    (due > jiff::Timestamp::now().to_string()).then_some(due)
}

#[tokio::test]
async fn an_app_that_fails_or_is_away_gets_the_tick_again() {
    let tries = Arc::new(AtomicUsize::new(0));
    let count = tries.clone();
    let mut app =
        App::absent(
            move |_| if count.fetch_add(1, Ordering::SeqCst) == 0 { answer(500, "") } else { ().into_response() },
        );
    let metadata = "{name: schedule, value: '@daily'}, {name: direction, value: input}";
    let place = place(&app, &binding("daily", metadata));
    let sidecar = place.start().await;
    eventually("the note of the first tick", async || due(&sidecar.api).await).await;
    sidecar.stop().await;
    let file = rusqlite::Connection::open(place.database()).unwrap();
    file.execute("UPDATE cron_tick SET due = 1", []).unwrap();
    drop(file);
    let sidecar = place.start().await;
    app.listen().await;
    app.wait_for(2).await;
    eventually("the note of the next tick", async || due(&sidecar.api).await).await;
    assert_eq!(tries.load(Ordering::SeqCst), 2);
    sidecar.stop().await;
}

#[tokio::test]
async fn what_is_no_cron_binding_is_refused_by_name() {
    for (metadata, expected) in [
        ("", "metadata `schedule` is missing"),
        ("{name: schedule, value: soon}", "the schedule `soon` is none"),
        ("{name: schedule, value: '@daily'}, {name: direction, value: output}", "metadata `direction` is `output`"),
        ("{name: schedule, value: '@daily'}, {name: route, value: 'a b'}", "metadata `route` is `a b`"),
        ("{name: schedule, value: '@daily'}, {name: shedule, value: x}", "metadata `shedule` is not known"),
    ] {
        let error = sidelet::start(Place::new(&binding("daily", metadata)).config()).await.unwrap_err().to_string();
        assert!(error.contains("component `daily`") && error.contains(expected), "{metadata}: {error}");
    }
}
