//! The folder of an API server: its token, its certificate authority, and the address that
//! `sluicegate kubeconfig` needs.
//!
//! | file | contents |
//! |---|---|
//! | `api_folder` | the folder and its files |
//! | `private_folder` | creation and checks of a folder |
//! | `runtime_folder` | the folder of a server without `--data` |
//! | `endpoint` | the address and the certificate authority of a server |

mod api_folder;
mod endpoint;
mod error;
mod private_folder;
mod runtime_folder;

pub use self::api_folder::ApiFolder;
pub(in crate::api) use self::endpoint::Endpoint;
pub use self::error::FolderError;
