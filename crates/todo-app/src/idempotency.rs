//! Writes that happen once, however often they are sent.
//!
//! A client gives a write a number of its own, the header `Idempotency-Key`. The answer is stored under it in the same
//! transaction as the write's effect, so that there is never one without the other, and is given again to whoever sends
//! the same request with the same number within [`KEPT_SECONDS`].
//! A refused write has no effect, and is judged anew.

use ::http::{HeaderName, HeaderValue, StatusCode};
use dapr::{Operation, StateItem, Transport, metadata_key};
use serde::{Deserialize, Serialize};
use todo_domain::UserId;

use crate::{
    App,
    access::digest,
    failure::Failure,
    http::{
        Request, Response,
        problem::{Problem, kind},
    },
};

/// The header in which a client numbers a write.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Says that an answer is that of an earlier request.
pub const IDEMPOTENT_REPLAYED: &str = "idempotent-replayed";
/// Seconds for which an answer is kept: a day.
pub const KEPT_SECONDS: u32 = 24 * 60 * 60;
/// The most characters of a key.
pub const MAX_KEY: usize = 255;

/// A write's own number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// Where the answer is stored. The client's text is hashed, so that it chooses no key of the store.
    store_key: String,
    /// A hash of the request.
    fingerprint: String,
}

/// An answer, as it is stored.
#[derive(Debug, Serialize, Deserialize)]
pub struct Record {
    /// A hash of the request.
    pub fingerprint: String,
    /// The answer's status.
    pub status: u16,
    /// Its headers, those of the connection aside.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: String,
}

impl IdempotencyKey {
    /// The number of a user's request; `None` when it has none.
    ///
    /// # Errors
    /// 400 for an empty or overlong one, and for several.
    pub fn of(request: &Request, user: UserId) -> Result<Option<Self>, Problem> {
        let refuse = |message: &str| Problem::invalid_field("Idempotency-Key", message);
        let mut values = request.headers().get_all(IDEMPOTENCY_KEY).iter();
        let Some(value) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(refuse("is given more than once: give it once"));
        }
        let text = value.to_str().map_err(|_| refuse("use visible ASCII characters"))?.trim();
        if !(1..=MAX_KEY).contains(&text.len()) {
            return Err(refuse("use 1 to 255 characters, such as a UUID"));
        }
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let mut signed = format!("{}\n{target}\n", request.method()).into_bytes();
        signed.extend_from_slice(request.body());
        Ok(Some(Self { store_key: format!("idempotency/{user}/{}", digest(text)), fingerprint: digest(signed) }))
    }

    /// A text that is the same for the same number and the same request alone.
    pub(crate) fn purpose(&self) -> String {
        format!("{}/{}", self.store_key, self.fingerprint)
    }

    /// What stores an answer with the effect, unless there is one already.
    pub(crate) fn record(&self, response: &Response) -> Result<Operation, Failure> {
        let headers = response.headers().iter();
        let headers = headers.filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.into())));
        let record = Record {
            fingerprint: self.fingerprint.clone(),
            status: response.status().as_u16(),
            headers: headers.collect(),
            body: String::from_utf8_lossy(response.body()).into_owned(),
        };
        let item = StateItem::new(self.store_key.clone(), &record)
            .map_err(|source| Failure::Corrupt { subject: "an answer".to_owned(), source: source.into() })?
            .first_write()
            .with_metadata(metadata_key::TTL_IN_SECONDS, KEPT_SECONDS.to_string())
            .with_metadata(metadata_key::OUTBOX_SKIP, "true");
        Ok(Operation::upsert(item))
    }
}

impl<T: Transport> App<T> {
    /// The answer that a write's number was given before; `None` when it was not.
    ///
    /// # Errors
    /// 422 when it was given to another request.
    pub(crate) async fn earlier_answer(&self, key: &IdempotencyKey) -> Result<Option<Response>, Problem> {
        let Some((record, _)) = self.load_document::<Record>(&key.store_key).await? else { return Ok(None) };
        if record.fingerprint != key.fingerprint {
            return Err(Problem::new(422, kind::IDEMPOTENCY_KEY_USED)
                .detail("This Idempotency-Key came with another request before: use a fresh one for each request."));
        }
        let mut response = Response::new(record.body.into_bytes());
        *response.status_mut() = StatusCode::from_u16(record.status).unwrap_or(StatusCode::OK);
        for (name, value) in record.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                response.headers_mut().append(name, value);
            }
        }
        response.headers_mut().insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
        Ok(Some(response))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(key: &str, body: &str) -> Request {
        let builder = ::http::Request::builder().method("POST").uri("/api/tasks").header(IDEMPOTENCY_KEY, key);
        builder.body(body.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn a_key_belongs_to_its_user_and_a_fingerprint_to_its_request() {
        let (ada, bob) = (UserId::new(crate::fresh_id()), UserId::new(crate::fresh_id()));
        let of = |key: &str, body: &str, user| IdempotencyKey::of(&request(key, body), user).unwrap().unwrap();
        let first = of("1", "{}", ada);
        assert_eq!(first, of("1", "{}", ada));
        assert_ne!(first.store_key, of("1", "{}", bob).store_key);
        assert_ne!(first.store_key, of("2", "{}", ada).store_key);
        assert_eq!(first.store_key, of("1", "[]", ada).store_key);
        assert_ne!(first.fingerprint, of("1", "[]", ada).fingerprint);
    }

    #[test]
    fn a_key_that_is_none_is_refused() {
        let user = UserId::new(crate::fresh_id());
        for key in ["", " ", &"x".repeat(256)] {
            assert_eq!(IdempotencyKey::of(&request(key, ""), user).unwrap_err().status(), 400, "{key}");
        }
        let mut twice = request("1", "");
        twice.headers_mut().append(IDEMPOTENCY_KEY, HeaderValue::from_static("2"));
        assert_eq!(IdempotencyKey::of(&twice, user).unwrap_err().status(), 400);
        assert_eq!(IdempotencyKey::of(&Request::new(Vec::new()), user).unwrap(), None);
    }
}
