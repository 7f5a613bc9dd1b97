//! The join: where sources, translation and forwarding meet.
//!
//! A gateway has a thread of its own for the control path. There its sources run; whenever one of
//! them publishes, all their objects together are translated, the plan is applied, and what came of
//! it is reported.

mod address;
mod builder;
mod control;
mod handle;
mod report;
mod rest;

pub use self::builder::{Builder, Server, StartError};
pub use self::handle::{Handle, Reports};
pub use self::report::{ListenerReport, Report};
