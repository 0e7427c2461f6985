//! What the host keeps for one instance.

use std::sync::Arc;

use wasmtime::component::ResourceTable;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::memory::MemoryLimit;
use super::output::{Output, Stream};
use crate::component::Permissions;
use crate::outbound::Outbound;

/// Handles that a guest may hold at once; streams, headers and bodies count.
///
/// Each set of headers can hold [`FIELD_BYTES`] of the host's memory: together as much as a guest has of its own.
const MAX_HANDLES: usize = 2_000;
/// Bytes of one set of headers, as much as a request's head may have.
const FIELD_BYTES: usize = 64 << 10;

/// The data of one store.
pub(crate) struct GuestState {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    outbound: Outbound,
    permissions: Arc<Permissions>,
    pub(super) memory: MemoryLimit,
}

impl GuestState {
    /// Makes a fresh state; nothing of an earlier call is in it.
    pub(super) fn new(
        permissions: &Arc<Permissions>,
        outbound: Outbound,
        memory_bytes: usize,
    ) -> wasmtime::Result<Self> {
        let mut wasi = WasiCtx::builder();
        wasi.stdout(Output::new(Arc::clone(&permissions.id), Stream::Out))
            .stderr(Output::new(Arc::clone(&permissions.id), Stream::Error))
            .envs(&permissions.environment)
            // Files are local and mostly in memory: reading takes less than handing over to a thread.
            .allow_blocking_current_thread(true);
        for (folder, guest) in &permissions.mounts.folders {
            wasi.preopened_dir(folder, guest, FsPerms::ReadOnly)?;
        }
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_HANDLES);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(FIELD_BYTES);
        Ok(Self {
            wasi: wasi.build(),
            http,
            table,
            outbound,
            permissions: Arc::clone(permissions),
            memory: MemoryLimit::new(memory_bytes),
        })
    }

    pub(super) fn permissions(&self) -> &Permissions {
        &self.permissions
    }
}

impl WasiView for GuestState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for GuestState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.outbound }
    }
}
