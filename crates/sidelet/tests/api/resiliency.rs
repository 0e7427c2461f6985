//! Resiliency files: how long, how often, and when not at all.

use std::{
    sync::{
        Arc, Barrier, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::response::IntoResponse;

use crate::harness::{App, COMPONENTS, Place, app::answer, eventually, resiliency, subscription};

/// One topic with dead letters, and these policies.
fn place(spec: &str, app: &App) -> Place {
    let mut place = Place::new(&format!(
        "{COMPONENTS}{}{}{}",
        subscription("tasks", "t", "/t", "t-dlq"),
        subscription("letters", "t-dlq", "/letters", ""),
        resiliency(spec)
    ));
    place.serve(app);
    place
}

#[tokio::test]
async fn a_policy_says_how_often_and_after_which_waits() {
    let tries = Arc::new(Mutex::new(Vec::new()));
    let app = App::answering({
        let tries = tries.clone();
        move |delivered| {
            if delivered.route == "/letters" {
                return ().into_response();
            }
            tries.lock().unwrap().push(Instant::now());
            answer(500, "")
        }
    })
    .await;
    let policy = "{policies: {retries: {few: {policy: constant, duration: 120ms, maxRetries: 3}}},
        targets: {components: {pubsub: {inbound: {retry: few}}}}}";
    let place = place(policy, &app);
    let sidecar = place.start().await;
    sidecar.api.publish("t", "k", 1).await;
    let letter = app.wait_for(5).await.remove(4);
    assert_eq!((letter.route.as_str(), &letter.headers["deadletterattempts"]), ("/letters", &"4".parse().unwrap()));
    assert_eq!(letter.event["deadletterreason"], "the app answered 500");
    let tries = tries.lock().unwrap().clone();
    assert_eq!(tries.len(), 4);
    for pair in tries.windows(2) {
        assert!(pair[1] - pair[0] >= Duration::from_millis(120), "{:?}", pair[1] - pair[0]);
    }
    sidecar.stop().await;
}

#[tokio::test]
async fn a_status_that_is_not_matched_is_not_tried_again() {
    let app = App::answering(|delivered| match delivered.data()["number"].as_i64() {
        _ if delivered.route == "/letters" => answer(200, ""),
        Some(1) => answer(422, ""),
        _ => answer(503, ""),
    })
    .await;
    let policy = "{policies: {retries: {DefaultPubsubComponentInboundRetryPolicy:
        {duration: 10ms, maxRetries: 2, matching: {httpStatusCodes: '429,500-599'}}}}}";
    let place = place(policy, &app);
    let sidecar = place.start().await;
    sidecar.api.publish("t", "a", 1).await;
    sidecar.api.publish("t", "b", 2).await;
    let delivered = app.wait_for(6).await;
    let tries = |number: i64| {
        delivered.iter().filter(|message| message.route == "/t" && message.data()["number"] == number).count()
    };
    assert_eq!((tries(1), tries(2)), (1, 3));
    sidecar.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_takes_too_long_is_a_failure() {
    let goes_on = Arc::new(Barrier::new(2));
    let app = App::answering({
        let goes_on = goes_on.clone();
        move |delivered| {
            if delivered.route == "/t" {
                tokio::task::block_in_place(|| goes_on.wait());
            }
            ().into_response()
        }
    })
    .await;
    let policy = "{policies: {timeouts: {short: 100ms}, retries: {none: {maxRetries: 0}}},
        targets: {components: {pubsub: {inbound: {timeout: short, retry: none}}}}}";
    let place = place(policy, &app);
    let sidecar = place.start().await;
    sidecar.api.publish("t", "k", 1).await;
    let letter = eventually("the dead letter", async || {
        app.delivered().into_iter().find(|delivered| delivered.route == "/letters")
    })
    .await;
    assert_eq!(letter.headers["deadletterreason"], "the app did not answer in time");
    tokio::task::spawn_blocking(move || goes_on.wait()).await.unwrap();
    sidecar.stop().await;
}

