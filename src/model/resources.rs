//! Snapshot of objects.

use super::endpoint_slice::EndpointSlice;
use super::gateway::Gateway;
use super::gateway_class::GatewayClass;
use super::kinds::{cluster_scoped_name, for_each_kind};
use super::meta::{NamespacedName, ObjectMeta};
use super::namespace::Namespace;
use super::node::Node;
use super::object::Object;
use super::object_key::ObjectKey;
use super::object_kind::ObjectKind;
use super::reference_grant::ReferenceGrant;
use super::scalar::ObjectName;
use super::service::Service;
use super::store::Store;
use super::tcp_route::TcpRoute;
use super::unserved::{UnservedKey, UnservedObject};

macro_rules! define_resources {
    ($($kind:ident {
        text: $text:literal, group: $group:literal, versions: [$($version:literal),+],
        store: $store:ident, key: $key:ty, of: $of:expr, namespaced: $namespaced:literal,
    })+) => {
        /// Snapshot of objects by kind and name, the input of [`translate`](crate::translate()).
        ///
        /// Clones are copy-on-write: they share the objects of each kind until one of them changes.
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        #[non_exhaustive]
        #[expect(missing_docs, reason = "the names of the kinds")]
        pub struct Resources {
            $(pub $store: Store<$key, $kind>,)+
            /// Objects of other kinds that refer to these objects. They have no effect.
            pub unserved: Store<UnservedKey, UnservedObject>,
        }

        impl Resources {
            /// Inserts an object. Returns the previous object with its key.
            pub fn insert(&mut self, object: impl Into<Object>) -> Option<Object> {
                match object.into() {
                    $(Object::$kind(object) => {
                        let key = $of(&object.metadata);
                        self.$store.insert(key, object).map(Object::$kind)
                    })+
                }
            }

            /// Removes and returns the object with this key.
            pub fn remove(&mut self, key: &ObjectKey) -> Option<Object> {
                let metadata = key.metadata();
                match key.kind {
                    $(ObjectKind::$kind => self.$store.remove(&$of(&metadata)).map(Object::$kind),)+
                }
            }

            /// Returns the object with this key.
            pub fn get(&self, key: &ObjectKey) -> Option<Object> {
                let metadata = key.metadata();
                match key.kind {
                    $(ObjectKind::$kind => self.$store.get(&$of(&metadata)).cloned().map(Object::$kind),)+
                }
            }

            /// Returns all objects of served kinds by kind, then by name.
            pub fn objects(&self) -> impl Iterator<Item = Object> + '_ {
                std::iter::empty()
                    $(.chain(self.$store.values().cloned().map(Object::$kind)))+
            }

            /// Returns the objects of served kinds that differ from those of `previous`, by kind,
            /// then by name.
            pub(crate) fn differences<'a>(
                &'a self,
                previous: &'a Self,
            ) -> impl Iterator<Item = ObjectDifference> + 'a {
                std::iter::empty()$(.chain({
                    let differences = self.$store.differences(&previous.$store);
                    differences.map(|(before, now)| ObjectDifference {
                        before: before.cloned().map(Object::$kind),
                        now: now.cloned().map(Object::$kind),
                    })
                }))+
            }

            /// Returns the number of objects of served kinds.
            pub fn len(&self) -> usize {
                0 $(+ self.$store.len())+
            }
        }
    };
}

for_each_kind!(define_resources);

/// An object that differs between two snapshots. At least one of its versions is present.
#[derive(Debug)]
pub(crate) struct ObjectDifference {
    /// The version of the previous snapshot.
    pub(crate) before: Option<Object>,
    /// The version of the later snapshot.
    pub(crate) now: Option<Object>,
}

impl Resources {
    /// Creates a snapshot without objects.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns `true` if there are no objects of served kinds.
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
