//! Rules of ConfigMaps.

use serde_json::Value;

use super::immutable::check_data;
use super::names::check_data_key;
use super::read::entries;
use crate::schema::{Cause, Causes, FieldPath, decode_base64};

/// Longest data of a ConfigMap or Secret, in bytes.
pub(super) const MAX_DATA_BYTES: u64 = 1024 * 1024;

pub(super) fn check(map: &Value, old: Option<&Value>, causes: &mut Causes) {
    let (data, binary) = (FieldPath::ROOT.field("data"), FieldPath::ROOT.field("binaryData"));
    if let Some(old) = old {
        check_data(map, old, &["data", "binaryData"], causes);
    }
    let mut size = 0;
    for (key, value) in entries(&map["data"]) {
        check_data_key(key, &data, causes);
        if map["binaryData"].get(key).is_some() {
            let detail = "duplicate of key present in binaryData";
            causes.push(|| Cause::invalid(&data.key(key), &key.as_str().into(), detail));
        }
        size += value.as_str().map_or(0, str::len);
    }
    for (key, value) in entries(&map["binaryData"]) {
        check_data_key(key, &binary, causes);
        size += decoded(value).len();
    }
    if size as u64 > MAX_DATA_BYTES {
        causes.push(|| Cause::too_long(&data, MAX_DATA_BYTES));
    }
}

/// Returns the bytes of a text in base64, which the schema has checked.
pub(super) fn decoded(value: &Value) -> Vec<u8> {
    decode_base64(value.as_str().unwrap_or_default()).unwrap_or_default()
}
