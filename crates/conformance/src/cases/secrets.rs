//! Secrets.

use serde_json::json;

use crate::case::Case;

pub(super) fn cases() -> Vec<Case> {
    let case = Case::new;
    vec![
        case("secrets/file", "A secret of a file")
            .get("/v1.0/secrets/secrets/plain")
            .is(200)
            .json(json!({ "plain": "a secret" }))
            .has("content-type", "application/json"),
        case("secrets/nested", "A nested one has its path as its name")
            .get("/v1.0/secrets/secrets/outer:inner")
            .is(200)
            .json(json!({ "outer:inner": "another" })),
        case("secrets/absent", "One that is not there is an error")
            .get("/v1.0/secrets/secrets/absent")
            .refused(500, "ERR_SECRET_GET"),
        case("secrets/bulk", "All at once")
            .get("/v1.0/secrets/secrets/bulk")
            .is(200)
            .json(json!({ "plain": { "plain": "a secret" }, "outer:inner": { "outer:inner": "another" } })),
        case("secrets/environment", "A variable, by its name without the prefix")
            .get("/v1.0/secrets/variables/VARIABLE")
            .is(200)
            .json(json!({ "VARIABLE": "from the environment" })),
        case("secrets/environment-absent", "A variable that is not there is empty")
            .get("/v1.0/secrets/variables/ABSENT")
            .is(200)
            .json(json!({ "ABSENT": "" })),
        case("secrets/unknown-store", "A store that is not there is refused")
            .get("/v1.0/secrets/absent/k")
            .refused(401, "ERR_SECRET_STORE_NOT_FOUND"),
    ]
}
