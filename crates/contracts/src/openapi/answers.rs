//! Schemas of what is answered, from the types that are serialized.

use schemars::SchemaGenerator;
use todo_app::accounts::{ApiTokenBody, Profile};
use todo_app::activity::ActivityBody;
use todo_app::export::ExportBody;
use todo_app::http::problem::ProblemBody;
use todo_app::import::Report;
use todo_app::notifications::{
    inbox::Entry,
    push::{PushKeyBody, PushSubscriptionBody},
    webhooks::WebhookBody,
};
use todo_app::wire::{
    BulkBody, FeedBody, HealthBody, QuickTaskBody, SearchBody, SignedInBody, TagBody, TaskBody, WebhookTestBody,
};

/// Makes the generator define every answer.
pub(super) fn define(generator: &mut SchemaGenerator) {
    generator.subschema_for::<TaskBody<'_>>();
    generator.subschema_for::<ActivityBody<'_>>();
    generator.subschema_for::<QuickTaskBody<'_>>();
    generator.subschema_for::<BulkBody<'_>>();
    generator.subschema_for::<ExportBody<'_>>();
    generator.subschema_for::<ApiTokenBody>();
    generator.subschema_for::<FeedBody>();
    generator.subschema_for::<SearchBody<'_>>();
    generator.subschema_for::<TagBody>();
    generator.subschema_for::<HealthBody>();
    generator.subschema_for::<SignedInBody<'_>>();
    generator.subschema_for::<Profile>();
    generator.subschema_for::<Report>();
    generator.subschema_for::<Entry>();
    generator.subschema_for::<WebhookBody>();
    generator.subschema_for::<WebhookTestBody>();
    generator.subschema_for::<PushKeyBody>();
    generator.subschema_for::<PushSubscriptionBody>();
    generator.subschema_for::<ProblemBody<'_>>();
}
