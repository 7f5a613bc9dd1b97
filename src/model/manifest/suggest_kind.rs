//! Errors for kinds and groups that are close to those of this crate.
//!
//! Other groups may have kinds of the same names: Istio has a Gateway, and Knative a Service. So
//! such a kind is an error only in a group that is known not to have it, or in a misspelt group. A
//! name that only Kubernetes or Gateway API uses is an error in every other group.

use super::suggest::{nearest, nearest_within};
use crate::model::object_kind::ObjectKind;
use crate::model::reference::GATEWAY_GROUP;

/// Kinds of Gateway API that this crate does not read, including former and experimental kinds.
const OTHER_KINDS: &[&str] = &[
    "BackendLBPolicy",
    "BackendTLSPolicy",
    "BackendTrafficPolicy",
    "GRPCRoute",
    "HTTPRoute",
    "ListenerSet",
    "Mesh",
    "ReferencePolicy",
    "TLSRoute",
    "UDPRoute",
];

/// Other kinds of the core group, all of them.
const OTHER_CORE_KINDS: &[&str] = &[
    "Binding",
    "ComponentStatus",
    // A kubeconfig is no object of a cluster, but has this kind.
    "Config",
    "ConfigMap",
    "Endpoints",
    "Event",
    "LimitRange",
    "List",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Pod",
    "PodTemplate",
    "RangeAllocation",
    "ReplicationController",
    "ResourceQuota",
    "Secret",
    "ServiceAccount",
    "Status",
];

/// Groups of Kubernetes and Gateway API that have none of the kinds of this crate.
const GROUPS_WITHOUT_OUR_KINDS: &[&str] = &[
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apps",
    "autoscaling",
    "batch",
    "coordination.k8s.io",
    "events.k8s.io",
    "extensions",
    "gateway.networking.x-k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
];

/// Kinds of this crate whose names no other group uses, except [`GROUPS_WITH_OUR_NAMES`].
const OWN_NAMES: &[ObjectKind] = &[
    ObjectKind::EndpointSlice,
    ObjectKind::GatewayClass,
    ObjectKind::ReferenceGrant,
    ObjectKind::TcpRoute,
];

/// Groups with a kind of the same name as one of [`OWN_NAMES`]: the TCPRoute of [SMI][smi].
///
/// [smi]: https://github.com/servicemeshinterface/smi-spec
const GROUPS_WITH_OUR_NAMES: &[&str] = &["specs.smi-spec.io"];

/// Maximum edit distance of a misspelt group, a long name.
const MAX_GROUP_DISTANCE: usize = 4;

/// Error for an apiVersion and kind that are close to those of this crate.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Misspelling {
    /// The header field to correct.
    pub(super) field: &'static str,
    pub(super) message: String,
}

/// Checks the apiVersion and kind of an object that is not of a kind of this crate.
pub(super) fn find_misspelling(api_version: &str, kind: &str) -> Option<Misspelling> {
    let (group, _) = api_version.split_once('/').unwrap_or(("", api_version));
    let item = kind.strip_suffix("List").filter(|item| !item.is_empty()).unwrap_or(kind);
    let of_kind = |message| Some(Misspelling { field: "kind", message });
    if group == GATEWAY_GROUP {
        return unknown_kind_error(kind, item).and_then(of_kind);
    }
    let exact = ObjectKind::ALL.iter().copied().find(|known| known.as_str() == item);
    let is_own_group = ObjectKind::ALL.iter().any(|known| known.group() == group);
    let is_only_ours =
        |known| OWN_NAMES.contains(&known) && !GROUPS_WITH_OUR_NAMES.contains(&group);
    let suggested = if exact.is_some_and(is_only_ours)
        || exact.is_some() && (is_own_group || GROUPS_WITHOUT_OUR_KINDS.contains(&group))
    {
        exact
    } else if is_own_group {
        return unknown_kind_of_group(api_version, group, item)
            .and_then(|advice| of_kind(format!("{api_version} has no kind {kind}; {advice}")));
    } else {
        let meant = misspelt_group(group)?;
        if meant == GATEWAY_GROUP && OTHER_KINDS.contains(&item) {
            return Some(Misspelling {
                field: "apiVersion",
                message: format!("{api_version} has no kind {kind}; did you mean {GATEWAY_GROUP}?"),
            });
        }
        exact.or_else(|| {
            let ours = ObjectKind::ALL.iter().filter(|known| known.group() == meant);
            let name = nearest(item, ours.clone().map(|known| known.as_str()))?;
            ours.copied().find(|known| known.as_str() == name)
        })
    };
    suggested.map(|known| {
        let use_kind = if exact.is_some() { String::new() } else { format!(" and kind {known}") };
        Misspelling {
            field: "apiVersion",
            message: format!(
                "{api_version} has no kind {kind}; use {}{use_kind}",
                known.api_version()
            ),
        }
    })
}

