//! `bindings.smtp`: e-mails through one server.

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{
        Mailboxes, SinglePart,
        header::{Bcc, Cc, HeaderName, HeaderValue, To},
    },
    transport::smtp::{
        authentication::Credentials,
        client::{Tls, TlsParameters},
    },
};
use tokio::{sync::OnceCell, time::timeout};

use super::{BindingError, Invocation, LIMIT, chain};

/// As Dapr's.
pub(super) const OPERATIONS: [&str; 1] = ["create"];
/// The port on which TLS begins with the connection (RFC 8314), as in Dapr.
const SUBMISSIONS: u16 = 465;

type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// One server.
#[derive(Debug)]
pub(crate) struct SmtpBinding {
    /// Where it is.
    pub(crate) host: String,
    /// On which port.
    pub(crate) port: u16,
    /// User and password.
    pub(crate) credentials: Option<Credentials>,
    /// Takes any certificate.
    pub(crate) skip_tls_verify: bool,
    /// What a request may leave out.
    pub(crate) defaults: Defaults,
    /// Made with the first e-mail, since it reads whom the machine trusts.
    pub(crate) transport: OnceCell<Transport>,
}

/// Parts of an e-mail, each as it is written in the metadata.
#[derive(Debug)]
pub(crate) struct Defaults {
    /// `emailFrom`
    pub(crate) from: Option<String>,
    /// `emailTo`: one address, or several with `;` between.
    pub(crate) to: Option<String>,
    /// `emailCC`
    pub(crate) cc: Option<String>,
    /// `emailBCC`
    pub(crate) bcc: Option<String>,
    /// `subject`
    pub(crate) subject: Option<String>,
    /// `priority`
    pub(crate) priority: Priority,
}

/// From 1 to 5, as the header `X-Priority` says it. Default: 3.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Priority(u8);

impl Priority {
    /// Reads a number from 1 to 5.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        text.parse().ok().filter(|number| (1..=5).contains(number)).map(Self)
    }
}

impl Default for Priority {
    fn default() -> Self {
        Self(3)
    }
}

impl SmtpBinding {
    pub(super) async fn invoke(&self, invocation: &Invocation<'_>) -> Result<(), BindingError> {
        let message = self.message(invocation)?;
        let sent = async {
            let transport = self.transport.get_or_try_init(|| self.connect()).await?;
            transport.send(message).await.map_err(|error| BindingError::failed(chain(&error)))
        };
        let sent = timeout(LIMIT, sent).await;
        sent.map_err(|_| BindingError::failed(format!("the e-mail was not taken within {} s", LIMIT.as_secs())))??;
        Ok(())
    }

    fn message(&self, invocation: &Invocation<'_>) -> Result<Message, BindingError> {
        let asked = |reason: String| BindingError::Asked(reason);
        let given = |key: &str, default: &Option<String>| {
            let own = invocation.metadata.get(key).filter(|value| !value.is_empty());
            own.or(default.as_ref()).cloned()
        };
        let needed = |key: &str, default: &Option<String>| {
            given(key, default)
                .ok_or_else(|| asked(format!("`{key}` is missing in the component's and the request's metadata")))
        };
        let addresses = |key: &str, text: &str| -> Result<Mailboxes, BindingError> {
            let parts = text.split(';').map(str::trim).filter(|part| !part.is_empty());
            let parsed: Result<Vec<_>, _> = parts.map(str::parse).collect();
            let parsed =
                parsed.map_err(|_| asked(format!("`{key}` is no e-mail address, or several with `;` between")))?;
            Ok(parsed.into_iter().collect())
        };
        let defaults = &self.defaults;
        let from = needed("emailFrom", &defaults.from)?;
        let from = from.parse().map_err(|_| asked("`emailFrom` is no e-mail address".to_owned()))?;
        let priority = match invocation.metadata.get("priority").filter(|text| !text.is_empty()) {
            Some(text) => {
                Priority::parse(text).ok_or_else(|| asked("`priority` is no number from 1 to 5".to_owned()))?
            }
            None => defaults.priority,
        };
        let mut builder = Message::builder()
            .from(from)
            .mailbox(To::from(addresses("emailTo", &needed("emailTo", &defaults.to)?)?))
            .subject(needed("subject", &defaults.subject)?);
        if let Some(cc) = given("emailCC", &defaults.cc) {
            builder = builder.mailbox(Cc::from(addresses("emailCC", &cc)?));
        }
        if let Some(bcc) = given("emailBCC", &defaults.bcc) {
            builder = builder.mailbox(Bcc::from(addresses("emailBCC", &bcc)?));
        }
        let name = HeaderName::new_from_ascii_str("X-Priority");
        builder = builder.raw_header(HeaderValue::new(name, priority.0.to_string()));
        let body: Option<String> = invocation.data.and_then(|data| serde_json::from_str(data.get()).ok());
        let body = body.ok_or_else(|| asked("`data` is no text; expected the e-mail's HTML".to_owned()))?;
        builder.singlepart(SinglePart::html(body)).map_err(|error| asked(chain(&error)))
    }

    async fn connect(&self) -> Result<Transport, BindingError> {
        let (host, skip) = (self.host.clone(), self.skip_tls_verify);
        let parameters = tokio::task::spawn_blocking(move || {
            TlsParameters::builder(host).dangerous_accept_invalid_certs(skip).build()
        });
        let parameters = parameters.await.map_err(|_| BindingError::failed("TLS could not be set up"))?;
        let parameters = parameters.map_err(|error| BindingError::failed(chain(&error)))?;
        let near = self.host == "localhost"
            || self.host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        let tls = if self.port == SUBMISSIONS {
            Tls::Wrapper(parameters)
        } else if self.credentials.is_some() && !near {
            // A password goes over the network only where nobody can read it.
            Tls::Required(parameters)
        } else {
            Tls::Opportunistic(parameters)
        };
        let mut builder = Transport::builder_dangerous(&self.host).port(self.port).tls(tls).timeout(Some(LIMIT));
        if let Some(credentials) = &self.credentials {
            builder = builder.credentials(credentials.clone());
        }
        Ok(builder.build())
    }
}
