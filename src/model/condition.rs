//! Conditions of objects, with the types and reasons of the specification.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Condition of an object: one aspect of its state, as a controller reports it.
///
/// Specification of types and reasons:
/// [Conditions](https://gateway-api.sigs.k8s.io/geps/gep-1364/).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// The aspect.
    #[serde(rename = "type")]
    pub condition_type: ConditionType,
    /// `True`, `False` or `Unknown`.
    pub status: ConditionStatus,
    /// Machine-readable reason of the status.
    pub reason: Reason,
    /// Reason of the status for people. A constant text is borrowed, not allocated.
    #[serde(default)]
    pub message: Cow<'static, str>,
    /// The generation of the object from which the condition was computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Time of the last change of `status`. Translation has no clock and leaves it absent; the
    /// report of a gateway contains it, with a precision of one second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<Timestamp>,
    /// The limitation that the message describes, if the condition is `True` but does not mean that
    /// everything works. Set by translation; not part of Gateway API, so neither read nor written.
    #[serde(skip)]
    pub caveat: Option<Caveat>,
}

/// Limitation that a condition with status `True` describes to the author of its object.
///
/// A condition with several limitations carries the first of them in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Caveat {
    /// On a listener, another route takes precedence over this one.
    Shadowed,
    /// A listener or the Gateway of the route is not accepted, so that no traffic arrives from it.
    ParentNotAccepted,
    /// The route rejects every connection: it has no backend with a weight over 0.
    NoWeight,
    /// The route has further rules, which have no effect.
    ExtraRules,
    /// The Service of a backend has no EndpointSlice, so that the backend gets no connections.
    NoEndpointSlice,
    /// A resolved backend gets no connections, for example because it has no ready endpoint.
    BackendUnavailable,
    /// A Service requests session affinity, which is not supported.
    SessionAffinity,
    /// Some of the Gateway's listeners are not valid.
    ListenersNotValid,
    /// The Gateway is served, but its class is not accepted.
    ClassNotAccepted,
    /// The listener allows no routes, since its namespace selector is not valid.
    InvalidSelector,
    /// Some of the listener's or Gateway's addresses are not open.
    PartlyOpen,
    /// Clients reach a listener at another port than its own.
    PortDiffers,
    /// The API server refuses the Service of the Gateway. Set by the Kubernetes source, which
    /// writes the Service.
    ServiceRefused,
}

impl Condition {
    /// Creates a condition of an object of this generation, without a transition time.
    pub fn new(
        condition_type: ConditionType,
        status: ConditionStatus,
        reason: Reason,
        message: impl Into<Cow<'static, str>>,
        observed_generation: Option<i64>,
    ) -> Self {
        Self {
            condition_type,
            status,
            reason,
            message: message.into(),
            observed_generation,
            last_transition_time: None,
            caveat: None,
        }
    }

    /// Returns the attention that the condition needs from the author of the object.
    ///
    /// The desired status is `True`, except for types that describe an error, such as `Conflicted`.
    pub fn attention(&self) -> Attention {
        let desired = match self.condition_type.describes_error() {
            true => ConditionStatus::False,
            false => ConditionStatus::True,
        };
        match self.caveat {
            _ if self.status != desired => Attention::Fault,
            Some(caveat) => Attention::Remark(caveat),
            None => Attention::None,
        }
    }
}

/// The attention that a condition needs from the author of its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a condition is fine, fine with a remark, or not fine")]
pub enum Attention {
    /// The status is the desired one.
    None,
    /// The status is the desired one, but the message describes a limitation.
    Remark(Caveat),
    /// The status is not the desired one.
    Fault,
}

/// Status of a condition.
///
/// Specification: [conditions in the Kubernetes API conventions][spec].
///
/// [spec]: https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md#typical-status-properties
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "Kubernetes does not extend this set")]
#[expect(missing_docs, reason = "the values of Kubernetes")]
pub enum ConditionStatus {
    True,
    False,
    Unknown,
}

impl fmt::Display for ConditionStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        })
    }
}

