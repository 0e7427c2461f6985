//! The scenarios are in `scenarios/`, one file each.
