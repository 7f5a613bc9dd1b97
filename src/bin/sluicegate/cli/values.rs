//! Parsers of option values.

use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::{OsStringValueParser, TypedValueParser};
use sluicegate::forward::ConnectionLog;
use sluicegate::model::{ExternalTrafficPolicy, Labels, ServiceType};

/// Returns a parser that adds an example to the errors of the type.
pub(super) fn with_example<T>(
    example: &'static str,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static
where
    T: FromStr<Err: Display>,
{
    move |text| {
        text.parse().map_err(|error: T::Err| format!("{error}; give a value such as {example}"))
    }
}

/// Parses the value of the environment variable of an option without a value.
pub(super) fn parse_bool(text: &str) -> Result<bool, &'static str> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "on" | "1" => Ok(true),
        "false" | "f" | "no" | "n" | "off" | "0" => Ok(false),
        _ => Err("expected true or false"),
    }
}

/// Returns a parser of paths, which need not be UTF-8.
pub(super) fn path_parser() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().try_map(|path| match path.is_empty() {
        true => Err("expected a file or a directory, such as /etc/sluicegate or gateway.yaml"),
        false => Ok(path.into()),
    })
}

pub(super) fn parse_identity(text: &str) -> Result<String, &'static str> {
    match text {
        "" => Err("expected a name that no other replica has, such as sluicegate-0"),
        name => Ok(name.to_owned()),
    }
}

pub(super) fn parse_ip(text: &str) -> Result<IpAddr, &'static str> {
    let expected = "expected an IP address without a port, such as 192.0.2.10 or 2001:db8::10";
    text.parse().map_err(|_| expected)
}

pub(super) fn parse_workers(text: &str) -> Result<NonZeroUsize, &'static str> {
    text.parse().map_err(|_| "expected a number of threads, 1 or more, such as 4")
}

/// Parses an address with a port. An empty address means all addresses of the host, as in other
/// programs for Kubernetes. `localhost` is 127.0.0.1; other names are not resolved.
pub(super) fn parse_socket_address(text: &str) -> Result<SocketAddr, &'static str> {
    let expected = "expected an IP address and a port, such as 127.0.0.1:8081, localhost:8081, \
                    or :8081 for all addresses; other host names are not resolved";
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let (host, port) = text.rsplit_once(':').ok_or(expected)?;
    let port = port.parse().map_err(|_| expected)?;
    match host {
        "" => Ok((Ipv6Addr::UNSPECIFIED, port).into()),
        host if host.eq_ignore_ascii_case("localhost") => Ok((Ipv4Addr::LOCALHOST, port).into()),
        _ => Err(expected),
    }
}

/// Longest time that an option accepts: a year. A longer one is a mistake, and may be too long for
/// the clock.
const MAX_DURATION: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Parses a number of seconds, or a number with a unit as in Kubernetes: `500ms`, `30s`, `5m` or
/// `1h`.
pub(super) fn parse_seconds(text: &str) -> Result<Duration, &'static str> {
    read_duration(text).ok_or(
        "expected a number of seconds, 0 or more and at most a year (8760h), such as 30 or 0.5, or \
         30s",
    )
}

pub(super) fn parse_positive_seconds(text: &str) -> Result<Duration, &'static str> {
    let duration = read_duration(text).filter(|duration| !duration.is_zero());
    duration.ok_or(
        "expected a number of seconds, above 0 and at most a year (8760h), such as 3 or 0.5, or 3s",
    )
}

fn read_duration(text: &str) -> Option<Duration> {
    let units = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];
    let with_unit =
        units.iter().find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)));
    let (number, seconds) = with_unit.unwrap_or((text, &1.0));
    let number: f64 = number.parse().ok()?;
    Duration::try_from_secs_f64(number * seconds).ok().filter(|duration| *duration <= MAX_DURATION)
}