#[tokio::test]
async fn an_open_breaker_spares_the_app_and_loses_nothing() {
    let (healed, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let app = App::answering({
        let (healed, calls) = (healed.clone(), calls.clone());
        move |_| {
            calls.fetch_add(1, Ordering::SeqCst);
            answer(if healed.load(Ordering::SeqCst) { 200 } else { 500 }, "")
        }
    })
    .await;
    let policy = "{policies: {retries: {many: {duration: 1ms}},
        circuitBreakers: {shield: {trip: consecutiveFailures >= 3, timeout: 1s, maxRequests: 1}}},
        targets: {components: {pubsub: {inbound: {retry: many, circuitBreaker: shield}}}}}";
    let place = place(policy, &app);
    let sidecar = place.start().await;
    for number in 0..20 {
        sidecar.api.publish("t", "k", number).await;
    }
    let state = async || {
        let groups = sidecar.api.get("/sidelet/v1/groups").await.json();
        groups.as_array().unwrap().iter().find(|group| group["group"] == "todo/tasks").unwrap()["state"].clone()
    };
    eventually("the open breaker", async || (state().await == "breaker-open").then_some(())).await;
    assert_eq!(calls.load(Ordering::SeqCst), 3, "no call while it is open");
    healed.store(true, Ordering::SeqCst);
    let delivered = app.wait_for(23).await;
    let mut numbers: Vec<_> = delivered.iter().map(|message| message.data()["number"].as_i64().unwrap()).collect();
    numbers.dedup();
    assert_eq!(numbers, (0..20).collect::<Vec<_>>());
    assert_eq!(state().await, "working");
    sidecar.stop().await;
}

#[tokio::test]
async fn a_policy_for_another_app_has_no_effect_and_an_absent_app_is_no_failure() {
    let mut app = App::absent(|_| ().into_response());
    let policy =
        "{policies: {retries: {none: {maxRetries: 0}}, circuitBreakers: {shield: {trip: consecutiveFailures >= 1}}},
        targets: {components: {pubsub: {inbound: {retry: none, circuitBreaker: shield}}}}}";
    let place = place(policy, &app);
    let other =
        resiliency("{policies: {timeouts: {t: 1ms}}, targets: {components: {pubsub: {inbound: {timeout: t}}}}}");
    place.write("other.yaml", &other.replace("spec:", "scopes: [somebody]\nspec:"));
    let sidecar = place.start().await;
    for number in 0..5 {
        sidecar.api.publish("t", "k", number).await;
    }
    let state = async || {
        let groups = sidecar.api.get("/sidelet/v1/groups").await.json();
        groups.as_array().unwrap().iter().find(|group| group["group"] == "todo/tasks").unwrap()["state"].clone()
    };
    eventually("the absence", async || (state().await == "app-away").then_some(())).await;
    app.listen().await;
    let delivered = app.wait_for(5).await;
    assert!(delivered.iter().all(|message| message.route == "/t"));
    sidecar.stop().await;
}

/// An app `other` that answers with what is left in a list, then 200, and a sidecar with these policies for it.
async fn invoked(statuses: &[u16], spec: &str) -> (Place, crate::harness::Sidecar, Arc<AtomicUsize>) {
    let (left, calls) = (Arc::new(Mutex::new(statuses.to_vec())), Arc::new(AtomicUsize::new(0)));
    let counted = calls.clone();
    let answer = move |body: String| {
        let (left, calls) = (left.clone(), counted.clone());
        async move {
            calls.fetch_add(1, Ordering::SeqCst);
            let status = left.lock().unwrap().pop().unwrap_or(200);
            if status == 0 {
                std::future::pending::<()>().await;
            }
            (axum::http::StatusCode::from_u16(status).unwrap(), body)
        }
    };
    // Not for every path: the sidecar asks for the app's subscriptions too.
    let router = axum::Router::new().route("/x", axum::routing::post(answer));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let mut place = Place::new(&format!("{COMPONENTS}{}", resiliency(spec)));
    place.apps.insert("other".into(), sidelet::AppAddress::parse(&address).unwrap());
    let sidecar = place.start().await;
    (place, sidecar, calls)
}

