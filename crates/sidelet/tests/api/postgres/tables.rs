//! The tables, what is refused, and how connections are made.

use serde_json::json;

use crate::harness::{Api, Place, eventually, postgres};

async fn save(api: &Api, store: &str, key: &str) -> u16 {
    api.post(&format!("/v1.0/state/{store}"), json!([{"key": key, "value": 1}]).to_string()).await.status
}

#[tokio::test]
async fn the_tables_are_where_the_metadata_say_and_several_may_make_them_at_once() {
    let (server, url) = postgres::database().await;
    server.query(&url, "create schema app").await.unwrap();
    let names = [("tableName", "app.items"), ("metadataTableName", "app.notes"), ("keyPrefix", "none")];
    let place = Place::new(&postgres::store("statestore", &url, &names));
    let sidecars = futures::future::join_all((0..4).map(|_| place.start())).await;
    for (number, sidecar) in sidecars.iter().enumerate() {
        assert_eq!(save(&sidecar.api, "statestore", &format!("k{number}")).await, 204);
    }
    for sidecar in sidecars {
        sidecar.stop().await;
    }
    assert_eq!(server.query(&url, "select key from app.items order by key").await.unwrap(), "k0\nk1\nk2\nk3");
    assert_eq!(server.query(&url, "select count(*) from app.notes").await.unwrap(), "1");
    // And again on what is there.
    place.start().await.stop().await;
}

#[tokio::test]
async fn tables_of_a_newer_release_or_of_another_program_are_refused_by_name() {
    let (server, url) = postgres::database().await;
    let place = Place::new(&postgres::store("statestore", &url, &[]));
    place.start().await.stop().await;
    server.query(&url, "update dapr_metadata set value = '1000'").await.unwrap();
    let error = sidelet::start(place.config()).await.err().unwrap();
    assert!(error.to_string().contains("have version 1000"), "{error}");
    assert_eq!(error.exit_code(), 4);
    server.query(&url, "create table other (key text)").await.unwrap();
    let place = Place::new(&postgres::store("statestore", &url, &[("tableName", "other")]));
    let error = sidelet::start(place.config()).await.err().unwrap();
    assert!(error.to_string().contains("the table `\"other\"` is there and was not made by sidelet"), "{error}");
}

#[tokio::test]
async fn the_tables_can_be_made_before_a_sidecar_starts() {
    let (server, url) = postgres::database().await;
    let place = Place::new(&postgres::store("statestore", &url, &[]));
    let migrate = || {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sidelet"));
        let output = command.arg("migrate").arg("--resources-path").arg(place.path().join("resources")).output();
        output.unwrap()
    };
    for _ in 0..2 {
        let output = migrate();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && text.contains("`statestore`") && text.contains("up to date"), "{text}");
    }
    assert_eq!(server.query(&url, "select count(*) from state_outbox").await.unwrap(), "0");
    server.query(&url, "update dapr_metadata set value = '1000'").await.unwrap();
    let output = migrate();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(4) && text.contains("have version 1000"), "{text}");
}

#[tokio::test]
async fn metadata_that_cannot_be_served_are_refused_without_the_password() {
    let string = "postgres://u:secret@127.0.0.1/d";
    for (key, value, expected) in [
        ("tableName", "a-b", "`tableName` is `a-b`"),
        ("timeout", "soon", "`timeout` is `soon`"),
        ("maxConns", "0", "`maxConns` is `0`"),
        ("connectionMaxIdleTime", "0s", "`connectionMaxIdleTime` is `0s`"),
        ("cleanupInterval", "x", "`cleanupInterval` is `x`"),
        ("colour", "red", "`colour` is not known"),
    ] {
        let place = Place::new(&postgres::store("statestore", string, &[(key, value)]));
        let error = sidelet::start(place.config()).await.err().unwrap().to_string();
        assert!(error.contains(expected) && !error.contains("secret"), "{error}");
    }
    let place = Place::new(&postgres::store("statestore", &format!("{string}?sslmode=perhaps"), &[]));
    let error = sidelet::start(place.config()).await.err().unwrap().to_string();
    assert!(error.contains("`sslmode` `perhaps`") && !error.contains("secret"), "{error}");
}

#[tokio::test]
async fn a_connection_is_encrypted_and_verified_as_the_string_says() {
    let (server, url) = postgres::database().await;
    let roots = server.certificates().authority();
    let name = url.rsplit('/').next().unwrap();
    let url = server.url_with_password(name);
    for (mode, works) in [
        ("sslmode=disable".to_owned(), true),
        ("sslmode=require&channel_binding=require".to_owned(), true),
        (format!("sslmode=verify-ca&sslrootcert={}", roots.display()), true),
        (format!("sslmode=verify-full&sslrootcert={}", roots.display()), true),
        // The system does not know who signed it.
        ("sslmode=verify-full".to_owned(), false),
    ] {
        let place = Place::new(&postgres::store("statestore", &format!("{url}?{mode}"), &[("timeout", "2s")]));
        match sidelet::start(place.config()).await {
            Ok(running) => {
                let api = Api::new(format!("http://{}", running.local_addr()));
                let status = save(&api, "statestore", "k").await;
                assert_eq!(status, if works { 204 } else { 503 }, "{mode}");
                running.shutdown(crate::harness::DEADLINE).await.unwrap();
            }
            Err(error) => assert!(!works, "{mode}: {error}"),
        }
    }
}

#[tokio::test]
async fn what_has_expired_is_removed_by_writes() {
    let (server, url) = postgres::database().await;
    let place = Place::new(&postgres::store("statestore", &url, &[("cleanupInterval", "1ms")]));
    let sidecar = place.start().await;
    let item = json!([{"key": "gone", "value": 1, "metadata": {"ttlInSeconds": "1"}}]);
    assert_eq!(sidecar.api.post("/v1.0/state/statestore", item.to_string()).await.status, 204);
    let expires = sidecar.api.get("/v1.0/state/statestore/gone").await.header("metadata.ttlexpiretime");
    let expires: jiff::Timestamp = expires.parse().unwrap();
    assert!(expires.duration_since(jiff::Timestamp::now()).as_secs() <= 2);
    eventually("the expiry", async || {
        (sidecar.api.get("/v1.0/state/statestore/gone").await.status == 204).then_some(())
    })
    .await;
    eventually("the removal", async || {
        assert_eq!(save(&sidecar.api, "statestore", "other").await, 204);
        (server.query(&url, "select count(*) from state").await.unwrap() == "1").then_some(())
    })
    .await;
    sidecar.stop().await;
}

#[tokio::test]
async fn keys_with_letters_that_a_database_cannot_store_are_refused() {
    let (_, url) = postgres::database().await;
    let sidecar = Place::new(&postgres::store("statestore", &url, &[])).start().await;
    let answer = sidecar.api.post("/v1.0/state/statestore", r#"[{"key":"a\u0000b","value":1}]"#).await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "ERR_STATE_SAVE"), "{answer:?}");
    assert_eq!(save(&sidecar.api, "statestore", "ä'\"\\").await, 204);
    sidecar.stop().await;
}
