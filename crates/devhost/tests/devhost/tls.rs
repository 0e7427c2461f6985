//! Requests over `https`, to servers with certificates of an authority that is made for the test.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::command::{Process, devhost};
use super::support::{Answer, Application, send};
use super::upstream::Upstream;

/// Signs certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A server whose certificate is for `name`.
    async fn serve(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Secure {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der())),
            )
            .unwrap();
        Secure::start(TlsAcceptor::from(Arc::new(config))).await
    }
}

/// A server that answers every request in the same way, and stops when dropped.
struct Secure {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl Secure {
    async fn start(acceptor: TlsAcceptor) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let mut request = [0; 4096];
                    while stream.read(&mut request).await.is_ok_and(|read| read > 0) {
                        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret").await;
                        let _ = stream.flush().await;
                    }
                });
            }
        });
        Self { address, connections, accepting }
    }

    fn url(&self) -> String {
        format!("https://localhost:{}/", self.address.port())
    }
}

impl Drop for Secure {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// A devhost that trusts the authorities in a file.
struct Trusting {
    _process: Process,
    _application: Application,
    address: String,
}

impl Trusting {
    fn start(authorities: &str) -> Self {
        let application = Application::with_guest("allowed_outbound_hosts = [\"https://localhost:*\"]")
            .file("authorities.pem", authorities);
        let mut command = devhost(&application);
        command.env("SSL_CERT_FILE", application.folder.path().join("authorities.pem")).env_remove("SSL_CERT_DIR");
        let mut process = Process(command.spawn().unwrap());
        let mut line = String::new();
        BufReader::new(process.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("Serving ").unwrap().to_owned();
        Self { _process: process, _application: application, address }
    }

    async fn call(&self, url: &str) -> Answer {
        send(reqwest::Client::new().get(format!("{}/proxy", self.address)).header("x-url", url)).await
    }
}

#[tokio::test]
async fn https_is_spoken_with_those_whom_the_machine_trusts_and_nobody_else() {
    let authority = Authority::new();
    let good = authority.serve("localhost", |_| {}).await;
    let host = Trusting::start(&authority.pem);
    for _ in 0..3 {
        let answer = host.call(&good.url()).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, "secret"));
    }
    assert_eq!(good.connections.load(Ordering::SeqCst), 1, "the connection is kept");

    let expired = authority.serve("localhost", |params| {
        (params.not_before, params.not_after) = (date_time_ymd(2019, 1, 1), date_time_ymd(2020, 1, 1));
    });
    let (expired, other) = (expired.await, authority.serve("elsewhere.example", |_| {}).await);
    let stranger = Authority::new().serve("localhost", |_| {}).await;
    for server in [&expired, &other, &stranger] {
        let answer = host.call(&server.url()).await;
        assert_eq!(answer.status, 502);
        assert!(answer.text.contains("TlsCertificateError"), "{}", answer.text);
    }
    let plain = Upstream::start().await;
    let answer = host.call(&plain.url("/").replace("http://127.0.0.1", "https://localhost")).await;
    assert!(answer.text.contains("TlsProtocolError"), "{}", answer.text);
}

#[tokio::test]
async fn a_machine_that_trusts_nobody_says_what_to_do() {
    let server = Authority::new().serve("localhost", |_| {}).await;
    let answer = Trusting::start("").call(&server.url()).await;
    assert_eq!(answer.status, 502);
    assert!(answer.text.contains("trusts no certificate authority"), "{}", answer.text);
}
