//! Makes and updates topics.

use std::{collections::BTreeMap, time::Duration};

use rdkafka::{
    admin::{
        AdminClient, AdminOptions, AlterConfig, ConfigResource, ConfigSource, NewPartitions, NewTopic,
        ResourceSpecifier, TopicReplication,
    },
    config::FromClientConfigAndContext,
    error::KafkaError,
    types::RDKafkaErrorCode,
};

use super::{context::Client, settings::Settings};
use crate::topics::Definition;

/// How long a broker may take to be found, and for each change.
const LIMIT: Duration = Duration::from_secs(30);

/// How often it is looked whether a setting was taken, which brokers learn one after the other, and the wait between.
const LOOKS: u32 = 10;
const LOOK: Duration = Duration::from_millis(200);

type Admin = AdminClient<Client>;

/// Makes the topics be what they are defined to be, and tells what it did. An error is a sentence.
pub(crate) async fn apply(
    settings: &Settings,
    definitions: &[Definition],
    mut tell: impl FnMut(&str),
) -> Result<(), String> {
    let component = "sidelet-topics".to_owned();
    let config = settings.client(&component);
    let admin = Admin::from_config_and_context(&config, Client { component })
        .map_err(|error| format!("the connection to Kafka is wrong: {error}"))?;
    let existing = existing(&admin, settings).await?;
    for definition in definitions {
        let done = match existing.get(&definition.name) {
            None => make(&admin, definition).await?,
            Some(partitions) => update(&admin, definition, *partitions).await?,
        };
        tell(&format!("{}: {done}", definition.name));
    }
    Ok(())
}

/// Every topic and how many partitions it has.
async fn existing(admin: &Admin, settings: &Settings) -> Result<BTreeMap<String, usize>, String> {
    // The call waits in the client; nothing else is at work in this process.
    let metadata = tokio::task::block_in_place(|| admin.inner().fetch_metadata(None, LIMIT))
        .map_err(|error| format!("Kafka at `{}` could not be asked for its topics: {error}", settings.brokers))?;
    let count = |topic: &rdkafka::metadata::MetadataTopic| (topic.name().to_owned(), topic.partitions().len());
    Ok(metadata.topics().iter().map(count).collect())
}

fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(LIMIT)).operation_timeout(Some(LIMIT))
}

async fn make(admin: &Admin, definition: &Definition) -> Result<String, String> {
    let Definition { name, partitions, replicas, settings } = definition;
    let replication = TopicReplication::Fixed(replicas.map_or(-1, i32::from));
    let count = i32::try_from(*partitions).expect("a definition has few partitions");
    let mut topic = NewTopic::new(name, count, replication);
    for (key, value) in settings {
        topic = topic.set(key, value);
    }
    let failed = |reason: String| format!("the topic `{name}` could not be made: {reason}");
    let results = admin.create_topics([&topic], &options()).await.map_err(|error| failed(error.to_string()))?;
    for result in results {
        match result {
            Ok(_) => {}
            // Another run was a little faster, and what it did not do is done by the next.
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => return Ok("was made meanwhile".into()),
            Err((_, code)) => return Err(failed(code.to_string())),
        }
    }
    Ok(format!("made with {partitions} partitions"))
}

async fn update(admin: &Admin, definition: &Definition, partitions: usize) -> Result<String, String> {
    let mut done = Vec::new();
    if partitions < definition.partitions {
        add_partitions(admin, definition).await?;
        done.push(format!("partitions {partitions} -> {}", definition.partitions));
    } else if partitions > definition.partitions {
        done.push(format!("keeps its {partitions} partitions, since Kafka cannot remove any"));
    }
    done.extend(set(admin, definition).await?);
    if done.is_empty() { Ok("is as defined".into()) } else { Ok(done.join(", ")) }
}

async fn add_partitions(admin: &Admin, definition: &Definition) -> Result<(), String> {
    let name = &definition.name;
    let failed = |reason: String| format!("partitions could not be added to the topic `{name}`: {reason}");
    let more = NewPartitions::new(name, definition.partitions);
    let results = admin.create_partitions([&more], &options()).await.map_err(|error| failed(error.to_string()))?;
    results.into_iter().find_map(Result::err).map_or(Ok(()), |(_, code)| Err(failed(code.to_string())))
}

/// Sets what differs, and says what that was.
async fn set(admin: &Admin, definition: &Definition) -> Result<Vec<String>, String> {
    let name = &definition.name;
    let failed = |reason: String| format!("the topic `{name}` could not be configured: {reason}");
    let broken = |error: KafkaError| failed(error.to_string());
    let resource = ResourceSpecifier::Topic(name);
    let described = describe(admin, name).await.map_err(failed)?;
    let changes = differences(&described, definition);
    if changes.is_empty() {
        return Ok(changes);
    }
    // The call sets all of a topic's own configuration: what is there and not named here stays.
    let mut alter = AlterConfig::new(resource);
    for entry in described.entries.iter().filter(|entry| entry.source == ConfigSource::DynamicTopic) {
        if let (Some(value), false) = (&entry.value, definition.settings.contains_key(&entry.name)) {
            alter = alter.set(&entry.name, value);
        }
    }
    for (key, value) in &definition.settings {
        alter = alter.set(key, value);
    }
    admin.alter_configs([&alter], &options()).await.map_err(broken)?;
    // The client does not say that a value was refused.
    let mut left = Vec::new();
    for _ in 0..LOOKS {
        left = differences(&describe(admin, name).await.map_err(failed)?, definition);
        if left.is_empty() {
            return Ok(changes);
        }
        tokio::time::sleep(LOOK).await;
    }
    Err(failed(format!("Kafka did not take {}", left.join(", "))))
}

async fn describe(admin: &Admin, name: &str) -> Result<ConfigResource, String> {
    let described = admin.describe_configs([&ResourceSpecifier::Topic(name)], &options()).await;
    let described = described.map_err(|error| error.to_string())?.into_iter().next();
    described.ok_or("Kafka does not tell what it is")?.map_err(|code| code.to_string())
}

/// The settings that are not as defined.
fn differences(described: &ConfigResource, definition: &Definition) -> Vec<String> {
    let now = |key: &str| described.get(key).and_then(|entry| entry.value.as_deref());
    let differing = definition.settings.iter().filter(|(key, value)| now(key) != Some(value.as_str()));
    differing.map(|(key, value)| format!("{key} {} -> {value}", now(key).unwrap_or("(none)"))).collect()
}
