//! The secrets of a Kubernetes namespace, read from its API server with the pod's service account.
//!
//! Nothing is kept: each call reads the token, which Kubernetes writes anew every hour, and asks the server.

use std::{collections::BTreeMap, io, net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use serde::{Deserialize, de::DeserializeOwned};
use tokio::time::timeout;

use super::{Secret, SecretError};
use crate::bindings::chain;

/// How long the API server may take to answer.
const ANSWER: Duration = Duration::from_secs(10);
/// Kubernetes keeps a secret under 1 MiB; a namespace may have many.
const ANSWER_BYTES: usize = 64 << 20;

/// A namespace's secrets.
#[derive(Debug)]
pub(crate) struct Kubernetes {
    server: String,
    /// The folder with `token`, `ca.crt` and `namespace`.
    account: PathBuf,
    /// Where no call names one. None: the service account's.
    namespace: Option<String>,
}

#[derive(Deserialize)]
struct Item {
    metadata: Name,
    #[serde(default)]
    data: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

#[derive(Deserialize)]
struct List {
    items: Vec<Item>,
}

/// What the API server answers when it refuses.
#[derive(Deserialize)]
struct Status {
    message: String,
}

impl Kubernetes {
    /// The cluster that the variables `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT` name, as in every pod.
    /// `namespace` gives way to the variable `NAMESPACE`, as in Dapr.
    pub(crate) fn in_cluster(
        account: PathBuf,
        namespace: Option<String>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let read = |name: &str| {
            let missing = || format!("the variable `{name}` is missing, which Kubernetes sets there");
            variable(name).filter(|value| !value.is_empty()).ok_or_else(missing)
        };
        let (host, port) = (read("KUBERNETES_SERVICE_HOST")?, read("KUBERNETES_SERVICE_PORT")?);
        let host = if matches!(host.parse(), Ok(IpAddr::V6(_))) { format!("[{host}]") } else { host };
        let own = variable("NAMESPACE").filter(|name| !name.is_empty());
        Ok(Self { server: format!("https://{host}:{port}"), account, namespace: own.or(namespace) })
    }

    /// One secret with all its values.
    pub(super) async fn get(&self, name: &str, namespace: Option<&str>) -> Result<Option<Secret>, SecretError> {
        if !is_name(name) {
            return Ok(None);
        }
        let found: Option<Item> = self.ask(&format!("/{name}"), namespace).await?;
        Ok(found.map(decoded))
    }

    /// All secrets of the namespace by name.
    pub(super) async fn all(&self, namespace: Option<&str>) -> Result<BTreeMap<String, Secret>, SecretError> {
        let found: Option<List> = self.ask("", namespace).await?;
        let items = found.map(|list| list.items).unwrap_or_default();
        Ok(items.into_iter().map(|item| (item.metadata.name.clone(), decoded(item))).collect())
    }

    /// What is at a path below the namespace's secrets; none where there is nothing.
    async fn ask<T: DeserializeOwned>(&self, path: &str, namespace: Option<&str>) -> Result<Option<T>, SecretError> {
        let asked = timeout(ANSWER, self.send(path, namespace)).await;
        let (status, body) = asked.map_err(|_| away(format!("no answer within {} s", ANSWER.as_secs())))??;
        if status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        if status != StatusCode::OK {
            let told = serde_json::from_slice::<Status>(&body).map(|status| status.message);
            let message = told.unwrap_or_else(|_| format!("the Kubernetes API server answered {status}"));
            let passes = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
            return Err(SecretError { message, passes });
        }
        serde_json::from_slice(&body).map(Some).map_err(|_| away("the answer is none of Kubernetes'".to_owned()))
    }

    async fn send(&self, path: &str, namespace: Option<&str>) -> Result<(StatusCode, Bytes), SecretError> {
        let namespace = match namespace.or(self.namespace.as_deref()) {
            Some(namespace) => namespace.to_owned(),
            None => self.read("namespace")?,
        };
        if !is_name(&namespace) {
            return Err(SecretError { message: format!("`{namespace}` is no namespace"), passes: false });
        }
        let token = HeaderValue::try_from(format!("Bearer {}", self.read("token")?));
        let token = token.map_err(|_| away("the service account's token is no header".to_owned()))?;
        let request = Request::get(format!("{}/api/v1/namespaces/{namespace}/secrets{path}", self.server))
            .header(header::AUTHORIZATION, token)
            .header(header::ACCEPT, "application/json")
            .body(Empty::<Bytes>::new())
            .map_err(|_| away(format!("`{}` is no address", self.server)))?;
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        let connector = HttpsConnector::from((connector, self.trust()?));
        let answer = Client::builder(TokioExecutor::new()).build(connector).request(request).await;
        let (parts, body) = answer.map_err(|error| away(chain(&error)))?.into_parts();
        let body = Limited::new(body, ANSWER_BYTES).collect().await;
        Ok((parts.status, body.map_err(|_| away("the answer broke off or is too long".to_owned()))?.to_bytes()))
    }

    /// The cluster's own authority, and no other.
    fn trust(&self) -> Result<ClientConfig, SecretError> {
        let file = self.account.join("ca.crt");
        let mut roots = RootCertStore::empty();
        let certificates =
            CertificateDer::pem_file_iter(&file).map_err(|error| away(format!("`{}`: {error}", file.display())))?;
        roots.add_parsable_certificates(certificates.filter_map(Result::ok));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        Ok(builder.expect("the provider has the usual versions").with_root_certificates(roots).with_no_client_auth())
    }

    fn read(&self, name: &str) -> Result<String, SecretError> {
        let file = self.account.join(name);
        let failed = |error: io::Error| away(format!("`{}` of the service account: {error}", file.display()));
        Ok(std::fs::read_to_string(&file).map_err(failed)?.trim().to_owned())
    }
}

/// The server may answer later.
fn away(message: String) -> SecretError {
    SecretError { message: format!("the Kubernetes API cannot be asked: {message}"), passes: true }
}

/// Whether Kubernetes may have an object of this name; no other comes into an address.
fn is_name(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=253).contains(&name.len())
        && name.bytes().all(|byte| letter(byte) || byte == b'-' || byte == b'.')
        && name.bytes().next().is_some_and(letter)
        && !name.contains("..")
}

/// Bytes that are no text come as Dapr writes them, with a mark for each that is none.
fn decoded(item: Item) -> Secret {
    let text = |value: String| String::from_utf8_lossy(&BASE64_STANDARD.decode(value).unwrap_or_default()).into_owned();
    item.data.into_iter().map(|(key, value)| (key, text(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cluster_is_where_the_variables_say() {
        let variables = |host: &'static str| {
            move |name: &str| match name {
                "KUBERNETES_SERVICE_HOST" => Some(host.to_owned()),
                "KUBERNETES_SERVICE_PORT" => Some("443".to_owned()),
                _ => None,
            }
        };
        let store = |host| Kubernetes::in_cluster(PathBuf::new(), None, variables(host));
        assert_eq!(store("10.96.0.1").unwrap().server, "https://10.96.0.1:443");
        assert_eq!(store("fd00::1").unwrap().server, "https://[fd00::1]:443");
        assert!(store("").unwrap_err().contains("KUBERNETES_SERVICE_HOST"));
    }

    #[test]
    fn no_name_leads_elsewhere() {
        assert!(is_name("database") && is_name("a.b-c1"));
        for name in ["", "..", "a/b", "a%2Fb", "-a", ".a", "A", "a?x", "a..b", "ä"] {
            assert!(!is_name(name), "{name}");
        }
    }
}
