//! Keeps a second process away from a file.
//!
//! Two sidecars on one file would each deliver every message, and each believe that it alone numbers them.
//! SQLite's own locks do not say so: they last no longer than a transaction.

use std::{
    fs::{File, TryLockError},
    path::Path,
};

use super::error::OpenError;

/// An advisory lock on `<file>.lock`, given back when dropped or when the process ends in any way.
#[derive(Debug)]
pub(crate) struct FileLock {
    _file: File,
}

impl FileLock {
    /// Takes the lock, or says who cannot have it.
    pub(crate) fn take(database: &Path) -> Result<Self, OpenError> {
        let mut path = database.as_os_str().to_owned();
        path.push(".lock");
        let file =
            File::options().create(true).truncate(false).write(true).open(&path).map_err(|source| {
                OpenError::new(database.display(), format!("its lock file cannot be made: {source}"))
            })?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => {
                Err(OpenError::new(database.display(), "another process is using it; stop that one first"))
            }
            Err(TryLockError::Error(source)) => {
                Err(OpenError::new(database.display(), format!("its lock cannot be taken: {source}")))
            }
        }
    }
}
