//! Hosts that a request may be for.

use std::collections::BTreeSet;
use std::fmt;

use arc_swap::ArcSwapOption;
use http::header::HOST;
use http::request::Parts;
use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;

use super::api_host::ApiHost;
use super::client_connection::ClientConnection;
use crate::api::status::{Reason, Status};

/// Maximum length of a foreign Host in a message.
const MAX_QUOTED_LENGTH: usize = 100;

/// Hosts that a request may be for: the address of its connection, names of the certificate, and
/// those that were allowed explicitly.
///
/// Without this check, a web page could reach the API through a DNS name of its own that resolves
/// to the address of the API (DNS rebinding).
pub(super) struct AllowedHosts {
    explicit: BTreeSet<ApiHost>,
    certificate: ArcSwapOption<CertificateDer<'static>>,
}

impl AllowedHosts {
    pub(super) fn new(explicit: BTreeSet<ApiHost>) -> Self {
        Self { explicit, certificate: ArcSwapOption::empty() }
    }

    /// Replaces the names that are allowed because a certificate contains them.
    pub(super) fn set_certificate(&self, certificate: CertificateDer<'static>) {
        self.certificate.store(Some(certificate.into()));
    }

    /// Checks the host of a request: the Host header and, if the request line or HTTP/2 has one,
    /// the authority of the URL.
    ///
    /// # Errors
    /// Returns a Status if the request has no host, a malformed one or a foreign one.
    pub(super) fn check(&self, request: &Parts) -> Result<(), Status> {
        let mut headers = request.headers.get_all(HOST).iter();
        let header = headers.next();
        if headers.next().is_some() {
            return Err(Status::bad_request("the request has several Host headers; send one"));
        }
        let header = match header.map(|value| value.to_str()) {
            Some(Ok(text)) => Some(text),
            Some(Err(_)) => return Err(malformed("with characters other than ASCII")),
            None => None,
        };
        let authority = request.uri.authority().map(|authority| authority.as_str());
        if header.or(authority).is_none() {
            return Err(Status::bad_request(
                "the request has no Host header; send the address or the name of the API",
            ));
        }
        let connection = request.extensions.get::<ClientConnection>();
        for text in [header, authority].into_iter().flatten() {
            let host = ApiHost::parse_with_port(text).ok_or_else(|| malformed(text))?;
            if !self.includes(&host, connection) {
                return Err(Status::failure(
                    Reason::MisdirectedRequest,
                    format!(
                        "Host {:?} is not a host of this API; use the address that the API listens \
                         on, or allow the host with --api-host",
                        shorten(text)
                    ),
                ));
            }
        }
        Ok(())
    }

    fn includes(&self, host: &ApiHost, connection: Option<&ClientConnection>) -> bool {
        let is_of_connection = connection.is_some_and(|connection| {
            let local = connection.local().ip().to_canonical();
            host.address() == Some(local) || (host.is_localhost() && local.is_loopback())
        });
        is_of_connection || self.explicit.contains(host) || self.is_in_certificate(host)
    }

    fn is_in_certificate(&self, host: &ApiHost) -> bool {
        let certificate = self.certificate.load();
        let Some(certificate) = certificate.as_deref() else { return false };
        let Ok(certificate) = ParsedCertificate::try_from(certificate) else { return false };
        let name = ServerName::try_from(host.to_string());
        name.is_ok_and(|name| verify_server_name(&certificate, &name).is_ok())
    }
}

impl fmt::Debug for AllowedHosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AllowedHosts").field("explicit", &self.explicit).finish_non_exhaustive()
    }
}

fn malformed(text: &str) -> Status {
    Status::bad_request(format!(
        "Host {:?} is malformed; expected an address or a name, with or without a port",
        shorten(text)
    ))
}

