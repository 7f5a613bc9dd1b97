//! The compact form of Services and EndpointSlices.
//!
//! A cluster has tens of thousands of them, and routes refer to few. All are kept, so that a new
//! route finds the endpoints of its Service at once, without a request that could fail. An object
//! of the model takes a kilobyte or more; the fields that routing uses take about a hundred bytes.

mod bytes;
mod compact_object;
mod endpoint_slice;
mod service;
#[cfg(test)]
mod tests;

pub(super) use self::compact_object::CompactObject;
