//! Output bindings, with real servers behind.

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::IntoResponse,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::harness::{Answer, Api, Place, mail::MailServer};

/// A component document with these lines of metadata, as `name: value`.
fn component(name: &str, kind: &str, metadata: &[(&str, &str)]) -> String {
    let metadata: String =
        metadata.iter().map(|(name, value)| format!("    - name: {name}\n      value: \"{value}\"\n")).collect();
    format!(
        "---\napiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: {name}\nspec:\n  type: {kind}\n  \
         version: v1\n  metadata:\n{metadata}"
    )
}

/// Answers with what it was asked; with the status that the path ends with.
async fn echo() -> String {
    let answer = async |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
        let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        let status = uri.path().rsplit('/').next().and_then(|last| StatusCode::from_bytes(last.as_bytes()).ok());
        let seen = json!({
            "method": method.as_str(),
            "path": uri.to_string(),
            "body": String::from_utf8_lossy(&body),
            "type": header("content-type"),
            "token": header("x-token"),
            "own": header("x-own"),
            "trace": header("traceparent"),
        });
        (status.unwrap_or(StatusCode::OK), [("x-answer", "yes")], seen.to_string()).into_response()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await.unwrap() });
    address
}

async fn invoke(api: &Api, name: &str, body: &Value) -> Answer {
    api.post(&format!("/v1.0/bindings/{name}"), body.to_string()).await
}

fn message(answer: &Answer) -> String {
    assert_eq!((answer.status, answer.code().as_str()), (500, "ERR_INVOKE_OUTPUT_BINDING"), "{answer:?}");
    answer.json()["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_http_binding_asks_its_server_as_dapr_does() {
    let url = format!("{}/base/", echo().await);
    let metadata = [
        ("url", url.as_str()),
        ("securityTokenHeader", "X-Token"),
        ("securityToken", "secret"),
        ("direction", "output"),
    ];
    let place = Place::new(&component("web", "bindings.http", &metadata));
    let sidecar = place.start().await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let answer = invoke(
        &sidecar.api,
        "web",
        &json!({
            "operation": "post",
            "data": {"a": 1.50, "b": "c"},
            "metadata": {"path": "/items?x=1", "X-Own": "mine", "X-Token": "stolen", "Content-Length": "1", "traceparent": trace},
        }),
    )
    .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(
        (answer.header("metadata.statuscode").as_str(), answer.header("metadata.status").as_str()),
        ("200", "200 OK")
    );
    assert_eq!(answer.header("metadata.x-answer"), "yes");
    let expected = json!({
        "method": "POST",
        "path": "/base/items?x=1",
        "body": r#"{"a":1.5,"b":"c"}"#,
        "type": "application/json; charset=utf-8",
        "token": "secret",
        "own": "mine",
        "trace": trace,
    });
    assert_eq!(answer.json(), expected);
    for (operation, method, body) in [
        ("get", "GET", ""),
        ("delete", "DELETE", ""),
        ("options", "OPTIONS", ""),
        ("trace", "TRACE", ""),
        ("create", "POST", "null"),
        ("put", "PUT", "null"),
        ("patch", "PATCH", "null"),
    ] {
        let answer = invoke(&sidecar.api, "web", &json!({ "operation": operation })).await;
        assert_eq!((&answer.json()["method"], &answer.json()["body"]), (&method.into(), &body.into()), "{operation}");
    }
    let head = invoke(&sidecar.api, "web", &json!({ "operation": "head" })).await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));

    let missing = invoke(&sidecar.api, "web", &json!({ "operation": "get", "metadata": {"path": "404"} })).await;
    assert_eq!(message(&missing), "error invoking output binding web: received status code 404");
    assert_eq!(missing.header("metadata.statuscode"), "404");
    let metadata = json!({"path": "404", "errorIfNot2XX": "false"});
    let taken = invoke(&sidecar.api, "web", &json!({ "operation": "get", "metadata": metadata })).await;
    assert_eq!((taken.status, taken.header("metadata.statuscode").as_str()), (200, "404"));

    let address = sidecar.running.metrics_addr().unwrap();
    let metrics = reqwest::get(format!("http://{address}/metrics")).await.unwrap().text().await.unwrap();
    let line = r#"dapr_component_output_binding_count{app_id="todo",component="web",operation="get",success="true"} 2"#;
    assert!(metrics.contains(line), "{metrics}");
    sidecar.stop().await;
}

