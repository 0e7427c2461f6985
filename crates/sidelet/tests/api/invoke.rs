//! Service invocation: requests go on to the app as they are, and nowhere else.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Request,
    response::{IntoResponse, Response},
    routing::any,
};
use futures::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};
use sidelet::AppAddress;
use tokio::{net::TcpListener, sync::Notify};

use crate::harness::{
    Answer, COMPONENTS, Place, Sidecar,
    wire::{Wire, exchange},
};

/// An app that tells what it was asked.
async fn echo(request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let headers: Value =
        parts.headers.iter().map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap()))).collect();
    let told = json!({
        "method": parts.method.as_str(),
        "target": parts.uri.to_string(),
        "headers": headers,
        "length": body.len(),
        "body": String::from_utf8_lossy(&body),
    });
    let headers = [("x-app", "1"), ("connection", "x-hop"), ("x-hop", "1"), ("content-type", "application/json")];
    (axum::http::StatusCode::IM_A_TEAPOT, headers, told.to_string()).into_response()
}

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

/// A sidecar of the app `todo` that knows the apps `other` (the router, below `/base`) and `away`.
async fn sidecar(router: Router) -> (Place, Sidecar) {
    let mut place = Place::new(COMPONENTS);
    let app = AppAddress::parse(&format!("{}/base", serve(router).await)).unwrap();
    place.apps.insert("other".into(), app);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    place.apps.insert("away".into(), AppAddress::parse(&format!("http://{closed}")).unwrap());
    place.app_token = Some("for apps".into());
    let sidecar = place.start().await;
    (place, sidecar)
}

#[tokio::test]
async fn a_request_and_its_answer_pass_as_they_are() {
    let (_place, sidecar) = sidecar(Router::new().fallback(echo)).await;
    let api = &sidecar.api;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let calls = [
        ("/v1.0/invoke/other/method/a%2Fb//c/?q=%20x&y", None),
        ("/v1.0/invoke/other.default/method/a%2Fb//c/?q=%20x&y", None),
        ("/a%2Fb//c/?q=%20x&y", Some("other")),
    ];
    for (path, header) in calls {
        let mut request = api.client.request(Method::PATCH, format!("{}{path}", api.address)).body("text");
        request = request.header("traceparent", trace).header("authorization", "Bearer x").header("te", "trailers");
        request = request.header("dapr-api-token", "of the sidecar").header("dapr-caller-app-id", "somebody");
        if let Some(app) = header {
            request = request.header("dapr-app-id", app);
        }
        let answer = Answer::read(request.send().await.unwrap()).await;
        assert_eq!((answer.status, answer.header("x-app").as_str(), answer.header("x-hop").as_str()), (418, "1", ""));
        assert_eq!(answer.header("traceparent"), trace);
        let told = answer.json();
        assert_eq!((&told["method"], &told["body"]), (&"PATCH".into(), &"text".into()));
        assert_eq!(told["target"], "/base/a%2Fb//c/?q=%20x&y", "{path}");
        let headers = &told["headers"];
        for (name, value) in [
            ("traceparent", trace),
            ("authorization", "Bearer x"),
            ("dapr-api-token", "for apps"),
            ("dapr-caller-app-id", "todo"),
            ("dapr-callee-app-id", "other"),
            ("content-length", "4"),
        ] {
            assert_eq!(headers[name], value, "{name}");
        }
        assert!(headers.get("te").is_none() && headers.get("dapr-app-id").is_none(), "{headers}");
        assert!(headers["host"].as_str().unwrap().starts_with("127.0.0.1:"), "{headers}");
    }
    sidecar.stop().await;
}

#[tokio::test]
async fn methods_without_bodies_pass_too() {
    let (_place, sidecar) = sidecar(Router::new().fallback(echo)).await;
    for method in [Method::GET, Method::DELETE, Method::OPTIONS, Method::POST] {
        let path = format!("{}/v1.0/invoke/other/method/x", sidecar.api.address);
        let answer = Answer::read(sidecar.api.client.request(method.clone(), path).send().await.unwrap()).await;
        assert_eq!((answer.status, &answer.json()["method"]), (418, &method.as_str().into()));
    }
    let answer = sidecar.api.send(Method::HEAD, "/v1.0/invoke/other/method/", "").await;
    assert_eq!((answer.status, answer.body.as_str()), (418, ""));
    sidecar.stop().await;
}

#[tokio::test]
async fn an_app_that_is_unknown_or_away_is_daprs_error() {
    let (_place, sidecar) = sidecar(Router::new().fallback(echo)).await;
    for path in [
        "/v1.0/invoke/nobody/method/x",
        "/v1.0/invoke/away/method/x",
        "/v1.0/invoke/http%3A%2F%2F127.0.0.1%3A1/method/x",
        "/v1.0/invoke/other.else/method/x",
    ] {
        let answer = sidecar.api.get(path).await;
        assert_eq!((answer.status, answer.code().as_str()), (500, "ERR_DIRECT_INVOKE"), "{path}");
        assert!(answer.json()["message"].as_str().unwrap().starts_with("failed to invoke, id: "), "{answer:?}");
    }
    for path in ["/", "/v1.0/invoke/other", "/v1.0/invoke/other/method", "/v1.0/invoke//method/x", "/v2/x", "/v1.0/"] {
        let answer = sidecar.api.get(path).await;
        assert_eq!((answer.status, answer.code().as_str()), (404, "ERR_DIRECT_INVOKE"), "{path}");
    }
    sidecar.stop().await;
}

