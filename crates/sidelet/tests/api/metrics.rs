//! What Prometheus reads.

use axum::response::IntoResponse;

use crate::harness::{App, COMPONENTS, Place, Sidecar, app::answer, eventually, subscription};

async fn metrics(sidecar: &Sidecar) -> String {
    let address = sidecar.running.metrics_addr().expect("metrics are served");
    let answer = sidecar.api.client.get(format!("http://{address}/metrics")).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    answer.text().await.unwrap()
}

#[tokio::test]
async fn calls_operations_and_messages_are_counted_under_daprs_names() {
    let app = App::answering(|event| if event.data() == 1 { ().into_response() } else { answer(404, "") }).await;
    let place = Place::with_app(&app);
    let sidecar = place.start().await;
    sidecar.api.save("k", "1").await;
    sidecar.api.get("/v1.0/state/statestore/k").await;
    sidecar.api.get("/v1.0/nonsense/with/a/path").await;
    sidecar.api.send(reqwest::Method::from_bytes(b"STRANGE").unwrap(), "/v1.0/invoke/nobody/method/x", "").await;
    for data in ["1", "2"] {
        assert_eq!(sidecar.api.post("/v1.0/publish/pubsub/task-events", data).await.status, 204);
    }
    let entry = r#"{"entryId":"1","event":1,"contentType":"application/json"}"#;
    sidecar.api.post("/v1.0/publish/bulk/pubsub/free", format!("[{entry}]")).await;
    app.wait_for(2).await;
    let expected = [
        r#"dapr_http_server_request_count{app_id="todo",method="SaveState",path="",status="204"} 1"#,
        r#"dapr_http_server_request_count{app_id="todo",method="InvokeService",path="",status="404"} 1"#,
        r#"dapr_http_server_request_count{app_id="todo",method="InvokeService",path="",status="500"} 1"#,
        r#"dapr_http_server_latency_bucket{app_id="todo",method="GetState",path="",status="200",le="100000"} 1"#,
        r#"dapr_http_server_response_bytes_bucket{app_id="todo",le="1024"} 7"#,
        r#"dapr_component_state_count{app_id="todo",component="statestore",operation="set",success="true"} 1"#,
        r#"dapr_component_state_latencies_count{app_id="todo",component="statestore",operation="get",success="true"} 1"#,
        r#"dapr_component_pubsub_egress_count{app_id="todo",component="pubsub",success="true",topic="task-events"} 2"#,
        r#"dapr_component_pubsub_egress_bulk_count{app_id="todo",component="pubsub",success="true",topic="free"} 1"#,
        r#"dapr_component_pubsub_egress_bulk_event_count{app_id="todo",component="pubsub",success="true",topic="free"} 1"#,
        r#"dapr_component_pubsub_ingress_count{app_id="todo",component="pubsub",process_status="success",status="success",topic="task-events"} 1"#,
        r#"dapr_component_pubsub_ingress_count{app_id="todo",component="pubsub",process_status="drop",status="drop",topic="task-events"} 1"#,
        r#"dapr_runtime_component_loaded{app_id="todo"} 3"#,
    ];
    let text = eventually("the count of what was delivered", async || {
        let text = metrics(&sidecar).await;
        text.contains(r#"process_status="drop""#).then_some(text)
    })
    .await;
    for line in expected {
        assert!(text.lines().any(|given| given == line), "`{line}` is not in:\n{text}");
    }
    assert!(text.contains("\nprocess_resident_memory_bytes "), "{text}");
    assert!(!text.contains("nonsense") && !text.contains("nobody") && !text.contains("STRANGE"), "{text}");
    sidecar.stop().await;
}

#[tokio::test]
async fn paths_of_the_configuration_are_counted_on_their_own() {
    let app = App::start().await;
    let mut place = Place::new(&format!("{COMPONENTS}{}", subscription("s", "t", "/t", "")));
    place.serve(&app);
    place.configure("  metrics:\n    latencyDistributionBuckets: [5, 50]\n    http:\n      pathMatching: ['/v1.0/state/statestore/{key}']\n");
    let sidecar = place.start().await;
    for path in ["/v1.0/state/statestore/a", "/v1.0/state/statestore/b", "/v1.0/metadata"] {
        sidecar.api.get(path).await;
    }
    let text = metrics(&sidecar).await;
    let matched = r#"dapr_http_server_request_count{app_id="todo",method="GET",path="/v1.0/state/statestore/{key}",status="204"} 2"#;
    let other = r#"dapr_http_server_request_count{app_id="todo",method="GET",path="",status="200"} 1"#;
    for line in [matched, other] {
        assert!(text.lines().any(|given| given == line), "`{line}` is not in:\n{text}");
    }
    assert!(
        text.contains(r#"le="50""#)
            && !text.contains(
                r#"dapr_http_server_latency_bucket{app_id="todo",method="GET",path="",status="200",le="100"}"#
            )
    );
    sidecar.stop().await;
}

#[tokio::test]
async fn metrics_have_an_address_of_their_own_or_none() {
    let mut place = Place::new(COMPONENTS);
    let sidecar = place.start().await;
    assert_eq!(sidecar.api.get("/metrics").await.status, 404, "not on the port of the API");
    let address = sidecar.running.metrics_addr().unwrap();
    let state = sidecar.api.client.get(format!("http://{address}/v1.0/state/statestore/k")).send().await.unwrap();
    assert_eq!(state.status(), 404);
    sidecar.stop().await;
    place.configure("  metrics: {enabled: false}\n");
    let sidecar = place.start().await;
    assert_eq!(sidecar.running.metrics_addr(), None);
    sidecar.stop().await;
}
