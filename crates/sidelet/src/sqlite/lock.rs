//! Keeps a second process away from a file.
//!
//! Two sidecars on one file would each deliver every message, and each believe that it alone numbers them.
//! SQLite's own locks do not say so: they last no longer than a transaction.

use std::{
    fs::{File, TryLockError},
    path::Path,
};

use crate::store::OpenError;

/// An advisory lock on `<file>.lock`, given back when dropped or when the process ends in any way.
#[derive(Debug)]
pub(crate) struct FileLock {
    _file: File,
}

impl FileLock {
    /// Takes the lock of a database, whose folder is made when it is absent. None: another process has it.
    pub(crate) fn try_take(database: &Path) -> Result<Option<Self>, OpenError> {
        let failed =
            |what: &str, source: std::io::Error| OpenError::new(database.display(), format!("{what}: {source}"));
        let folder = database.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(|source| failed("its folder cannot be made", source))?;
        let mut path = database.as_os_str().to_owned();
        path.push(".lock");
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|source| failed("its lock file cannot be made", source))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(failed("its lock cannot be taken", source)),
        }
    }
}