pub(super) fn parse_connection_log(text: &str) -> Result<ConnectionLog, &'static str> {
    match text {
        "all" => Ok(ConnectionLog::All),
        "failures" => Ok(ConnectionLog::Failures),
        "off" => Ok(ConnectionLog::Off),
        _ => Err("expected all, failures or off"),
    }
}

pub(super) fn parse_listener_limit(text: &str) -> Result<NonZeroU32, &'static str> {
    text.parse().map_err(|_| "expected a number of listeners, 1 or more, such as 100")
}

pub(super) fn parse_line_limit(text: &str) -> Result<u32, &'static str> {
    text.parse().map_err(|_| "expected a number of lines a second, such as 1000, or 0 for no limit")
}

pub(super) fn parse_service_type(text: &str) -> Result<ServiceType, &'static str> {
    match text {
        "LoadBalancer" => Ok(ServiceType::LoadBalancer),
        "ClusterIP" => Ok(ServiceType::ClusterIP),
        "NodePort" => Ok(ServiceType::NodePort),
        _ => Err("expected LoadBalancer, ClusterIP or NodePort"),
    }
}

pub(super) fn parse_external_traffic_policy(
    text: &str,
) -> Result<ExternalTrafficPolicy, &'static str> {
    match text {
        "Cluster" => Ok(ExternalTrafficPolicy::Cluster),
        "Local" => Ok(ExternalTrafficPolicy::Local),
        _ => Err("expected Cluster or Local"),
    }
}

pub(super) fn parse_annotations(text: &str) -> Result<Labels, String> {
    parse_pairs(text, "example.com/pool=public")
}

pub(super) fn parse_selector(text: &str) -> Result<Labels, String> {
    let example = "app.kubernetes.io/name=sluicegate";
    let selector = parse_pairs(text, example)?;
    // A Service without a selector has no endpoints.
    if selector.is_empty() {
        return Err(format!("expected at least one KEY=VALUE, such as {example}"));
    }
    Ok(selector)
}

/// Parses `KEY=VALUE` pairs, separated by line breaks if there are any, else by commas.
fn parse_pairs(text: &str, example: &str) -> Result<Labels, String> {
    let separator = if text.contains('\n') { '\n' } else { ',' };
    let pairs = text.split(separator).map(str::trim).filter(|pair| !pair.is_empty());
    let pair = |pair: &str| match pair.split_once('=') {
        Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
        None => Err(format!("expected KEY=VALUE, found `{pair}`; such as {example}")),
    };
    pairs.map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn socket_address_may_have_no_host_or_localhost() {
        for (text, expected) in [
            (":8081", "[::]:8081"),
            ("localhost:8081", "127.0.0.1:8081"),
            ("LOCALHOST:0", "127.0.0.1:0"),
            ("0.0.0.0:8081", "0.0.0.0:8081"),
            ("[::1]:8081", "[::1]:8081"),
        ] {
            assert_eq!(parse_socket_address(text).map(|it| it.to_string()), Ok(expected.into()));
        }
        for bad in
            ["", ":", "8081", "localhost", "::1:8081", "gateway:8081", ":65536", ":-1", ": 1"]
        {
            assert!(parse_socket_address(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn seconds_may_have_a_unit() {
        for (text, milliseconds) in [
            ("30", 30_000),
            ("0.5", 500),
            ("30s", 30_000),
            ("250ms", 250),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("0", 0),
            ("8760h", 31_536_000_000),
        ] {
            assert_eq!(parse_seconds(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for bad in ["", "s", "-1", "-1s", "1d", "1m30s", "inf", "NaN", "soon"] {
            assert!(parse_seconds(bad).is_err(), "{bad}");
        }
        for long in ["1e19", "1e300h", "99999999999999h", "31536001", "8761h"] {
            assert!(parse_seconds(long).is_err_and(|error| error.contains("8760h")), "{long}");
            assert!(parse_positive_seconds(long).is_err(), "{long}");
        }
        assert!(parse_positive_seconds("0s").is_err());
    }
}
