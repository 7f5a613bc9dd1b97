//! Kinds of objects.

use std::fmt;

use super::kinds::for_each_kind;

macro_rules! define_object_kind {
    ($($kind:ident {
        text: $text:literal, group: $group:literal, versions: [$($version:literal),+],
        store: $store:ident, key: $key:ty, of: $of:expr, namespaced: $namespaced:literal,
    })+) => {
        /// Kind of an object that this crate reads.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        #[expect(missing_docs, reason = "the names of the kinds")]
        pub enum ObjectKind {
            $($kind,)+
        }

        impl ObjectKind {
            /// All kinds.
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            /// Returns the name of the kind, as in a manifest.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $text,)+ }
            }

            /// Returns the API group of the kind; empty for the core group.
            pub const fn group(self) -> &'static str {
                match self { $(Self::$kind => $group,)+ }
            }

            /// Returns the versions that can be read, the canonical version first.
            pub const fn versions(self) -> &'static [&'static str] {
                match self { $(Self::$kind => &[$($version),+],)+ }
            }

            /// Returns `true` if the objects of the kind have a namespace.
            pub const fn is_namespaced(self) -> bool {
                match self { $(Self::$kind => $namespaced,)+ }
            }
        }
    };
}

for_each_kind!(define_object_kind);

impl ObjectKind {
    /// Returns the `apiVersion` with the canonical version, such as `discovery.k8s.io/v1`.
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
