//! An object of any kind.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::endpoint_slice::EndpointSlice;
use super::gateway::Gateway;
use super::gateway_class::GatewayClass;
use super::kinds::for_each_kind;
use super::meta::ObjectMeta;
use super::namespace::Namespace;
use super::node::Node;
use super::object_key::ObjectKey;
use super::object_kind::ObjectKind;
use super::reference_grant::ReferenceGrant;
use super::service::Service;
use super::tcp_route::TcpRoute;
use super::validate::{Violation, Violations};

macro_rules! define_object {
    ($($kind:ident {
        text: $text:literal, group: $group:literal, versions: [$($version:literal),+],
        store: $store:ident, key: $key:ty, of: $of:expr, namespaced: $namespaced:literal,
    })+) => {
        /// An object of any kind that this crate reads.
        ///
        /// A clone shares the object.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[non_exhaustive]
        #[expect(missing_docs, reason = "the names of the kinds")]
        pub enum Object {
            $($kind(Arc<$kind>),)+
        }

        impl Object {
            /// Returns the kind.
            pub const fn kind(&self) -> ObjectKind {
                match self { $(Self::$kind(_) => ObjectKind::$kind,)+ }
            }

            /// Returns the metadata.
            pub fn metadata(&self) -> &ObjectMeta {
                match self { $(Self::$kind(object) => &object.metadata,)+ }
            }

            /// Returns the metadata for a change. An object that is shared is copied first.
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

        impl ObjectKind {
            /// Deserializes an object of this kind.
            ///
            /// # Errors
            /// The error of the deserializer if the input does not match the type.
            pub fn deserialize<'de, D: Deserializer<'de>>(self, deserializer: D) -> Result<Object, D::Error> {
                match self {
                    $(Self::$kind => $kind::deserialize(deserializer).map(Object::from),)+
                }
            }
        }
    };
}

for_each_kind!(define_object);

/// An object for serialization, with the fields `apiVersion` and `kind`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Typed<'a, T> {
    api_version: String,
    kind: &'static str,
    #[serde(flatten)]
    object: &'a T,
}

impl Object {
    /// Returns the key.
    pub fn key(&self) -> ObjectKey {
        let metadata = self.metadata();
        let namespace = self.kind().is_namespaced().then(|| metadata.namespace());
        ObjectKey { kind: self.kind(), namespace, name: metadata.name.clone() }
    }

    /// Returns `true` if the objects differ at most in a status that gateways write.
    pub(crate) fn is_equal_except_status(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::GatewayClass(one), Self::GatewayClass(other)) => {
                one.metadata == other.metadata && one.spec == other.spec
            }
            (Self::Gateway(one), Self::Gateway(other)) => {
                one.metadata == other.metadata && one.spec == other.spec
            }
            (Self::TcpRoute(one), Self::TcpRoute(other)) => {
                one.metadata == other.metadata && one.spec == other.spec
            }
            _ => self == other,
        }
    }

    /// Returns the rules that the object violates. An API server refuses an object with violations.
    ///
    /// `version` is the version of the manifest, such as `v1`: some rules depend on it.
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
