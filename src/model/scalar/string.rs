//! Names, hostnames, groups and kinds.
//!
//! The text is shared (`Arc<str>`), so that a plan, a status and a log line can contain a name
//! without copying it.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use serde::de::{self, Deserialize, Deserializer, Unexpected, Visitor};
use serde::{Serialize, Serializer};

use super::invalid_scalar::InvalidScalar;
use super::pattern::{
    is_controller, is_dns_label, is_dns_subdomain, is_group, is_hostname, is_kind, is_object_name,
};

macro_rules! string_newtype {
    ($(#[$doc:meta])* $name:ident, $allowed:path, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(Arc<str>);

        // Snapshots and reports mostly share their texts, and `Arc<str>` does not compare pointers.
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
            }
        }

        impl Eq for $name {}

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                match Arc::ptr_eq(&self.0, &other.0) {
                    true => Ordering::Equal,
                    false => self.0.cmp(&other.0),
                }
            }
        }

        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.0.hash(state);
            }
        }

        impl $name {
            /// Creates the value from a text.
            ///
            /// # Errors
            /// [`InvalidScalar`] if the text does not match the pattern of the type.
            pub fn new(text: impl Into<Arc<str>>) -> Result<Self, InvalidScalar> {
                let text = text.into();
                if $allowed(&text) {
                    Ok(Self(text))
                } else {
                    Err(InvalidScalar { found: text.as_ref().to_owned(), expected: $expected })
                }
            }

            /// Returns the text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidScalar;

            fn from_str(text: &str) -> Result<Self, InvalidScalar> {
                Self::new(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = InvalidScalar;

            fn try_from(text: &str) -> Result<Self, InvalidScalar> {
                Self::new(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                &*self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                &*self.0 == *other
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;

                impl Visitor<'_> for Text {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expected)
                    }

                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$name, E> {
                        $name::new(text)
                            .map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
                    }
                }

                // `deserialize_str` would accept an unquoted number as a name. Kubernetes does not.
                deserializer.deserialize_any(Text)
            }
        }
    };
}

string_newtype! {
    /// Name of an object, in `metadata.name` or in a reference: 1 to 253 characters.
    ///
    /// Specification: [ObjectName](https://gateway-api.sigs.k8s.io/reference/spec/#objectname).
    ObjectName, is_object_name, "an object name of 1 to 253 characters"
}
string_newtype! {
    /// Name of a namespace: a DNS label of 1 to 63 characters.
    ///
    /// Specification: [Namespace](https://gateway-api.sigs.k8s.io/reference/spec/#namespace).
    NamespaceName, is_dns_label,
    "a namespace: 1 to 63 of a-z, 0-9 and '-', beginning and ending with a letter or digit"
}
string_newtype! {
    /// Name of a listener or of a route rule: a DNS subdomain of 1 to 253 characters.
    ///
    /// Specification: [SectionName](https://gateway-api.sigs.k8s.io/reference/spec/#sectionname).
    SectionName, is_dns_subdomain,
    "a section name: 1 to 253 of a-z, 0-9, '-' and '.', each part beginning and ending with a letter or digit"
}
string_newtype! {
    /// Hostname. Its first label may be the wildcard `*`.
    ///
    /// Specification: [Hostname](https://gateway-api.sigs.k8s.io/reference/spec/#hostname).
    Hostname, is_hostname,
    "a hostname: 1 to 253 of a-z, 0-9, '-' and '.', optionally with a leading '*.'"
}
string_newtype! {
    /// API group; empty for the core group.
    ///
    /// Specification: [Group](https://gateway-api.sigs.k8s.io/reference/spec/#group).
    Group, is_group, "an API group: empty for the core group, otherwise a DNS subdomain"
}
string_newtype! {
    /// Kind of a referenced object.
    ///
    /// Specification: [Kind](https://gateway-api.sigs.k8s.io/reference/spec/#kind).
    KindName, is_kind,
    "a kind: 1 to 63 letters, digits and '-', beginning with a letter"
}
string_newtype! {
    /// Name of a controller: a domain, a slash and a path.
    ///
    /// Specification:
    /// [GatewayController](https://gateway-api.sigs.k8s.io/reference/spec/#gatewaycontroller).
    GatewayController, is_controller,
    "a controller name: a domain, a slash and a path, such as example.com/gateway"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_their_patterns() {
        for good in ["a", "a-b", "0", "a.b", "a..b"] {
            assert!(ObjectName::new(good).is_ok(), "{good}");
        }
        assert!(ObjectName::new("").is_err());
        assert!(ObjectName::new("ä".repeat(253)).is_ok());
        assert!(ObjectName::new("ä".repeat(254)).is_err());

        for good in ["a", "a-b", "0", "a.b-c.d"] {
            assert!(SectionName::new(good).is_ok(), "{good}");
        }
        for bad in ["", "A", "-a", "a-", "a..b", ".a", "a_b"] {
            assert!(SectionName::new(bad).is_err(), "{bad}");
        }
        assert!(NamespaceName::new("a.b").is_err());
        assert!(NamespaceName::new("x".repeat(63)).is_ok());
        assert!(NamespaceName::new("x".repeat(64)).is_err());

        assert!(Hostname::new("*.example.com").is_ok());
        assert!(Hostname::new("*").is_err());
        assert!(Group::new("").is_ok());
        assert!(KindName::new("TCPRoute").is_ok());
        assert!(KindName::new("1Route").is_err());
    }

    #[test]
    fn controller_name_is_a_domain_and_a_path() {
        assert!(GatewayController::new("sluicegate.dev/gateway-controller").is_ok());
        for bad in ["sluicegate.dev", "sluicegate.dev/", "/x", "Sluice.dev/x", "a.b/c d"] {
            assert!(GatewayController::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn invalid_scalar_displays_the_allowed_values() {
        let error = SectionName::new("Foo").unwrap_err();
        assert!(error.to_string().starts_with("`Foo` is not a section name: 1 to 253 of"));
    }
}
