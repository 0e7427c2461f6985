//! What is taken for the host of a request.

use fuzzing::{config, damaged};
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

const HOSTS: [&str; 14] = [
    "localhost",
    "localhost:3000",
    "127.0.0.1:3000",
    "[::1]:3000",
    "a@b",
    "a:b@c:1",
    "a:99999",
    "a:",
    "a/b",
    "a?b",
    "a#b",
    "a b",
    "a,b",
    "",
];

fn host_of(version: Version, target: &str, hosts: &[&str]) -> Option<String> {
    let mut request = Request::builder().version(version).uri(target);
    for host in hosts {
        request = request.header(HOST, *host);
    }
    let mut request = request.body(()).ok()?;
    let found = host(&mut request, ([127, 0, 0, 1], 3000).into())?;
    assert_eq!(request.headers().get_all(HOST).iter().collect::<Vec<_>>(), [found.as_str()]);
    Some(found)
}

#[test]
fn there_is_one_host_and_the_target_decides() {
    let found = |hosts: &[&str]| host_of(Version::HTTP_11, "/", hosts);
    assert_eq!(found(&["localhost:3000"]).as_deref(), Some("localhost:3000"));
    assert_eq!(found(&["[::1]"]).as_deref(), Some("[::1]"));
    assert_eq!(found(&[]), None);
    assert_eq!(found(&["a", "a"]), None);
    for refused in ["", "a@b", "a:99999", "a:x", "a/b", "a b", "http://a"] {
        assert_eq!(found(&[refused]), None, "{refused}");
    }
    assert_eq!(host_of(Version::HTTP_11, "http://target/", &["other"]).as_deref(), Some("target"));
    assert_eq!(host_of(Version::HTTP_11, "http://user@target/", &["other"]), None);
    assert_eq!(host_of(Version::HTTP_10, "/", &[]).as_deref(), Some("127.0.0.1:3000"));
}

proptest! {
    #![proptest_config(config(2_000))]

    #[test]
    fn a_host_that_is_taken_is_one_in_a_url(text in damaged(select(&HOSTS[..]).prop_map(str::to_owned), &HOSTS)) {
        if let Some(found) = host_of(Version::HTTP_11, "/", &[&text]) {
            let url: Uri = format!("http://{found}/path").parse().unwrap();
            prop_assert_eq!(url.authority().map(Authority::as_str), Some(found.as_str()));
            prop_assert_eq!(url.path(), "/path");
            prop_assert!(!found.contains('@'));
        }
    }
}
