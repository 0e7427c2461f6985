//! TLS: whom to trust, and what its failures mean to a guest.

use std::error::Error as StdError;
use std::io;
use std::sync::{Arc, OnceLock};

use rustls::{AlertDescription, ClientConfig, RootCertStore};
use wasmtime_wasi_http::Error;

/// The machine's own certificate authorities, read when the first guest asks for `https`.
///
/// As with Spin, who runs the host decides whom to trust; `SSL_CERT_FILE` and `SSL_CERT_DIR` name others, as for OpenSSL.
/// A list of our own would age with the program and know no company's authority.
pub(super) async fn config() -> io::Result<Arc<ClientConfig>> {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if let Some(config) = CONFIG.get() {
        return Ok(Arc::clone(config));
    }
    let made = tokio::task::spawn_blocking(make).await.map_err(io::Error::other)??;
    Ok(Arc::clone(CONFIG.get_or_init(|| made)))
}

fn make() -> io::Result<Arc<ClientConfig>> {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "certificate authorities could not be read");
    }
    let mut roots = RootCertStore::empty();
    let (taken, _) = roots.add_parsable_certificates(found.certs);
    if taken == 0 {
        let message = "this machine trusts no certificate authority: install its package of CA certificates, \
            or name a file of them in SSL_CERT_FILE";
        return Err(io::Error::new(io::ErrorKind::NotFound, message));
    }
    tracing::debug!(taken, "certificate authorities were read");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config = builder.map_err(io::Error::other)?.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// A failure of TLS in the words of `wasi:http`.
pub(super) fn error(error: &rustls::Error) -> Error {
    match error {
        rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => Error::TlsCertificateError,
        rustls::Error::AlertReceived(alert) => {
            Error::TlsAlertReceived { alert_id: Some(u8::from(*alert)), alert_message: Some(name(*alert)) }
        }
        _ => Error::TlsProtocolError,
    }
}

fn name(alert: AlertDescription) -> String {
    format!("{alert:?}")
}

/// The first error of type `T` among an error and its causes. What an [`io::Error`] was made of is one of them.
pub(super) fn cause<'error, T: StdError + 'static>(error: &'error (dyn StdError + 'static)) -> Option<&'error T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match inner {
            Some(inner) => Some(inner as &(dyn StdError + 'static)),
            None => error.source(),
        };
    }
    None
}
