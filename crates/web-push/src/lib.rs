//! Web push messages (RFC 8030): encrypted for one browser (RFC 8291) and signed by their sender (RFC 8292).
//!
//! The push service between sender and browser learns neither what a message says nor anything that lets it send one
//! itself. This crate makes bodies and headers; it sends nothing, and knows no task and no clock.
//!
//! - [`Recipient`]: the keys of one browser, and the encryption for it;
//! - [`SenderKey`]: the key by which a push service knows the sender.
//!
//! ```
//! use web_push::{Recipient, SenderKey};
//!
//! let browser = Recipient::parse(
//!     "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
//!     "BTBZMqHH6r4Tts7J_aSIgg",
//! )?;
//! let body = browser.encrypt(b"Pay rent")?;
//! let key = SenderKey::parse("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")?;
//! let authorization = key.authorization("https://push.example.net", "mailto:ada@example.com", 1_772_355_600);
//! assert!(body.len() > 100 && authorization.starts_with("vapid t="));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod recipient;
mod sender;

pub use self::recipient::{InvalidRecipient, MAX_MESSAGE, Recipient, TooLong};
pub use self::sender::{InvalidSenderKey, SenderKey};
