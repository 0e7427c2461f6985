//! The servers start, break and come back.

use std::time::Duration;

use backends::{Kafka, KafkaOptions, Postgres, eventually};
use tokio::net::TcpStream;
use tokio::time::timeout;

#[tokio::test]
async fn postgres_keeps_what_was_committed_over_a_kill() {
    let mut postgres = Postgres::start().await.unwrap();
    let url = postgres.create_database().await.unwrap();
    postgres.query(&url, "create table t (a int); insert into t values (1), (2)").await.unwrap();
    postgres.kill();
    assert!(postgres.query(&url, "select 1").await.is_err());
    postgres.start_again().await.unwrap();
    assert_eq!(postgres.query(&url, "select sum(a) from t").await.unwrap(), "3");
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_paused_postgres_answers_nobody_until_it_goes_on() {
    let postgres = Postgres::start().await.unwrap();
    let url = postgres.url("postgres");
    postgres.pause().unwrap();
    assert!(timeout(Duration::from_millis(300), postgres.query(&url, "select 1")).await.is_err());
    postgres.resume().unwrap();
    assert_eq!(postgres.query(&url, "select 1").await.unwrap(), "1");
}

#[tokio::test]
async fn postgres_takes_a_password_over_verified_tls() {
    let postgres = Postgres::shared().await.unwrap();
    let authority = postgres.certificates().authority();
    let url = postgres.url_with_password("postgres");
    let url = format!("{url}?sslmode=verify-full&channel_binding=require&sslrootcert={}", authority.display());
    assert_eq!(postgres.query(&url, "select ssl from pg_stat_ssl where pid = pg_backend_pid()").await.unwrap(), "t");
    assert!(postgres.query(&url.replace("secret", "wrong"), "select 1").await.is_err());
}

#[tokio::test]
async fn kafka_serves_on_every_listener_and_comes_back() {
    let mut kafka = Kafka::start_with(KafkaOptions { secure: true, ..KafkaOptions::default() }).await.unwrap();
    for listener in [kafka.brokers(), kafka.sasl(), kafka.sasl_tls(), kafka.tls(), kafka.mtls()] {
        TcpStream::connect(listener).await.unwrap();
    }
    let brokers = kafka.brokers();
    kafka.kill();
    assert!(TcpStream::connect(&brokers).await.is_err());
    kafka.start_again().await.unwrap();
    assert_eq!(kafka.brokers(), brokers);
    eventually("it accepts", async || TcpStream::connect(&brokers).await.ok()).await.unwrap();
    kafka.stop().await.unwrap();
}