/// Returns the beginning of a text.
fn shorten(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_QUOTED_LENGTH)]
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use http::{Request, Version};
    use rcgen::generate_simple_self_signed;

    use super::*;

    fn hosts(explicit: &[&str]) -> AllowedHosts {
        AllowedHosts::new(explicit.iter().map(|host| host.parse().unwrap()).collect())
    }

    /// Returns the code of the check of a request with these Host headers, or 200.
    fn check(hosts: &AllowedHosts, local: &str, uri: &str, headers: &[&str]) -> u16 {
        let local: SocketAddr = local.parse().unwrap();
        let mut request = Request::builder().uri(uri);
        for header in headers {
            request = request.header(HOST, *header);
        }
        let connection = ClientConnection::new("192.0.2.9:1234".parse().unwrap(), local);
        let (parts, ()) = request.extension(connection).body(()).unwrap().into_parts();
        hosts.check(&parts).map_or_else(|status| status.code().as_u16(), |()| 200)
    }

    #[test]
    fn address_of_the_connection_is_allowed() {
        let hosts = hosts(&[]);
        for (local, header, expected) in [
            ("127.0.0.1:6080", "127.0.0.1:6080", 200),
            ("127.0.0.1:6080", "127.0.0.1", 200),
            ("127.0.0.1:6080", "LOCALHOST.:6080", 200),
            ("127.0.0.1:6080", "127.0.0.2:6080", 421),
            ("127.0.0.1:6080", "[::1]:6080", 421),
            ("127.0.0.1:6080", "evil.example", 421),
            ("127.0.0.1:6080", "localhost.evil.example", 421),
            ("[::1]:6080", "[::1]:6080", 200),
            ("[::1]:6080", "localhost", 200),
            ("[::ffff:127.0.0.1]:6080", "127.0.0.1", 200),
            ("[::ffff:127.0.0.1]:6080", "localhost", 200),
            ("192.0.2.1:6080", "192.0.2.1:6080", 200),
            ("192.0.2.1:6080", "localhost:6080", 421),
            ("192.0.2.1:6080", "127.0.0.1:6080", 421),
            ("127.0.0.1:6080", "", 400),
            ("127.0.0.1:6080", "user@127.0.0.1", 400),
        ] {
            assert_eq!(check(&hosts, local, "/", &[header]), expected, "{local} {header}");
        }
    }

    #[test]
    fn explicit_hosts_are_allowed() {
        let hosts = hosts(&["gateway.example.com", "203.0.113.5", "2001:db8::1"]);
        for (header, expected) in [
            ("Gateway.Example.com:443", 200),
            ("203.0.113.5", 200),
            ("[2001:db8::1]:6080", 200),
            ("example.com", 421),
            ("a.gateway.example.com", 421),
        ] {
            assert_eq!(check(&hosts, "192.0.2.1:6080", "/", &[header]), expected, "{header}");
        }
    }

    #[test]
    fn names_of_the_certificate_are_allowed_until_it_is_replaced() {
        let hosts = hosts(&[]);
        let certificate = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
            generate_simple_self_signed(names).unwrap().cert.der().clone()
        };
        let codes = |headers: [&str; 4]| {
            headers.map(|header| check(&hosts, "192.0.2.1:6080", "/", &[header]))
        };
        let headers = ["a.example.com", "b.c.example.net:1", "198.51.100.7", "c.example.com"];
        assert_eq!(codes(headers), [421, 421, 421, 421]);
        hosts.set_certificate(certificate(&["a.example.com", "*.c.example.net", "198.51.100.7"]));
        assert_eq!(codes(headers), [200, 200, 200, 421]);
        hosts.set_certificate(certificate(&["c.example.com"]));
        assert_eq!(codes(headers), [421, 421, 421, 200]);
    }

    #[test]
    fn host_is_required_once_and_agrees_with_the_url() {
        let hosts = hosts(&[]);
        let local = "127.0.0.1:6080";
        assert_eq!(check(&hosts, local, "/", &[]), 400);
        assert_eq!(check(&hosts, local, "/", &["localhost", "localhost"]), 400);
        assert_eq!(check(&hosts, local, "http://localhost/", &[]), 200);
        assert_eq!(check(&hosts, local, "http://localhost/", &["evil.example"]), 421);
        assert_eq!(check(&hosts, local, "http://evil.example/", &["localhost"]), 421);
        assert_eq!(check(&hosts, local, "http://a@localhost/", &["localhost"]), 400);
    }

    #[test]
    fn old_versions_need_a_host_too() {
        let request = Request::builder().version(Version::HTTP_10).uri("/");
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let status = hosts(&["localhost"]).check(&parts).unwrap_err();
        assert_eq!(status.code().as_u16(), 400);
    }

    #[test]
    fn foreign_host_is_cut_in_the_message() {
        let request = Request::builder().uri("/").header(HOST, "a.".repeat(120));
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let status = hosts(&[]).check(&parts).unwrap_err();
        assert_eq!(status.code().as_u16(), 421);
        let text = serde_json::to_string(&status).unwrap();
        assert!(text.len() < 500, "{text}");
    }
}
