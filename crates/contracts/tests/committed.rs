//! The committed folder is what its generator writes.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts")
}

/// The files below a folder, by their paths in `contracts/`.
fn below(part: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![part.to_owned()];
    while let Some(at) = folders.pop() {
        for entry in fs::read_dir(folder().join(&at)).expect("the folder is committed").flatten() {
            let path = format!("{at}/{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                folders.push(path);
            } else {
                found.insert(path);
            }
        }
    }
    found
}

#[test]
fn no_committed_file_is_stale() {
    for (path, text) in contracts::files() {
        let committed = fs::read_to_string(folder().join(&path)).unwrap_or_default();
        assert!(committed == text, "contracts/{path} is not what the code says: run `cargo xtask contracts`");
    }
}

#[test]
fn nothing_is_committed_that_is_not_written() {
    let written: BTreeSet<String> = contracts::files().into_keys().collect();
    for part in ["events".to_owned(), format!("samples/{}", contracts::RELEASE)] {
        for path in below(&part) {
            assert!(written.contains(&path), "contracts/{path} is left over: run `cargo xtask contracts`");
        }
    }
}

#[test]
fn every_operation_has_an_id_of_its_own() {
    let operations = contracts::openapi::operations();
    let ids: BTreeSet<&str> = operations.iter().map(|operation| operation.id.as_str()).collect();
    assert_eq!(ids.len(), operations.len());
}

#[test]
fn every_component_with_routes_is_in_the_document() {
    let described: BTreeSet<String> =
        contracts::openapi::operations().into_iter().map(|operation| operation.component.to_owned()).collect();
    let routes = Path::new(env!("CARGO_MANIFEST_DIR")).join("../todo-app/src/routes");
    for entry in fs::read_dir(routes).expect("the tables are there").flatten() {
        let component = entry.path().file_stem().unwrap_or_default().to_string_lossy().into_owned();
        assert!(
            described.contains(&component),
            "the routes of `{component}` are in no contract: name them in crates/contracts/src/openapi.rs"
        );
    }
}
