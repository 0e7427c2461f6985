//! `fermyon:spin/variables@2.0.0`.

use wasmtime::component::{HasSelf, Linker};

use super::GuestState;
use crate::variables::is_variable_name;

mod bindings {
    #![allow(missing_docs, unreachable_pub, reason = "generated from the interface")]

    wasmtime::component::bindgen!({
        path: "wit",
        world: "fermyon:spin/host",
    });
}

use bindings::fermyon::spin::variables::{Error, Host, add_to_linker as link};

/// Provides the interface.
pub(crate) fn add_to_linker(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    link::<GuestState, HasSelf<GuestState>>(linker, |state| state)
}

impl Host for GuestState {
    fn get(&mut self, name: String) -> Result<String, Error> {
        if !is_variable_name(&name) {
            return Err(Error::InvalidName(name));
        }
        match self.permissions().variables.get(&name) {
            Some(value) => Ok(value.clone()),
            None => Err(Error::Undefined(format!(
                "no variable `{name}` in [component.{}.variables]",
                self.permissions().id
            ))),
        }
    }
}
