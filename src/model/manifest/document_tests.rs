use super::tests::{list_errors, read_error};
use super::{Content, read};

#[test]
fn syntax_error_names_the_object() {
    assert_eq!(
        read_error(
            "kind: Gateway\napiVersion: gateway.networking.k8s.io/v1\nmetadata: {name: g}\nspec: [\n"
        ),
        "4:7: Gateway default/g: cannot be parsed as YAML or JSON: unclosed bracket '['"
    );
    // The namespace may follow the error.
    let error = read_error(
        "kind: Gateway\napiVersion: gateway.networking.k8s.io/v1\nmetadata:\n  name: g\n  a: [\n",
    );
    assert!(error.starts_with("5:6: cannot be parsed"), "{error}");
    let list = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Namespace, metadata: {name: a}}\n- apiVersion: v1\n  kind: Namespace\n  metadata: {name: b}\n  x: \"\n";
    let entries = read(list);
    assert!(list_errors(&entries[0])[0].contains("Namespace b: cannot be parsed"), "{entries:?}");
    assert_eq!(entries[0].key, None);
}

#[test]
fn nul_byte_is_reported_with_line_and_object() {
    assert_eq!(
        read_error("apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\nspec: \0\0\n"),
        "4:7: Namespace a: contains a NUL byte; the file is damaged, or it is UTF-16 without a byte order mark: write it again as UTF-8"
    );
    // The namespace may have been where the NUL bytes are.
    let error = read_error("apiVersion: v1\nkind: Service\nmetadata:\n  name: a\n  \0\0\n");
    assert!(error.starts_with("5:3: contains a NUL byte"), "{error}");
    assert!(read_error("a: \u{1b}[0m\n").contains("1:4: contains the control character U+001B"));
}

#[test]
fn null_documents_have_no_entries() {
    for text in ["null\n", "~\n", "---\nnull\n---\n~\n---\n", "# comment\n---\n!!null\n"] {
        assert_eq!(read(text), [], "{text}");
    }
}

#[test]
fn json_objects_may_follow_each_other() {
    let text = "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"a\"}} {\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":7}}\n\n{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"c\"}}";
    let entries = read(text);
    assert_eq!(entries.len(), 3, "{entries:?}");
    assert_eq!(
        list_errors(&entries[1]),
        [
            "1:121: metadata.name: found the number 7, expected an object name of 1 to 253 characters"
        ]
    );
    assert_eq!((entries[1].line, entries[2].line), (1, 3));
    assert!(matches!(entries[2].content, Content::Object(_)));
}

#[test]
fn merge_key_gives_an_object_its_namespace() {
    let text = "x: &ns {namespace: infra}\napiVersion: v1\nkind: Service\nmetadata: {<<: *ns, name: s}\nspec: {ports: [{port: 1}]}\n";
    let entries = read(text);
    assert_eq!(
        list_errors(&entries[0]),
        ["1:1: Service infra/s: x: is not a field of Service; correct or remove it"]
    );
}

#[test]
fn whole_numbers_may_have_a_fraction_of_zero() {
    for port in ["5000.0", "5e3", "5_000", "0x1388"] {
        let text = format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: s}}\nspec: {{ports: [{{port: {port}}}]}}\n"
        );
        let entries = read(&text);
        let Content::Object(crate::model::Object::Service(service)) = &entries[0].content else {
            panic!("{entries:?}")
        };
        assert_eq!(service.spec.ports[0].port.get(), 5000);
    }
}

#[test]
fn header_of_a_wrong_type_is_an_error() {
    assert_eq!(
        read_error("apiVersion: v1\nkind: 5\nmetadata: {name: a}\n"),
        "2:7: kind: must be a text; write it in quotes"
    );
    assert_eq!(
        read_error("apiVersion: v1\nkind: List\nitems: {a: b}\n"),
        "3:8: items: must be a list of objects"
    );
    assert_eq!(read_error("hello\n"), "1:1: must be an object, with apiVersion, kind and metadata");
    assert_eq!(read("apiVersion: v1\nkind: List\nitems: \n"), []);
    let entries = read("apiVersion: v1\nkind: List\nitems: [null, 5]\n");
    assert!(list_errors(&entries[1])[0].starts_with("3:15: must be an object"));
}

#[test]
fn lines_may_end_with_a_carriage_return() {
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n";
    let wrong = "apiVersion: v1\nkind: Namespace\nmetadata: {name: 7}\n";
    let text = format!("# a comment\n{namespace}---\n# another\n{wrong}...\n");
    for line_end in ["\n", "\r\n", "\r"] {
        let entries = read(&text.replace('\n', line_end));
        assert_eq!(entries.len(), 2, "{line_end:?} {entries:?}");
        assert!(matches!(entries[0].content, Content::Object(_)));
        assert_eq!((entries[0].line, entries[1].line), (1, 5));
        assert!(list_errors(&entries[1])[0].starts_with("9:18: metadata.name"), "{entries:?}");
    }
}

#[test]
fn json_objects_may_begin_with_a_byte_order_mark_each() {
    let object = |name: &str| {
        format!(
            "\u{feff}{{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{{\"name\":{name}}}}}"
        )
    };
    for between in ["", "\n", "\n\n"] {
        let text = [object("\"a\""), object("\"b\""), object("7")].join(between);
        let entries = read(&text);
        assert_eq!(entries.len(), 3, "{entries:?}");
        assert!(entries[..2].iter().all(|entry| matches!(entry.content, Content::Object(_))));
        assert_eq!(entries[2].line, 1 + 2 * between.len());
    }
}
