use serde_json::{Value as Json, json};

use super::build::parse;
use super::error::ManifestError;
use super::node_id::NodeId;
use super::split::{Document, split};
use super::tree::{Tree, Value};

/// Converts a document to JSON, or returns its first error.
fn to_json(text: &str) -> Result<Json, String> {
    let document =
        split(text).next().unwrap_or(Document { line: 1, column: 1, offset: 0, text: "" });
    let parsed = parse(&document);
    if let Some(failure) = parsed.failure {
        return Err(
            ManifestError::new(failure.position, None, String::new(), failure.message).to_string()
        );
    }
    if let Some(problem) = parsed.problems.into_iter().next() {
        return Err(problem.of(None).to_string());
    }
    Ok(if parsed.tree.is_empty() { Json::Null } else { node_to_json(&parsed.tree, NodeId::ROOT) })
}

fn node_to_json(tree: &Tree<'_>, node: NodeId) -> Json {
    match tree.value(node) {
        Value::Null => Json::Null,
        Value::Bool(value) => json!(value),
        Value::Integer(number) => json!(number),
        Value::Unsigned(number) => json!(number),
        Value::Float(number) => json!(number),
        Value::Text(text) => json!(text),
        Value::List(items) => items.iter().map(|item| node_to_json(tree, *item)).collect(),
        Value::Mapping(fields) => Json::Object(
            fields
                .as_slice()
                .iter()
                .map(|field| (field.key.clone().into_owned(), node_to_json(tree, field.value)))
                .collect(),
        ),
    }
}

fn error(text: &str) -> String {
    to_json(text).unwrap_err()
}

/// The values are those of `sigs.k8s.io/yaml` v1.6.0, which kubectl uses.
#[test]
fn scalars_are_resolved_as_kubectl_does() {
    for (scalar, expected) in [
        ("5", json!(5)),
        ("+5", json!(5)),
        ("-5", json!(-5)),
        ("01", json!(1)),
        ("010", json!(8)),
        ("08", json!(8)),
        ("0o17", json!(15)),
        ("0x1F", json!(31)),
        ("-0x10", json!(-16)),
        ("0b101", json!(5)),
        ("0b12", json!("0b12")),
        ("0xg", json!("0xg")),
        ("1_000", json!(1000)),
        ("_1", json!("_1")),
        ("5.0", json!(5)),
        ("5.", json!(5)),
        ("5e3", json!(5000)),
        ("5e-3", json!(0.005)),
        (".5", json!(0.5)),
        (".5_0", json!(0.5)),
        ("1e999", json!("1e999")),
        ("9223372036854775808", json!(9_223_372_036_854_775_808_u64)),
        ("1:30", json!("1:30")),
        ("2001-01-01", json!("2001-01-01")),
        ("1.2.3.4", json!("1.2.3.4")),
        ("yes", json!(true)),
        ("Off", json!(false)),
        ("y", json!(true)),
        ("yEs", json!("yEs")),
        ("~", json!(null)),
        ("NULL", json!(null)),
        ("nULL", json!("nULL")),
        ("", json!(null)),
        ("'yes'", json!("yes")),
        ("\"5\"", json!("5")),
        ("!!str 5", json!("5")),
        ("!!str", json!("")),
        ("!!int '5'", json!(5)),
        ("!!float 5", json!(5)),
        ("!!bool yes", json!(true)),
        ("!custom 5", json!("5")),
        ("! 5", json!(5)),
        ("inf", json!("inf")),
        ("=", json!("=")),
    ] {
        assert_eq!(to_json(&format!("a: {scalar}\n")), Ok(json!({"a": expected})), "{scalar}");
    }
    assert!(error("a: !!int x\n").contains("cannot be read with its tag"));
}

#[test]
fn keys_become_texts_as_in_json() {
    // Both keys are `true` in JSON.
    assert!(error("true: a\non: b\n").contains("true: is already set"));
    assert_eq!(to_json("1: a\non: b\n0x10: c\n"), Ok(json!({"1": "a", "true": "b", "16": "c"})));
    assert!(error("~: a\n").contains("null cannot be a key"));
    assert!(error("[a]: b\n").contains("a list or a mapping cannot be a key"));
    assert!(
        error("name: {{ .Values.name }}\n").contains("if the file is a template, render it first")
    );
}

#[test]
fn merge_keys_are_expanded() {
    let anchors = "x: &x {a: 1, b: 2}\ny: &y {b: 3, c: 4}\n";
    for (mapping, expected) in [
        ("{<<: *x, d: 5}", json!({"a": 1, "b": 2, "d": 5})),
        ("{d: 5, <<: *x}", json!({"a": 1, "b": 2, "d": 5})),
        ("{<<: *x, b: 5}", json!({"a": 1, "b": 5})),
        ("{<<: [*x, *y]}", json!({"a": 1, "b": 2, "c": 4})),
        ("{<<: [*x, {b: 6, e: 7}]}", json!({"a": 1, "b": 2, "e": 7})),
        ("{<<: {a: 1}, <<: {b: 2}}", json!({"a": 1, "b": 2})),
        ("{<<: {<<: *x, c: 0}, d: 5}", json!({"a": 1, "b": 2, "c": 0, "d": 5})),
        ("{'<<': *x}", json!({"<<": {"a": 1, "b": 2}})),
    ] {
        let mut json = to_json(&format!("{anchors}z: {mapping}\n")).unwrap();
        assert_eq!(json["z"].take(), expected, "{mapping}");
    }
    for mapping in ["{<<: 5}", "{<<: }", "{<<: [*x, 5]}", "{<<: '*x'}"] {
        let error = error(&format!("{anchors}z: {mapping}\n"));
        assert_eq!(error, "3:5: z.<<: must refer to a mapping or to a list of mappings");
    }
}

