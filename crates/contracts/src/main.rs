//! Writes the folder `contracts/` anew.

use std::path::Path;

use anyhow::Result;

fn main() -> Result<()> {
    contracts::write(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts"))
}
