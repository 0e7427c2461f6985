use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::support::Application;

fn compiled(cache: &Path) -> PathBuf {
    let mut files: Vec<PathBuf> = fs::read_dir(cache)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|name| name == "cwasm"))
        .collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}

async fn answers_with(cache: &Path) {
    let served = Application::with_guest("").configure(|config| config.cache_dir = cache.to_owned()).start().await;
    assert_eq!(served.get("/hello").await.text, "hello\n");
}

#[tokio::test]
async fn a_component_is_compiled_once() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("made");
    answers_with(&cache).await;
    assert_eq!(fs::metadata(&cache).unwrap().mode() & 0o777, 0o700);
    let first = fs::metadata(compiled(&cache)).unwrap();
    answers_with(&cache).await;
    let second = fs::metadata(compiled(&cache)).unwrap();
    assert_eq!(first.ino(), second.ino());
}

#[tokio::test]
async fn damaged_and_foreign_files_are_compiled_again() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    answers_with(&cache).await;
    let path = compiled(&cache);
    let good = fs::read(&path).unwrap();
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    for damaged in [Vec::new(), b"foreign".to_vec(), good[..good.len() / 2].to_vec(), flipped] {
        // Never in place: an earlier host may still have the file mapped.
        let replacement = folder.path().join("replacement");
        fs::write(&replacement, &damaged).unwrap();
        fs::rename(&replacement, &path).unwrap();
        answers_with(&cache).await;
        assert_eq!(fs::read(&path).unwrap().len(), good.len());
    }
    fs::remove_file(path.with_extension("sha256")).unwrap();
    answers_with(&cache).await;
    assert!(path.with_extension("sha256").exists());
}

#[tokio::test]
async fn a_folder_that_others_may_write_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("open");
    fs::create_dir(&cache).unwrap();
    fs::set_permissions(&cache, fs::Permissions::from_mode(0o777)).unwrap();
    let refused = Application::with_guest("").configure(|config| config.cache_dir = cache.clone()).refused().await;
    assert!(refused.contains("cache") && refused.contains("write"), "{refused}");
}
