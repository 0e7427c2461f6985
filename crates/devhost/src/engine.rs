//! The wasmtime engine: pooled instances, copy-on-write memory, stoppable guests.

mod ticker;

pub(crate) use ticker::{Alive, Ticker};

use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

use crate::config::Limits;
use crate::error::StartError;

/// Core instances that one component may consist of.
///
/// A Rust component has one of its own, and one or two small ones that adapt its imports.
const CORE_INSTANCES: u32 = 8;
/// Linear memories that one component may have: what adapts its imports shares the component's one.
///
/// Each reserves 4 GiB of address space, of which a process has 128 TiB.
const MEMORIES: u32 = 1;
/// Tables that one component may have: one for each core instance.
const TABLES: u32 = 8;
/// Elements of one table; large Rust components have a few thousand functions.
const TABLE_ELEMENTS: usize = 32_768;
/// Pages of 64 KiB are the unit of linear memory.
const PAGE: usize = 64 << 10;

/// Sets up the engine for the limits.
pub(crate) fn create(limits: &Limits) -> Result<Engine, StartError> {
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits)))
        .cranelift_opt_level(OptLevel::Speed)
        .memory_init_cow(true)
        .epoch_interruption(true)
        // Guests of WASI 0.2 have no concurrent calls, so no store needs to be ready for them.
        .concurrency_support(false)
        // Components are stripped: what only leads from addresses to lines is not worth its size.
        .generate_address_map(false)
        .native_unwind_info(false);
    Engine::new(&config).map_err(|source| StartError::Engine { source })
}

/// Reserves address space, not memory: a slot costs nothing until it is used.
fn pool(limits: &Limits) -> PoolingAllocationConfig {
    let instances = limits.max_instances.max(1);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_stacks(instances)
        .total_core_instances(instances.saturating_mul(CORE_INSTANCES))
        .total_memories(instances.saturating_mul(MEMORIES))
        .total_tables(instances.saturating_mul(TABLES))
        .max_core_instances_per_component(CORE_INSTANCES)
        .max_memories_per_component(MEMORIES)
        .max_tables_per_component(TABLES)
        .table_elements(TABLE_ELEMENTS)
        .max_memory_size((limits.memory_bytes / PAGE).max(1) * PAGE)
        .max_unused_warm_slots(WARM_SLOTS)
        .linear_memory_keep_resident(KEEP_RESIDENT)
        .table_keep_resident(KEEP_RESIDENT)
        .pagemap_scan(Enabled::Auto);
    pool
}

/// Slots that keep the mapping of the component that used them last.
const WARM_SLOTS: u32 = 32;
/// Bytes of a used slot that are zeroed in place rather than given back to the system.
const KEEP_RESIDENT: usize = 0;
