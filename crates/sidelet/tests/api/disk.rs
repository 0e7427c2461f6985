//! A disk that takes no more, and one that is tidied.

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