#[tokio::test]
async fn an_invocation_is_repeated_with_its_body_until_it_succeeds_or_its_policy_ends() {
    let policy = "{policies: {timeouts: {short: 200ms}, retries: {few: {duration: 10ms, maxRetries: 3, matching: {httpStatusCodes: \"500-599\"}}}},
        targets: {apps: {other: {timeout: short, retry: few}}}}";
    // Popped from the end: a try that takes too long, a failure, then success.
    let (_place, sidecar, calls) = invoked(&[500, 503, 502, 502, 404, 503, 0], policy).await;
    let invoke = || sidecar.api.send(reqwest::Method::POST, "/v1.0/invoke/other/method/x", "kept");
    let refused = invoke().await;
    assert_eq!((refused.status, refused.body.as_str()), (404, "kept"), "a status that is not named is the caller's");
    assert_eq!(calls.swap(0, Ordering::SeqCst), 3);
    let failed = invoke().await;
    assert_eq!((failed.status, calls.swap(0, Ordering::SeqCst)), (500, 4), "the last answer is the caller's");
    assert_eq!((invoke().await.status, calls.load(Ordering::SeqCst)), (200, 1));
    sidecar.stop().await;
}

#[tokio::test]
async fn an_app_that_fails_is_left_alone_while_its_breaker_is_open() {
    let policy = "{policies: {circuitBreakers: {two: {trip: consecutiveFailures >= 2, timeout: 300ms}}},
        targets: {apps: {other: {circuitBreaker: two}}}}";
    let (_place, sidecar, calls) = invoked(&[500, 500], policy).await;
    let invoke = || sidecar.api.send(reqwest::Method::POST, "/v1.0/invoke/other/method/x", "");
    assert_eq!((invoke().await.status, invoke().await.status), (500, 500));
    let open = invoke().await;
    assert_eq!((open.status, calls.load(Ordering::SeqCst)), (500, 2));
    assert!(open.body.contains("circuit breaker is open"), "{}", open.body);
    let closed =
        eventually("the breaker closes", async || Some(invoke().await).filter(|answer| answer.status == 200)).await;
    assert_eq!((closed.status, calls.load(Ordering::SeqCst)), (200, 3));
    sidecar.stop().await;
}

#[tokio::test]
async fn what_a_component_is_asked_is_tried_again_as_its_policy_says() {
    let calls = Arc::new(AtomicUsize::new(0));
    let app = App::answering({
        let calls = calls.clone();
        move |_| if calls.fetch_add(1, Ordering::SeqCst) == 1 { answer(200, "{}") } else { answer(500, "") }
    })
    .await;
    let binding = format!(
        "\n---\napiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {{name: web}}\nspec:\n  type: bindings.http\n  \
         version: v1\n  metadata: [{{name: url, value: '{}'}}]\n",
        app.address()
    );
    let policy = "{policies: {
        retries: {few: {duration: 1ms, maxRetries: 2}},
        circuitBreakers: {b: {trip: consecutiveFailures > 2}}},
        targets: {components: {web: {outbound: {retry: few, circuitBreaker: b}}}}}";
    let sidecar = Place::new(&format!("{COMPONENTS}{binding}{}", resiliency(policy))).start().await;
    let invoke = async || sidecar.api.post("/v1.0/bindings/web", r#"{"operation":"get"}"#).await;
    assert_eq!((invoke().await.status, calls.load(Ordering::SeqCst)), (200, 2));
    assert_eq!((invoke().await.status, calls.load(Ordering::SeqCst)), (500, 5));
    let open = invoke().await;
    assert_eq!((open.status, calls.load(Ordering::SeqCst)), (500, 5));
    assert!(open.body.contains("circuit breaker is open"), "{open:?}");
    // Others have policies of their own.
    sidecar.api.save("k", "1").await;
    sidecar.stop().await;
}
