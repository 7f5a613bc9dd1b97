//! The controller name of a gateway.

use super::error::StartError;
use crate::sources::Source;
use crate::translate::Controller;

/// Returns the controller that the caller and the sources name.
///
/// # Errors
/// [`StartError::Controllers`] if they name different ones.
pub(super) fn merge_names(
    configured: Controller,
    sources: &[Box<dyn Source>],
) -> Result<Controller, StartError> {
    let mut resolved = configured;
    for name in sources.iter().filter_map(|source| source.controller()) {
        match resolved {
            Controller::Named(first) if first != name => {
                return Err(StartError::Controllers { first, second: name });
            }
            _ => resolved = Controller::Named(name),
        }
    }
    Ok(resolved)
}
