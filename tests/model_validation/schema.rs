//! Generator of values that the schema of a CRD allows.
//!
//! CEL rules are ignored, so the values are a superset of what an API server stores. An optional
//! field, or one with a default, may also be `null`.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

/// Examples for each pattern of the schemas.
const PATTERNS: &[(&str, &[&str])] = &[
    (
        r"^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
        &["", "a", "0-9.a", "gateway.networking.k8s.io"],
    ),
    (r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$", &["", "A", "a-_.9"]),
    (
        r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$",
        &["a", "a.b/C_d"],
    ),
    (
        r"^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
        &["a", "*.example.com", "0.0"],
    ),
    (
        r"^Hostname|IPAddress|NamedAddress|[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/[A-Za-z0-9\/\-._~%!$&'()*+,;=:]+$",
        &[
            "IPAddress",
            "Hostname",
            "NamedAddress",
            "Hostnames",
            "my IPAddress!",
            "a.b/c",
            "/a/b",
            "X Y/a.b/c",
            "äa/b",
        ],
    ),
    (r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$", &["A", "Re_a,s:on"]),
    (r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", &["a", "0-9"]),
    (
        r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
        &["a", "0-9.a", "a.b.c"],
    ),
    (
        r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/[A-Za-z0-9\/\-._~%!$&'()*+,;=:]+$",
        &["a/b", "example.com//c:%20"],
    ),
    (
        r"^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$|[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/[A-Za-z0-9]+$",
        &["TCP", "UDP", "HTTP", "tcp", "0-x", "example.com/QUIC", "Ä a/q"],
    ),
    (r"^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$", &["Gateway", "a", "A-9"]),
];

/// Texts for fields without a pattern. Some look like other types in YAML.
const TEXTS: &[&str] = &["x", "", "Any Thing!", "Near", "10", "true", "~", "ä", "a: b\n# c"];

/// Returns a generator of the values of a schema.
pub(crate) fn values(schema: &Value) -> BoxedStrategy<Value> {
    if let Some(allowed) = schema["enum"].as_array() {
        return select(allowed.clone()).boxed();
    }
    match schema["type"].as_str() {
        Some("string") => select(texts(schema)).prop_map(Value::from).boxed(),
        Some("integer") => {
            let bound = |field: &str, default| schema[field].as_i64().unwrap_or(default);
            let (min, max) = (bound("minimum", -5), bound("maximum", 5_000_000_000));
            select(vec![min, i64::midpoint(min, max), max]).prop_map(Value::from).boxed()
        }
        Some("boolean") => any::<bool>().prop_map(Value::from).boxed(),
        Some("array") => {
            let size =
                |field: &str| schema[field].as_u64().and_then(|size| usize::try_from(size).ok());
            let min = size("minItems").unwrap_or(0);
            let max = size("maxItems").unwrap_or(3).min(3).max(min);
            vec(values(&schema["items"]), min..=max).prop_map(Value::from).boxed()
        }
        Some("object") => objects(schema),
        other => panic!("a schema of type {other:?} is new; extend this generator"),
    }
}

/// Returns the shortest, the longest and some other texts that a schema allows.
fn texts(schema: &Value) -> Vec<String> {
    if schema["format"] == "date-time" {
        return vec!["2026-01-31T12:00:00Z".to_owned(), "2026-01-31T12:00:00.5+01:00".to_owned()];
    }
    let size = |field: &str| schema[field].as_u64().and_then(|size| usize::try_from(size).ok());
    let (min, max) = (size("minLength").unwrap_or(0), size("maxLength").unwrap_or(usize::MAX));
    let mut texts: Vec<String> = match schema["pattern"].as_str() {
        Some(pattern) => {
            let known = PATTERNS.iter().find(|(known, _)| *known == pattern);
            let (_, examples) = known.unwrap_or_else(|| panic!("add examples for {pattern}"));
            examples.iter().map(|example| (*example).to_owned()).collect()
        }
        None => {
            let longest = (max < 1000).then(|| "ä".repeat(max));
            TEXTS.iter().map(|text| (*text).to_owned()).chain(longest).collect()
        }
    };
    texts.retain(|text| (min..=max).contains(&text.chars().count()));
    texts
}

fn objects(schema: &Value) -> BoxedStrategy<Value> {
    if let Some(entry) = schema.get("additionalProperties") {
        let keys = select(vec!["a", "example.com/b", "Not a key", "10"]).prop_map(str::to_owned);
        let entry = prop_oneof![4 => values(entry), 1 => Just(Value::Null)];
        return btree_map(keys, entry, 0..=3)
            .prop_map(|map| Value::Object(map.into_iter().collect::<Map<_, _>>()))
            .boxed();
    }
    let no_fields = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&no_fields);
    let required = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
    let fields: Vec<BoxedStrategy<Option<(String, Value)>>> = properties
        .iter()
        .map(|(name, property)| {
            let (field, value) = (name.clone(), values(property));
            let value = value.prop_map(move |value| Some((field.clone(), value)));
            if required.contains(&json!(name)) && property.get("default").is_none() {
                value.boxed()
            } else {
                let null = Just(Some((name.clone(), Value::Null)));
                prop_oneof![3 => value, 1 => Just(None), 1 => null].boxed()
            }
        })
        .collect();
    fields.prop_map(|fields| Value::Object(fields.into_iter().flatten().collect())).boxed()
}
