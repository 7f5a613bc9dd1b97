//! Writing into the cluster: the status of its objects, and what a Gateway needs there.
//!
//! ```text
//! report, live objects ──► touched ──► schedule: when its turn has come ──► work: what differs
//!                                                                              │
//!                 what the server answered, as if a watch had told  ◄── request ┘
//! ```
//!
//! An object that is touched is looked at when its turn has come, with what is known then: however
//! often something changed meanwhile, only the newest counts, and where nothing differs nothing is
//! written.

mod difference;
mod merge;
mod pen;
mod request;
mod schedule;
mod work;
mod writer;

pub(super) use self::pen::Pen;
pub(super) use self::writer::Writer;
