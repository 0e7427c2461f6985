use super::support::{Application, Served, send, until};
use super::upstream::Upstream;

async fn proxy(upstream: &Upstream) -> Served {
    Application::with_guest(&format!(
        "allowed_outbound_hosts = [\"http://{}\", \"redis://127.0.0.1\", \"http://127.0.0.1:1\", \"https://127.0.0.1:1\"]",
        upstream.address
    ))
    .start()
    .await
}

#[tokio::test]
async fn allowed_hosts_are_reached_over_kept_connections() {
    let upstream = Upstream::start().await;
    let served = proxy(&upstream).await;
    for _ in 0..10 {
        let request = served.client.get(served.url("/proxy"));
        let answer = send(request.header("x-url", upstream.url("/"))).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, "upstream"));
    }
    assert_eq!(upstream.requests(), 10);
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn other_hosts_are_denied_before_anything_is_sent() {
    let upstream = Upstream::start().await;
    let served = Application::with_guest("allowed_outbound_hosts = [\"http://127.0.0.1:1\"]").start().await;
    let request = served.client.get(served.url("/proxy"));
    let answer = send(request.header("x-url", upstream.url("/"))).await;
    assert_eq!(answer.status, 502);
    assert!(answer.text.contains("HttpRequestDenied"), "{}", answer.text);
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn hosts_may_come_from_variables() {
    let upstream = Upstream::start().await;
    let served = Application::new(
        r#"
[variables]
sidecar = { default = "http://127.0.0.1:1" }
[[trigger.http]]
route = "/..."
component = "guest"
[component.guest]
source = "GUEST"
allowed_outbound_hosts = ["{{ sidecar }}"]
"#,
    )
    .configure(|config| config.variables = [("sidecar".into(), upstream.url(""))].into())
    .start()
    .await;
    let request = served.client.get(served.url("/proxy"));
    let answer = send(request.header("x-url", upstream.url("/"))).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "upstream"));
}

#[tokio::test]
async fn a_trace_goes_on_to_what_the_guest_calls() {
    let upstream = Upstream::start().await;
    let served = proxy(&upstream).await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let request = served.client.get(served.url("/proxy"));
    let request = request.header("x-url", upstream.url("/headers"));
    let answer = send(request.header("traceparent", trace)).await;
    assert_eq!(answer.line("traceparent"), Some(trace));
    assert_eq!(answer.line("host"), Some(upstream.address.to_string().as_str()));
}

#[tokio::test]
async fn failures_have_their_own_codes() {
    let upstream = Upstream::start().await;
    let served = proxy(&upstream).await;
    for (url, code) in [
        ("http://127.0.0.1:1/", "ConnectionRefused"),
        ("https://127.0.0.1:1/", "ConnectionRefused"),
        ("redis://127.0.0.1/", "HttpProtocolError"),
    ] {
        let request = served.client.get(served.url("/proxy"));
        let answer = send(request.header("x-url", url)).await;
        assert_eq!(answer.status, 502);
        assert!(answer.text.contains(code), "{url}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_guest_goes_on_after_its_response() {
    let upstream = Upstream::start().await;
    let served = proxy(&upstream).await;
    for (path, requests) in [("/afterwards", 1), ("/afterwards/9", 2)] {
        let request = served.client.get(served.url(path));
        let answer = send(request.header("x-url", upstream.url("/"))).await;
        assert_eq!(answer.text, "answered\n");
        until("the call after the response", || upstream.requests() == requests).await;
        served.idle().await;
    }
    let request = served.client.head(served.url("/afterwards"));
    send(request.header("x-url", upstream.url("/"))).await;
    until("the call after a HEAD", || upstream.requests() == 3).await;
    served.idle().await;
}

#[tokio::test]
async fn a_host_that_nobody_names_is_not_reached_on_a_private_network() {
    let upstream = Upstream::start().await;
    let port = upstream.address.port();
    let application = || Application::with_guest("allowed_outbound_hosts = [\"*://*:*\", \"http://0.0.0.0/0:*\"]");
    let served = application().start().await;
    let urls = [
        format!("http://127.0.0.1:{port}/"),
        format!("http://localhost:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://0.0.0.0:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://127.1:{port}/"),
        "http://10.0.0.1/".to_owned(),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://[fe80::1]/".to_owned(),
    ];
    for url in urls {
        let answer = send(served.client.get(served.url("/proxy")).header("x-url", &url)).await;
        assert_eq!(answer.status, 502, "{url}");
        assert!(answer.text.contains("DestinationIpProhibited"), "{url}: {}", answer.text);
    }
    assert_eq!(upstream.connections(), 0);
    let served = application().configure(|config| config.allow_private_networks = true).start().await;
    let answer = send(served.client.get(served.url("/proxy")).header("x-url", upstream.url("/"))).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "upstream"));
}

#[tokio::test]
async fn a_host_that_is_named_is_reached_and_its_connections_are_no_way_around() {
    let upstream = Upstream::start().await;
    let served = Application::new(&format!(
        "[[trigger.http]]\nroute = \"/...\"\ncomponent = \"named\"\n\
         [[trigger.http]]\nroute = \"/proxy\"\ncomponent = \"wild\"\n\
         [component.named]\nsource = \"GUEST\"\nallowed_outbound_hosts = [\"*://*:*\", \"http://{}\"]\n\
         [component.wild]\nsource = \"GUEST\"\nallowed_outbound_hosts = [\"*://*:*\"]\n",
        upstream.address
    ))
    .start()
    .await;
    let proxy = async |path: &str| send(served.client.get(served.url(path)).header("x-url", upstream.url("/"))).await;
    assert_eq!(proxy("/proxy/named").await.text, "upstream");
    assert!(proxy("/proxy").await.text.contains("DestinationIpProhibited"));
    assert_eq!(proxy("/proxy/named").await.text, "upstream");
    assert_eq!((upstream.connections(), upstream.requests()), (1, 2));
}
