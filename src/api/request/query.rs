//! Parameters of a request.

use super::percent::decode;
use crate::api::status::Status;

/// Decoded parameters of a URL. Malformed ones are left out, as in Kubernetes.
#[derive(Debug, Clone, Default)]
pub(in crate::api) struct Query(Vec<(String, String)>);

impl Query {
    /// Parses the part of a URL after the question mark.
    pub(in crate::api) fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty() && !pair.contains(';'));
        let pairs = pairs.filter_map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decode(name, true)?, decode(value, true)?))
        });
        Self(pairs.collect())
    }

    /// Returns the first value of a parameter, unless it is empty.
    pub(in crate::api) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next().filter(|value| !value.is_empty())
    }

    /// Returns all values of a parameter.
    pub(in crate::api) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// Returns the value of a boolean parameter. As in Kubernetes, every value but `0` and `false`
    /// is `true`, the empty one too.
    pub(in crate::api) fn flag(&self, name: &str) -> Option<bool> {
        let value = self.all(name).next()?;
        Some(value != "0" && !value.eq_ignore_ascii_case("false"))
    }

    /// Parses the value of an integer parameter.
    pub(in crate::api) fn integer(&self, name: &str) -> Result<Option<i64>, Status> {
        let parse = |text: &str| {
            text.parse().map_err(|_| {
                let expected = "expected an integer of 64 bits";
                Status::bad_request(format!("parameter {name} is {text:?}; {expected}"))
            })
        };
        self.get(name).map(parse).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded() {
        let query = Query::parse("a=1&b=x%3Dy+z&&a=2&c&=&bad=%zz&d=1;e=2");
        assert_eq!(query.get("a"), Some("1"));
        assert_eq!(query.all("a").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(query.get("b"), Some("x=y z"));
        assert_eq!((query.get("c"), query.all("c").count()), (None, 1));
        assert_eq!((query.get("bad"), query.get("d")), (None, None));
    }

    #[test]
    fn flags_are_those_of_kubernetes() {
        for (text, expected) in [
            ("", None),
            ("watch", Some(true)),
            ("watch=", Some(true)),
            ("watch=1", Some(true)),
            ("watch=0", Some(false)),
            ("watch=False", Some(false)),
            ("watch=no", Some(true)),
        ] {
            assert_eq!(Query::parse(text).flag("watch"), expected, "{text}");
        }
    }

    #[test]
    fn integers_are_checked() {
        let integer = |text| Query::parse(text).integer("limit");
        assert_eq!(integer("").unwrap(), None);
        assert_eq!(integer("limit=500").unwrap(), Some(500));
        for bad in ["limit=x", "limit=1.5", "limit=9223372036854775808"] {
            assert_eq!(integer(bad).unwrap_err().code().as_u16(), 400, "{bad}");
        }
    }
}
