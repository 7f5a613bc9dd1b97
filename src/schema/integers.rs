//! Integers that a client wrote as floating-point numbers, such as `80.0` and `1e3`.

use serde_json::Value;

/// Replaces the numbers without a fraction by integers, as Go writes them.
///
/// Kubernetes reads custom resources and strategic merge patches as untyped JSON, and writes `80`
/// for `80.0`. Clients in Go cannot decode `80.0` into an integer, nor the list that contains it.
pub fn write_integers(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            if let Some(integer) = number.as_f64().and_then(as_integer) {
                *value = integer.into();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(write_integers),
        Value::Object(map) => map.values_mut().for_each(write_integers),
        _ => {}
    }
}

fn as_integer(number: f64) -> Option<i64> {
    // 2^63, the first number beyond the type. The conversion is exact below it.
    const END: f64 = 9_223_372_036_854_775_808.0;
    (number.fract() == 0.0 && (-END..END).contains(&number)).then_some(number as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::parse_json;

    #[test]
    fn numbers_without_a_fraction_become_integers() {
        for (text, expected) in [
            ("80.0", "80"),
            ("1e0", "1"),
            ("1E3", "1000"),
            ("-2.0", "-2"),
            ("-0", "0"),
            ("-0.0", "0"),
            ("1e18", "1000000000000000000"),
            ("-9223372036854775808.0", "-9223372036854775808"),
            ("9223372036854775808.0", "9.223372036854776e+18"),
            ("1.5", "1.5"),
            ("1e-3", "0.001"),
            ("7", "7"),
            ("[{\"a\":[1.0]},\"1.0\",null,true]", "[{\"a\":[1]},\"1.0\",null,true]"),
        ] {
            let mut value = parse_json(text.as_bytes()).unwrap().value;
            write_integers(&mut value);
            assert_eq!(value.to_string(), expected, "{text}");
        }
    }
}
