//! The key by which a push service knows the sender: voluntary application server identification, RFC 8292.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::{Signature, SigningKey, signature::Signer};

use crate::recipient::decode;

/// Seconds for which a signed statement holds: half of the day that the standard allows, for clocks that differ.
const VALID_SECONDS: i64 = 12 * 60 * 60;
/// `{"typ":"JWT","alg":"ES256"}`.
const HEADER: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9";

/// The sender's key. Its text is never printed.
#[derive(Clone)]
pub struct SenderKey(SigningKey);

/// A text that is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidSenderKey;

impl fmt::Display for InvalidSenderKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("expected the 32 bytes of a private key of the curve P-256, in base64url")
    }
}

impl std::error::Error for InvalidSenderKey {}

impl fmt::Debug for SenderKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SenderKey(..)")
    }
}

impl SenderKey {
    /// Reads a private key as VAPID's tools write it: 32 bytes in base64url.
    ///
    /// # Errors
    /// [`InvalidSenderKey`].
    pub fn parse(text: &str) -> Result<Self, InvalidSenderKey> {
        let bytes = decode(text.trim()).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()).ok_or(InvalidSenderKey)?;
        SigningKey::from_bytes(&bytes.into()).map(Self).map_err(|_| InvalidSenderKey)
    }

    /// What a page gives its browser as `applicationServerKey`: a point of the curve in base64url.
    pub fn public_key(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.verifying_key().to_encoded_point(false).as_bytes())
    }

    /// The header `Authorization` for a message to the push service at `audience`, its origin such as
    /// `https://push.example.net`. `contact` is where the service reaches the sender, a `mailto:` or `https:` URI, and is
    /// left out when it is empty; `now` is in seconds since 1970.
    pub fn authorization(&self, audience: &str, contact: &str, now: i64) -> String {
        let mut claims = serde_json::json!({ "aud": audience, "exp": now + VALID_SECONDS });
        if !contact.is_empty() {
            claims["sub"] = contact.into();
        }
        let signed = format!("{HEADER}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature: Signature = self.0.sign(signed.as_bytes());
        let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()));
        format!("vapid t={token}, k={}", self.public_key())
    }
}

#[cfg(test)]
mod tests {
    use p256::ecdsa::{VerifyingKey, signature::Verifier};

    use super::*;

    /// The example of RFC 8291, whose two parts belong together.
    const PRIVATE: &str = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw";
    const PUBLIC: &str = "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8";

    #[test]
    fn a_statement_names_its_audience_and_its_end_and_is_signed() {
        let header =
            SenderKey::parse(PRIVATE).unwrap().authorization("https://push.example.net", "mailto:a@b.c", 1_000);
        let (token, key) = header.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
        assert_eq!(key, PUBLIC);
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let key = VerifyingKey::from_sec1_bytes(&decode(key).unwrap()).unwrap();
        let signature = Signature::from_slice(&decode(signature).unwrap()).unwrap();
        key.verify(signed.as_bytes(), &signature).unwrap();
        let part = |index: usize| -> serde_json::Value {
            let text = decode(signed.split('.').nth(index).unwrap()).unwrap();
            serde_json::from_slice(&text).unwrap()
        };
        assert_eq!(part(0), serde_json::json!({ "typ": "JWT", "alg": "ES256" }));
        let claims = serde_json::json!({ "aud": "https://push.example.net", "exp": 44_200, "sub": "mailto:a@b.c" });
        assert_eq!(part(1), claims);
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let zeros = URL_SAFE_NO_PAD.encode([0; 32]);
        let ones = URL_SAFE_NO_PAD.encode([255; 32]);
        for text in ["", "x", PUBLIC, &PRIVATE[1..], &zeros, &ones] {
            assert!(SenderKey::parse(text).is_err(), "{text}");
        }
    }
}
