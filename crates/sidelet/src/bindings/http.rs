//! `bindings.http`: requests to one server.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{ClientConfig, RootCertStore};
use tokio::{sync::OnceCell, time::timeout};

use super::{BindingError, Invocation, Produced, chain};

/// As Dapr's. `create` is `post`.
pub(super) const OPERATIONS: [&str; 9] =
    ["create", "get", "head", "post", "put", "patch", "delete", "options", "trace"];
/// How long the server's port may take to accept.
const CONNECT: Duration = Duration::from_secs(15);
/// How long a connection that nobody uses is kept.
const IDLE: Duration = Duration::from_secs(30);
/// What Dapr sends unless the metadata say otherwise.
const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
/// Metadata of the trace, which are headers although they begin with a small letter.
const TRACE: [&str; 3] = ["traceparent", "tracestate", "baggage"];

type Requests = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// One server.
#[derive(Debug)]
pub(crate) struct HttpBinding {
    /// What every path is appended to.
    pub(crate) url: String,
    /// Whether another status than 2xx is a failure, unless a request says otherwise.
    pub(crate) error_if_not_2xx: bool,
    /// How long an answer may take, its body included.
    pub(crate) response_timeout: Duration,
    /// Longest body of an answer in bytes.
    pub(crate) max_response_body: usize,
    /// A header that every request gets.
    pub(crate) security: Option<(HeaderName, HeaderValue)>,
    /// Made with the first request, since it reads whom the machine trusts.
    pub(crate) client: OnceCell<Requests>,
}

impl HttpBinding {
    pub(super) async fn invoke(&self, invocation: &Invocation<'_>) -> Result<Produced, BindingError> {
        let request = self.request(invocation)?;
        let strict = match invocation.metadata.get("errorIfNot2XX").map(String::as_str) {
            None | Some("") => self.error_if_not_2xx,
            Some(text) => is_truthy(text),
        };
        let client = self.client.get_or_try_init(|| connect(&self.url)).await?;
        let exchange = async {
            let answer = client.request(request).await.map_err(|error| BindingError::failed(chain(&error)))?;
            self.read(answer).await
        };
        let (status, produced) = timeout(self.response_timeout, exchange).await.map_err(|_| {
            let seconds = self.response_timeout.as_secs_f64();
            BindingError::failed(format!("the server did not answer within {seconds} s"))
        })??;
        if strict && !status.is_success() {
            let message = format!("received status code {}", status.as_u16());
            return Err(BindingError::Failed { message, metadata: produced.metadata });
        }
        Ok(produced)
    }

    fn request(&self, invocation: &Invocation<'_>) -> Result<Request<Full<Bytes>>, BindingError> {
        let path = invocation.metadata.get("path").filter(|path| !path.is_empty());
        let url = path.map_or_else(
            || self.url.clone(),
            |path| format!("{}/{}", self.url.trim_end_matches('/'), path.trim_start_matches('/')),
        );
        let uri: Uri = url.parse().map_err(|_| BindingError::Asked("the metadata `path` makes no URL".to_owned()))?;
        let operation = if invocation.operation == "create" { "post" } else { invocation.operation };
        let method = Method::from_bytes(operation.to_uppercase().as_bytes()).expect("the operations are methods");
        let has_body = matches!(method, Method::POST | Method::PUT | Method::PATCH);
        // What is not there is JSON's null, as in Dapr.
        let body = has_body.then(|| invocation.data.map_or("null", |data| data.get()).to_owned());
        let mut headers = HeaderMap::new();
        if has_body {
            headers.insert(header::CONTENT_TYPE, JSON);
        }
        headers.insert(header::ACCEPT, JSON);
        for (name, value) in invocation.metadata {
            if name.starts_with(|first: char| first.is_ascii_uppercase()) || TRACE.contains(&name.as_str()) {
                insert(&mut headers, name, value)?;
            }
        }
        if let Some((name, value)) = &self.security {
            headers.insert(name, value.clone());
        }
        let mut request = Request::new(Full::from(body.unwrap_or_default()));
        (*request.method_mut(), *request.uri_mut(), *request.headers_mut()) = (method, uri, headers);
        Ok(request)
    }

    async fn read(&self, answer: Response<Incoming>) -> Result<(http::StatusCode, Produced), BindingError> {
        let (parts, body) = answer.into_parts();
        let mut metadata = vec![
            ("statusCode".to_owned(), parts.status.as_u16().to_string()),
            ("status".to_owned(), parts.status.to_string()),
        ];
        for name in parts.headers.keys() {
            let values = parts.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
            metadata.push((name.to_string(), values.collect::<Vec<_>>().join(", ")));
        }
        let body = Limited::new(body, self.max_response_body).collect().await;
        let data = body.map_err(|error| {
            if error.is::<http_body_util::LengthLimitError>() {
                let limit = self.max_response_body;
                BindingError::failed(format!("the answer is longer than {limit} bytes (`maxResponseBodySize`)"))
            } else {
                BindingError::failed("the answer broke off")
            }
        })?;
        Ok((parts.status, Produced { data: data.to_bytes(), metadata }))
    }
}

/// Sets a header of the caller's, but for those that say how the request is read.
fn insert(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), BindingError> {
    let (Ok(parsed), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) else {
        return Err(BindingError::Asked(format!("the metadata `{name}` make no header")));
    };
    let framing =
        [header::HOST, header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION, header::UPGRADE];
    if !framing.contains(&parsed) {
        headers.insert(parsed, value);
    }
    Ok(())
}

/// As Dapr reads truths.
pub(crate) fn is_truthy(text: &str) -> bool {
    ["y", "yes", "true", "t", "on", "1"].contains(&text.trim().to_ascii_lowercase().as_str())
}

/// A client; for `https` with whom the machine trusts.
async fn connect(url: &str) -> Result<Requests, BindingError> {
    let roots = if url.starts_with("https:") {
        let read = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs).await;
        let found = read.map_err(|_| BindingError::failed("the certificate authorities could not be read"))?;
        let mut roots = RootCertStore::empty();
        if roots.add_parsable_certificates(found.certs).0 == 0 {
            return Err(BindingError::failed("the sidecar's machine trusts no certificate authority"));
        }
        roots
    } else {
        RootCertStore::empty()
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config =
        builder.expect("the provider has the usual versions").with_root_certificates(roots).with_no_client_auth();
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(CONNECT));
    let builder = &mut Client::builder(TokioExecutor::new());
    let builder = builder.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE);
    Ok(builder.build(HttpsConnector::from((connector, config))))
}
