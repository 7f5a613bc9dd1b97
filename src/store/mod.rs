//! Durable objects with the semantics of Kubernetes' API.
//!
//! A [`Store`] holds objects as JSON values by resource, namespace and name. Of their
//! fields it reads only `metadata`, `status` and those in the rules of a resource
//! ([`ResourceRules`]).
//!
//! | topic | semantics |
//! |---|---|
//! | [`Revision`] | one resourceVersion over all resources, which never goes back |
//! | [`Write`] | create, replace, replace the status, delete; preconditions; dry run |
//! | metadata | uid, generation, timestamps, finalizers |
//! | garbage collection | dependents of deleted owners, content of deleted namespaces |
//! | [`Store::list`] | at one revision, in pages |
//! | [`Store::watch`] | from a bounded history; older revisions are gone |
//!
//! Reads are served from memory. A write is answered when it is on disk: one thread evaluates the
//! writes, and all that arrive during an fsync share the next one. After an I/O error, writes are
//! refused until the file can be written; reads continue.
//!
//! ```text
//! Store::write ──► queue ──► evaluate ──► commit       ──► State (objects, history) ──► Watch
//!                               ▲                             │
//!                               └── Collector ◄── changes ────┘
//! ```

mod backoff;
mod change;
mod collect;
mod disk;
mod draft;
mod error;
mod evaluate;
mod handle;
mod history;
mod json_text;
mod key;
mod list;
mod log_interval;
mod metadata;
mod objects;
mod outage;
mod page;
mod request;
mod resource;
mod revision;
mod settings;
mod start;
mod state;
mod stored_object;
mod watch;
mod write;
mod writer;
mod writer_thread;

#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod fault_tests;

pub use self::change::{Change, ChangeKind};
pub(crate) use self::disk::owner_text;
pub use self::disk::{DiskError, OpenError, PlaceError};
pub use self::error::{Conflict, ReadError, WriteError};
pub(crate) use self::evaluate::timestamp_text;
pub use self::handle::Store;
pub use self::key::Key;
pub use self::list::{ContinueToken, InvalidContinueToken, ListPage, ListQuery};
pub(crate) use self::log_interval::LogInterval;
pub use self::metadata::OwnerReference;
pub use self::resource::{Catalog, Resource, ResourceRules};
pub use self::revision::{InvalidRevision, Revision};
pub use self::settings::Settings;
pub use self::stored_object::StoredObject;
pub use self::watch::{Watch, WatchScope};
pub use self::write::{Durability, Preconditions, Propagation, Write, WriteEffect, WriteResult};
