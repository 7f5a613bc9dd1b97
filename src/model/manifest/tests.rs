use super::*;

pub(super) const CLASS: &str = "kind: GatewayClass
apiVersion: gateway.networking.k8s.io/v1
metadata: {name: eg}
spec: {controllerName: example.com/gateway}
";

pub(super) fn list_errors(entry: &Entry) -> Vec<String> {
    match &entry.content {
        Content::Invalid(errors) => errors.iter().map(ToString::to_string).collect(),
        Content::Object(object) => panic!("{} was read", object.key()),
        Content::Unsupported(what) => panic!("{what} was skipped"),
        Content::Unserved(key, _) => panic!("{key} was skipped"),
    }
}

pub(super) fn read_error(text: &str) -> String {
    let entries = read(text);
    assert_eq!(entries.len(), 1, "{entries:?}");
    let errors = list_errors(&entries[0]);
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors[0].clone()
}

fn route(api_version: &str, spec: &str) -> String {
    format!(
        "kind: TCPRoute\napiVersion: gateway.networking.k8s.io/{api_version}\nmetadata:\n  name: r\nspec:\n{spec}"
    )
}

#[test]
fn documents_are_split_and_numbered() {
    let stream =
        "# a comment\n---\na: 1\n--- # another\nb: |\n  --- inside\n...\n---\n\nc: 3\n---\n";
    let documents: Vec<_> =
        split(stream).map(|document| (document.line, document.text.trim())).collect();
    assert_eq!(documents, [(2, "a: 1"), (4, "# another\nb: |\n  --- inside"), (8, "c: 3")]);
}

#[test]
fn document_may_begin_on_the_marker_line() {
    let documents: Vec<_> =
        split("--- {a: 1}\n--- b\n").map(|document| document.text.trim()).collect();
    assert_eq!(documents, ["{a: 1}", "b"]);
}

#[test]
fn carriage_returns_and_byte_order_mark_are_accepted() {
    let text = format!(
        "\u{feff}---\r\n{}---\r\n{}",
        CLASS.replace('\n', "\r\n"),
        CLASS.replace("eg", "other")
    );
    let entries = read(&text);
    assert_eq!(entries.len(), 2);
    assert!(entries.iter().all(|entry| matches!(entry.content, Content::Object(_))), "{entries:?}");
}

#[test]
fn invalid_document_does_not_affect_others() {
    let entries = read(&format!("{CLASS}---\nspec: [\n---\n{}", CLASS.replace("eg", "other")));
    assert_eq!(entries.len(), 3);
    assert!(matches!(entries[0].content, Content::Object(_)));
    assert!(list_errors(&entries[1])[0].contains("unclosed bracket '['"), "{:?}", entries[1]);
    assert!(matches!(entries[2].content, Content::Object(_)));
}

#[test]
fn error_lines_are_those_of_the_whole_text() {
    let text = format!(
        "{CLASS}---\n{}",
        route("v1", "  rules:\n  - backendRefs:\n    - name: a\n      port: 0\n")
    );
    let entries = read(&text);
    assert_eq!(
        list_errors(&entries[1]),
        [
            "14:13: TCPRoute default/r: spec.rules[0].backendRefs[0].port: found the number 0, expected a port from 1 to 65535"
        ]
    );
}

#[test]
fn errors_of_rules_that_span_fields_have_a_position() {
    assert_eq!(
        read_error(&route("v1", "  rules:\n  - backendRefs:\n    - name: a\n")),
        "8:7: TCPRoute default/r: spec.rules[0].backendRefs[0].port: is missing; a reference to a Service must specify a port of `a`"
    );
}

#[test]
fn unknown_field_is_an_error() {
    assert_eq!(
        read_error(&route(
            "v1",
            "  rules:\n  - backendRefs:\n    - {name: a, port: 1, wieght: 3}\n"
        )),
        "8:26: TCPRoute default/r: spec.rules[0].backendRefs[0].wieght: is not a field of TCPRoute; did you mean weight?"
    );
}

#[test]
fn unquoted_number_is_not_a_name() {
    let error = read_error(&CLASS.replace("eg", "7"));
    assert!(
        error.contains("metadata.name: found the number 7, expected an object name"),
        "{error}"
    );
}

#[test]
fn null_means_the_default() {
    let text = "kind: Service\napiVersion: v1\nmetadata: {name: s, labels: }\nspec:\n  selector:\n  ports: [{port: 1}]\n";
    assert!(matches!(read(text)[0].content, Content::Object(_)), "{:?}", read(text));
}

#[test]
fn version_decides_the_number_of_rules() {
    let spec =
        "  rules:\n  - backendRefs: [{name: a, port: 1}]\n  - backendRefs: [{name: b, port: 1}]\n";
    assert!(read_error(&route("v1", spec)).contains("spec.rules: has 2 entries; 1 allowed"));
    assert!(matches!(read(&route("v1alpha2", spec))[0].content, Content::Object(_)));
}

