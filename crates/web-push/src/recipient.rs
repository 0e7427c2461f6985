//! The encryption for one browser: RFC 8291 over the content coding `aes128gcm` of RFC 8188.

use std::fmt;

use aes_gcm::aead::Aead;
use aes_gcm::{Aes128Gcm, KeyInit, Nonce};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use p256::{PublicKey, SecretKey, ecdh};
use sha2::Sha256;

/// The most bytes of a message: push services take bodies of 4,096 bytes, of which the coding needs 103 (RFC 8291, 4).
pub const MAX_MESSAGE: usize = 3_993;

/// The size of the one record, which tells its reader that there is no other.
const RECORD_SIZE: u32 = 4_096;
const SALT_BYTES: usize = 16;
const AUTH_BYTES: usize = 16;
/// Marks the last record, after which there is only padding.
const LAST_RECORD: u8 = 2;

/// What a browser gave out for those who may send to it.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient {
    public: PublicKey,
    auth: [u8; AUTH_BYTES],
}

/// Keys that are no browser's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidRecipient {
    /// Which of the two: `p256dh` or `auth`.
    pub key: &'static str,
}

impl fmt::Display for InvalidRecipient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` is not a key of a push subscription", self.key)
    }
}

impl std::error::Error for InvalidRecipient {}

/// A message that no push service has to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong;

impl fmt::Display for TooLong {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the message has more than {MAX_MESSAGE} bytes")
    }
}

impl std::error::Error for TooLong {}

impl fmt::Debug for Recipient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Recipient(..)")
    }
}

impl Recipient {
    /// Reads the keys of a browser's subscription: a point of the curve P-256 and 16 bytes, both in base64url.
    ///
    /// # Errors
    /// Names the key that is none.
    pub fn parse(p256dh: &str, auth: &str) -> Result<Self, InvalidRecipient> {
        let public = decode(p256dh).and_then(|bytes| PublicKey::from_sec1_bytes(&bytes).ok());
        let auth = decode(auth).and_then(|bytes| bytes.try_into().ok());
        Ok(Self {
            public: public.ok_or(InvalidRecipient { key: "p256dh" })?,
            auth: auth.ok_or(InvalidRecipient { key: "auth" })?,
        })
    }

    /// The body that only this browser can read, with a key and a salt of its own: never twice the same.
    ///
    /// # Errors
    /// [`TooLong`] beyond [`MAX_MESSAGE`].
    pub fn encrypt(&self, message: &[u8]) -> Result<Vec<u8>, TooLong> {
        let mut salt = [0; SALT_BYTES];
        fill(&mut salt);
        self.encrypt_with(message, &ephemeral_key(), &salt)
    }

    fn encrypt_with(&self, message: &[u8], sender: &SecretKey, salt: &[u8; SALT_BYTES]) -> Result<Vec<u8>, TooLong> {
        if message.len() > MAX_MESSAGE {
            return Err(TooLong);
        }
        let sender_public = sender.public_key().to_encoded_point(false);
        let shared = ecdh::diffie_hellman(sender.to_nonzero_scalar(), self.public.as_affine());
        let key_info =
            [b"WebPush: info\0".as_slice(), self.public.to_encoded_point(false).as_bytes(), sender_public.as_bytes()]
                .concat();
        let input: [u8; 32] = derived(&self.auth, shared.raw_secret_bytes(), &key_info);
        let key: [u8; 16] = derived(salt, &input, b"Content-Encoding: aes128gcm\0");
        let nonce: [u8; 12] = derived(salt, &input, b"Content-Encoding: nonce\0");

        let cipher = Aes128Gcm::new(&key.into());
        let sealed = cipher.encrypt(Nonce::from_slice(&nonce), [message, &[LAST_RECORD]].concat().as_slice());
        let mut body = salt.to_vec();
        body.extend_from_slice(&RECORD_SIZE.to_be_bytes());
        // The key's id is the key itself.
        body.push(u8::try_from(sender_public.len()).expect("a point has 65 bytes"));
        body.extend_from_slice(sender_public.as_bytes());
        body.extend(sealed.expect("a message is far shorter than what the cipher takes"));
        Ok(body)
    }
}

/// HKDF (RFC 5869) with SHA-256.
fn derived<const N: usize>(salt: &[u8], input: &[u8], info: &[u8]) -> [u8; N] {
    let mut output = [0; N];
    Hkdf::<Sha256>::new(Some(salt), input).expand(info, &mut output).expect("32 bytes and less can be derived");
    output
}

/// A fresh key; next to every 32 bytes are one.
fn ephemeral_key() -> SecretKey {
    loop {
        let mut bytes = [0; 32];
        fill(&mut bytes);
        if let Ok(key) = SecretKey::from_slice(&bytes) {
            return key;
        }
    }
}

fn fill(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the host has randomness");
}

/// Base64url, with or without the padding that some browsers write.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

    /// RFC 8291, appendix A.
    #[test]
    fn the_example_of_the_standard_is_met_to_the_byte() {
        let sender = SecretKey::from_slice(&decode("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw").unwrap()).unwrap();
        let salt = decode("DGv6ra1nlYgDCS1FRnbzlw").unwrap().try_into().unwrap();
        let browser = Recipient::parse(PUBLIC, AUTH).unwrap();
        let body = browser.encrypt_with(b"When I grow up, I want to be a watermelon", &sender, &salt).unwrap();
        let expected = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
        assert_eq!(URL_SAFE_NO_PAD.encode(body), expected);
    }

    #[test]
    fn no_two_bodies_are_alike_and_the_longest_fits() {
        let browser = Recipient::parse(&format!("{PUBLIC}="), &format!("{AUTH}==")).unwrap();
        assert_ne!(browser.encrypt(b"same").unwrap(), browser.encrypt(b"same").unwrap());
        assert_eq!(browser.encrypt(&[b'x'; MAX_MESSAGE]).unwrap().len(), RECORD_SIZE as usize);
        assert_eq!(browser.encrypt(&[b'x'; MAX_MESSAGE + 1]), Err(TooLong));
    }

    #[test]
    fn keys_that_are_none_are_named() {
        let refused = |p256dh: &str, auth: &str| Recipient::parse(p256dh, auth).unwrap_err().key;
        // Of the right length, and not on the curve.
        let off_curve = URL_SAFE_NO_PAD.encode([&[4_u8], [7_u8; 64].as_slice()].concat());
        for key in ["", "x", "not base64!", AUTH, &off_curve] {
            assert_eq!(refused(key, AUTH), "p256dh", "{key}");
        }
        for key in ["", "x", PUBLIC] {
            assert_eq!(refused(PUBLIC, key), "auth", "{key}");
        }
    }
}
