//! `sidelet topics apply`: makes the topics of Kafka be what their files say, without losing a message.
//!
//! The files are Strimzi's `KafkaTopic` resources, so that its operator and this command read the same ones.

mod definition;

use std::path::PathBuf;

use crate::{
    config::Config,
    error::StartError,
    kafka::{self, Settings as Kafka},
    resources::{Resources, Settings, files},
};

pub(crate) use definition::Definition;

/// What is shown when the arguments are wrong.
const USAGE: &str = "expected `sidelet topics apply <folder or file>... --brokers <host:port,...>`, or \
                     `--resources-path <folder or file>` in place of `--brokers`, for the connection of a component \
                     of type `pubsub.kafka` (with `--component <name>` where there are several)";

/// The command, read.
#[derive(Debug, Default)]
struct Arguments {
    topics: Vec<PathBuf>,
    brokers: Option<String>,
    resources: Vec<PathBuf>,
    component: Option<String>,
}

/// Makes and updates topics: what a file names that is not there is made, partitions are added and never removed, and
/// configuration that a file names is set. Everything else stays as it is. `tell` gets a line for each topic.
///
/// `arguments` are those behind `sidelet topics`.
///
/// # Errors
/// When the arguments or the files are wrong, Kafka cannot be reached, or it refuses a change. What was done before stays,
/// and the command may be repeated.
pub async fn topics(arguments: Vec<String>, tell: impl FnMut(&str)) -> Result<(), StartError> {
    let arguments = Arguments::read(arguments)?;
    let mut definitions: Vec<Definition> = Vec::new();
    for file in files(&arguments.topics)? {
        for definition in definition::read(&file)? {
            if definitions.iter().any(|other| other.name == definition.name) {
                let message = format!("the topic `{}` is there twice; expected one definition", definition.name);
                return Err(StartError::Resource { location: format!("`{}`", file.display()), message });
            }
            definitions.push(definition);
        }
    }
    if definitions.is_empty() {
        return refuse("the files define no topic; expected resources of kind `KafkaTopic`".into());
    }
    let settings = arguments.settings()?;
    kafka::apply(&settings, &definitions, tell).await.map_err(|message| StartError::Store { message })
}

fn refuse<T>(message: String) -> Result<T, StartError> {
    Err(StartError::Arguments { message })
}

impl Arguments {
    fn read(arguments: Vec<String>) -> Result<Self, StartError> {
        let mut rest = arguments.into_iter();
        if rest.next().as_deref() != Some("apply") {
            return refuse(USAGE.into());
        }
        let mut read = Self::default();
        while let Some(argument) = rest.next() {
            let (name, value) = match argument.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name.to_owned(), Some(value.to_owned())),
                _ => (argument, None),
            };
            if !name.starts_with("--") {
                read.topics.push(name.into());
                continue;
            }
            let Some(value) = value.or_else(|| rest.next()) else {
                return refuse(format!("`{name}` has no value; {USAGE}"));
            };
            match name.as_str() {
                "--brokers" => read.brokers = Some(value),
                "--resources-path" => read.resources.push(value.into()),
                "--component" => read.component = Some(value),
                _ => return refuse(format!("`{name}` is not known; {USAGE}")),
            }
        }
        if read.topics.is_empty() || read.brokers.is_none() == read.resources.is_empty() {
            return refuse(USAGE.into());
        }
        Ok(read)
    }

    fn settings(&self) -> Result<Kafka, StartError> {
        if let Some(brokers) = &self.brokers {
            return Ok(Kafka::plain(brokers));
        }
        let config = Config { resources: self.resources.clone(), ..Config::new("sidelet") };
        let components = Resources::read(&config)?.components.into_iter();
        let mut found: Vec<_> = components
            .filter_map(|component| match component.settings {
                Settings::Kafka(settings) => Some((component.name, settings)),
                _ => None,
            })
            .filter(|(name, _)| self.component.as_ref().is_none_or(|wanted| wanted == name))
            .collect();
        match (found.pop(), found.is_empty()) {
            (Some((_, settings)), true) => Ok(*settings),
            (Some(_), false) => {
                refuse("several components are of type `pubsub.kafka`; expected `--component <name>`".into())
            }
            (None, _) => {
                refuse("no such component of type `pubsub.kafka` is in the files of `--resources-path`".into())
            }
        }
    }
}
