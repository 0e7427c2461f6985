//! Passwords and TLS.

use backends::{Certificates, Kafka, KafkaOptions};
use tokio::sync::OnceCell;

use super::{component, subscribed};
use crate::harness::{App, Place};

async fn secure() -> &'static Kafka {
    static SECURE: OnceCell<Kafka> = OnceCell::const_new();
    let options = KafkaOptions { secure: true, ..KafkaOptions::default() };
    SECURE.get_or_init(async || Kafka::start_with(options).await.unwrap()).await
}

fn text(path: impl AsRef<std::path::Path>) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// Whether a message goes out and comes back; else the status of the answer.
async fn goes(brokers: &str, metadata: &[(&str, &str)], topic: &str) -> Result<(), u16> {
    let app = App::start().await;
    let mut place = Place::new(&format!("{}{}", component(brokers, metadata), subscribed(topic, "")));
    place.serve(&app);
    let sidecar = place.start().await;
    let path = format!("/v1.0/publish/pubsub/{topic}?metadata.partitionKey=a");
    let answer = sidecar.api.post(&path, r#"{"key":"a","number":1}"#).await;
    if answer.status == 204 {
        app.wait_for(1).await;
    }
    sidecar.stop().await;
    if answer.status == 204 { Ok(()) } else { Err(answer.status) }
}

#[tokio::test]
async fn a_password_is_shown_in_each_of_daprs_ways_with_and_without_tls() {
    let kafka = secure().await;
    let authority = text(kafka.certificates().authority());
    let user = [("authType", "password"), ("saslUsername", "todo"), ("saslPassword", "secret")];
    for (number, mechanism) in ["PLAIN", "SHA-256", "SCRAM-SHA-512"].into_iter().enumerate() {
        let mechanism = ("saslMechanism", mechanism);
        let plain = [user.as_slice(), &[mechanism, ("disableTls", "true")]].concat();
        assert_eq!(goes(&kafka.sasl(), &plain, &format!("sasl-{number}")).await, Ok(()), "{mechanism:?}");
        let tls = [user.as_slice(), &[mechanism, ("caCert", &authority)]].concat();
        assert_eq!(goes(&kafka.sasl_tls(), &tls, &format!("sasl-tls-{number}")).await, Ok(()), "{mechanism:?}");
    }
}

#[tokio::test]
async fn a_broker_is_verified_unless_the_file_says_otherwise_and_may_ask_for_a_certificate() {
    let kafka = secure().await;
    let certificates: &Certificates = kafka.certificates();
    let authority = text(certificates.authority());
    let (certificate, key) = (text(certificates.client()), text(certificates.client_key()));
    assert_eq!(goes(&kafka.tls(), &[("caCert", &authority)], "tls").await, Ok(()));
    let mtls = [("authType", "mtls"), ("caCert", &authority), ("clientCert", &certificate), ("clientKey", &key)];
    assert_eq!(goes(&kafka.mtls(), &mtls, "mtls").await, Ok(()));
    let unverified = [("authType", "mtls"), ("skipVerify", "true"), ("clientCert", &certificate), ("clientKey", &key)];
    assert_eq!(goes(&kafka.mtls(), &unverified, "mtls-unverified").await, Ok(()));
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_authority_reach_nobody() {
    let kafka = secure().await;
    let wrong = [
        ("authType", "password"),
        ("saslUsername", "todo"),
        ("saslPassword", "wrong"),
        ("disableTls", "true"),
        ("saslMechanism", "SHA-256"),
    ];
    let mut place = Place::new(&component(&kafka.sasl(), &wrong));
    let sidecar = place.start().await;
    let answer = sidecar.api.post("/v1.0/publish/pubsub/wrong", "1").await;
    assert_eq!((answer.status, answer.header("retry-after").is_empty()), (503, false), "{answer:?}");
    sidecar.stop().await;
    // The machine's authorities know nothing of the broker's.
    let client = (text(kafka.certificates().client()), text(kafka.certificates().client_key()));
    let unknown = [("authType", "mtls"), ("clientCert", client.0.as_str()), ("clientKey", &client.1)];
    place = Place::new(&component(&kafka.mtls(), &unknown));
    let sidecar = place.start().await;
    assert_eq!(sidecar.api.post("/v1.0/publish/pubsub/unknown", "1").await.status, 503);
    sidecar.stop().await;
}
