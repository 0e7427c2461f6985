//! Starts applications on free ports and waits for states.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use devhost::{Config, Running, StartError};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long anything may take before a test fails.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// The Wasm file of the test component, built at its first use.
pub(crate) fn guest() -> &'static Path {
    static GUEST: OnceLock<PathBuf> = OnceLock::new();
    GUEST.get_or_init(|| {
        let binary = Path::new(env!("CARGO_BIN_EXE_devhost"));
        let target = binary.parent().and_then(Path::parent).unwrap();
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo)
            .args(["build", "--quiet", "--profile", "wasm"])
            .args(["--target", "wasm32-wasip2", "--package", "devhost-guest"])
            .arg("--target-dir")
            .arg(target)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .unwrap();
        assert!(built.success(), "the test component was not built");
        target.join("wasm32-wasip2/wasm/devhost_guest.wasm")
    })
}

/// The folder in which all tests keep compiled components, so that one compilation serves all.
pub(crate) fn shared_cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("devhost-cache")
}

/// A manifest in a folder of its own.
pub(crate) struct Application {
    pub(crate) folder: TempDir,
    pub(crate) config: Config,
}

impl Application {
    /// One component, `guest`, that answers every path; `settings` are more lines of its table.
    pub(crate) fn with_guest(settings: &str) -> Self {
        Self::new(&format!(
            "[[trigger.http]]\nroute = \"/...\"\ncomponent = \"guest\"\n\
             [component.guest]\nsource = \"GUEST\"\n{settings}"
        ))
    }

    /// The manifest's lines after its header; `GUEST` stands for the test component's file.
    pub(crate) fn new(rest: &str) -> Self {
        let rest = rest.replace("GUEST", guest().to_str().unwrap());
        Self::with_manifest(&format!("spin_manifest_version = 2\n[application]\nname = \"test\"\n{rest}"))
    }

    /// A manifest as it is.
    pub(crate) fn with_manifest(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("spin.toml"), text).unwrap();
        let mut config = Config::new(folder.path(), shared_cache());
        config.listen = ([127, 0, 0, 1], 0).into();
        // Many hosts share the address space of a test process.
        config.limits.max_instances = 16;
        Self { folder, config }
    }

    /// Writes a file beside the manifest.
    pub(crate) fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    /// Changes the configuration.
    pub(crate) fn configure(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }

    /// Starts it.
    pub(crate) async fn start(self) -> Served {
        let running = devhost::start(self.config.clone()).await.unwrap();
        Served { running, client: reqwest::Client::new(), _folder: self.folder }
    }

    /// Expects that it does not start, and returns the error with its causes.
    pub(crate) async fn refused(self) -> String {
        match devhost::start(self.config.clone()).await {
            Ok(_) => panic!("it started"),
            Err(error) => chain(&error),
        }
    }
}

/// An error and what caused it, as one line.
pub(crate) fn chain(error: &StartError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// An application that is being served.
pub(crate) struct Served {
    pub(crate) running: Running,
    pub(crate) client: reqwest::Client,
    _folder: TempDir,
}

impl Served {
    /// The URL of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.local_addr())
    }

    /// A GET.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.client.get(self.url(path))).await
    }

    /// Waits until no instance is alive.
    pub(crate) async fn idle(&self) {
        until("no instance is alive", || self.running.instances() == 0).await;
    }
}

/// Status, headers and text of a response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    /// A header, or the empty text.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The value in a line `name: value` of the text.
    pub(crate) fn line(&self, name: &str) -> Option<&str> {
        self.text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// Sends a request and reads the whole answer.
pub(crate) async fn send(request: reqwest::RequestBuilder) -> Answer {
    let response = request.timeout(DEADLINE).send().await.unwrap();
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().await.unwrap(),
    }
}

/// Sends bytes as they are, and reads until the connection ends.
pub(crate) async fn raw(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A request that is refused early may find the connection closed before it is sent.
    let _ = stream.write_all(bytes).await;
    rest_of(&mut stream).await
}

/// Reads until the connection ends.
pub(crate) async fn rest_of(stream: &mut TcpStream) -> String {
    let mut rest = Vec::new();
    let read = tokio::time::timeout(DEADLINE, stream.read_to_end(&mut rest)).await;
    assert!(read.is_ok(), "the connection is still open after {}", String::from_utf8_lossy(&rest));
    String::from_utf8_lossy(&rest).into_owned()
}

/// The status of each answer in what a connection gave.
pub(crate) fn statuses(text: &str) -> Vec<u16> {
    text.split("HTTP/1.").skip(1).filter_map(|answer| answer.split(' ').nth(1)?.parse().ok()).collect()
}

/// Waits for a state, looking again whenever others have run.
pub(crate) async fn until(state: &str, mut holds: impl FnMut() -> bool) {
    let mut looks = tokio::time::interval(Duration::from_millis(2));
    let waiting = async {
        while !holds() {
            looks.tick().await;
        }
    };
    if tokio::time::timeout(DEADLINE, waiting).await.is_err() {
        panic!("waited in vain until {state}");
    }
}

/// A request body that is sent piece by piece, and stays open until the sender is dropped.
pub(crate) fn open_body() -> (futures::channel::mpsc::Sender<Result<String, std::io::Error>>, reqwest::Body) {
    let (sender, receiver) = futures::channel::mpsc::channel(1);
    (sender, reqwest::Body::wrap_stream(receiver))
}