/// kubectl takes the merged value, other programs take the other one.
#[test]
fn field_before_a_merge_key_that_sets_it_again_is_an_error() {
    assert_eq!(
        error("x: &x {a: 1, b: 2}\nz:\n  b: 3\n  <<: *x\n"),
        "4:3: z.b: is set in line 3, column 3 before the merge key <<, which sets it again; write << first, or remove one of the two"
    );
    assert!(error("{<<: {a: 1}, <<: {a: 2}}\n").contains("is set in line 1, column 7"));
}

#[test]
fn duplicate_key_is_an_error_with_both_positions() {
    assert_eq!(
        error("a:\n- b: 1\n  c: 2\n  b: 3\n"),
        "4:3: a[0].b: is already set in line 2, column 3; remove one of the two"
    );
    // More fields than are scanned.
    let mut fields: String = (0..100).map(|index| format!("f{index}: 1\n")).collect();
    fields += "f3: 2\n";
    assert!(error(&fields).starts_with("101:1: f3: is already set in line 4, column 1"));
}

#[test]
fn aliases_refer_to_the_last_anchor() {
    assert_eq!(
        to_json("a: &v 1\nb: *v\nc: &v 2\nd: *v\n&k e: *k\n"),
        Ok(json!({"a": 1, "b": 1, "c": 2, "d": 2, "e": "e"}))
    );
    assert!(error("a: *v\n").starts_with("1:4: no anchor &v precedes the alias *v"));
    assert!(error("a: &v [*v]\n").contains("the alias *v is inside the node that it refers to"));
}

#[test]
fn aliases_expand_to_a_limited_number_of_nodes() {
    let wide =
        |aliases: usize| format!("a: &a [{}]\nb: [{}]\n", "x,".repeat(999), "*a,".repeat(aliases));
    assert!(to_json(&wide(100)).is_ok());
    assert!(
        error(&wide(101)).contains("expand to more than 100000 nodes"),
        "{}",
        error(&wide(101))
    );
    let mut bomb = "a0: &a0 {x: 1, y: 2}\n".to_owned();
    for level in 1..100 {
        let previous = level - 1;
        bomb += &format!("a{level}: &a{level} {{<<: [*a{previous}], z{level}: *a{previous}}}\n");
    }
    assert!(error(&bomb).contains("expand to more than 100000 nodes"), "{}", error(&bomb));
    let keys: String = (0..50_000).map(|index| format!("k{index}: 1, ")).collect();
    let inline =
        |depth| ["x: ", &"{<<: ".repeat(depth), "{", &keys, "}", &"}".repeat(depth)].concat();
    assert!(to_json(&inline(2)).is_ok());
    assert!(
        error(&inline(3)).contains("expand to more than 100000 nodes"),
        "{}",
        error(&inline(3))
    );
    // Nodes that no alias refers to do not count.
    assert!(to_json(&"- &a x\n".repeat(200_000)).is_ok());
}

#[test]
fn depth_is_limited() {
    let nested = |depth| [["["].repeat(depth).concat(), ["]"].repeat(depth).concat()].concat();
    assert!(to_json(&nested(128)).is_ok());
    for deep in [
        nested(129),
        "[".repeat(60_000),
        "{a: ".repeat(60_000),
        "- ".repeat(60_000),
        "? ".repeat(60_000),
    ] {
        assert!(error(&deep).contains("is nested more than 128 levels deep"), "{}", error(&deep));
    }
}

#[test]
fn unusual_layouts_are_read() {
    for (text, expected) in [
        ("{\n\t\"a\": 1,\n\t\"b\": [\n\t\t2\n\t]\n}\n", json!({"a": 1, "b": [2]})),
        ("a:\tb\t\n", json!({"a": "b"})),
        ("a:\n- b\n-\n  - c\n", json!({"a": ["b", ["c"]]})),
        ("a: [\nb,\nc]\n", json!({"a": ["b", "c"]})),
        ("a: |\n  b\n   c\nd: >-\n  e\n  f", json!({"a": "b\n c\n", "d": "e f"})),
        ("a: |\n  b", json!({"a": "b"})),
        ("a: b\r\nc: |\r\n  d\r\n", json!({"a": "b", "c": "d\n"})),
        ("a: b#c # d\n# e\n", json!({"a": "b#c"})),
        ("{\"a\":\"\\ud83d\\ude00\\/\"}", json!({"a": "😀/"})),
        ("--- {a: b}\n", json!({"a": "b"})),
        ("---\n\u{feff}a: b\n", json!({"a": "b"})),
        ("\u{feff}---\na: b\n", json!({"a": "b"})),
    ] {
        assert_eq!(to_json(text), Ok(expected), "{text}");
    }
    assert!(error("a:\n\tb: c\n").contains("tab"), "{}", error("a:\n\tb: c\n"));
}
