//! JSON Schemas of the code's own types.

use schemars::generate::{SchemaGenerator, SchemaSettings};

/// Makes schemas of what is written, whose definitions stand at `path` of the document.
pub(crate) fn generator(path: &'static str) -> SchemaGenerator {
    SchemaSettings::draft2020_12()
        .for_serialize()
        .with(|settings| {
            settings.definitions_path = path.into();
            settings.meta_schema = None;
        })
        .into_generator()
}
