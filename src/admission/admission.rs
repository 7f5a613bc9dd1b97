//! Admission of objects.

use serde_json::Value;

use super::changed_parts::ChangedParts;
use super::convert::{convert_to_served, convert_to_stored};
use super::error::AdmissionError;
use super::header::check_header;
use super::settings::Settings;
use super::target::Target;
use super::{built_in, metadata_update, model_rules};
use crate::schema::{
    FieldValidation, JsonDocument, PatchType, apply_defaults, apply_patch, prune, validate,
    validate_metadata, validate_metadata_update, validate_update, write_integers,
};

/// Checks of objects before they are stored.
#[derive(Debug, Clone, Copy, Default)]
pub struct Admission {
    settings: Settings,
}

/// An object that can be stored.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct AdmittedObject {
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

    /// Checks a new object. Its status is dropped if the resource has a status subresource, and may
    /// then have a default.
    ///
    /// # Errors
    /// Returns an error if the object cannot be stored.
    pub fn create(
        &self,
        target: &Target<'_>,
        body: JsonDocument,
        validation: FieldValidation,
    ) -> Result<AdmittedObject, AdmissionError> {
        let (mut object, warnings) = read(target, body, validation)?;
        if target.resource.has_status() {
            restore_status(&mut object, None);
        }
        self.finish(target, object, None, warnings)
    }

    /// Checks an object that replaces a stored one. Its status is that of the stored object if the
    /// resource has a status subresource.
    ///
    /// # Errors
    /// Returns an error if the object cannot be stored.
    pub fn update(
        &self,
        target: &Target<'_>,
        body: JsonDocument,
        validation: FieldValidation,
        old: &Value,
    ) -> Result<AdmittedObject, AdmissionError> {
        let (mut object, warnings) = read(target, body, validation)?;
        if target.resource.has_status() {
            restore_status(&mut object, old.get("status"));
        }
        self.finish(target, object, Some(old), warnings)
    }

    /// Checks an object whose status replaces that of a stored one. Its header and its unknown
    /// fields are checked as in an update. Of its other fields, only the resourceVersion and the
    /// uid are used: they are preconditions.
    ///
    /// # Errors
    /// Returns an error if the status cannot be stored.
    pub fn update_status(
        &self,
        target: &Target<'_>,
        body: JsonDocument,
        validation: FieldValidation,
        old: &Value,
    ) -> Result<AdmittedObject, AdmissionError> {
        let (mut object, warnings) = read(target, body, validation)?;
        let mut merged = old.clone();
        convert_to_served(&mut merged, target.resource, target.version);
        restore_status(&mut merged, object.get("status"));
        for name in ["resourceVersion", "uid"] {
            copy_metadata(&mut merged, &mut object, name);
        }
        self.finish(target, merged, Some(old), warnings)
    }

    /// Applies a patch to a stored object, and checks the result.
    ///
    /// # Errors
    /// Returns an error if the patch cannot be applied, or its result cannot be stored.
    pub fn patch(
        &self,
        target: &Target<'_>,
        patch: (PatchType, &[u8]),
        validation: FieldValidation,
        old: &Value,
    ) -> Result<AdmittedObject, AdmissionError> {
        let patched = patched(target, patch, old)?;
        self.update(target, patched, validation, old).map_err(AdmissionError::of_patched)
    }

    /// Applies a patch to a stored object, and checks the status of the result.
    ///
    /// # Errors
    /// Returns an error if the patch cannot be applied, or the status cannot be stored.
    pub fn patch_status(
        &self,
        target: &Target<'_>,
        patch: (PatchType, &[u8]),
        validation: FieldValidation,
        old: &Value,
    ) -> Result<AdmittedObject, AdmissionError> {
        let patched = patched(target, patch, old)?;
        self.update_status(target, patched, validation, old).map_err(AdmissionError::of_patched)
    }

    /// Sets defaults, checks the object, and converts it to the stored version.
    fn finish(
        &self,
        target: &Target<'_>,
        mut object: Value,
        old: Option<&Value>,
        warnings: Vec<String>,
    ) -> Result<AdmittedObject, AdmissionError> {
        let Target { resource, version, .. } = *target;
        apply_defaults(&mut object, resource, version);
        let mut old = old.map(|old| as_served(old, target));
        built_in::keep_allocated(&mut object, old.as_ref(), resource);
        let mut causes = match &old {
            None => {
                let mut causes = validate_metadata(&object, resource);
                causes.append(validate(&object, version));
                causes
            }
            Some(old) => {
                metadata_update::keep_set_by_store(&mut object, old);
                let mut causes = validate_metadata_update(&object, old, resource);
                causes.append(metadata_update::check_update(&object, old, target));
                causes.append(validate_update(&object, old, version));
                causes
            }
        };
        if resource.kind() == "Secret" {
            built_in::redact_secret(&mut causes);
        }
        convert_to_stored(&mut object, resource);
        if let Some(old) = &mut old {
            convert_to_stored(old, resource);
        }
        let changed = ChangedParts::of(&object, old.as_ref());
        // The rules read values that have the types of the schema.
        if causes.is_empty() {
            let old = old.as_ref();
            causes.append(built_in::check(&object, old, changed, target, self.settings));
        }
        // The types of the model cannot represent the values that the rules above refuse, such as
        // a port of 0.
        if causes.is_empty() && changed.content {
            causes.append(model_rules::check(&object, target));
        }
        if !causes.is_empty() {
            return Err(AdmissionError::Invalid(causes.into_list()));
        }
        Ok(AdmittedObject { object, warnings })
    }
}

