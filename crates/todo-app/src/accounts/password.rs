//! Passwords: argon2id.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use todo_domain::FieldError;

/// Characters that a password has.
pub const PASSWORD_LENGTH: std::ops::RangeInclusive<usize> = 8..=200;

/// A hash of a password that nobody has, with the parameters of real ones, to spend their time on.
pub(super) const NOBODYS_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5cyBzYWx0ISE$QHBU0TPhUzzqRyzl2JMyMNhQzqRPfaFMxOCmQ2Gz1gk";

/// Refuses what is too short to be secret or too long to be hashed.
pub(super) fn check(password: &str, errors: &mut Vec<FieldError>) {
    if !PASSWORD_LENGTH.contains(&password.chars().count()) {
        errors.push(FieldError { field: "password".into(), message: "use 8 to 200 characters".into() });
    }
}

/// Hashes a password with argon2id and a salt of its own (19 MiB, 2 passes: OWASP's first choice).
pub(super) fn hash(password: &str) -> String {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).expect("the host has randomness");
    let hash: PasswordHash =
        Argon2::default().hash_password_with_salt(password.as_bytes(), &salt).expect("the salt has the right length");
    hash.to_string()
}

/// Whether a password is the one of a hash. A hash that cannot be read is of no password.
pub(super) fn verify(password: &str, hash: &str) -> bool {
    PasswordVerifier::<str>::verify_password(&Argon2::default(), password.as_bytes(), hash).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_knows_its_password_alone() {
        let stored = hash("correct horse");
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(verify("correct horse", &stored));
        assert!(!verify("correct horses", &stored));
        assert!(!verify("correct horse", "gibberish"));
    }

    #[test]
    fn nobodys_hash_can_be_read_so_that_it_costs_its_time() {
        assert!(PasswordHash::new(NOBODYS_HASH).is_ok());
        assert!(!verify("", NOBODYS_HASH));
    }
}
