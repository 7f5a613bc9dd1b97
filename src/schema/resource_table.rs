//! The schema table: all resources that the API serves.

use std::sync::LazyLock;

use serde_json::Value;

use super::definitions::Definitions;
use super::node_builder::NodeBuilder;
use super::resource::{Resource, ServedVersion};
use super::table::{built_in_columns, custom_columns};

static RESOURCES: LazyLock<Vec<Resource>> = LazyLock::new(|| build(&Definitions::parse()));

/// Verbs of every custom resource.
const CUSTOM_VERBS: [&str; 8] =
    ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/// Returns the resources that the API serves. The first call parses the schemas.
pub fn resources() -> &'static [Resource] {
    &RESOURCES
}

/// Returns the resource and version of a path such as `/apis/GROUP/VERSION/PLURAL`.
pub fn find_resource(
    group: &str,
    version: &str,
    plural: &str,
) -> Option<(&'static Resource, &'static ServedVersion)> {
    find(group, version, |resource| resource.plural == plural)
}

/// Returns the resource and version of an object with this group, version and kind.
pub fn find_kind(
    group: &str,
    version: &str,
    kind: &str,
) -> Option<(&'static Resource, &'static ServedVersion)> {
    find(group, version, |resource| resource.kind == kind)
}

fn find(
    group: &str,
    version: &str,
    is_wanted: impl Fn(&Resource) -> bool,
) -> Option<(&'static Resource, &'static ServedVersion)> {
    let found = RESOURCES.iter().find(|one| one.group == group && is_wanted(one))?;
    Some((found, found.version(version)?))
}

fn build(definitions: &Definitions) -> Vec<Resource> {
    let mut nodes = NodeBuilder::new(definitions.schemas());
    let built_in = definitions.built_in().map(|json| built_in(json, definitions, &mut nodes));
    let mut resources: Vec<_> = built_in.collect();
    resources.extend(definitions.custom().map(|json| custom(json, &mut nodes)));
    resources
}

/// Returns a built-in resource from its entry in an `APIResourceList`.
fn built_in<'a>(
    json: &Value,
    definitions: &'a Definitions,
    nodes: &mut NodeBuilder<'a>,
) -> Resource {
    let (group, version, kind) =
        (text(&json["group"]), text(&json["version"]), text(&json["kind"]));
    let name = definitions.type_name(&group, &version, &kind).expect("every kind has a schema");
    let version = ServedVersion {
        name: version,
        schema: nodes.built_in(name),
        columns: built_in_columns(&group, &kind),
        deprecation: None,
    };
    Resource {
        list_kind: format!("{kind}List"),
        plural: text(&json["name"]),
        singular: text(&json["singularName"]),
        short_names: texts(&json["shortNames"]),
        categories: texts(&json["categories"]),
        verbs: texts(&json["verbs"]),
        is_namespaced: json["namespaced"] == true,
        has_status: json["status"] == true,
        is_custom: false,
        versions: vec![version],
        group,
        kind,
    }
}

/// Returns a custom resource from the specification of its definition.
fn custom<'a>(json: &'a Value, nodes: &mut NodeBuilder<'a>) -> Resource {
    let names = &json["names"];
    let served = json["versions"].as_array().into_iter().flatten();
    let served = served.filter(|version| version["served"] == true);
    let versions: Vec<_> = served.map(|version| custom_version(version, nodes)).collect();
    let first = &json["versions"][0];
    Resource {
        group: text(&json["group"]),
        kind: text(&names["kind"]),
        list_kind: text(&names["listKind"]),
        plural: text(&names["plural"]),
        singular: text(&names["singular"]),
        short_names: texts(&names["shortNames"]),
        categories: texts(&names["categories"]),
        verbs: CUSTOM_VERBS.map(str::to_owned).to_vec(),
        is_namespaced: json["scope"] == "Namespaced",
        has_status: first.pointer("/subresources/status").is_some(),
        is_custom: true,
        versions,
    }
}

fn custom_version<'a>(json: &'a Value, nodes: &mut NodeBuilder<'a>) -> ServedVersion {
    ServedVersion {
        name: text(&json["name"]),
        schema: nodes.custom(&json["schema"]["openAPIV3Schema"]),
        columns: custom_columns(&json["additionalPrinterColumns"]),
        deprecation: json["deprecationWarning"].as_str().map(str::to_owned),
    }
}