/// Returns the error for a kind that Gateway API does not have, with a suggestion if there is a
/// similar one.
fn unknown_kind_error(kind: &str, item: &str) -> Option<String> {
    let ours = ObjectKind::ALL.iter().filter(|kind| kind.group() == GATEWAY_GROUP);
    let all: Vec<_> = ours.map(|kind| kind.as_str()).chain(OTHER_KINDS.iter().copied()).collect();
    if all.contains(&item) {
        return None;
    }
    let hint =
        nearest(item, all).map(|known| format!("; did you mean {known}?")).unwrap_or_default();
    Some(format!("{kind} is not a kind of Gateway API{hint}"))
}

/// Returns the advice for a kind that its group, which is one of this crate, does not have.
fn unknown_kind_of_group(api_version: &str, group: &str, kind: &str) -> Option<String> {
    let others = if group.is_empty() { OTHER_CORE_KINDS } else { &[] };
    let ours = ObjectKind::ALL.iter().filter(|known| known.group() == group);
    let all: Vec<_> = ours.map(|known| known.as_str()).chain(others.iter().copied()).collect();
    if all.contains(&kind) {
        return None;
    }
    match nearest(kind, all) {
        Some(meant) => Some(format!("did you mean {meant}?")),
        // An apiVersion without a group may be a group without a version.
        None if group.is_empty() && api_version != "v1" => None,
        None => Some("correct the kind or the apiVersion".to_owned()),
    }
}

/// Returns the group of this crate that a misspelt or shortened group stands for. The core group is
/// often written as `core`.
fn misspelt_group(group: &str) -> Option<&'static str> {
    if ["core", "core.k8s.io", "k8s.io"].contains(&group) {
        return Some("");
    }
    let groups = ObjectKind::ALL.iter().map(|kind| kind.group()).filter(|group| !group.is_empty());
    let shortened = groups.clone().find(|full| is_shortened(group, full));
    shortened
        .or_else(|| nearest_within(MAX_GROUP_DISTANCE, group, groups))
        .filter(|_| !GROUPS_WITHOUT_OUR_KINDS.contains(&group))
}

/// Returns `true` if a group lacks parts of the full group after the first one, such as `discovery`
/// or `gateway.k8s.io`.
fn is_shortened(group: &str, full: &str) -> bool {
    let mut full = full.split('.');
    let mut parts = group.split('.');
    parts.next() == full.next() && parts.all(|part| full.any(|of_full| of_full == part))
}

#[cfg(test)]
mod tests {
    use super::*;

    const V1: &str = "gateway.networking.k8s.io/v1";

    #[track_caller]
    fn assert_error(api_version: &str, kind: &str, field: &str, advice: &str) {
        let found = find_misspelling(api_version, kind).expect("an error");
        assert_eq!(found.field, field);
        assert!(found.message.ends_with(advice), "{}", found.message);
    }

