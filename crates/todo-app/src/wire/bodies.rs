//! Bodies of answers that are no single task.

use jiff::Timestamp;
use serde::Serialize;
use todo_domain::query::TagCount;

use super::TaskBody;
use crate::accounts::{Profile, SignedIn};

/// One page of what a search found.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "SearchResult"))]
pub struct SearchBody<'a> {
    /// The tasks of this page.
    pub items: Vec<TaskBody<'a>>,
    /// How many tasks match, on all pages.
    pub total: u32,
    /// This page, counted from 1.
    pub page: usize,
    /// The most tasks of a page.
    pub limit: usize,
    /// How many pages there are.
    pub pages: usize,
}

/// A tag, and how many tasks have it.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Tag"))]
pub struct TagBody {
    /// The tag.
    pub tag: String,
    /// Tasks that are not completed.
    pub open: u32,
    /// All tasks outside the trash.
    pub total: u32,
}

impl From<TagCount> for TagBody {
    fn from(TagCount { tag, open, total }: TagCount) -> Self {
        Self { tag, open, total }
    }
}

/// The access token of a user who has just shown who they are. The refresh token is in its cookie.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "SignedIn"))]
pub struct SignedInBody<'a> {
    /// The access token, for `Authorization: Bearer`.
    pub token: &'a str,
    /// When it stops being accepted.
    pub expires_at: Timestamp,
    /// Who.
    pub user: &'a Profile,
}

impl<'a> From<&'a SignedIn> for SignedInBody<'a> {
    fn from(signed_in: &'a SignedIn) -> Self {
        let SignedIn { access, profile, .. } = signed_in;
        Self { token: &access.token, expires_at: access.expires_at, user: profile }
    }
}

/// Whether the service can serve.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Health"))]
pub struct HealthBody {
    /// Up when every dependency is.
    pub status: Availability,
    /// What the service needs.
    pub dependencies: Dependencies,
}

/// What the service needs.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Dependencies {
    /// The sidecar.
    pub sidecar: Availability,
    /// The store behind it.
    pub store: Availability,
}

/// Whether something answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Availability {
    /// It answers.
    Up,
    /// It does not.
    Down,
}

impl From<bool> for Availability {
    fn from(up: bool) -> Self {
        if up { Self::Up } else { Self::Down }
    }
}
