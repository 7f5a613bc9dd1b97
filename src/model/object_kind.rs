//! Kinds of objects.

use std::fmt;

use super::kinds::for_each_kind;

macro_rules! define_object_kind {
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
        }
    };
}

for_each_kind!(define_object_kind);

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
