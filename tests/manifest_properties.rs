//! Properties of manifest reading: any text is read to its end, without a panic, and gives objects
//! or errors with a position.
#![cfg(feature = "yaml")]
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::fs;
use std::ops::Range;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use sluicegate::model::manifest::{Content, Entry, read, split};
use sluicegate::model::{Labels, Namespace, Object, ObjectMeta, Resources};
use sluicegate::translate::{Assignments, Settings, translate};

/// Fragments of YAML, and some that are difficult for parsers.
const PIECES: &[&str] = &[
    "---\n",
    "...\n",
    "\n",
    "\r\n",
    "\r",
    "\u{feff}",
    "{\"a\": 1}",
    "\t",
    " ",
    "  ",
    "- ",
    ": ",
    ":",
    ", ",
    "{",
    "}",
    "[",
    "]",
    "? ",
    "&a ",
    "*a ",
    "<<: *a\n",
    "!",
    "!!str ",
    "!x ",
    "| \n",
    ">-\n",
    "\"",
    "'",
    "\\",
    "#",
    "%YAML 1.2\n",
    "@",
    "`",
    "~",
    "null",
    "true",
    ".inf",
    "0x1F",
    "1e999",
    "-1",
    "99999999999999999999",
    "é",
    "😀",
    "\u{feff}",
    "\u{0}",
    "\u{85}",
    "\u{2028}",
    "apiVersion: v1\n",
    "kind: List\n",
    "kind: Gateway\n",
    "kind: TCPRoute\n",
    "kind: TCPRouteList\n",
    "apiVersion: gateway.networking.k8s.io/v1\n",
    "metadata: {name: x}\n",
    "items:\n",
    "items: [",
    "spec:\n",
    "rules: [",
    "\"\\ud83d\"",
    "&b [*a, *a]\n",
    "<<: [*a, *b]\n",
    "{\"a\": 1} {\"b\": 2}\n",
    "metadata: {name: x, nmae: y}\n",
    "no",
    "0x",
];

const LISTS: &str = "apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Namespace
  metadata: {name: a}