/// Returns a stored object in the version of the request. An older version of the program may have
/// stored it: like a new object, it gets the defaults and loses unknown fields.
fn as_served(old: &Value, target: &Target<'_>) -> Value {
    let mut old = old.clone();
    convert_to_served(&mut old, target.resource, target.version);
    prune(&mut old, target.version);
    apply_defaults(&mut old, target.resource, target.version);
    old
}

/// Checks the header of an object, and removes its unknown fields.
fn read(
    target: &Target<'_>,
    JsonDocument { value: mut object, duplicates }: JsonDocument,
    validation: FieldValidation,
) -> Result<(Value, Vec<String>), AdmissionError> {
    check_header(&mut object, target)?;
    if target.resource.is_custom() {
        write_integers(&mut object);
    }
    let unknown = prune(&mut object, target.version);
    let warnings = validation.check(&duplicates, &unknown).map_err(|error| {
        let (kind, version) = (target.resource.kind(), target.version.name());
        AdmissionError::Strict { kind, version, error }
    })?;
    Ok((object, warnings))
}

/// Sets the status of an object, or removes it.
fn restore_status(object: &mut Value, status: Option<&Value>) {
    let Some(object) = object.as_object_mut() else { return };
    match status {
        Some(status) => _ = object.insert("status".into(), status.clone()),
        None => _ = object.remove("status"),
    }
}

/// Sets a field of the metadata to that of another object, or removes it.
fn copy_metadata(object: &mut Value, from: &mut Value, name: &str) {
    let value = from["metadata"][name].take();
    if let Some(metadata) = object["metadata"].as_object_mut() {
        match value {
            Value::Null => _ = metadata.remove(name),
            value => _ = metadata.insert(name.into(), value),
        }
    }
}

/// Returns the result of a patch, and the duplicate fields of the patch itself.
fn patched(
    target: &Target<'_>,
    (patch_type, patch): (PatchType, &[u8]),
    old: &Value,
) -> Result<JsonDocument, AdmissionError> {
    let mut old = old.clone();
    convert_to_served(&mut old, target.resource, target.version);
    let mut patched = apply_patch(&old, patch_type, patch, target.version)?;
    if patch_type == PatchType::StrategicMerge {
        write_integers(&mut patched.value);
    }
    Ok(patched)
}

#[cfg(test)]
#[path = "admission_tests.rs"]
mod tests;
