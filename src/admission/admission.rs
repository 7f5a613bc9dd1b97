//! Admission of objects.

use serde_json::Value;

use super::error::AdmissionError;
use super::settings::Settings;
use super::target::Target;
use crate::schema::{FieldValidation, JsonDocument, PatchType};

/// Checks of objects before they are stored.
#[derive(Debug, Clone, Copy, Default)]
pub struct Admission {
    settings: Settings,
}

/// An object that can be stored.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Admitted {
    /// The object in its stored version.
    pub object: Value,
    /// Warnings for the client.
    pub warnings: Vec<String>,
}

impl Admission {
    /// Creates the checks.
    pub fn new(settings: Settings) -> Self {
        Self { settings }
    }

    /// Checks a new object.
    ///
    /// # Errors
    /// Returns an error if the object cannot be stored.
    pub fn create(
        &self,
        target: &Target<'_>,
        body: JsonDocument,
        validation: FieldValidation,
    ) -> Result<Admitted, AdmissionError> {
        _ = (self.settings, target, body, validation);
        todo!()
    }

    /// Checks an object that replaces a stored one.
    ///
    /// # Errors
    /// Returns an error if the object cannot be stored.
    pub fn update(
        &self,
        target: &Target<'_>,
        body: JsonDocument,
        validation: FieldValidation,
        old: &Value,
    ) -> Result<Admitted, AdmissionError> {
        _ = (target, body, validation, old);
        todo!()
    }

    /// Checks an object whose status replaces that of a stored one.
    ///
    /// # Errors
    /// Returns an error if the status cannot be stored.
    pub fn update_status(
        &self,
        target: &Target<'_>,
        body: JsonDocument,
        validation: FieldValidation,
        old: &Value,
    ) -> Result<Admitted, AdmissionError> {
        _ = (target, body, validation, old);
        todo!()
    }

    /// Applies a patch to a stored object and checks the result.
    ///
    /// # Errors
    /// Returns an error if the patch cannot be applied, or its result cannot be stored.
    pub fn patch(
        &self,
        target: &Target<'_>,
        (patch_type, patch): (PatchType, &[u8]),
        validation: FieldValidation,
        old: &Value,
    ) -> Result<Admitted, AdmissionError> {
        _ = (target, patch_type, patch, validation, old);
        todo!()
    }

    /// Applies a patch to a stored object, and checks the status of the result.
    ///
    /// # Errors
    /// Returns an error if the patch cannot be applied, or the status cannot be stored.
    pub fn patch_status(
        &self,
        target: &Target<'_>,
        (patch_type, patch): (PatchType, &[u8]),
        validation: FieldValidation,
        old: &Value,
    ) -> Result<Admitted, AdmissionError> {
        _ = (target, patch_type, patch, validation, old);
        todo!()
    }
}
