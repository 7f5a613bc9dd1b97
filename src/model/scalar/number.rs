//! Ports and weights.

use std::fmt;
use std::num::NonZeroU16;

use serde::de::{self, Deserialize, Deserializer, Unexpected, Visitor};
use serde::{Serialize, Serializer};

use super::invalid_scalar::InvalidScalar;

/// Port: 1 to 65535.
///
/// Specification: [PortNumber](https://gateway-api.sigs.k8s.io/reference/spec/#portnumber).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortNumber(NonZeroU16);

impl PortNumber {
    /// Returns the port, or `None` for 0.
    pub const fn new(port: u16) -> Option<Self> {
        match NonZeroU16::new(port) {
            Some(port) => Some(Self(port)),
            None => None,
        }
    }

    /// Returns the number.
    pub const fn get(self) -> u16 {
        self.0.get()
    }
}

impl TryFrom<u16> for PortNumber {
    type Error = InvalidScalar;

    fn try_from(port: u16) -> Result<Self, InvalidScalar> {
        Self::new(port)
            .ok_or_else(|| InvalidScalar { found: port.to_string(), expected: PORT_EXPECTED })
    }
}

/// Weight of a backend, relative to the sum of the weights of its route: 0 to 1,000,000.
///
/// Specification: [BackendRef](https://gateway-api.sigs.k8s.io/reference/spec/#backendref).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Weight(u32);

impl Weight {
    /// The largest weight.
    pub const MAX: u32 = 1_000_000;

    /// Returns the weight, or `None` if it exceeds [`Weight::MAX`].
    pub const fn new(weight: u32) -> Option<Self> {
        if weight <= Self::MAX { Some(Self(weight)) } else { None }
    }

    /// Returns the number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for Weight {
    type Error = InvalidScalar;

    fn try_from(weight: u32) -> Result<Self, InvalidScalar> {
        Self::new(weight)
            .ok_or_else(|| InvalidScalar { found: weight.to_string(), expected: WEIGHT_EXPECTED })
    }
}

impl Default for Weight {
    /// Returns 1, the default of the specification.
    fn default() -> Self {
        Self(1)
    }
}

macro_rules! number_newtype {
    ($name:ident, $inner:ty, $expected:expr) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.0.serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Number;

                impl Visitor<'_> for Number {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expected)
                    }

                    fn visit_u64<E: de::Error>(self, number: u64) -> Result<$name, E> {
                        <$inner>::try_from(number)
                            .ok()
                            .and_then($name::new)
                            .ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
                    }

                    fn visit_i64<E: de::Error>(self, number: i64) -> Result<$name, E> {
                        match u64::try_from(number) {
                            Ok(number) => self.visit_u64(number),
                            Err(_) => Err(E::invalid_value(Unexpected::Signed(number), &self)),
                        }
                    }

                    fn visit_f64<E: de::Error>(self, number: f64) -> Result<$name, E> {
                        match as_integer(number) {
                            Some(number) => self.visit_u64(number),
                            None => Err(E::invalid_value(Unexpected::Float(number), &self)),
                        }
                    }
                }

                deserializer.deserialize_any(Number)
            }
        }
    };
}

number_newtype!(PortNumber, u16, PORT_EXPECTED);
number_newtype!(Weight, u32, WEIGHT_EXPECTED);

/// Returns the number if it is an integer that a JSON number such as `80.0` or `8e1` can denote.
/// Kubernetes reads these as integers.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be exact")]
pub(crate) fn as_integer(number: f64) -> Option<u64> {
    let is_exact = number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
    is_exact.then_some(number as u64)
}

/// A port, or a number that is not a port.
///
/// An API server does not check the ports of an EndpointSlice.
pub(crate) struct AnyPort(pub(crate) Result<PortNumber, i64>);

impl<'de> Deserialize<'de> for AnyPort {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyPortVisitor { is_checked: false }).map(Self)
    }
}

/// Deserializes a port. `null` and 0 mean that it is not set.
pub(crate) fn zero_as_none<'de, D>(deserializer: D) -> Result<Option<PortNumber>, D::Error>
where
    D: Deserializer<'de>,
{
    let number = deserializer.deserialize_any(AnyPortVisitor { is_checked: true })?;
    Ok(number.ok())
}

/// Visitor of a number. It returns a number that is not a port as the inner error.
struct AnyPortVisitor {
    /// `true` if 0 is the only number that may be returned as the inner error.
    is_checked: bool,
}

impl Visitor<'_> for AnyPortVisitor {
    type Value = Result<PortNumber, i64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PORT_EXPECTED)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        self.visit_i64(0)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
        match i64::try_from(number) {
            Ok(number) => self.visit_i64(number),
            Err(_) => Err(E::invalid_value(Unexpected::Unsigned(number), &self)),
        }
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
        match u16::try_from(number).ok().and_then(PortNumber::new) {
            Some(port) => Ok(Ok(port)),
            None if self.is_checked && number != 0 => {
                Err(E::invalid_value(Unexpected::Signed(number), &self))
            }
            None => Ok(Err(number)),
        }
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Self::Value, E> {
        match as_integer(number) {
            Some(number) => self.visit_u64(number),
            None => Err(E::invalid_value(Unexpected::Float(number), &self)),
        }
    }
}

pub(crate) const PORT_EXPECTED: &str = "a port from 1 to 65535";
const WEIGHT_EXPECTED: &str = "a weight from 0 to 1000000";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_in_their_ranges() {
        assert_eq!(PortNumber::new(0), None);
        assert_eq!(PortNumber::new(65535).map(PortNumber::get), Some(65535));
        assert_eq!(Weight::new(1_000_001), None);
        assert_eq!(Weight::default().get(), 1);
        assert_eq!(Weight::try_from(Weight::MAX).map(Weight::get), Ok(1_000_000));
        let error = Weight::try_from(1_000_001).unwrap_err();
        assert_eq!(error.to_string(), "`1000001` is not a weight from 0 to 1000000");
    }
}
