//! The header of an object: `apiVersion`, `kind`, name and namespace, which the path names too.

use serde_json::{Map, Value};

use super::error::AdmissionError;
use super::target::Target;

/// Checks the header of an object, and fills it in from the path.
///
/// # Errors
/// Returns an error if the header contradicts the path.
pub(super) fn check_header(object: &mut Value, target: &Target<'_>) -> Result<(), AdmissionError> {
    let kind = target.resource.kind();
    let mismatch = |message: String| AdmissionError::Mismatch(message);
    let Some(object) = object.as_object_mut() else {
        return Err(mismatch(format!(
            "the object provided is unrecognized (must be of type {kind}): a JSON object is expected"
        )));
    };
    let api_version = target.resource.api_version(target.version);
    let found_version = text(object, "apiVersion")?;
    let found_kind = text(object, "kind")?;
    if !["", kind].contains(&found_kind) {
        let version = if found_version.is_empty() { api_version.as_str() } else { found_version };
        let version = version.rsplit_once('/').map_or(version, |(_, version)| version);
        return Err(mismatch(format!(
            "{found_kind} in version \"{version}\" cannot be handled as a {kind}: the kind does not match the path"
        )));
    }
    if !["", &api_version].contains(&found_version) {
        return Err(mismatch(format!(
            "the API version in the data ({found_version}) does not match the expected API version ({api_version})"
        )));
    }
    object.insert("apiVersion".into(), api_version.into());
    object.insert("kind".into(), kind.into());
    let metadata = object.entry("metadata").or_insert(Value::Null);
    if metadata.is_null() {
        *metadata = Value::Object(Map::new());
    }
    let Some(metadata) = metadata.as_object_mut() else {
        return Err(mismatch(format!(
            "{kind} in version \"{}\" cannot be handled as a {kind}: metadata must be an object",
            target.version.name()
        )));
    };
    // No server-side apply: nothing reads the owners of fields.
    metadata.remove("managedFields");
    metadata.remove("selfLink");
    check_namespace(metadata, target)?;
    check_name(metadata, target)
}

fn check_namespace(
    metadata: &mut Map<String, Value>,
    target: &Target<'_>,
) -> Result<(), AdmissionError> {
    let found = text(metadata, "namespace")?;
    let Some(expected) = target.namespace else {
        metadata.remove("namespace");
        return Ok(());
    };
    if !["", expected].contains(&found) {
        let message = match target.name {
            None => "the namespace of the provided object does not match the namespace sent on the request".to_owned(),
            Some(_) => format!(
                "the namespace of the object ({found}) does not match the namespace on the request ({expected})"
            ),
        };
        return Err(AdmissionError::Mismatch(message));
    }
    metadata.insert("namespace".into(), expected.into());
    Ok(())
}

fn check_name(metadata: &Map<String, Value>, target: &Target<'_>) -> Result<(), AdmissionError> {
    let Some(expected) = target.name else { return Ok(()) };
    match text(metadata, "name")? {
        "" => Err(AdmissionError::Mismatch(format!(
            "the name of the object ({expected} based on URL) was undeterminable: resource name may not be empty"
        ))),
        found if found != expected => Err(AdmissionError::Mismatch(format!(
            "the name of the object ({found}) does not match the name on the URL ({expected})"
        ))),
        _ => Ok(()),
    }
}

/// Returns a text of the header; empty if it is absent.
fn text<'a>(map: &'a Map<String, Value>, field: &str) -> Result<&'a str, AdmissionError> {
    match map.get(field) {
        None | Some(Value::Null) => Ok(""),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(AdmissionError::Mismatch(format!("{field} must be a string"))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::find_kind;

    fn target<'a>(kind: &str, namespace: Option<&'a str>, name: Option<&'a str>) -> Target<'a> {
        let (resource, version) = find_kind("", "v1", kind).unwrap();
        Target { resource, version, namespace, name }
    }

    fn message(object: Value, target: &Target<'_>) -> String {
        let mut object = object;
        check_header(&mut object, target).unwrap_err().to_string()
    }

    #[test]
    fn header_is_filled_in_from_the_path() {
        let mut object = json!({"metadata": {"name": "a", "managedFields": [], "selfLink": "x"}});
        check_header(&mut object, &target("ConfigMap", Some("n"), Some("a"))).unwrap();
        let expected = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "n"},
        });
        assert_eq!(object, expected);
        let mut object = json!({"metadata": {"name": "a", "namespace": "n"}});
        check_header(&mut object, &target("Namespace", None, None)).unwrap();
        assert_eq!(object["metadata"], json!({"name": "a"}));
    }

    #[test]
    fn contradictions_are_refused_with_the_texts_of_kubernetes() {
        let create = target("ConfigMap", Some("n"), None);
        let update = target("ConfigMap", Some("n"), Some("a"));
        for (object, target, expected) in [
            (json!([]), &create, "the object provided is unrecognized (must be of type ConfigMap)"),
            (
                json!({"apiVersion": "v1", "kind": "Secret"}),
                &create,
                "Secret in version \"v1\" cannot be handled as a ConfigMap",
            ),
            (
                json!({"apiVersion": "v2", "kind": "ConfigMap"}),
                &create,
                "the API version in the data (v2) does not match the expected API version (v1)",
            ),
            (json!({"kind": 5}), &create, "kind must be a string"),
            (json!({"metadata": []}), &create, "ConfigMap in version \"v1\" cannot be handled"),
            (
                json!({"metadata": {"namespace": "m"}}),
                &create,
                "the namespace of the provided object does not match the namespace sent on the request",
            ),
            (
                json!({"metadata": {"namespace": "m"}}),
                &update,
                "the namespace of the object (m) does not match the namespace on the request (n)",
            ),
            (
                json!({"metadata": {"name": "b"}}),
                &update,
                "the name of the object (b) does not match the name on the URL (a)",
            ),
            (
                json!({}),
                &update,
                "the name of the object (a based on URL) was undeterminable: resource name may not be empty",
            ),
        ] {
            let found = message(object.clone(), target);
            assert!(found.starts_with(expected), "{object}: {found}");
        }
    }
}
