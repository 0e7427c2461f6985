//! Which paths and methods the service answers, by component: the one place, read by the components and by the contracts.
//!
//! An operation's name in snake case is the name of its handler, and the `operationId` of the OpenAPI document.

pub mod accounts;
pub mod activity;
pub mod exports;
pub mod notifications;
pub mod openapi;
pub mod tasks;
pub mod transfer;
pub mod updates;
