//! A component that is compiled, checked and ready to be instantiated.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use wasmtime::Engine;
use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime_wasi_http::p2::bindings::ProxyPre;

use crate::allowed_hosts::AllowedHost;
use crate::cache::Cache;
use crate::error::StartError;
use crate::files::Mounts;
use crate::guest::{GuestState, variables};

/// Packages of WASI 0.2 that are provided, and Spin's interfaces.
const SUPPORTED: [&str; 8] = [
    "wasi:cli",
    "wasi:clocks",
    "wasi:filesystem",
    "wasi:http",
    "wasi:io",
    "wasi:random",
    "wasi:sockets",
    "fermyon:spin/variables@2.0.0",
];

/// What a component may see and reach, once every variable is known.
#[derive(Debug)]
pub(crate) struct Permissions {
    pub(crate) id: Arc<str>,
    pub(crate) variables: std::collections::BTreeMap<String, String>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) allowed_hosts: Vec<AllowedHost>,
    pub(crate) mounts: Mounts,
}

/// A component, ready for any number of calls.
pub(crate) struct Prepared {
    pub(crate) permissions: Arc<Permissions>,
    pub(crate) proxy: ProxyPre<GuestState>,
}

/// The engine with everything that guests may import.
pub(crate) struct Preparer {
    engine: Engine,
    linker: Linker<GuestState>,
    cache: Cache,
}

impl Preparer {
    /// Links the host's side of every supported interface.
    pub(crate) fn new(engine: Engine, cache: Cache) -> Result<Self, StartError> {
        let mut linker = Linker::new(&engine);
        link(&mut linker).map_err(|source| StartError::Engine { source })?;
        Ok(Self { engine, linker, cache })
    }

    /// Compiles the Wasm file, or takes it from the cache, and checks what it imports.
    pub(crate) fn prepare(&self, source: &Path, permissions: Permissions) -> Result<Prepared, StartError> {
        let path = source.to_owned();
        let wasm = std::fs::read(source).map_err(|source| StartError::File {
            action: "read component source",
            path: path.clone(),
            source,
        })?;
        let id = Arc::clone(&permissions.id);
        let fail = |source| refused(&id, &path, source);
        let component = self.cache.load(&self.engine, &wasm).map_err(fail)?;
        self.check_imports(&id, &component)?;
        let proxy = self
            .linker
            .instantiate_pre(&component)
            .and_then(|pre: InstancePre<GuestState>| ProxyPre::new(pre))
            .map_err(fail)?;
        // The first request should not pay for what all requests share.
        component.initialize_copy_on_write_image().map_err(fail)?;
        Ok(Prepared { permissions: Arc::new(permissions), proxy })
    }

    fn check_imports(&self, id: &str, component: &Component) -> Result<(), StartError> {
        for (name, _) in component.component_type().imports(&self.engine) {
            if !is_supported(name) {
                return Err(StartError::UnsupportedInterface {
                    component: id.to_owned(),
                    interface: name.to_owned(),
                    supported: SUPPORTED.join(", "),
                });
            }
        }
        Ok(())
    }
}

/// True for an interface that the linker has, in any compatible version.
fn is_supported(import: &str) -> bool {
    SUPPORTED.iter().any(|supported| {
        import == *supported
            || import
                .strip_prefix(supported)
                .and_then(|rest| rest.strip_prefix('/'))
                .is_some_and(|rest| rest.contains("@0.2."))
    })
}

fn link(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)?;
    variables::add_to_linker(linker)
}

fn refused(id: &str, path: &Path, source: wasmtime::Error) -> StartError {
    StartError::Component { component: id.to_owned(), path: PathBuf::from(path), source }
}
