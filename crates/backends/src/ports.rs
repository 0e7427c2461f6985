//! Ports for servers that have to be told theirs, and that keep it when they are started again.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::{Result, bail};

/// Below those that the system gives to connections, so that none takes a server's port while it is down.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// A loopback port that nobody has, and that no later call in this process gives again soon.
///
/// # Errors
/// When all are taken.
pub(crate) fn free() -> Result<u16> {
    free_at(Ipv4Addr::LOCALHOST)
}

/// As [`free`], at another address of this machine.
///
/// # Errors
/// When all are taken, or the address is not this machine's.
pub(crate) fn free_at(address: Ipv4Addr) -> Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Test processes that run at once begin at different places.
    let start = u16::try_from(u64::from(std::process::id()) * 37 % u64::from(COUNT)).expect("it is less than COUNT");
    for _ in 0..COUNT {
        let port = FIRST + (start + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT) % COUNT;
        if TcpListener::bind((address, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port of {address} between {FIRST} and {} is free", FIRST + COUNT - 1)
}
