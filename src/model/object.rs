//! The table of kinds, and everything that follows from it: [`Object`], which is one of them, and
//! [`Resources`], which holds any number of them.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::endpoint_slice::EndpointSlice;
use super::gateway::Gateway;
use super::gateway_class::GatewayClass;
use super::meta::{NamespacedName, ObjectMeta};
use super::namespace::Namespace;
use super::node::Node;
use super::reference_grant::ReferenceGrant;
use super::scalar::{NamespaceName, ObjectName};
use super::service::Service;
use super::store::Store;
use super::tcp_route::TcpRoute;
use super::validate::{Violation, Violations};

macro_rules! kinds {
    ($($kind:ident {
        text: $text:literal, group: $group:literal, versions: [$($version:literal),+],
        store: $store:ident, key: $key:ty, of: $of:expr, namespaced: $namespaced:literal,
    })+) => {
        /// A kind of object that this crate reads.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        #[expect(missing_docs, reason = "the kinds' own names")]
        pub enum ObjectKind {
            $($kind,)+
        }

        impl ObjectKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            /// The kind's name, as in a manifest.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $text,)+ }
            }

            /// The kind's API group.
            pub const fn group(self) -> &'static str {
                match self { $(Self::$kind => $group,)+ }
            }

            /// The versions in which the kind is read, the canonical one first.
            pub const fn versions(self) -> &'static [&'static str] {
                match self { $(Self::$kind => &[$($version),+],)+ }
            }

            /// Whether objects of the kind live in a namespace.
            pub const fn is_namespaced(self) -> bool {
                match self { $(Self::$kind => $namespaced,)+ }
            }

            /// Reads an object of this kind.
            ///
            /// # Errors
            /// The deserializer's, where the input breaks the kind's schema.
            pub fn deserialize<'de, D: Deserializer<'de>>(self, deserializer: D) -> Result<Object, D::Error> {
                match self {
                    $(Self::$kind => $kind::deserialize(deserializer).map(Object::from),)+
                }
            }
        }

        /// An object of any kind that this crate reads. Cheap to clone.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[non_exhaustive]
        #[expect(missing_docs, reason = "the kinds' own names")]
        pub enum Object {
            $($kind(Arc<$kind>),)+
        }

        impl Object {
            /// The object's kind.
            pub const fn kind(&self) -> ObjectKind {
                match self { $(Self::$kind(_) => ObjectKind::$kind,)+ }
            }

            /// The object's metadata.
            pub fn metadata(&self) -> &ObjectMeta {
                match self { $(Self::$kind(object) => &object.metadata,)+ }
            }

            /// The object's metadata, to change.
            pub fn metadata_mut(&mut self) -> &mut ObjectMeta {
                match self { $(Self::$kind(object) => &mut Arc::make_mut(object).metadata,)+ }
            }
        }

        $(
            impl From<$kind> for Object {
                fn from(object: $kind) -> Self {
                    Self::$kind(Arc::new(object))
                }
            }
        )+

        impl Serialize for Object {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$kind(object) => Typed {
                        api_version: self.kind().api_version(),
                        kind: $text,
                        object: &**object,
                    }
                    .serialize(serializer),)+
                }
            }
        }

        /// A snapshot of objects, by kind and name: what [`translate`](crate::translate()) works on.
        ///
        /// A clone costs next to nothing, and shares with the original what does not change.
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        #[non_exhaustive]
        #[expect(missing_docs, reason = "the kinds' own names")]
        pub struct Resources {
            $(pub $store: Store<$key, $kind>,)+
        }

        impl Resources {
            /// Puts an object in the place of the one of its kind and name, which is returned.
            pub fn insert(&mut self, object: impl Into<Object>) -> Option<Object> {
                match object.into() {
                    $(Object::$kind(object) => {
                        let key = $of(&object.metadata);
                        self.$store.insert(key, object).map(Object::$kind)
                    })+
                }
            }

            /// Takes an object out.
            pub fn remove(&mut self, key: &ObjectKey) -> Option<Object> {
                let metadata = key.metadata();
                match key.kind {
                    $(ObjectKind::$kind => self.$store.remove(&$of(&metadata)).map(Object::$kind),)+
                }
            }

            /// The object of this kind and name.
            pub fn get(&self, key: &ObjectKey) -> Option<Object> {
                let metadata = key.metadata();
                match key.kind {
                    $(ObjectKind::$kind => self.$store.get(&$of(&metadata)).cloned().map(Object::$kind),)+
                }
            }

            /// All objects, kind by kind, in the order of their names.
            pub fn objects(&self) -> impl Iterator<Item = Object> + '_ {
                std::iter::empty()
                    $(.chain(self.$store.values().cloned().map(Object::$kind)))+
            }

            /// How many objects there are.
            pub fn len(&self) -> usize {
                0 $(+ self.$store.len())+
            }
        }
    };
}

