//! Entity tags and other headers.

use fuzzing::{config, damaged};
use proptest::prelude::*;
use proptest::sample::select;
use todo_app::http::conditional::{client_has, expected_version, tag};
use todo_app::http::{Request, Response, body, request_id};

const TAGS: [&str; 14] = [
    "\"3\"",
    "W/\"3\"",
    "*",
    "\"03\"",
    "\"+3\"",
    "\"18446744073709551615\"",
    "\"18446744073709551616\"",
    "\"\"",
    "3",
    "\"3\", \"4\"",
    "\" 3\"",
    "\"3",
    "w/\"3\"",
    "\"-1\"",
];

fn with(name: &'static str, value: &[u8]) -> Option<Request> {
    http::Request::builder().header(name, value).body(Vec::new()).ok()
}

proptest! {
    #![proptest_config(config(4_000))]

    #[test]
    fn a_version_is_asked_for_by_its_own_tag_alone(version in any::<u64>(), text in damaged(select(&TAGS[..]).prop_map(str::to_owned), &TAGS)) {
        let mut response = Response::new(Vec::new());
        tag(&mut response, version);
        let given = response.headers()["etag"].as_bytes();
        prop_assert_eq!(expected_version(&with("if-match", given).unwrap()).unwrap(), Some(version));
        prop_assert!(client_has(&with("if-none-match", given).unwrap(), version));

        let Some(request) = with("if-match", text.as_bytes()) else { return Ok(()) };
        match expected_version(&request) {
            Ok(Some(version)) => prop_assert_eq!(format!("\"{version}\""), text.trim()),
            Ok(None) => prop_assert_eq!(text.trim(), "*"),
            Err(problem) => prop_assert!(problem.status() == 412 || problem.status() == 400),
        }
    }

    #[test]
    fn no_header_breaks_the_reading_of_a_request(value in proptest::collection::vec(any::<u8>(), 0..40)) {
        for name in ["content-type", "if-none-match", "x-request-id", "authorization"] {
            let Some(request) = with(name, &value) else { continue };
            let _ = (body::media_type(&request), client_has(&request, 3));
            let id = request_id(request.headers());
            prop_assert!((1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()));
        }
    }
}

/// A condition that cannot be read must not be taken for none: the write would overwrite what its author has not seen.
#[test]
fn a_condition_that_cannot_be_read_is_refused() {
    let refused = |request: &Request| expected_version(request).unwrap_err().status().as_u16();
    assert_eq!(refused(&with("if-match", b"\"\xff\"").unwrap()), 412);
    assert_eq!(refused(&with("if-match", b"").unwrap()), 412);
    let twice = http::Request::builder().header("if-match", "\"1\"").header("if-match", "\"2\"");
    assert_eq!(refused(&twice.body(Vec::new()).unwrap()), 400);
}