#[tokio::test]
async fn no_path_leads_out_of_the_app() {
    let (_place, sidecar) = sidecar(Router::new().fallback(echo)).await;
    let address = &sidecar.api.address;
    for path in ["..", "../x", "a/../../x", "%2e%2e/x", "a/%2E%2e", "..%2fx", "a%2f..%2f..%2fx", "..%5cx", "./x", "a/."]
    {
        let answer = exchange(address, &format!("GET /v1.0/invoke/other/method/{path} HTTP/1.1"), "").await;
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("ERR_DIRECT_INVOKE"), "{path}: {answer}");
        let answer = exchange(address, &format!("GET /{path} HTTP/1.1\r\ndapr-app-id: other"), "").await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{path}: {answer}");
    }
    // An address in place of a path is the app's path all the same.
    for (path, target) in [
        ("//evil.example/x", "/base/evil.example/x"),
        ("http://evil.example/x", "/base/http://evil.example/x"),
        ("@evil.example", "/base/@evil.example"),
        ("/v1.0/shutdown", "/base/v1.0/shutdown"),
    ] {
        let answer = exchange(address, &format!("POST /v1.0/invoke/other/method/{path} HTTP/1.1"), "").await;
        assert!(answer.contains(&format!("\"target\":\"{target}\"")), "{path}: {answer}");
    }
    // A path that climbs is no way into the sidecar's own API either.
    let climb = "POST /v1.0/invoke/other/method/../../../../v1.0/state/statestore HTTP/1.1\r\ncontent-length: 23";
    let answer = exchange(address, climb, r#"[{"key":"k","value":1}]"#).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert_eq!(sidecar.api.get("/v1.0/state/statestore/k").await.status, 204);
    sidecar.stop().await;
}

#[tokio::test]
async fn only_the_sidecars_token_opens_the_way_to_apps() {
    let mut place = Place::new(COMPONENTS);
    place.apps.insert("other".into(), AppAddress::parse(&serve(Router::new().fallback(echo)).await).unwrap());
    place.api_token = Some("key".into());
    let sidecar = place.start().await;
    for path in ["/v1.0/invoke/other/method/v1.0/healthz", "//v1.0/invoke/other/method/x", "/%76%31.0/metadata"] {
        let answer = exchange(&sidecar.api.address, &format!("GET {path} HTTP/1.1"), "").await;
        assert!(answer.starts_with("HTTP/1.1 401 "), "{path}: {answer}");
    }
    let by_header = exchange(&sidecar.api.address, "GET /x HTTP/1.1\r\ndapr-app-id: other", "").await;
    assert!(by_header.starts_with("HTTP/1.1 401 "), "{by_header}");
    sidecar.stop().await;
}

#[tokio::test]
async fn answers_and_requests_pass_as_streams() {
    let (first, goes_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let stream = any({
        let goes_on = goes_on.clone();
        async move || {
            let parts = futures::stream::once(async { Bytes::from_static(b"data: 1\n\n") }).chain(
                futures::stream::once(async move {
                    goes_on.notified().await;
                    Bytes::from_static(b"data: 2\n\n")
                }),
            );
            Body::from_stream(parts.map(Ok::<_, std::convert::Infallible>))
        }
    });
    let upload = any({
        let first = first.clone();
        async move |request: Request| {
            let mut body = request.into_body().into_data_stream();
            let mut length = 0;
            while let Some(Ok(part)) = body.next().await {
                length += part.len();
                first.notify_one();
            }
            length.to_string()
        }
    });
    let router = Router::new().route("/base/stream", stream).route("/base/upload", upload);
    let (_place, sidecar) = sidecar(router).await;
    let mut wire = Wire::open(&sidecar.api.address).await;
    wire.send("GET /v1.0/invoke/other/method/stream HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    wire.read_until("data: 1").await;
    goes_on.notify_one();
    wire.read_until("data: 2").await;
    let mut wire = Wire::open(&sidecar.api.address).await;
    let head = "POST /v1.0/invoke/other/method/upload HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
    wire.send(head).await;
    wire.send("5\r\nhello\r\n").await;
    first.notified().await;
    wire.send("5\r\nworld\r\n0\r\n\r\n").await;
    let answer = wire.read_all().await;
    assert!(answer.ends_with("10"), "{answer}");
    sidecar.stop().await;
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_however_it_is_sent() {
    let mut place = Place::new(COMPONENTS);
    place.apps.insert("other".into(), AppAddress::parse(&serve(Router::new().fallback(echo)).await).unwrap());
    place.max_body_size = 1000;
    let sidecar = place.start().await;
    let answer = sidecar.api.post("/v1.0/invoke/other/method/x", "y".repeat(1001)).await;
    assert_eq!((answer.status, answer.json()["message"].as_str()), (400, Some("stream too large")));
    let head = "POST /v1.0/invoke/other/method/x HTTP/1.1\r\ntransfer-encoding: chunked";
    let answer = exchange(&sidecar.api.address, head, &format!("7d0\r\n{}\r\n0\r\n\r\n", "y".repeat(2000))).await;
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("stream too large"), "{answer}");
    let answer = sidecar.api.post("/v1.0/invoke/other/method/x", "y".repeat(1000)).await;
    assert_eq!(answer.json()["length"], 1000);
    sidecar.stop().await;
}
