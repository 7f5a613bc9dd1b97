//! Folder and store of the API.

use sluicegate::admission::catalog;
use sluicegate::api::ApiFolder;
use sluicegate::store::{Settings, Store};

use crate::cli::RunOptions;
use crate::error::RunError;

/// Folder and store of an API that is not served yet.
pub(crate) struct ApiStorage {
    pub(crate) folder: ApiFolder,
    pub(crate) store: Store,
}

impl ApiStorage {
    /// Opens the folder and the store, if the options ask for an API.
    ///
    /// It runs before any address is bound: of two processes with the same folder, the second one
    /// reports the folder, not an address that the first one has.
    ///
    /// # Errors
    /// Returns an error if the folder cannot be used, or if another process uses it.
    pub(crate) fn open(options: &RunOptions) -> Result<Option<Self>, RunError> {
        if !options.api {
            return Ok(None);
        }
        let (folder, store) = match &options.api_options.data {
            Some(data) => {
                let folder = ApiFolder::open(data)?;
                let settings = Settings::new().with_used_folder(folder.is_used());
                let store = Store::open(folder.store_path(), catalog(), settings)?;
                (folder, store)
            }
            None => (ApiFolder::open_runtime()?, Store::in_memory(catalog(), Settings::new())?),
        };
        Ok(Some(Self { folder, store }))
    }
}
