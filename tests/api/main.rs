//! The API server in process: requests to the service, over a store in memory.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod bodies;
mod deletions;
mod discovery;
mod heavy_requests;
mod invalid_objects;
mod lists;
mod long_lists;
mod negotiation;
mod objects;
mod patches;
mod paths;
mod properties;
mod revocations;
mod support;
mod unknown_outcomes;
mod watch_limits;
mod watches;
mod writes;
