//! Access tokens and refresh tokens.

use fuzzing::{config, damaged};
use proptest::prelude::*;
use todo_app::access::{SigningKey, User, authenticate, issue};
use todo_app::accounts::RefreshToken;
use todo_domain::{TimeZoneName, UserId};
use uuid::Uuid;

use crate::now;

fn key() -> SigningKey {
    SigningKey::parse(&"k".repeat(32)).unwrap()
}

fn token() -> String {
    let user = User { id: UserId::new(Uuid::from_u128(7)), time_zone: TimeZoneName::parse("Asia/Tokyo").unwrap() };
    issue(&key(), &user, None, now()).token
}

proptest! {
    #![proptest_config(config(3_000))]

    #[test]
    fn only_the_token_that_was_given_signs_in(text in damaged(Just(token()), &[".", "=", "A", "_", "eyJhbGciOiJub25lIn0"])) {
        let request = http::Request::builder().header("authorization", format!("Bearer {text}")).body(Vec::new());
        let Ok(request) = request else { return Ok(()) };
        match authenticate(&key(), &request, now()) {
            Ok(user) => {
                prop_assert_eq!(text.trim(), token());
                prop_assert_eq!(user.id, UserId::new(Uuid::from_u128(7)));
            }
            Err(problem) => prop_assert_eq!(problem.status(), 401),
        }
    }

    #[test]
    fn a_refresh_token_reads_back(
        text in damaged(
            Just("0190163d-8694-739b-aea5-966c26f8ad91.0190163d-8694-739b-aea5-966c26f8ad92.c2VjcmV0".to_owned()),
            &[".", "urn:uuid:", "{", "}", "-"],
        ),
    ) {
        if let Some(token) = RefreshToken::parse(&text) {
            prop_assert_eq!(RefreshToken::parse(&token.text()), Some(token.clone()));
            prop_assert!(token.text().len() <= 36 + 1 + 36 + 1 + 64);
        }
    }
}
