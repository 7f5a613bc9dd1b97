//! Builds [`Schema`]s from OpenAPI documents and custom resource definitions.

use std::collections::BTreeMap;
use std::sync::Arc;

use regex::Regex;
use serde_json::{Map, Value};

use super::definitions::referenced_name;
use super::node::{Bounds, Format, ListType, PatchStrategy, Schema, ValueType};
use super::rules::{self, Rule};

/// Type of a quantity, which OpenAPI describes as a text or a number.
const QUANTITY: &str = "io.k8s.apimachinery.pkg.api.resource.Quantity";
/// Type of a time with microseconds. OpenAPI has the same format for it as for other times.
const MICRO_TIME: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime";
const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// Origin of a schema: the two have different meanings of defaults and of objects without fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    BuiltIn,
    Custom,
}

/// Builds the schemas of all kinds, and shares the nodes that several of them refer to.
pub(super) struct NodeBuilder<'a> {
    schemas: &'a Map<String, Value>,
    built: BTreeMap<&'a str, Arc<Schema>>,
}

impl<'a> NodeBuilder<'a> {
    pub(super) const fn new(schemas: &'a Map<String, Value>) -> Self {
        Self { schemas, built: BTreeMap::new() }
    }

    /// Returns the schema of a type of the OpenAPI documents of Kubernetes.
    pub(super) fn built_in(&mut self, name: &'a str) -> Arc<Schema> {
        if let Some(built) = self.built.get(name) {
            return Arc::clone(built);
        }
        let mut built = self.node(&self.schemas[name], Origin::BuiltIn);
        if name == QUANTITY {
            built = Schema { value_type: ValueType::Quantity, ..Schema::default() };
        }
        if name == MICRO_TIME {
            built.format = Some(Format::MicroTime);
        }
        let built = Arc::new(built);
        self.built.insert(name, Arc::clone(&built));
        built
    }

    /// Returns the schema of a version of a custom resource definition.
    pub(super) fn custom(&mut self, schema: &'a Value) -> Arc<Schema> {
        let mut built = self.node(schema, Origin::Custom);
        built.properties.insert("metadata".into(), self.built_in(OBJECT_META));
        Arc::new(built)
    }

    fn node(&mut self, json: &'a Value, origin: Origin) -> Schema {
        let referenced = json.get("$ref").or_else(|| json.pointer("/allOf/0/$ref"));
        let mut schema = match referenced {
            Some(reference) => (*self.built_in(referenced_name(reference))).clone(),
            None => self.own_node(json, origin),
        };
        if let Some(default) = json.get("default") {
            schema.default = Some(default).filter(|_| has_default(default, origin)).cloned();
        }
        // For built-in kinds, Kubernetes uses these types for server-side apply only: its own rules
        // allow some repetitions.
        if let (Origin::Custom, Some(kind)) = (origin, json["x-kubernetes-list-type"].as_str()) {
            schema.list_type = list_type(kind, json);
        }
        if json.get("x-kubernetes-patch-strategy").is_some() {
            schema.patch = patch_strategy(json);
        }
        schema
    }

    fn own_node(&mut self, json: &'a Value, origin: Origin) -> Schema {
        let value_type = value_type(json);
        let properties = json["properties"].as_object().into_iter().flatten();
        let properties: BTreeMap<_, _> = properties
            .map(|(name, json)| (name.clone(), Arc::new(self.node(json, origin))))
            .collect();
        let entries = json.get("additionalProperties").filter(|json| json.is_object());
        let entries = entries.map(|json| Arc::new(self.node(json, origin)));
        let keeps_unknown_fields = json["x-kubernetes-preserve-unknown-fields"] == true
            || origin == Origin::BuiltIn
                && value_type == ValueType::Object
                && properties.is_empty()
                && entries.is_none();
        let pattern = json["pattern"].as_str();
        Schema {
            value_type,
            is_nullable: json["nullable"] == true,
            default: None,
            format: json["format"].as_str().and_then(Format::from_name),
            properties,
            entries,
            items: json.get("items").map(|json| Arc::new(self.node(json, origin))),
            required: texts(&json["required"]),
            keeps_unknown_fields,
            enumeration: json["enum"].as_array().cloned().unwrap_or_default(),
            bounds: bounds(json),
            pattern: pattern.map(|text| Regex::new(text).expect("a test compiles all patterns")),
            rules: rules(&json["x-kubernetes-validations"]),
            any_of: self.alternatives(json, "anyOf", value_type, origin),
            one_of: self.alternatives(json, "oneOf", value_type, origin),
            not: json.get("not").map(|json| Arc::new(self.node(json, origin))),
            list_type: ListType::Atomic,
            patch: PatchStrategy::default(),
        }
    }

    fn alternatives(
        &mut self,
        json: &'a Value,
        keyword: &str,
        value_type: ValueType,
        origin: Origin,
    ) -> Vec<Arc<Schema>> {
        // `IntOrString` already contains these alternatives.
        if value_type == ValueType::IntOrString {
            return Vec::new();
        }
        let alternatives = json[keyword].as_array().into_iter().flatten();
        alternatives.map(|json| Arc::new(self.node(json, origin))).collect()
    }
}

/// Returns `false` for the zero values that the documents of built-in types give as defaults of
/// fields that are always written: they are not defaults of absent fields.
fn has_default(default: &Value, origin: Origin) -> bool {
    let is_zero = match default {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
    };
    origin == Origin::Custom || !is_zero
}

fn value_type(json: &Value) -> ValueType {
    if json["x-kubernetes-int-or-string"] == true || json["format"] == "int-or-string" {
        return ValueType::IntOrString;
    }
    match json["type"].as_str() {
        Some("object") => ValueType::Object,
        Some("array") => ValueType::Array,
        Some("string") => ValueType::String,
        Some("integer") => ValueType::Integer,
        Some("number") => ValueType::Number,
        Some("boolean") => ValueType::Boolean,
        _ => ValueType::Any,
    }
}

fn bounds(json: &Value) -> Bounds {
    Bounds {
        minimum: json["minimum"].as_i64(),
        maximum: json["maximum"].as_i64(),
        min_length: json["minLength"].as_u64(),
        max_length: json["maxLength"].as_u64(),
        min_items: json["minItems"].as_u64(),
        max_items: json["maxItems"].as_u64(),
        min_properties: json["minProperties"].as_u64(),
        max_properties: json["maxProperties"].as_u64(),
    }
}

fn list_type(kind: &str, json: &Value) -> ListType {
    match kind {
        "set" => ListType::Set,
        "map" => ListType::Map(texts(&json["x-kubernetes-list-map-keys"])),
        _ => ListType::Atomic,
    }
}

fn patch_strategy(json: &Value) -> PatchStrategy {
    let strategies = json["x-kubernetes-patch-strategy"].as_str().unwrap_or_default();
    let has = |name: &str| strategies.split(',').any(|strategy| strategy == name);
    PatchStrategy {
        merges: has("merge"),
        replaces: has("replace"),
        merge_key: json["x-kubernetes-patch-merge-key"].as_str().map(str::to_owned),
    }
}

fn rules(json: &Value) -> Vec<Rule> {
    let rules = json.as_array().into_iter().flatten();
    rules
        .map(|rule| {
            let expression = rule["rule"].as_str().unwrap_or_default();
            let check =
                rules::find(expression).expect("a test finds every rule of the definitions");
            Rule { check, message: rule["message"].as_str().unwrap_or(expression).to_owned() }
        })
        .collect()
}

fn texts(json: &Value) -> Vec<String> {
    let items = json.as_array().into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}