    #[test]
    fn nearest_kind_is_suggested() {
        for (api_version, kind, meant) in [
            (V1, "Gatewy", "Gateway"),
            (V1, "gateway", "Gateway"),
            (V1, "TcpRuote", "TCPRoute"),
            (V1, "TPCRoute", "TCPRoute"),
            (V1, "GatewayClas", "GatewayClass"),
            (V1, "HTTPRout", "HTTPRoute"),
            ("v1", "Servcie", "Service"),
            ("v1", "service", "Service"),
            ("v1", "Namespaces", "Namespace"),
            ("discovery.k8s.io/v1", "EndpointSlices", "EndpointSlice"),
        ] {
            assert_error(api_version, kind, "kind", &format!("; did you mean {meant}?"));
        }
        for (kind, meant) in [("Pods", "Pod"), ("Secrte", "Secret"), ("Lst", "List")] {
            assert_error("v1", kind, "kind", &format!("; did you mean {meant}?"));
        }
        assert_error("v1", "Svc", "kind", "v1 has no kind Svc; correct the kind or the apiVersion");
        assert_error(V1, "Balloon", "kind", "Balloon is not a kind of Gateway API");
    }

    #[test]
    fn misspelt_and_wrong_groups_are_errors() {
        for (api_version, kind) in [
            ("v1", "Gateway"),
            ("gateway.networking.k8s.io", "Gateway"),
            ("gateway.network.k8s.io/v1", "TCPRoute"),
            ("gateway.networkng.k8s.io/v1", "Gatewy"),
            ("Gateway.networking.k8s.io/v1", "GatewayList"),
            ("gateway.networking.x-k8s.io/v1alpha1", "Gateway"),
            ("networking.k8s.io/v1", "Gateway"),
            ("core/v1", "Service"),
            ("core/v1", "Servcie"),
            ("apps/v1", "Service"),
            ("discover.k8s.io/v1", "EndpointSlice"),
            ("discovery/v1", "EndpointSlice"),
            ("discovery/v1", "Service"),
            ("example.com/v1", "EndpointSlice"),
            ("example.com/v1", "TCPRoute"),
            ("example.com/v1", "GatewayClassList"),
            ("example.com/v1", "ReferenceGrant"),
            ("gateway.networking/v1", "Gateway"),
            ("gateway.k8s.io/v1", "Gateway"),
            ("gateway/v1", "HTTPRoute"),
            ("core.k8s.io/v1", "Node"),
        ] {
            let found = find_misspelling(api_version, kind);
            assert!(found.is_some_and(|found| found.field == "apiVersion"), "{api_version} {kind}");
        }
        assert_error(
            "gateway.networkin.k8s.io/v1",
            "HTTPRoute",
            "apiVersion",
            "did you mean gateway.networking.k8s.io?",
        );
        assert_error("core/v1", "Service", "apiVersion", "use v1");
        assert_error("core/v1", "Servcie", "apiVersion", "use v1 and kind Service");
    }

    #[test]
    fn kinds_of_other_groups_are_no_errors() {
        for (api_version, kind) in [
            (V1, "HTTPRoute"),
            (V1, "UDPRouteList"),
            ("v1", "Pod"),
            ("v1", "Config"),
            ("v1", "Endpoints"),
            ("v1", "ServiceAccount"),
            ("v1", "List"),
            ("apps/v1", "Deployment"),
            ("networking.k8s.io/v1", "Ingress"),
            ("networking.istio.io/v1", "Gateway"),
            ("serving.knative.dev/v1", "Service"),
            ("networking.internal.knative.dev/v1alpha1", "Ingress"),
            ("getambassador.io/v3alpha1", "TCPMapping"),
            ("gateway.networking.x-k8s.io/v1alpha1", "XListenerSet"),
            ("gateway.envoyproxy.io/v1alpha1", "BackendTrafficPolicy"),
            ("example.com/v1", "Gatewy"),
            ("example.com/v1", "Service"),
            ("specs.smi-spec.io/v1alpha4", "TCPRoute"),
        ] {
            assert_eq!(find_misspelling(api_version, kind), None, "{api_version} {kind}");
        }
    }
}
