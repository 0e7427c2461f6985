use super::support::{Application, send};

const ROUTES: &str = r#"
[[trigger.http]]
route = "/..."
component = "all"
[[trigger.http]]
route = "/headers"
component = "exact"
[[trigger.http]]
route = "/headers/:user/items/:item"
component = "named"
[[trigger.http]]
route = "/headers/rest/..."
component = "rest"
[[trigger.http]]
route = { private = true }
component = "hidden"
[component.all]
source = "GUEST"
[component.exact]
source = "GUEST"
[component.named]
source = "GUEST"
[component.rest]
source = "GUEST"
[component.hidden]
source = "GUEST"
"#;

#[tokio::test]
async fn guests_see_where_they_were_matched() {
    let served = Application::new(ROUTES).start().await;
    for (path, matched, component_route, info) in [
        ("/headers", "/headers", "/headers", ""),
        ("/headers/", "/headers", "/headers", ""),
        ("/headers/rest", "/headers/rest/...", "/headers/rest", ""),
        ("/headers/rest/a/b?c=d", "/headers/rest/...", "/headers/rest", "/a/b"),
        ("/headers/other", "/...", "", "/headers/other"),
    ] {
        let answer = served.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        assert_eq!(answer.line("spin-matched-route"), Some(matched), "{path}");
        assert_eq!(answer.line("spin-raw-component-route"), Some(matched), "{path}");
        assert_eq!(answer.line("spin-component-route"), Some(component_route), "{path}");
        assert_eq!(answer.line("spin-path-info"), Some(info), "{path}");
        assert_eq!(answer.line("spin-base-path"), Some("/"), "{path}");
        assert_eq!(answer.line("spin-full-url"), Some(served.url(path).as_str()), "{path}");
        assert!(answer.line("spin-client-addr").unwrap().starts_with("127.0.0.1:"), "{path}");
    }
}

#[tokio::test]
async fn named_segments_become_headers() {
    let served = Application::new(ROUTES).start().await;
    let answer = served.get("/headers/7/items/a%20b").await;
    assert_eq!(answer.line("spin-path-match-user"), Some("7"));
    assert_eq!(answer.line("spin-path-match-item"), Some("a%20b"));
    assert_eq!(answer.line("spin-matched-route"), Some("/headers/:user/items/:item"));
}

#[tokio::test]
async fn headers_of_the_host_cannot_be_forged_and_others_pass() {
    let served = Application::new(ROUTES).start().await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let request = served
        .client
        .get(served.url("/headers"))
        .header("spin-client-addr", "10.0.0.1:1")
        .header("spin-path-info", "/forged")
        .header("traceparent", trace);
    let answer = send(request).await;
    assert!(!answer.text.contains("10.0.0.1"), "{}", answer.text);
    assert!(!answer.text.contains("forged"), "{}", answer.text);
    assert_eq!(answer.line("traceparent"), Some(trace));
}

#[tokio::test]
async fn unmatched_path_is_a_problem_404() {
    let served = Application::new(
        "[[trigger.http]]\nroute = \"/hello\"\ncomponent = \"guest\"\n[component.guest]\nsource = \"GUEST\"\n",
    )
    .start()
    .await;
    let answer = served.get("/other").await;
    assert_eq!(answer.status, 404);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(served.get("/hello").await.text, "hello\n");
}

#[tokio::test]
async fn health_is_answered_by_the_host() {
    let served = Application::new(ROUTES).start().await;
    let answer = served.get("/.well-known/spin/health").await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "OK"));
    assert_eq!(served.get("/.well-known/spin/other").await.status, 404);
}

#[tokio::test]
async fn head_has_the_status_and_no_body() {
    let served = Application::new(ROUTES).start().await;
    for path in ["/hello", "/.well-known/spin/health"] {
        let answer = send(served.client.head(served.url(path))).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, ""), "{path}");
    }
    served.idle().await;
}

#[tokio::test]
async fn statuses_without_a_body_pass() {
    let served = Application::new(ROUTES).start().await;
    for status in [204, 304, 418] {
        let answer = served.get(&format!("/status/{status}")).await;
        assert_eq!((answer.status, answer.text.as_str()), (status, ""));
    }
    served.idle().await;
}

#[tokio::test]
async fn only_the_components_asked_for_are_served() {
    let served = Application::new(ROUTES).configure(|config| config.component_ids = vec!["exact".into()]).start().await;
    assert_eq!(served.get("/headers").await.status, 200);
    assert_eq!(served.get("/hello").await.status, 404);
    let refused =
        Application::new(ROUTES).configure(|config| config.component_ids = vec!["exat".into()]).refused().await;
    assert!(refused.contains("`exat`") && refused.contains("`exact`"), "{refused}");
}
