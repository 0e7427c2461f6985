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
    /// Signs access tokens: at least 32 characters. Secret, required.
    pub const SIGNING_KEY: &str = "signing_key";
}

/// What the operator chose.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The name of the state store component.
    pub state_store: String,
    /// Signs and checks access tokens.
    pub signing_key: SigningKey,
}