kinds! {
    GatewayClass {
        text: "GatewayClass", group: "gateway.networking.k8s.io", versions: ["v1", "v1beta1"],
        store: gateway_classes, key: ObjectName, of: cluster_scoped, namespaced: false,
    }
    Gateway {
        text: "Gateway", group: "gateway.networking.k8s.io", versions: ["v1", "v1beta1"],
        store: gateways, key: NamespacedName, of: ObjectMeta::namespaced_name, namespaced: true,
    }
    TcpRoute {
        text: "TCPRoute", group: "gateway.networking.k8s.io", versions: ["v1", "v1alpha2"],
        store: tcp_routes, key: NamespacedName, of: ObjectMeta::namespaced_name, namespaced: true,
    }
    ReferenceGrant {
        text: "ReferenceGrant", group: "gateway.networking.k8s.io", versions: ["v1", "v1beta1"],
        store: reference_grants, key: NamespacedName, of: ObjectMeta::namespaced_name, namespaced: true,
    }
    Namespace {
        text: "Namespace", group: "", versions: ["v1"],
        store: namespaces, key: ObjectName, of: cluster_scoped, namespaced: false,
    }
    Node {
        text: "Node", group: "", versions: ["v1"],
        store: nodes, key: ObjectName, of: cluster_scoped, namespaced: false,
    }
    Service {
        text: "Service", group: "", versions: ["v1"],
        store: services, key: NamespacedName, of: ObjectMeta::namespaced_name, namespaced: true,
    }
    EndpointSlice {
        text: "EndpointSlice", group: "discovery.k8s.io", versions: ["v1"],
        store: endpoint_slices, key: NamespacedName, of: ObjectMeta::namespaced_name, namespaced: true,
    }
}

fn cluster_scoped(metadata: &ObjectMeta) -> ObjectName {
    metadata.name.clone()
}

/// An object with the two fields in front that say what it is.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Typed<'a, T> {
    api_version: String,
    kind: &'static str,
    #[serde(flatten)]
    object: &'a T,
}

impl ObjectKind {
    /// The canonical `apiVersion`.
    pub fn api_version(self) -> String {
        match self.group() {
            "" => self.versions()[0].to_owned(),
            group => format!("{group}/{}", self.versions()[0]),
        }
    }
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Object {
    /// What identifies the object.
    pub fn key(&self) -> ObjectKey {
        let metadata = self.metadata();
        let namespace = self.kind().is_namespaced().then(|| metadata.namespace());
        ObjectKey { kind: self.kind(), namespace, name: metadata.name.clone() }
    }

    /// The rules of the API that the object breaks; an API server would refuse it.
    ///
    /// `version` is the one the object was written in, such as `v1`: some rules depend on it.
    pub fn validate(&self, version: &str) -> Vec<Violation> {
        let mut violations = Violations::default();
        match self {
            Self::GatewayClass(class) => class.validate(&mut violations),
            Self::Gateway(gateway) => gateway.validate(&mut violations),
            Self::TcpRoute(route) => {
                route.validate(if version == "v1alpha2" { 16 } else { 1 }, &mut violations);
            }
            Self::ReferenceGrant(grant) => grant.validate(&mut violations),
            Self::Namespace(namespace) => namespace.validate(&mut violations),
            Self::Node(node) => node.validate(&mut violations),
            Self::Service(service) => service.validate(&mut violations),
            Self::EndpointSlice(slice) => slice.validate(&mut violations),
        }
        violations.into_vec()
    }
}

/// What identifies an object: kind, namespace where the kind has one, and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    /// The kind.
    pub kind: ObjectKind,
    /// The namespace; absent for cluster-scoped kinds.
    pub namespace: Option<NamespaceName>,
    /// The name.
    pub name: ObjectName,
}

impl ObjectKey {
    /// Creates the key of a namespaced object.
    pub fn namespaced(kind: ObjectKind, name: &NamespacedName) -> Self {
        Self { kind, namespace: Some(name.namespace.clone()), name: name.name.clone() }
    }

    /// Returns namespace and name, or `None` if the object is cluster-scoped.
    pub fn namespaced_name(&self) -> Option<NamespacedName> {
        let namespace = self.namespace.clone()?;
        Some(NamespacedName { namespace, name: self.name.clone() })
    }

    fn metadata(&self) -> ObjectMeta {
        ObjectMeta { namespace: self.namespace.clone(), ..ObjectMeta::named(self.name.clone()) }
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.kind, self.name),
            None => write!(f, "{} {}", self.kind, self.name),
        }
    }
}

impl Resources {
    /// A snapshot without objects.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there are no objects.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T: Into<Object>> Extend<T> for Resources {
    fn extend<I: IntoIterator<Item = T>>(&mut self, objects: I) {
        for object in objects {
            self.insert(object);
        }
    }
}

impl<T: Into<Object>> FromIterator<T> for Resources {
    fn from_iter<I: IntoIterator<Item = T>>(objects: I) -> Self {
        let mut resources = Self::new();
        resources.extend(objects);
        resources
    }
}
