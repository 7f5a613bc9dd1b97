//! Schema of a JSON value, with all references resolved.

use std::collections::BTreeMap;
use std::sync::Arc;

use regex::Regex;
use serde_json::Value;

use super::rules::Rule;

/// Schema of a JSON value. Nodes are shared: the types that several kinds use exist once.
#[derive(Debug, Clone, Default)]
pub struct Schema {
    pub(super) value_type: ValueType,
    pub(super) is_nullable: bool,
    pub(super) default: Option<Value>,
    pub(super) format: Option<Format>,

    pub(super) properties: BTreeMap<String, Arc<Self>>,
    /// Schema of the entries of a map.
    pub(super) entries: Option<Arc<Self>>,
    pub(super) items: Option<Arc<Self>>,
    pub(super) required: Vec<String>,
    /// The object may have any fields: they are neither pruned nor reported.
    pub(super) keeps_unknown_fields: bool,

    pub(super) enumeration: Vec<Value>,
    pub(super) bounds: Bounds,
    pub(super) pattern: Option<Regex>,
    pub(super) rules: Vec<Rule>,
    pub(super) any_of: Vec<Arc<Self>>,
    pub(super) one_of: Vec<Arc<Self>>,
    pub(super) not: Option<Arc<Self>>,

    pub(super) list_type: ListType,
    pub(super) patch: PatchStrategy,
}

/// Type of a JSON value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum ValueType {
    #[default]
    Any,
    Object,
    Array,
    String,
    Integer,
    Number,
    Boolean,
    /// A number or a text, such as the target port of a Service.
    IntOrString,
    /// An amount with a suffix, such as `500m` or `2Gi`.
    Quantity,
}

impl ValueType {
    /// Returns the name of the type in messages.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::Array => "array",
            // A schema without a type refuses a value only if its format is one of strings.
            Self::String | Self::Any => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::IntOrString => "integer,string",
            Self::Quantity => "quantity",
        }
    }
}

/// Format of a text or number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Int32,
    Int64,
    DateTime,
    /// A time with exactly six digits of the second, which Go reads into `MicroTime`.
    MicroTime,
    /// Base64.
    Byte,
    Ipv4,
    Ipv6,
}

impl Format {
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "int32" => Self::Int32,
            "int64" => Self::Int64,
            "date-time" => Self::DateTime,
            "byte" => Self::Byte,
            "ipv4" => Self::Ipv4,
            "ipv6" => Self::Ipv6,
            _ => return None,
        })
    }
}

/// Limits of a number, and of the length of a text, list or map.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bounds {
    pub(super) minimum: Option<i64>,
    pub(super) maximum: Option<i64>,
    pub(super) min_length: Option<u64>,
    pub(super) max_length: Option<u64>,
    pub(super) min_items: Option<u64>,
    pub(super) max_items: Option<u64>,
    pub(super) min_properties: Option<u64>,
    pub(super) max_properties: Option<u64>,
}

/// Identity of the items of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum ListType {
    #[default]
    Atomic,
    /// Each value occurs once.
    Set,
    /// Each combination of the values of these fields occurs once.
    Map(Vec<String>),
}

/// Treatment of a field by a strategic merge patch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PatchStrategy {
    /// Lists are merged instead of replaced.
    pub(super) merges: bool,
    /// Maps are replaced instead of merged.
    pub(super) replaces: bool,
    /// Field that identifies the items of a list of objects.
    pub(super) merge_key: Option<String>,
}

impl Schema {
    /// Returns the schema of a field or of an entry.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.properties.get(name).or(self.entries.as_ref()).map(Arc::as_ref)
    }
}