#[test]
fn other_versions_are_errors_and_other_kinds_are_unsupported() {
    assert!(
        read_error(&route("v1beta7", "  rules: []\n"))
            .contains("version v1beta7 of TCPRoute is not supported; use v1 or v1alpha2")
    );
    assert!(
        read_error("apiVersion: gateway.networking.k8s.io/v1\nmetadata: {}\n")
            .contains("kind is missing")
    );
    assert!(read_error("kind: Gateway\n").contains("apiVersion is missing"));
    for foreign in [
        "kind: Deployment\napiVersion: apps/v1\n",
        "services: {}\n",
        "kind: Gateway\napiVersion: networking.istio.io/v1\n",
        "kind: Service\napiVersion: serving.knative.dev/v1\n",
        "kind: HTTPRoute\napiVersion: gateway.networking.k8s.io/v1\n",
        "kind: ListenerSet\napiVersion: gateway.networking.k8s.io/v1\n",
    ] {
        assert!(matches!(read(foreign)[0].content, Content::Unsupported(_)), "{foreign}");
    }
}

#[test]
fn misspelt_kind_or_group_is_an_error() {
    assert_eq!(
        read_error("kind: Gatewy\napiVersion: gateway.networking.k8s.io/v1\n"),
        "1:7: kind: Gatewy is not a kind of Gateway API; did you mean Gateway?"
    );
    for api_version in ["v1", "gateway.networking.k8s.io"] {
        let error = read_error(&format!("kind: Gateway\napiVersion: {api_version}\n"));
        assert_eq!(
            error,
            format!(
                "2:13: apiVersion: {api_version} has no kind Gateway; use gateway.networking.k8s.io/v1"
            )
        );
    }
}

#[test]
fn nested_list_is_an_error() {
    let text = "apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: List
  items: [{apiVersion: v1, kind: Namespace, metadata: {name: a}}]
- apiVersion: example.com/v1
  kind: BlockList
  items: [x]
- apiVersion: v1
  kind: Namespace
  metadata: {name: b}
";
    let entries = read(text);
    assert_eq!(
        list_errors(&entries[0]),
        ["4:3: lists cannot be nested; move the items into the outer list"]
    );
    assert!(matches!(entries[1].content, Content::Unsupported(_)));
    assert!(matches!(entries[2].content, Content::Object(_)));
}

#[test]
fn invalid_object_has_the_key_of_its_header() {
    let entries = read(&route("v1", "  rules: 7\n"));
    assert_eq!(
        entries[0].key.as_ref().map(ToString::to_string).as_deref(),
        Some("TCPRoute default/r")
    );
    assert_eq!(read("a: [")[0].key, None);
}

#[test]
fn list_items_are_read_separately() {
    let text = "apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Namespace
  metadata: {name: a}
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: b}
- apiVersion: gateway.networking.k8s.io/v1
  kind: TCPRoute
  metadata: {name: r}
  spec: {rules: [{backendRefs: [{name: s, port: x}]}]}
- apiVersion: gateway.networking.k8s.io/v1
  kind: TCPRoute
  metadata: {name: q}
  spec: {rules: [{backendRefs: [{name: s}]}]}
- apiVersion: v1
  kind: Namespace
  metadata: {name: c}
";
    for (lines, text) in
        [(0, text.to_owned()), (3, format!("\n\n---{}", text.replacen("", "\n", 1)))]
    {
        let entries = read(&text);
        assert_eq!(entries.len(), 5, "{entries:?}");
        assert!(matches!(entries[0].content, Content::Object(_)));
        assert!(matches!(entries[1].content, Content::Unsupported(_)));
        let error = &list_errors(&entries[2])[0];
        assert!(
            error.starts_with(&format!(
                "{}:49: TCPRoute default/r: spec.rules[0].backendRefs[0].port: found the text `x`, expected a port",
                13 + lines
            )),
            "{error}"
        );
        let error = &list_errors(&entries[3])[0];
        assert!(
            error.starts_with(&format!(
                "{}:33: TCPRoute default/q: spec.rules[0].backendRefs[0].port: is missing",
                17 + lines
            )),
            "{error}"
        );
        assert!(matches!(entries[4].content, Content::Object(_)));
    }
}

#[test]
fn typed_list_gives_its_items_a_kind() {
    let text = "apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClassList\nitems:\n- metadata: {name: a}\n  spec: {controllerName: a.b/c}\n";
    assert!(
        matches!(&read(text)[0].content, Content::Object(object) if object.key().to_string() == "GatewayClass a")
    );
}

#[test]
fn json_is_read() {
    let text = r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"a","annotations":{"x":"a\/b é"}}}"#;
    assert!(matches!(read(text)[0].content, Content::Object(_)), "{:?}", read(text));
}

#[test]
fn hostile_input_is_rejected_quickly() {
    let deep = "[".repeat(10_000);
    assert!(matches!(read(&deep)[0].content, Content::Invalid(_)));
    let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..10 {
        bomb +=
            &format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 9].join(","));
    }
    assert!(matches!(read(&bomb)[0].content, Content::Invalid(_) | Content::Unsupported(_)));
}
