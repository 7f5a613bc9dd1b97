//! Patches of objects.
//!
//! | file | contents |
//! |---|---|
//! | `patch_type` | types of patches by content type, and the dispatch to them |
//! | `json_patch` | JSON patch (RFC 6902), with bounds |
//! | `strategic` | strategic merge patch: maps |
//! | `directives` | its directives |
//! | `strategic_list` | its lists: merging by key |
//! | `element_order` | its lists: the order of the result |
//! | `error` | errors |
//!
//! The library applies merge patches (RFC 7386).

mod directives;
mod element_order;
mod error;
mod json_patch;
mod patch_type;
mod strategic;
mod strategic_list;

pub use self::error::PatchError;
pub use self::patch_type::{PatchType, apply_patch};
