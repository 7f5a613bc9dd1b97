//! The gateway: sources, translation and forwarding, connected.
//!
//! A gateway has a thread of its own for the control path. Its sources run there. When one of them
//! publishes, the objects of all sources are translated together, the plan is applied, and the
//! result is reported.

mod address_cooldown;
mod builder;
mod changes;
mod command;
mod control_loop;
mod controller;
mod duty_cycle;
mod error;
mod handle;
mod local_address;
mod own_ports;
mod report;
mod report_log;
mod source_set;

pub use self::builder::{Builder, Server};
pub use self::error::StartError;
pub use self::handle::{Handle, Reports};
pub use self::report::{ListenerReport, Report};