fn text(json: &Value) -> String {
    json.as_str().unwrap_or_default().to_owned()
}

fn texts(json: &Value) -> Vec<String> {
    json.as_array().into_iter().flatten().map(text).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::ObjectKind;
    use crate::schema::rules::RULES;

    #[test]
    fn table_has_the_kinds_of_the_model() {
        // Without a cluster, there are no nodes.
        let kinds = ObjectKind::ALL.iter().filter(|kind| **kind != ObjectKind::Node);
        for kind in kinds {
            let mut found = resources()
                .iter()
                .filter(|one| one.group() == kind.group() && one.kind() == kind.as_str());
            let resource = found.next().unwrap_or_else(|| panic!("no resource for {kind}"));
            let names: Vec<_> = resource.versions().iter().map(ServedVersion::name).collect();
            assert_eq!(names, kind.versions(), "{kind}");
            assert_eq!(resource.is_namespaced(), kind.is_namespaced(), "{kind}");
            assert!(found.next().is_none(), "{kind}");
        }
    }

    #[test]
    fn resources_have_the_names_that_kubectl_accepts() {
        let (gateway, version) =
            find_resource("gateway.networking.k8s.io", "v1", "gateways").unwrap();
        assert_eq!((gateway.kind(), gateway.list_kind()), ("Gateway", "GatewayList"));
        assert_eq!((gateway.singular(), gateway.short_names()), ("gateway", &["gtw".into()][..]));
        assert_eq!(gateway.categories(), ["gateway-api"]);
        assert_eq!(gateway.api_version(version), "gateway.networking.k8s.io/v1");
        assert!(gateway.has_status() && gateway.is_custom() && gateway.is_namespaced());
        let (service, version) = find_kind("", "v1", "Service").unwrap();
        assert_eq!((service.plural(), service.short_names()), ("services", &["svc".into()][..]));
        assert_eq!((service.api_version(version), service.is_custom()), ("v1".into(), false));
        assert!(find_resource("apps", "v1", "deployments").unwrap().0.has_status());
        assert!(!find_resource("", "v1", "configmaps").unwrap().0.has_status());
        assert!(find_resource("", "v1", "pods").is_none());
        assert!(find_resource("", "v2", "services").is_none());
    }

    #[test]
    fn resources_are_stored_in_one_group() {
        let (event, _) = find_kind("events.k8s.io", "v1", "Event").unwrap();
        let (core_event, _) = find_kind("", "v1", "Event").unwrap();
        assert_eq!((event.storage_group(), core_event.storage_group()), ("", ""));
        let (deployment, _) = find_kind("apps", "v1", "Deployment").unwrap();
        assert_eq!(deployment.storage_group(), "apps");
        let counted = resources().iter().filter(|one| one.has_generation()).map(Resource::kind);
        let expected = [
            "Deployment",
            "EndpointSlice",
            "GatewayClass",
            "Gateway",
            "TCPRoute",
            "ReferenceGrant",
        ];
        assert_eq!(counted.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn deprecated_version_has_a_warning() {
        let (route, version) =
            find_kind("gateway.networking.k8s.io", "v1alpha2", "TCPRoute").unwrap();
        assert!(version.deprecation_warning().unwrap().contains("v1alpha2 version of TCPRoute"));
        assert_eq!(route.storage_version().name(), "v1");
        assert!(route.storage_version().deprecation_warning().is_none());
    }

    #[test]
    fn rules_of_the_definitions_are_those_of_the_table() {
        fn collect<'a>(json: &'a Value, found: &mut BTreeSet<&'a str>) {
            match json {
                Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
                Value::Object(map) => {
                    let rules = json["x-kubernetes-validations"].as_array();
                    for rule in rules.into_iter().flatten() {
                        found.insert(rule["rule"].as_str().unwrap());
                        // The message of a rule is a string, and its error has the default reason.
                        let other = ["messageExpression", "reason", "fieldPath", "optionalOldSelf"];
                        assert!(other.iter().all(|key| rule.get(key).is_none()), "{rule}");
                    }
                    map.values().for_each(|value| collect(value, found));
                }
                _ => {}
            }
        }
        let definitions = Definitions::parse();
        let mut found = BTreeSet::new();
        definitions.custom().for_each(|json| collect(json, &mut found));
        let known: BTreeSet<_> = RULES.iter().map(|(rule, _)| *rule).collect();
        assert_eq!(found, known);
    }
}
