//! Rules of Secrets. No message contains a value.

use serde_json::{Map, Value};

use super::config_map::{MAX_DATA_BYTES, decoded};
use super::immutable::{check_data, check_same};
use super::names::check_data_key;
use super::read::{entries, text};
use crate::schema::{Cause, Causes, FieldPath};

const REDACTED: &str = "<secret contents redacted>";

pub(super) fn check(secret: &Value, old: Option<&Value>, causes: &mut Causes) {
    let path = FieldPath::ROOT.field("data");
    if let Some(old) = old {
        check_same(secret, old, "type", &FieldPath::ROOT, causes);
        check_data(secret, old, &["data"], causes);
    }
    let mut size = 0;
    for (key, value) in entries(&secret["data"]) {
        check_data_key(key, &path, causes);
        size += decoded(value).len();
    }
    if size as u64 > MAX_DATA_BYTES {
        causes.push(|| Cause::too_long(&path, MAX_DATA_BYTES));
    }
    check_type(secret, path, causes);
}

/// Checks that a Secret has the keys of its type.
fn check_type(secret: &Value, path: FieldPath<'_>, causes: &mut Causes) {
    let data = &secret["data"];
    let mut require = |key: &str| {
        if data.get(key).is_none() {
            causes.push(|| Cause::required(&path.key(key), ""));
        }
    };
    match text(secret, "type") {
        "kubernetes.io/tls" => {
            require("tls.crt");
            require("tls.key");
        }
        "kubernetes.io/basic-auth"
            if data.get("username").is_none() && data.get("password").is_none() =>
        {
            require("username");
            require("password");
        }
        "kubernetes.io/ssh-auth" if decoded(&data["ssh-privatekey"]).is_empty() => {
            causes.push(|| Cause::required(&path.key("ssh-privatekey"), ""));
        }
        "kubernetes.io/dockercfg" => check_json(data, ".dockercfg", path, causes),
        "kubernetes.io/dockerconfigjson" => check_json(data, ".dockerconfigjson", path, causes),
        "kubernetes.io/service-account-token" => {
            let name = "kubernetes.io/service-account.name";
            if text(&secret["metadata"]["annotations"], name).is_empty() {
                let metadata = FieldPath::ROOT.field("metadata");
                causes.push(|| Cause::required(&metadata.field("annotations").key(name), ""));
            }
        }
        _ => {}
    }
}

fn check_json(data: &Value, key: &str, path: FieldPath<'_>, causes: &mut Causes) {
    let path = path.key(key);
    match data.get(key) {
        None => causes.push(|| Cause::required(&path, "")),
        Some(value) => {
            if serde_json::from_slice::<Map<String, Value>>(&decoded(value)).is_err() {
                let detail = "must contain a JSON object";
                causes.push(|| Cause::invalid(&path, &REDACTED.into(), detail));
            }
        }
    }
}

/// Removes the values of a Secret from the causes of its schema.
pub(in crate::admission) fn redact(causes: &mut Causes) {
    for cause in causes.iter_mut() {
        let is_data = ["data", "stringData"].iter().any(|field| cause.field.starts_with(field));
        if is_data {
            cause.message = format!(
                "Invalid value: \"{REDACTED}\": must be base64 in `data`, and text in `stringData`"
            );
        }
    }
}
