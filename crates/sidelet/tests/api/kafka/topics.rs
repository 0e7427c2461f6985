//! `sidelet topics apply`.

use std::{collections::BTreeMap, path::Path, process::Command};

use backends::{Kafka, KafkaOptions};

use super::component;
use crate::harness::Place;

/// Runs the command: its exit code, and all that it said.
fn apply(folder: &Path, brokers: &str) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sidelet"));
    let output = command.args(["topics", "apply"]).arg(folder).args(["--brokers", brokers]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap() + std::str::from_utf8(&output.stderr).unwrap();
    (output.status.code().unwrap(), said)
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_become_what_their_files_say_and_lose_nothing() {
    let options = KafkaOptions { auto_create: false, ..KafkaOptions::default() };
    let kafka = Kafka::start_with(options).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let write = |partitions: usize, settings: &str| {
        let text = format!(
            "apiVersion: kafka.strimzi.io/v1\nkind: KafkaTopic\nmetadata: {{name: t}}\n\
             spec: {{partitions: {partitions}, replicas: 1, config: {{{settings}}}}}\n"
        );
        std::fs::write(folder.path().join("t.yaml"), text).unwrap();
    };
    let run = || apply(folder.path(), &kafka.brokers());
    write(2, "retention.ms: 3600000, segment.ms: 60000");
    assert_eq!(run(), (0, "t: made with 2 partitions\n".into()));
    assert_eq!(run(), (0, "t: is as defined\n".into()));
    write(4, "retention.ms: 7200000");
    assert_eq!(run(), (0, "t: partitions 2 -> 4, retention.ms 3600000 -> 7200000\n".into()));
    write(3, "segment.ms: 60000");
    assert_eq!(run(), (0, "t: keeps its 4 partitions, since Kafka cannot remove any\n".into()), "segment.ms stayed");
    write(4, "retention.ms: soon");
    let (code, said) = run();
    assert!(
        code == 4 && said.contains("the topic `t` could not be configured: Kafka did not take retention.ms"),
        "{code} {said}"
    );
    std::fs::write(folder.path().join("u.yaml"), "kind: KafkaTopic").unwrap();
    let (code, said) = run();
    assert!(code == 3 && said.contains("u.yaml") && said.contains("expected a `KafkaTopic`"), "{code} {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_not_there_holds_up_no_other() {
    let options = KafkaOptions { auto_create: false, ..KafkaOptions::default() };
    let kafka = Kafka::start_with(options).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let text = "apiVersion: kafka.strimzi.io/v1\nkind: KafkaTopic\nmetadata: {name: there}\nspec: {partitions: 1, replicas: 1}\n";
    std::fs::write(folder.path().join("there.yaml"), text).unwrap();
    assert_eq!(apply(folder.path(), &kafka.brokers()).0, 0);
    let sidecar = Place::new(&component(&kafka.brokers(), &[])).start().await;
    let publish = async |topic: &str| sidecar.api.post(&format!("/v1.0/publish/pubsub/{topic}"), "1").await;
    let (absent, there) = tokio::join!(publish("absent"), publish("there"));
    assert_eq!((absent.status, there.status), (500, 204), "{absent:?} {there:?}");
    assert!(absent.body.contains("topic"), "{absent:?}");
    assert_eq!(publish("there").await.status, 204);
    sidecar.stop().await;
}

#[tokio::test]
async fn the_topics_of_the_project_are_made() {
    let kafka = Kafka::shared().await.unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../kafka/topics");
    let (code, said) = apply(&folder, &kafka.brokers());
    assert_eq!(code, 0, "{said}");
    let lines: BTreeMap<&str, &str> = said.lines().filter_map(|line| line.split_once(": ")).collect();
    assert_eq!(lines.len(), 8, "{said}");
    assert!(lines.contains_key("task-events") && lines.contains_key("deliveries-dlq"), "{said}");
}

#[test]
fn without_a_broker_and_without_arguments_the_command_says_what_is_missing() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../kafka/topics");
    let mut command = Command::new(env!("CARGO_BIN_EXE_sidelet"));
    let output = command.args(["topics", "apply"]).arg(folder).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("--brokers"));
}
