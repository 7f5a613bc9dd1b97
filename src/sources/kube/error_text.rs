//! The text of an error, as it is logged and reported.

use std::error::Error;

/// Returns the message of the API server's `Status` if the error contains one, else the texts of
/// the error and its sources.
pub(super) fn format_error(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(kube::Error::Api(status)) = error.downcast_ref() {
            return status.message.clone();
        }
        next = error.source();
        // The text of this error is that of its source after the name of the variant.
        if let Some(kube::Error::Service(_)) = error.downcast_ref() {
            continue;
        }
        let own = error.to_string();
        // Many errors of the `kube` crate repeat the text of their source.
        if text.is_empty() {
            text = own;
        } else if !text.contains(&own) {
            text = format!("{text}: {own}");
        }
    }
    text
}