#[tokio::test]
async fn what_cannot_be_done_says_why() {
    let nowhere = [("url", "http://127.0.0.1:1"), ("responseTimeout", "5s")];
    let place = Place::new(&component("web", "bindings.http", &nowhere));
    let sidecar = place.start().await;
    let api = &sidecar.api;
    assert!(message(&invoke(api, "web", &json!({"operation": "get"})).await).contains("onnection refused"));
    assert!(message(&invoke(api, "web", &json!({"operation": "list"})).await).contains("`list` is not known"));
    assert!(message(&invoke(api, "web", &json!({"data": 1})).await).contains("operation field is missing"));
    assert!(
        message(&invoke(api, "other", &json!({"operation": "get"})).await)
            .contains("couldn't find output binding other")
    );
    for body in ["", "[", "[]", r#"{"operation":1}"#, r#"{"operation":"get","metadata":{"a":1}}"#] {
        let answer = api.post("/v1.0/bindings/web", body).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "ERR_MALFORMED_REQUEST"), "{body}");
    }
    assert_eq!(api.get("/v1.0/bindings/web").await.status, 404);
    sidecar.stop().await;
}

#[tokio::test]
async fn an_e_mail_reaches_everybody_whom_it_is_for() {
    let server = MailServer::start(false).await;
    let port = server.port.to_string();
    let metadata = [
        ("host", "127.0.0.1"),
        ("port", port.as_str()),
        ("user", "ada"),
        ("password", "correct horse"),
        ("emailFrom", "Todo <todo@example.com>"),
        ("subject", "A subject"),
    ];
    let place = Place::new(&component("mail", "bindings.smtp", &metadata));
    let sidecar = place.start().await;
    let metadata = json!({
        "emailTo": "a@example.com; B <b@example.com>",
        "emailCC": "c@example.com",
        "emailBCC": "d@example.com",
        "subject": "Zeit für Tee",
        "priority": "1",
    });
    let body = json!({"operation": "create", "data": "<h1>Grüße</h1>\n.\nrest", "metadata": metadata});
    let answer = invoke(&sidecar.api, "mail", &body).await;
    assert_eq!((answer.status, answer.body.as_str()), (204, ""), "{answer:?}");
    let body = json!({"operation": "create", "data": "x", "metadata": {"emailTo": "a@example.com"}});
    assert_eq!(invoke(&sidecar.api, "mail", &body).await.status, 204);
    let mails = server.mails();
    let [first, second] = mails.as_slice() else { panic!("{mails:?}") };
    assert_eq!(first.to, ["a@example.com", "b@example.com", "c@example.com", "d@example.com"]);
    assert_eq!(first.from, "todo@example.com");
    assert_eq!(STANDARD.decode(&first.login).unwrap(), b"\0ada\0correct horse");
    for line in [
        "X-Priority: 1",
        "Content-Type: text/html; charset=utf-8",
        "Cc: c@example.com",
        "From: Todo <todo@example.com>",
    ] {
        assert!(first.text.lines().any(|found| found == line), "{line} in {}", first.text);
    }
    assert!(!first.text.contains("d@example.com"), "who gets a blind copy is nobody's business: {}", first.text);
    assert!(second.text.contains("Subject: A subject") && second.text.contains("X-Priority: 3"), "{}", second.text);

    let ask = async |data: Value, metadata: Value| {
        message(
            &invoke(&sidecar.api, "mail", &json!({"operation": "create", "data": data, "metadata": metadata})).await,
        )
    };
    assert!(ask("x".into(), json!({})).await.contains("`emailTo` is missing"));
    assert!(ask("x".into(), json!({"emailTo": "nobody"})).await.contains("`emailTo` is no e-mail address"));
    assert!(ask("x".into(), json!({"emailTo": "a@b.c", "priority": "6"})).await.contains("`priority` is no number"));
    assert!(ask(json!({}), json!({"emailTo": "a@b.c"})).await.contains("`data` is no text"));
    assert!(ask("x".into(), json!({"emailTo": "unknown@example.com"})).await.contains("no such user"));
    let injected = ask("x".into(), json!({"emailTo": "a@b.c\r\nRCPT TO:<e@example.com>"})).await;
    assert!(injected.contains("no e-mail address"), "{injected}");
    let subject = json!({"emailTo": "a@b.c", "subject": "x\r\nBcc: e@example.com"});
    let body = json!({"operation": "create", "data": "x", "metadata": subject});
    invoke(&sidecar.api, "mail", &body).await;
    let hidden = server.mails().iter().any(|mail| mail.text.lines().any(|line| line.starts_with("Bcc:")));
    assert!(!hidden, "a subject is one header");
    sidecar.stop().await;
}

