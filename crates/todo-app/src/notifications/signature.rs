//! The secret and the signature of a webhook, as Standard Webhooks 1.0 says (<https://www.standardwebhooks.com>).

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// What a receiver compares to see a repeat; the same on every try.
pub const ID_HEADER: &str = "webhook-id";
/// When this try was made, in seconds since 1970.
pub const TIMESTAMP_HEADER: &str = "webhook-timestamp";
/// The signature over id, time and body.
pub const SIGNATURE_HEADER: &str = "webhook-signature";

/// What every secret's text begins with.
const PREFIX: &str = "whsec_";
/// Bytes of a secret: those of the hash, within the standard's 24 to 64.
pub(crate) const SECRET_BYTES: usize = 32;

/// What the service and one receiver know: 32 bytes. Never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WebhookSecret(String);

impl std::fmt::Debug for WebhookSecret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("WebhookSecret(..)")
    }
}

impl WebhookSecret {
    /// The secret of these bytes.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(format!("{PREFIX}{}", STANDARD.encode(bytes)))
    }

    /// The text that its user keeps, such as `whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw`.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The value of [`SIGNATURE_HEADER`].
    pub fn sign(&self, id: &str, at: Timestamp, body: &[u8]) -> String {
        let encoded = self.0.strip_prefix(PREFIX).unwrap_or(&self.0);
        // A secret that someone damaged in the store signs what no receiver believes.
        let key = STANDARD.decode(encoded).unwrap_or_default();
        let mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key of any length is one");
        let mac = mac.chain_update(format!("{id}.{}.", at.as_second())).chain_update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the standard's own libraries.
    #[test]
    fn the_signature_is_the_one_that_other_libraries_make() {
        let secret = WebhookSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned());
        let at = Timestamp::from_second(1_614_265_330).unwrap();
        let signature = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(format!("{secret:?}"), "WebhookSecret(..)");
    }
}
