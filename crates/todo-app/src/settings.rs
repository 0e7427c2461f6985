//! What the operator chooses, by the application's variables.

use crate::access::SigningKey;

/// Names of the application's variables, as `spin.toml` declares them.
pub mod variable {
    /// The sidecar's address, such as `http://127.0.0.1:3500`. Required.
    pub const DAPR_URL: &str = "dapr_url";
    /// The token that the sidecar asks for. Empty: none.
    pub const DAPR_API_TOKEN: &str = "dapr_api_token";
    /// The token that the sidecar sends with events. Empty: event routes are open.
    pub const APP_API_TOKEN: &str = "app_api_token";
    /// The name of the state store component.
    pub const STATE_STORE: &str = "state_store";
    /// The name of the pub/sub component. Empty or not declared: `pubsub`.
    pub const PUBSUB: &str = "pubsub";
    /// How events come to the broker: `outbox`, in the transaction that stores the list, by sidelet; `publish`, after it,
    /// by any sidecar. Empty or not declared: `outbox`.
    pub const EVENTS: &str = "events";
    /// What tells open pages their updates: `stream`, the sidecar's stream of the topic, at once, by sidelet; `poll`, a look
    /// at the store every other second for each page, with any sidecar. Empty or not declared: `stream`.
    pub const UPDATES_FROM: &str = "updates_from";
    /// The app whose jobs this component makes, where one sidecar serves many. Empty: the sidecar's own.
    pub const APP_ID: &str = "app_id";
    /// Signs access tokens: at least 32 characters. Secret, required.
    pub const SIGNING_KEY: &str = "signing_key";
    /// The writes that one user has each minute, a whole number. Empty or 0: no bound.
    pub const WRITES_PER_MINUTE: &str = "writes_per_minute";
    /// The accounts that one client address may make each hour, a whole number. Empty or 0: no bound.
    pub const SIGN_UPS_PER_HOUR: &str = "sign_ups_per_hour";
    /// The proxies before the service, each of which adds an address to `X-Forwarded-For`. Empty or 0: none, and the
    /// header is not believed.
    pub const PROXIES: &str = "proxies";
    /// `allow`: webhooks and push messages may go to `http` addresses and to private hosts, as for tests and closed
    /// networks. Empty: to public hosts over `https` alone.
    pub const WEBHOOK_PRIVATE_TARGETS: &str = "webhook_private_targets";
    /// The name of the output binding that sends mail, of the type `bindings.smtp`. Empty: no mail is sent.
    pub const EMAIL_BINDING: &str = "email_binding";
    /// The key by which push services know this service: a private key of the curve P-256, 32 bytes in base64url. Secret.
    /// Empty: nothing is pushed.
    pub const VAPID_PRIVATE_KEY: &str = "vapid_private_key";
    /// Where push services reach the operator: `mailto:` and an address, or `https:`. Empty: they are not told, which
    /// Apple's does not take.
    pub const VAPID_SUBJECT: &str = "vapid_subject";
    /// The origins whose pages may call the API, with commas between: `https://todo.example.com`, or `*` for any
    /// (then without cookies). Empty: none but its own.
    pub const CORS_ORIGINS: &str = "cors_origins";
}

/// How events come to the broker.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Events {
    /// In the transaction that stores the list, by the sidecar's outbox: sidelet.
    #[default]
    Outbox,
    /// After the transaction, which holds them until then: any sidecar, daprd too.
    Publish,
}

impl Events {
    /// Reads the variable; `None` for a text that is neither way.
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim() {
            "" | "outbox" => Some(Self::Outbox),
            "publish" => Some(Self::Publish),
            _ => None,
        }
    }
}

/// What the operator chose.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The name of the state store component.
    pub state_store: String,
    /// The name of the pub/sub component.
    pub pubsub: String,
    /// How events come to the broker.
    pub events: Events,
    /// Signs and checks access tokens.
    pub signing_key: SigningKey,
    /// The writes that one user has each minute; 0: no bound.
    pub writes_per_minute: u32,
    /// The accounts that one client address may make each hour; 0: no bound.
    pub sign_ups_per_hour: u32,
    /// The proxies before the service that add to `X-Forwarded-For`.
    pub proxies: u32,
}
