//! The secrets of a Kubernetes namespace, from a server that answers as its API server does.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use backends::Certificates;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use crate::harness::{Place, Process};

/// What it holds in the namespaces `todo` and `other`.
fn answer(head: &str) -> (u16, String) {
    let status = |code: u16, message: &str| {
        (code, json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code }))
    };
    let secret =
        |name: &str, data| json!({ "metadata": { "name": name, "namespace": "todo" }, "data": data, "type": "Opaque" });
    let database = || secret("database", json!({ "password": "aHVudGVyMg==", "file": "aGlkZGVuLmRi" }));
    let (code, body) = if !head.contains("authorization: Bearer pods-token\r\n") {
        status(401, "Unauthorized")
    } else {
        match head.split_whitespace().nth(1).unwrap_or_default() {
            "/api/v1/namespaces/todo/secrets/database" => (200, database()),
            "/api/v1/namespaces/other/secrets/database" => (200, secret("database", json!({ "password": "b3RoZXI=" }))),
            "/api/v1/namespaces/todo/secrets/bytes" => (200, secret("bytes", json!({ "raw": "/w==" }))),
            "/api/v1/namespaces/todo/secrets/empty" => (200, json!({ "metadata": { "name": "empty" } })),
            "/api/v1/namespaces/todo/secrets" => {
                (200, json!({ "kind": "SecretList", "items": [database(), secret("empty", json!({}))] }))
            }
            "/api/v1/namespaces/closed/secrets/database" => {
                status(403, "secrets \"database\" is forbidden: User \"u\" cannot get resource \"secrets\"")
            }
            _ => status(404, "secrets \"x\" not found"),
        }
    };
    (code, body.to_string())
}

/// Serves, each answer in chunks, and counts; the first `failing` answers are 503. Gives its port.
async fn serve(certificates: &Certificates, failing: usize) -> (u16, Arc<AtomicUsize>) {
    let chain = CertificateDer::pem_file_iter(certificates.server()).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(certificates.server_key()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(builder.with_no_client_auth().with_single_cert(chain, key).unwrap()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            let mut told = answer(&String::from_utf8(head).unwrap());
            if count.fetch_add(1, Ordering::SeqCst) < failing {
                told = (503, "the leader is being elected".into());
            }
            let (code, body) = told;
            let head = format!(
                "HTTP/1.1 {code} X\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
            );
            let text = format!("{head}{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
            stream.write_all(text.as_bytes()).await.unwrap();
            let _closed = stream.shutdown().await;
        }
    });
    (port, asked)
}

/// The folder of a pod's service account.
fn account(folder: &Path, certificates: &Certificates) {
    std::fs::copy(certificates.authority(), folder.join("ca.crt")).unwrap();
    std::fs::write(folder.join("token"), "pods-token\n").unwrap();
    std::fs::write(folder.join("namespace"), "todo").unwrap();
}

fn place(folder: &Path, more: &str) -> Place {
    let component = format!(
        "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: cluster\nspec:\n  type: secretstores.kubernetes\n  \
         version: v1\n  metadata: [{{name: serviceAccountDirectory, value: {}}}]\n{more}",
        folder.display()
    );
    Place::new(&component)
}

fn command(place: &Place, port: u16) -> std::process::Command {
    let mut command = Process::command(place);
    command.env("KUBERNETES_SERVICE_HOST", "127.0.0.1").env("KUBERNETES_SERVICE_PORT", port.to_string());
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_of_the_namespace_are_answered_as_dapr_does() {
    let folder = tempfile::tempdir().unwrap();
    let certificates = Certificates::write(folder.path()).unwrap();
    account(folder.path(), &certificates);
    let (port, _) = serve(&certificates, 0).await;
    let process = Process::spawn(&mut command(&place(folder.path(), ""), port));
    for (path, expected) in [
        ("database", json!({ "password": "hunter2", "file": "hidden.db" })),
        ("database?metadata.namespace=other", json!({ "password": "other" })),
        ("bytes", json!({ "raw": "\u{fffd}" })),
        ("empty", json!({})),
        ("bulk", json!({ "database": { "password": "hunter2", "file": "hidden.db" }, "empty": {} })),
    ] {
        let answer = process.api.get(&format!("/v1.0/secrets/cluster/{path}")).await;
        assert_eq!((answer.status, answer.json()), (200, expected), "{path}");
    }
    for (path, message) in [
        ("absent", "secret absent not found"),
        ("..%2Fpods", "secret ../pods not found"),
        ("database?metadata.namespace=closed", "is forbidden"),
        ("database?metadata.namespace=..%2F..", "is no namespace"),
    ] {
        let answer = process.api.get(&format!("/v1.0/secrets/cluster/{path}")).await;
        assert_eq!((answer.status, answer.code().as_str()), (500, "ERR_SECRET_GET"), "{path}");
        assert!(answer.body.contains(message), "{answer:?}");
    }
    // Kubernetes writes the token anew.
    std::fs::write(folder.path().join("token"), "another").unwrap();
    assert!(process.api.get("/v1.0/secrets/cluster/database").await.body.contains("Unauthorized"));
    let (status, log) = process.terminate_with_log().await;
    assert!(status.success());
    assert!(!log.contains("hunter2") && !log.contains("pods-token"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_waits_for_its_secret() {
    let folder = tempfile::tempdir().unwrap();
    let certificates = Certificates::write(folder.path()).unwrap();
    account(folder.path(), &certificates);
    let (port, asked) = serve(&certificates, 2).await;
    let store = "---\napiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: statestore\nspec:\n  type: state.sqlite\n  \
                 version: v1\n  metadata:\n    - name: connectionString\n      secretKeyRef: {name: database, key: file}\n\
                 auth: {secretStore: cluster}\n";
    let place = place(folder.path(), store);
    let mut command = command(&place, port);
    let process = tokio::task::spawn_blocking(move || Process::spawn(&mut command)).await.unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 3);
    assert!(place.path().join("data/hidden.db").is_file());
    assert!(process.terminate().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_another_authority_vouches_for_is_not_asked() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    account(folder.path(), &Certificates::write(folder.path()).unwrap());
    let (port, asked) = serve(&Certificates::write(elsewhere.path()).unwrap(), 0).await;
    let process = Process::spawn(&mut command(&place(folder.path(), ""), port));
    let answer = process.api.get("/v1.0/secrets/cluster/database").await;
    assert_eq!((answer.status, answer.code().as_str()), (500, "ERR_SECRET_GET"));
    assert!(answer.body.contains("cannot be asked"), "{answer:?}");
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    assert!(process.terminate().await.success());
}

#[test]
fn outside_of_a_pod_the_store_is_refused() {
    let output = Process::command(&place(Path::new("/nowhere"), "")).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("KUBERNETES_SERVICE_HOST"), "{output:?}");
}
