//! A store with objects of every kind, and the service over it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use sluicegate::admission;
use sluicegate::api::{Access, ApiService, Role, Settings};
use sluicegate::schema;
use sluicegate::store::{self, Durability, Key, Store, Write};

/// Tokens of the roles. No message may contain them.
pub(super) const TOKENS: [(&str, Role); 4] = [
    ("view-0123456789abcdef0123456789abcdef", Role::View),
    ("edit-0123456789abcdef0123456789abcdef", Role::Edit),
    ("gateway-0123456789abcdef0123456789abcdef", Role::Gateway),
    ("admin-0123456789abcdef0123456789abcdef", Role::Admin),
];

/// Value of the Secret, as text and as its base64. Inputs do not contain it.
pub(super) const SECRETS: [&str; 2] = ["hidden-xq7vw2kz", "aGlkZGVuLXhxN3Z3Mmt6"];

/// Time of the store's clock, so that inputs can name revisions.
const NOW: &str = "2026-11-29T12:00:00Z";

/// Maximum size of an object in bytes, which inputs can exceed.
const MAX_OBJECT_BYTES: usize = 16 << 10;

#[derive(Debug)]
pub(super) struct World {
    pub(super) store: Store,
    pub(super) service: ApiService,
}

impl World {
    /// Creates the objects. They have the same UIDs and revisions each time.
    pub(super) async fn new() -> Self {
        let random = AtomicU64::new(1);
        let settings = store::Settings::new()
            .with_clock(|| NOW.parse().expect("the time is valid"))
            .with_random(move || {
                let next = random.fetch_add(1, Ordering::Relaxed);
                next.wrapping_mul(0x9e37_79b9_7f4a_7c15)
            })
            .with_max_object_bytes(MAX_OBJECT_BYTES);
        let store = Store::in_memory(admission::catalog(), settings).expect("a thread starts");
        let mut access = Access::builder().host("localhost".parse().expect("a host"));
        for (token, role) in TOKENS {
            access = access.token(role.as_str(), role, &token.parse().expect("a token"));
        }
        let access = access.build().expect("there is no file of tokens");
        let service = ApiService::new(store.clone(), access, Settings::new());
        let world = Self { store, service };
        let (namespaces, others): (Vec<_>, Vec<_>) =
            objects().into_iter().partition(|object| object["kind"] == "Namespace");
        for objects in [namespaces, others] {
            let writes = objects.into_iter().map(|object| world.creation(object)).collect();
            let results = world.store.write_all(writes, Durability::Synced).await;
            for result in results {
                result.expect("the object is created");
            }
        }
        world.settle().await;
        world
    }

    fn creation(&self, object: Value) -> Write {
        let api_version = object["apiVersion"].as_str().unwrap_or_default();
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let kind = object["kind"].as_str().unwrap_or_default();
        let (resource, _) = schema::find_kind(group, version, kind).expect("a served kind");
        let stored = self.store.catalog().get(resource.storage_group(), resource.plural());
        let namespace = object["metadata"]["namespace"].as_str().map(str::to_owned);
        Write::create(stored.expect("a stored kind"), namespace.as_deref(), object)
            .with_initial_status()
    }

    /// Waits until the garbage collector has nothing to do.
    pub(super) async fn settle(&self) {
        loop {
            let mut revisions = [None; 2];
            for revision in &mut revisions {
                // The writer takes a round of the collector after each group of writes.
                let key = Key::cluster_scoped(self.store.catalog().namespaces(), "no-such-name");
                let result = self.store.write(Write::delete(key)).await;
                assert!(matches!(result, Err(store::WriteError::NotFound(_))), "{result:?}");
                *revision = Some(self.store.revision());
            }
            if revisions[0] == revisions[1] {
                return;
            }
        }
    }

    /// Returns all objects.
    pub(super) fn objects(&self) -> Vec<Arc<store::StoredObject>> {
        self.store.snapshot().1
    }
}

/// Returns an object of every kind, and some that depend on others.
fn objects() -> Vec<Value> {
    let gateway = "gateway.networking.k8s.io/v1";
    let meta = |name: &str| json!({"name": name, "namespace": "default", "labels": {"app": "web"}});
    let template = json!({
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "c", "image": "example.com/web"}]},
    });
    vec![
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}}),
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "full"}}),
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": meta("web"),
            "spec": {"type": "ClusterIP", "selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 80, "protocol": "TCP"}]},
        }),
        json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": meta("web"), "addressType": "IPv4",
            "endpoints": [{"addresses": ["192.0.2.1"], "conditions": {}}], "ports": [{"name": "", "port": 80, "protocol": "TCP"}],
        }),
        json!({
            "apiVersion": "v1", "kind": "Event", "metadata": meta("web"), "type": "Normal", "reason": "Started", "message": "m", "count": 1,
            "involvedObject": {"kind": "Gateway", "namespace": "default", "name": "web"}, "firstTimestamp": NOW, "lastTimestamp": NOW,
            "source": {"component": "c"},
        }),
        json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta("web"), "spec": {"holderIdentity": "a", "leaseDurationSeconds": 15}}),
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta("web"),
            "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template},
        }),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta("web"), "data": {"key": "value"}}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "fixed", "namespace": "full", "finalizers": ["example.com/f"]}, "immutable": true, "data": {"key": "value"}}),
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": meta("web"), "type": "Opaque", "data": {"password": SECRETS[1]}}),
        json!({"apiVersion": gateway, "kind": "GatewayClass", "metadata": {"name": "web"}, "spec": {"controllerName": "example.com/sluicegate"}}),
        json!({
            "apiVersion": gateway, "kind": "Gateway", "metadata": meta("web"),
            "spec": {"gatewayClassName": "web", "listeners": [
                {"name": "a", "port": 8088, "protocol": "TCP", "allowedRoutes": {"namespaces": {"from": "Same"}}},
                {"name": "b", "port": 8089, "protocol": "TCP", "allowedRoutes": {"namespaces": {"from": "All"}}},
            ]},
        }),
        json!({
            "apiVersion": gateway, "kind": "TCPRoute", "metadata": meta("web"),
            "spec": {
                "parentRefs": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "web", "sectionName": "a"}],
                "rules": [{"backendRefs": [{"group": "", "kind": "Service", "name": "web", "port": 80, "weight": 1}]}],
            },
        }),
        json!({
            "apiVersion": gateway, "kind": "ReferenceGrant", "metadata": meta("web"),
            "spec": {"from": [{"group": "gateway.networking.k8s.io", "kind": "TCPRoute", "namespace": "other"}], "to": [{"group": "", "kind": "Service"}]},
        }),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "full"}, "spec": {"ports": [{"port": 80}]}}),
    ]
}
