//! Simulated disks for tests: a power cut, and errors of the file system.

mod faulty;
mod power_cut;

pub(in crate::store) use self::faulty::{Fault, FaultyDisk};
pub(in crate::store) use self::power_cut::PowerCutDisk;
