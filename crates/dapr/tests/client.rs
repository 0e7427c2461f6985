//! The client against answers as daprd gives them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::cell::RefCell;

use dapr::{Client, Error, StateItem, Transaction, Transport};
use futures::executor::block_on;
use http::{Request, Response, StatusCode};

/// Gives one answer to every request, and keeps the last.
struct Canned {
    answer: Result<(u16, &'static str), ()>,
    etag: &'static str,
    seen: RefCell<Option<Request<Vec<u8>>>>,
}

#[derive(Debug, thiserror::Error)]
#[error("connection refused")]
struct ConnectionRefused;

impl Transport for &Canned {
    type Error = ConnectionRefused;

    async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, ConnectionRefused> {
        self.seen.replace(Some(request));
        let (status, body) = self.answer.map_err(|()| ConnectionRefused)?;
        let mut answer = Response::new(body.as_bytes().to_vec());
        *answer.status_mut() = StatusCode::from_u16(status).unwrap();
        if !self.etag.is_empty() {
            answer.headers_mut().insert("etag", self.etag.parse().unwrap());
        }
        Ok(answer)
    }
}

fn canned(status: u16, body: &'static str) -> Canned {
    Canned { answer: Ok((status, body)), etag: "", seen: RefCell::new(None) }
}

#[test]
fn a_value_comes_with_its_entity_tag() {
    let canned = Canned { etag: "41", ..canned(200, "{\"a\":1}") };
    let found = block_on(Client::new(&canned, "http://s:1/").with_token("t").get("store", "a/b")).unwrap().unwrap();
    assert_eq!((found.value.as_slice(), found.etag.as_str()), (b"{\"a\":1}".as_slice(), "41"));
    let seen = canned.seen.borrow();
    let request = seen.as_ref().unwrap();
    assert_eq!(request.uri(), "http://s:1/v1.0/state/store/a%2Fb");
    assert_eq!(request.headers()["dapr-api-token"], "t");
}

#[test]
fn an_absent_key_is_none() {
    assert_eq!(block_on(Client::new(&canned(204, ""), "http://s").get("store", "k")).unwrap(), None);
}

#[test]
fn a_lost_transaction_is_a_conflict_whatever_status_the_sidecar_chose() {
    let stale = r#"{"errorCode":"ERR_STATE_TRANSACTION","message":"error while executing state transaction: possible etag mismatch. error from state store"}"#;
    let not_first = r#"{"errorCode":"ERR_STATE_TRANSACTION","message":"error while executing state transaction: no item was updated"}"#;
    for (status, body) in [(409, stale), (500, stale), (500, not_first)] {
        let canned = canned(status, body);
        let error = block_on(Client::new(&canned, "http://s").transact("store", &Transaction::default())).unwrap_err();
        assert!(error.is_conflict(), "{status}: {error:?}");
    }
}

#[test]
fn a_fault_is_retryable_and_a_refusal_is_not() {
    let item = StateItem::key("k");
    let cases = [(500, true), (503, true), (429, true), (400, false), (401, false), (404, false)];
    for (status, retryable) in cases {
        let canned = canned(status, r#"{"errorCode":"ERR_X","message":"m"}"#);
        let error = block_on(Client::new(&canned, "http://s").save("store", &item)).unwrap_err();
        assert_eq!(error.is_retryable(), retryable, "{status}: {error:?}");
    }
    let away = Canned { answer: Err(()), ..canned(0, "") };
    assert!(block_on(Client::new(&away, "http://s").save("store", &item)).unwrap_err().is_retryable());
}

#[test]
fn a_bulk_read_with_one_failed_key_fails() {
    let canned = canned(200, r#"[{"key":"a","data":1,"etag":"1"},{"key":"b","error":"disk"}]"#);
    let answer = block_on(Client::new(&canned, "http://s").bulk_get("store", vec!["a".into(), "b".into()]));
    assert!(matches!(answer, Err(Error::Unavailable { .. })));
}

#[test]
fn publish_metadata_travels_in_the_query() {
    let canned = canned(204, "");
    let metadata = [("partitionKey".to_owned(), "a&b".to_owned())].into();
    block_on(Client::new(&canned, "http://s").publish("p", "t", b"{}".to_vec(), &metadata)).unwrap();
    assert_eq!(canned.seen.borrow().as_ref().unwrap().uri(), "http://s/v1.0/publish/p/t?metadata.partitionKey=a%26b");
}