- apiVersion: gateway.networking.k8s.io/v1
  kind: TCPRoute
  metadata: {name: r}
  spec: {rules: [{backendRefs: [{name: s, port: x}]}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClassList
items:
- metadata: {name: a}
  spec: {controllerName: a.b/c}
- metadata: {name: b}
  spec: {}
---
{\"apiVersion\": \"v1\", \"kind\": \"Service\", \"metadata\": {\"name\": \"s\"}, \"spec\": {\"ports\": [{\"port\": 1}]}}
";

/// Checks the properties of all entries, then translates the objects.
fn check(text: &str) {
    let lines = text.matches(['\n', '\r']).count() + 1;
    let mut resources = Resources::new();
    for document in split(text) {
        assert!((1..=lines).contains(&document.line));
        assert!(text[document.offset..].starts_with(document.text));
    }
    for entry in read(text) {
        match entry.content {
            Content::Object(object) => {
                assert_eq!(entry.key, Some(object.key()), "{text}");
                resources.insert(object);
            }
            Content::Invalid(errors) => {
                assert!(!errors.is_empty());
                for error in errors {
                    assert!(error.line >= 1 && error.column >= 1, "{error}");
                    assert!(!error.message.is_empty(), "{error}");
                }
            }
            _ => {}
        }
    }
    translate(&resources, &Settings::default(), &Assignments::default());
}

/// Returns valid manifests: the inputs of the golden cases, and lists.
fn manifests() -> Vec<String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/translate");
    let inputs = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_str().unwrap().ends_with(".in.yaml"))
        .map(|path| fs::read_to_string(path).unwrap());
    let mut manifests: Vec<_> = inputs.chain([LISTS.to_owned()]).collect();
    manifests.sort();
    manifests
}

#[derive(Debug, Clone)]
enum Mutation {
    Insert(Index, &'static str),
    Delete(Index, Index),
    Repeat(Index, Index),
    Swap(Index, Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let index = any::<Index>;
    prop_oneof![
        (index(), select(PIECES)).prop_map(|(at, piece)| Mutation::Insert(at, piece)),
        (index(), index()).prop_map(|(from, to)| Mutation::Delete(from, to)),
        (index(), index()).prop_map(|(from, to)| Mutation::Repeat(from, to)),
        (index(), index()).prop_map(|(one, other)| Mutation::Swap(one, other)),
    ]
}

impl Mutation {
    fn apply(&self, text: &mut String) {
        match self {
            Self::Insert(at, piece) => text.insert_str(position(text, at), piece),
            Self::Delete(from, to) => text.replace_range(range(text, from, to), ""),
            Self::Repeat(from, to) => {
                let range = range(text, from, to);
                let piece = text[range.clone()].to_owned();
                text.insert_str(range.start, &piece);
            }
            Self::Swap(one, other) => {
                let mut lines: Vec<_> = text.split_inclusive('\n').collect();
                if !lines.is_empty() {
                    let (one, other) = (one.index(lines.len()), other.index(lines.len()));
                    lines.swap(one, other);
                }
                *text = lines.concat();
            }
        }
    }
}

fn position(text: &str, index: &Index) -> usize {
    text.floor_char_boundary(index.index(text.len() + 1))
}

/// Returns a short range, so that several mutations do not remove everything.
fn range(text: &str, from: &Index, length: &Index) -> Range<usize> {
    let start = position(text, from);
    start..text.floor_char_boundary((start + length.index(40)).min(text.len())).max(start)
}

proptest! {
    #[test]
    fn arbitrary_text_is_read(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn yaml_fragments_are_read(pieces in vec(select(PIECES), 0..30)) {
        check(&pieces.concat());
    }

    #[test]
    fn damaged_manifest_is_read(
        mut text in select(manifests()),
        mutations in vec(mutation(), 1..6),
    ) {
        for mutation in mutations {
            mutation.apply(&mut text);
        }
        check(&text);
    }

    /// JSON escapes what YAML does not allow, except a few characters without a glyph.
    #[test]
    fn serialised_objects_round_trip(
        name in "[a-z0-9]{1,8}|y|n|no|on|off|yes|true|null|0x1f|1e3|017",
        annotations in vec(("[a-z]{1,3}|y|no", "[^\u{7f}-\u{9f}\u{feff}\u{fffe}\u{ffff}]*"), 0..4),
    ) {
        let annotations: Labels = annotations.into_iter().collect();
        let mut metadata = ObjectMeta::named(name.parse().unwrap());
        metadata.annotations = annotations;
        let object: Object = Namespace { metadata }.into();
        assert_eq!(read_object(&serde_json::to_string(&object).unwrap()), object);
        assert_eq!(read_object(&serde_json::to_string_pretty(&object).unwrap()), object);
    }

    /// Each mapping merges the mappings before it, and refers to them in its fields.
    #[test]
    fn aliases_expand_to_a_limited_number_of_nodes(
        levels in vec((0_usize..40, 0_usize..40), 1..60),
    ) {
        let mut text = "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\nx0: &x0 {y: [z]}\n".to_owned();
        for (index, (merged, aliases)) in levels.into_iter().enumerate() {
            let alias = format!("*x{index},");
            let (merged, aliases) = (alias.repeat(merged), alias.repeat(aliases));
            let level = index + 1;
            text += &format!("x{level}: &x{level} {{<<: [{merged}], y{level}: [{aliases}]}}\n");
        }
        let entries = read(&text);
        let [Entry { content: Content::Invalid(errors), .. }] = &entries[..] else {
            panic!("{entries:?}")
        };
        assert!(errors.len() <= 61, "{errors:?}");
    }
}

fn read_object(text: &str) -> Object {
    match &read(text)[..] {
        [Entry { content: Content::Object(object), .. }] => object.clone(),
        entries => panic!("{entries:?}: {text}"),
    }
}

#[test]
fn objects_of_the_golden_cases_round_trip() {
    for manifest in manifests() {
        for entry in read(&manifest) {
            if let Content::Object(object) = entry.content {
                // Serialising gives the canonical version, v1, which allows one rule.
                if matches!(&object, Object::TcpRoute(route) if route.spec.rules.len() > 1) {
                    continue;
                }
                assert_eq!(read_object(&serde_json::to_string(&object).unwrap()), object);
            }
        }
    }
}
