//! Discovery documents: the groups, versions and resources that the API serves.
//!
//! | path | function |
//! |---|---|
//! | `/api` | [`core_versions`], [`aggregated_core`] |
//! | `/apis` | [`api_groups`], [`aggregated_groups`] |
//! | `/apis/GROUP` | [`api_group`] |
//! | `/api/v1`, `/apis/GROUP/VERSION` | [`api_resources`] |

mod aggregated;
mod legacy;

pub use self::aggregated::{aggregated_core, aggregated_groups};
pub use self::legacy::{api_group, api_groups, api_resources, core_versions};
