//! A disk that takes no more, and one that is tidied.

use std::{os::unix::fs::PermissionsExt, process::Command};

use serde_json::json;

use crate::harness::{App, COMPONENTS, DEADLINE, Place, Process, eventually, subscription};

#[tokio::test]
async fn a_full_disk_refuses_writes_and_leaves_nothing_half_done() {
    let app = App::start().await;
    let place = Place::with_app(&app);
    // The shell sees to it that a write beyond 1 MB fails, as on a full disk.
    let process = Process::start_limited(&place, 2000);
    let value = "x".repeat(40_000);
    let body = |number: usize| {
        let operation =
            |key: String| format!(r#"{{"operation":"upsert","request":{{"key":"{key}","value":"{value}"}}}}"#);
        format!(r#"{{"operations":[{},{}]}}"#, operation(format!("a{number}")), operation(format!("b{number}")))
    };
    let mut written = 0;
    let refused = loop {
        let answer = process.api.post("/v1.0/state/statestore/transaction", body(written)).await;
        if answer.status != 204 {
            break answer;
        }
        written += 1;
        assert!(written < 100, "the disk was never full");
    };
    assert_eq!((refused.status, refused.code().as_str()), (500, "ERR_STATE_TRANSACTION"), "{refused:?}");
    assert!(!refused.body.contains("SQL"), "{refused:?}");
    assert_eq!(process.api.get("/v1.0/state/statestore/a0").await.status, 200, "what is there is still read");
    let bulk = json!([{"entryId": "1", "event": value.repeat(20), "contentType": "text/plain"}]).to_string();
    let refused = process.api.post("/v1.0/publish/bulk/pubsub/task-events", bulk).await;
    assert_eq!(refused.status, 500, "{refused:?}");
    assert_eq!(
        (&refused.json()["errorCode"], &refused.json()["failedEntries"][0]["entryId"]),
        (&json!("ERR_PUBSUB_PUBLISH_MESSAGE"), &json!("1"))
    );
    process.kill();
    let process = Process::start(&place);
    for number in 0..written {
        for key in ["a", "b"] {
            assert_eq!(process.api.get(&format!("/v1.0/state/statestore/{key}{number}")).await.status, 200);
        }
    }
    for key in ["a", "b"] {
        assert_eq!(process.api.get(&format!("/v1.0/state/statestore/{key}{written}")).await.status, 204);
    }
    assert_eq!(process.api.post("/v1.0/state/statestore/transaction", body(written)).await.status, 204);
    app.wait_for(written * 2 + 2).await;
    assert_eq!(process.terminate().await.code(), Some(0));
}

#[tokio::test]
async fn old_messages_are_removed_once_every_group_has_them() {
    let absent = App::absent(|_| axum::response::IntoResponse::into_response(()));
    let retention = "    - name: retention\n      value: 1s\n";
    let mut place = Place::new(&format!("{COMPONENTS}{retention}{}", subscription("held", "held", "/held", "")));
    place.serve(&absent);
    let sidecar = place.start().await;
    for topic in ["held", "free"] {
        for _ in 0..10 {
            assert_eq!(sidecar.api.post(&format!("/v1.0/publish/pubsub/{topic}"), "1").await.status, 204);
        }
    }
    let file = rusqlite::Connection::open_with_flags(place.database(), rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY);
    let file = file.unwrap();
    file.busy_timeout(DEADLINE).unwrap();
    let left = |topic: &str| -> i64 {
        let text = "SELECT count(*) FROM message JOIN topic
            ON (position >> 40) BETWEEN first_partition AND first_partition + partitions - 1 WHERE name = ?1";
        file.query_row(text, [topic], |row| row.get(0)).unwrap()
    };
    eventually("the removal of old messages", async || (left("free") == 0).then_some(())).await;
    assert_eq!(left("held"), 10);
    // Numbering goes on where it was.
    assert_eq!(sidecar.api.post("/v1.0/publish/pubsub/free?metadata.partitionKey=k", "1").await.status, 204);
    let offset: i64 = file
        .query_row("SELECT max(position & ((1 << 40) - 1)) FROM message WHERE key = 'k'", [], |row| row.get(0))
        .unwrap();
    assert!(offset >= 3, "{offset}");
    sidecar.stop().await;
}

#[tokio::test]
async fn a_disk_that_has_room_again_takes_writes_without_a_restart() {
    let place = Place::new(COMPONENTS);
    let process = Process::start_limited(&place, 2000);
    let value = "x".repeat(100_000);
    let save = async |number: usize| {
        let body = json!([{"key": format!("k{number}"), "value": value}]).to_string();
        process.api.post("/v1.0/state/plain", body).await.status
    };
    let mut written = 0;
    while save(written).await == 204 {
        written += 1;
        assert!(written < 100, "the disk was never full");
    }
    process.lift_limit();
    assert_eq!(save(written).await, 204);
    for number in 0..=written {
        assert_eq!(process.api.get(&format!("/v1.0/state/plain/k{number}")).await.status, 200, "{number}");
    }
    assert!(process.terminate().await.success());
}

#[test]
fn a_folder_that_cannot_be_written_is_refused_in_one_line() {
    let place = Place::new(COMPONENTS);
    let data = place.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o555)).unwrap();
    let plain = Process::command(&place);
    let mut command = Command::new("setpriv");
    // The superuser may write anywhere unless that is taken from it.
    if std::fs::write(data.join("probe"), "").is_ok() {
        std::fs::remove_file(data.join("probe")).unwrap();
        command.arg("--bounding-set=-dac_override");
    }
    let output = command.arg(plain.get_program()).args(plain.get_args()).env_clear().output().unwrap();
    let line = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(4), "{line}");
    assert!(line.contains("data/todo.db") && line.contains("Permission denied"), "{line}");
    assert_eq!(line.lines().count(), 1, "{line}");
}

#[tokio::test]
async fn a_file_of_which_much_was_removed_becomes_small_again() {
    let place = Place::new(&format!("{COMPONENTS}    - name: retention\n      value: 1s\n"));
    let sidecar = place.start().await;
    let length = || std::fs::metadata(place.database()).unwrap().len();
    let file = rusqlite::Connection::open_with_flags(place.database(), rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY);
    let file = file.unwrap();
    file.busy_timeout(DEADLINE).unwrap();
    let mut longest = 0;
    for round in 0..2 {
        for part in 0..20 {
            let filler = "x".repeat(100_000);
            let entries: Vec<_> = (0..20)
                .map(|number| json!({"entryId": number.to_string(), "event": filler, "contentType": "text/plain"}))
                .collect();
            let answer = sidecar.api.post("/v1.0/publish/bulk/pubsub/t", json!(entries).to_string()).await;
            assert_eq!(answer.status, 204, "{answer:?}");
            let item = json!([{"key": format!("{round} {part}"), "value": filler, "metadata": {"ttlInSeconds": "1"}}]);
            assert_eq!(sidecar.api.post("/v1.0/state/statestore", item.to_string()).await.status, 204);
        }
        longest = longest.max(length());
        eventually("the removal of all that is old", async || {
            let rows = |table: &str| -> i64 {
                file.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
            };
            (rows("message") == 0 && rows("item") == 0 && length() < 6 << 20).then_some(())
        })
        .await;
    }
    assert!(longest < 80 << 20, "{longest}");
    sidecar.stop().await;
}