#[tokio::test]
async fn tls_is_used_where_it_is_offered_and_its_certificate_counts() {
    let server = MailServer::start(true).await;
    let port = server.port.to_string();
    let common = [("host", "localhost"), ("port", port.as_str()), ("emailFrom", "a@b.c"), ("subject", "s")];
    let lax: Vec<_> = common.into_iter().chain([("user", "u"), ("password", "p"), ("skipTLSVerify", "true")]).collect();
    let place = Place::new(&(component("strict", "bindings.smtp", &common) + &component("lax", "bindings.smtp", &lax)));
    let sidecar = place.start().await;
    let body = json!({"operation": "create", "data": "x", "metadata": {"emailTo": "a@example.com"}});
    let refused = message(&invoke(&sidecar.api, "strict", &body).await);
    assert!(refused.contains("ertificate"), "{refused}");
    assert!(server.mails().is_empty());
    assert_eq!(invoke(&sidecar.api, "lax", &body).await.status, 204);
    assert!(matches!(server.mails().as_slice(), [mail] if mail.encrypted && !mail.login.is_empty()));
    sidecar.stop().await;
}

#[tokio::test]
async fn a_binding_that_cannot_be_served_is_refused_by_name() {
    let web = |metadata: &[(&str, &str)]| component("web", "bindings.http", metadata);
    let mail = |metadata: &[(&str, &str)]| component("mail", "bindings.smtp", metadata);
    let url = ("url", "http://x");
    for (resources, expected) in [
        (web(&[("errorIfNot2XX", "true")]), "metadata `url` is missing"),
        (web(&[("url", "ftp://x")]), "metadata `url` is `ftp://x`"),
        (web(&[url, ("MTLSRootCA", "x")]), "metadata `MTLSRootCA` is not known"),
        (web(&[url, ("securityToken", "geheim")]), "metadata `securityTokenHeader` is missing"),
        (web(&[url, ("responseTimeout", "soon")]), "metadata `responseTimeout` is `soon`"),
        (web(&[url, ("direction", "input")]), "metadata `direction` is `input`"),
        (mail(&[("host", "x")]), "metadata `port` is missing"),
        (mail(&[("host", "x"), ("port", "70000")]), "metadata `port` is `70000`"),
        (mail(&[("host", "x"), ("port", "25"), ("password", "geheim")]), "metadata `user` is missing"),
        (mail(&[("host", "x"), ("port", "25"), ("priority", "0")]), "metadata `priority` is `0`"),
    ] {
        let place = Place::new(&resources);
        let error = sidelet::start(place.config()).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains("geheim"), "{error}");
    }
}