macro_rules! string_constants {
    ($(#[$doc:meta])* $name:ident { $($constant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        ///
        /// The constants are the values that this crate writes. Other controllers may write others.
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Cow<'static, str>);

        #[expect(missing_docs, reason = "the values of the specification")]
        impl $name {
            $(pub const $constant: Self = Self(Cow::Borrowed($text));)+
        }

        impl $name {
            /// Creates a value that has no constant here.
            pub fn new(text: impl Into<Cow<'static, str>>) -> Self {
                Self(text.into())
            }

            /// Returns the text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

string_constants! {
    /// Type of a condition: the aspect of the object that it describes.
    ConditionType {
        ACCEPTED = "Accepted",
        CONFLICTED = "Conflicted",
        CONTROLLER_NAME_SHARED = "sluicegate.dev/ControllerNameShared",
        PROGRAMMED = "Programmed",
        RESOLVED_REFS = "ResolvedRefs",
        SUPPORTED_VERSION = "SupportedVersion",
    }
}

impl ConditionType {
    /// Returns `true` for the types of Gateway API whose status `True` reports an error.
    fn describes_error(&self) -> bool {
        let types = [
            "Conflicted",
            "InsecureFrontendValidationMode",
            "OverlappingTLSConfig",
            "PartiallyInvalid",
        ];
        types.contains(&self.as_str())
    }
}

string_constants! {
    /// Reason of a condition's status.
    Reason {
        ACCEPTED = "Accepted",
        ADDRESS_NOT_ASSIGNED = "AddressNotAssigned",
        ADDRESS_NOT_USABLE = "AddressNotUsable",
        BACKEND_NOT_FOUND = "BackendNotFound",
        INVALID = "Invalid",
        INVALID_KIND = "InvalidKind",
        INVALID_PARAMETERS = "InvalidParameters",
        INVALID_ROUTE_KINDS = "InvalidRouteKinds",
        LISTENERS_NOT_VALID = "ListenersNotValid",
        NO_MATCHING_PARENT = "NoMatchingParent",
        NO_RESOURCES = "NoResources",
        NOT_ALLOWED_BY_LISTENERS = "NotAllowedByListeners",
        PENDING = "Pending",
        PORT_UNAVAILABLE = "PortUnavailable",
        PROGRAMMED = "Programmed",
        PROTOCOL_CONFLICT = "ProtocolConflict",
        REF_NOT_PERMITTED = "RefNotPermitted",
        RESOLVED_REFS = "ResolvedRefs",
        SUPPORTED_VERSION = "SupportedVersion",
        TOO_MANY_LISTENERS = "TooManyListeners",
        UNSUPPORTED_ADDRESS = "UnsupportedAddress",
        UNSUPPORTED_PROTOCOL = "UnsupportedProtocol",
        UNSUPPORTED_VALUE = "UnsupportedValue",
        UNSUPPORTED_VERSION = "UnsupportedVersion",
    }
}

/// Returns the condition of this type, if there is one.
pub fn find_condition<'a>(
    conditions: &'a [Condition],
    condition_type: &ConditionType,
) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.condition_type == *condition_type)
}

/// Returns `true` if there is a condition of this type and its status is `True`.
pub fn is_condition_true(conditions: &[Condition], condition_type: &ConditionType) -> bool {
    find_condition(conditions, condition_type)
        .is_some_and(|condition| condition.status == ConditionStatus::True)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attention_depends_on_the_desired_status_and_on_caveats() {
        use ConditionStatus::{False, True, Unknown};
        let condition = |condition_type: &ConditionType, status| {
            Condition::new(condition_type.clone(), status, Reason::INVALID, "", None)
        };
        for (condition_type, desired, other) in [
            (ConditionType::ACCEPTED, True, False),
            (ConditionType::new("example.com/Theirs"), True, False),
            (ConditionType::CONFLICTED, False, True),
            (ConditionType::new("PartiallyInvalid"), False, True),
        ] {
            for caveat in [None, Some(Caveat::PartlyOpen)] {
                let attention =
                    |status| Condition { caveat, ..condition(&condition_type, status) }.attention();
                assert_eq!(attention(desired), caveat.map_or(Attention::None, Attention::Remark));
                assert_eq!(attention(other), Attention::Fault);
                assert_eq!(attention(Unknown), Attention::Fault);
            }
        }
    }
}
