//! Answers about tasks, with their headers.

use ::http::{HeaderName, HeaderValue, StatusCode, header};
use jiff::Timestamp;
use serde::Serialize;
use todo_domain::{Task, query::ListPage};

use super::TaskBody;
use crate::{
    activity::ActivityPage,
    http::{Request, Response, conditional, json},
    notifications::inbox::InboxPage,
};

/// How many tasks match in all, on every page.
const TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");
/// How many entries of an inbox were not read.
const UNREAD_COUNT: HeaderName = HeaderName::from_static("x-unread-count");

/// 200 with a task and its entity tag.
pub fn task_answer(task: &Task, now: Timestamp) -> Response {
    let mut response = json(StatusCode::OK, &TaskBody::new(task, now));
    conditional::tag(&mut response, task.version);
    response
}

/// 201 with a body about a new task, its entity tag and where it is.
pub fn created_answer(task: &Task, body: &impl Serialize) -> Response {
    let mut response = json(StatusCode::CREATED, body);
    conditional::tag(&mut response, task.version);
    let location = format!("/api/tasks/{}", task.id);
    response.headers_mut().insert(header::LOCATION, ascii(&location));
    response
}

/// 200 with a page of tasks, how many there are in all, and where the next page is.
pub fn page_answer(request: &Request, page: &ListPage, now: Timestamp) -> Response {
    let mut response = json(StatusCode::OK, &TaskBody::all(&page.items, now));
    response.headers_mut().insert(TOTAL_COUNT, page.total.into());
    if let Some(cursor) = &page.next {
        link_next(&mut response, request, &cursor.to_string());
    }
    response
}

/// 200 with a page of activity, and where the next page is.
pub fn activity_answer(request: &Request, page: &ActivityPage) -> Response {
    let mut response = json(StatusCode::OK, &page.rows);
    if let Some(before) = page.next {
        link_next(&mut response, request, &before.to_string());
    }
    response
}

/// 200 with a page of an inbox, how many entries there are and how many were not read, and where the next page is.
pub fn inbox_answer(request: &Request, page: &InboxPage) -> Response {
    let mut response = json(StatusCode::OK, &page.entries);
    response.headers_mut().insert(TOTAL_COUNT, page.total.into());
    response.headers_mut().insert(UNREAD_COUNT, page.unread.into());
    if let Some(after) = page.next {
        link_next(&mut response, request, &after.to_string());
    }
    response
}

fn link_next(response: &mut Response, request: &Request, cursor: &str) {
    let link = format!("<{}>; rel=\"next\"", next_page(request, cursor));
    response.headers_mut().insert(header::LINK, ascii(&link));
}

/// The same query with another cursor, as a path.
fn next_page(request: &Request, cursor: &str) -> String {
    let query = request.uri().query().unwrap_or_default();
    let kept = query.split('&').filter(|pair| !pair.is_empty() && !pair.to_ascii_lowercase().starts_with("cursor="));
    let next = format!("cursor={cursor}");
    let query: Vec<&str> = kept.chain([next.as_str()]).collect();
    let target = format!("{}?{}", request.uri().path(), query.join("&"));
    // A client may send what is no ASCII as it is; a header may not.
    percent_encoding::utf8_percent_encode(&target, percent_encoding::CONTROLS).to_string()
}

fn ascii(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("ids, cursors and a request's own target are visible ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_has_the_same_query_as_a_header_may_carry_it() {
        let request =
            ::http::Request::builder().uri("/api/tasks?tag=\u{fc}&cursor=old&limit=1").body(Vec::new()).unwrap();
        assert_eq!(ascii(&next_page(&request, "new")), "/api/tasks?tag=%C3%BC&limit=1&cursor=new");
    }
}
