//! Measures a sidecar over loopback: rates of save, get and transaction, and the time from commit to delivery.
//!
//! ```text
//! cargo run --release -p sidelet --example measure_sidecar [folder [resources.yaml]]
//! ```
//! The folder decides which disk is measured, and the resources which store: they have to have the components and the
//! subscription of `measure_sidecar/resources.yaml`. Everything runs in one process: the sidecar, the clients and the app.

use std::{
    convert::Infallible,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, client::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use sidelet::{AppAddress, Config};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

const RESOURCES: &str = include_str!("measure_sidecar/resources.yaml");
/// How long each figure is measured.
const SPAN: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() {
    let folder = std::env::args().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = folder.join(format!("sidelet-measure-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    let resources = match std::env::args().nth(2) {
        Some(path) => std::fs::read_to_string(path).expect("the resources can be read"),
        None => RESOURCES.to_owned(),
    };
    std::fs::write(folder.join("resources.yaml"), resources).expect("the folder can be written");
    measure(&folder).await;
    std::fs::remove_dir_all(&folder).expect("the folder can be removed");
}

async fn measure(folder: &Path) {
    let (events, mut delivered) = mpsc::unbounded_channel();
    let app = serve_app(events).await;
    let config = Config {
        apps: [("todo".to_owned(), AppAddress::parse(&app).expect("an address"))].into(),
        listen: vec!["127.0.0.1:0".parse().expect("an address")],
        resources: vec![folder.join("resources.yaml")],
        data_directory: folder.to_owned(),
        ..Config::new("todo")
    };
    let running = sidelet::start(config).await.expect("the sidecar starts");
    let port = running.local_addr().port();
    println!("idle memory: {} MiB (with client and app)", resident());
    for connections in [1, 16] {
        let save = |number: usize| {
            let body = format!(r#"[{{"key":"k{}","value":{{"title":"milk","done":false}}}}]"#, number % 1000);
            ("POST", "/v1.0/state/statestore".to_owned(), body)
        };
        rate("save", port, connections, save).await;
        let get = |number: usize| ("GET", format!("/v1.0/state/statestore/k{}", number % 1000), String::new());
        rate("get", port, connections, get).await;
        let transact = |number: usize| ("POST", "/v1.0/state/statestore/transaction".to_owned(), transaction(number));
        rate("transaction with event", port, connections, transact).await;
        while tokio::time::timeout(Duration::from_millis(500), delivered.recv()).await.is_ok() {}
    }
    bulk(port).await;
    delivery(port, &mut delivered).await;
    println!("memory after load: {} MiB", resident());
    running.shutdown(Duration::from_secs(10)).await.expect("nothing is in flight");
}

/// A document of 2 KB and its event.
fn transaction(number: usize) -> String {
    let (key, filler) = (number % 1000, "x".repeat(2000));
    format!(
        r#"{{"operations":[{{"operation":"upsert","request":{{"key":"t{key}","value":"{filler}","metadata":{{"outbox.skip":"true"}}}}}},{{"operation":"upsert","request":{{"key":"e{number}","value":{{"number":{number}}},"metadata":{{"outbox.projection":"true","partitionKey":"{key}"}}}}}}]}}"#
    )
}

/// A connection that sends one request after the other.
struct Connection(http1::SendRequest<Full<Bytes>>);

impl Connection {
    async fn open(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.expect("the sidecar listens");
        stream.set_nodelay(true).expect("an open connection");
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("a new connection");
        tokio::spawn(connection);
        Self(sender)
    }

    async fn call(&mut self, (method, path, body): (&str, String, String)) -> usize {
        let request = Request::builder().method(method).uri(path).header("host", "localhost");
        let request = request.body(Full::new(Bytes::from(body))).expect("a request");
        self.0.ready().await.expect("an open connection");
        let answer = self.0.send_request(request).await.expect("an answer");
        assert!(answer.status().is_success(), "{}", answer.status());
        answer.into_body().collect().await.expect("a body").to_bytes().len()
    }
}

async fn rate(
    name: &str,
    port: u16,
    connections: usize,
    request: impl Fn(usize) -> (&'static str, String, String) + Copy + Send + 'static,
) {
    let end = Instant::now() + SPAN;
    let mut tasks = Vec::new();
    for worker in 0..connections {
        let mut connection = Connection::open(port).await;
        tasks.push(tokio::spawn(async move {
            let mut times = Vec::new();
            while Instant::now() < end {
                let start = Instant::now();
                connection.call(request(worker + connections * times.len())).await;
                times.push(start.elapsed());
            }
            times
        }));
    }
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await.expect("a worker ends"));
    }
    let per_second = times.len() as u64 / SPAN.as_secs();
    println!("{name}, {connections} connections: {per_second}/s, {}", percentiles(&mut times));
}

async fn bulk(port: u16) {
    let mut connection = Connection::open(port).await;
    let page = "x".repeat(80_000);
    for key in 0..40 {
        let body = format!(r#"[{{"key":"page{key}","value":"{page}"}}]"#);
        connection.call(("POST", "/v1.0/state/statestore".into(), body)).await;
    }
    let keys: Vec<_> = (0..40).map(|key| format!("\"page{key}\"")).collect();
    let mut times = Vec::new();
    for _ in 0..50 {
        let body = format!(r#"{{"keys":[{}]}}"#, keys.join(","));
        let start = Instant::now();
        connection.call(("POST", "/v1.0/state/statestore/bulk".into(), body)).await;
        times.push(start.elapsed());
    }
    println!("bulk get of 40 keys of 80 KB: {}", percentiles(&mut times));
}

/// 100 transactions a second, from the answer to the commit to the handler.
async fn delivery(port: u16, delivered: &mut mpsc::UnboundedReceiver<Instant>) {
    let mut connection = Connection::open(port).await;
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    let (mut times, mut whole) = (Vec::new(), Vec::new());
    for number in 0..500 {
        ticks.tick().await;
        let start = Instant::now();
        connection.call(("POST", "/v1.0/state/statestore/transaction".into(), transaction(number))).await;
        let committed = Instant::now();
        let at = delivered.recv().await.expect("the app listens");
        times.push(at.saturating_duration_since(committed));
        whole.push(at.duration_since(start));
    }
    println!("commit answered to delivery at 100/s: {}", percentiles(&mut times));
    println!("request sent to delivery at 100/s: {}", percentiles(&mut whole));
}

fn percentiles(times: &mut [Duration]) -> String {
    times.sort_unstable();
    let at = |part: usize| times[(times.len() - 1) * part / 100];
    format!("p50 {:.2?}, p99 {:.2?}", at(50), at(99))
}

/// An app that notes when it is called.
async fn serve_app(events: mpsc::UnboundedSender<Instant>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("a bound address"));
    let events = Arc::new(events);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let events = events.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                // It is asked what it subscribes to, too.
                if request.method() == "POST" {
                    let _ = events.send(Instant::now());
                }
                async move {
                    let _ = request.into_body().collect().await;
                    Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
                }
            });
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}

/// Resident memory of this process in MiB.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap_or_default() / 1024
}
