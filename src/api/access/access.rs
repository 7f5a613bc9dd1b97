//! The checks of a request.

use std::sync::Arc;
use std::time::Instant;

use http::header::{AUTHORIZATION, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use rustls::pki_types::CertificateDer;
use tokio::sync::watch;

use super::allowed_hosts::AllowedHosts;
use super::client_connection::ClientConnection;
use super::failed_attempts::FailedAttempts;
use super::session::Session;
use super::token::TokenHash;
use super::token_set::TokenSet;
use super::tokens_follower::TokensFollower;
use crate::api::request::Attributes;
use crate::api::status::Status;

/// Prefix of impersonation headers, with which a user acts as another one.
const IMPERSONATION: &str = "impersonate-";

/// Access control of an API: which hosts, tokens and roles a request needs.
///
/// A clone shares the tokens and the limit of failed attempts.
#[derive(Debug, Clone)]
pub struct Access(Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) hosts: AllowedHosts,
    pub(super) tokens: watch::Sender<Arc<TokenSet>>,
    pub(super) follower: Option<TokensFollower>,
    pub(super) attempts: FailedAttempts,
}

impl Access {
    pub(super) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// Replaces the names that are allowed as hosts because a certificate contains them.
    pub(in crate::api) fn set_certificate(&self, certificate: CertificateDer<'static>) {
        self.0.hosts.set_certificate(certificate);
    }

    /// Reads the file of tokens again when it changes, for as long as the future is polled.
    ///
    /// An invalid file is logged, and the last valid one stays in force.
    /// [`ApiServer`](crate::api::ApiServer) does this; with another listener, spawn the future. It
    /// needs a tokio runtime with its timer, and does not end.
    pub async fn follow_tokens_file(&self) {
        match &self.0.follower {
            Some(follower) => follower.follow(&self.0.tokens).await,
            None => std::future::pending().await,
        }
    }

    /// Checks a request: its host, that it is not of a web page, its token, and the role of the
    /// token.
    ///
    /// # Errors
    /// Returns the Status to answer.
    pub(in crate::api) fn check(
        &self,
        request: &Parts,
        attributes: &Attributes,
    ) -> Result<Session, Status> {
        self.0.hosts.check(request)?;
        if request.headers.contains_key(ORIGIN) {
            return Err(Status::forbidden(
                "requests with an Origin header are refused: the API is not for web pages",
            ));
        }
        let session = self.authenticate(request)?;
        if request.headers.keys().any(is_impersonation) {
            return Err(Status::forbidden(
                "impersonation is not supported: use a token of the other user instead of --as",
            ));
        }
        session.identity().authorize(attributes)?;
        Ok(session)
    }

    fn authenticate(&self, request: &Parts) -> Result<Session, Status> {
        let token = bearer_token(&request.headers).ok_or_else(Status::unauthorized)?;
        let hash = TokenHash::of(token);
        let connection = request.extensions.get::<ClientConnection>();
        if let Some(session) = Session::find(hash, &self.0.tokens) {
            if let Some(connection) = connection {
                connection.note_user(session.identity());
            }
            return Ok(session);
        }
        let peer = connection.map(|connection| connection.peer().ip());
        match self.0.attempts.count(peer, Instant::now()) {
            Ok(()) => Err(Status::unauthorized()),
            Err(wait) => {
                let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
                let message = "too many requests with an unknown token; use a valid token, such as \
                               that of a new kubeconfig";
                Err(Status::too_many_requests(message, seconds))
            }
        }
    }
}

/// Returns the token of the only Authorization header, if its scheme is Bearer.
fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (value, None) = (values.next()?, values.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let token = token.trim_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

fn is_impersonation(name: &HeaderName) -> bool {
    name.as_str().starts_with(IMPERSONATION)
}

#[cfg(test)]
mod tests {
    use http::Request;
    use http::header::HOST;
    use serde_json::{json, to_value};

    use super::*;
    use crate::api::access::role::Role;
    use crate::api::request::Query;

    const ADMIN: &str = "admin-0123456789abcdef0123456789abcdef";
    const VIEW: &str = "view-0123456789abcdef0123456789abcdef";
    const SECRET: &str = "/api/v1/namespaces/a/secrets/s";

    fn access() -> Access {
        Access::builder()
            .token("admin", Role::Admin, &ADMIN.parse().unwrap())
            .token("bob", Role::View, &VIEW.parse().unwrap())
            .host("localhost".parse().unwrap())
            .build()
            .unwrap()
    }

    fn request(path: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().uri(path).header(HOST, "localhost:6080");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let peer = "192.0.2.1:1".parse().unwrap();
        let connection = ClientConnection::new(peer, "127.0.0.1:6080".parse().unwrap());
        request.extension(connection).body(()).unwrap().into_parts().0
    }

    fn check(access: &Access, parts: &Parts) -> Result<Session, Status> {
        let query = Query::parse(parts.uri.query().unwrap_or_default());
        access.check(parts, &Attributes::new(parts, &query))
    }

    /// Returns the code of the answer to a request, or the name of the user.
    fn result(access: &Access, path: &str, headers: &[(&str, &str)]) -> String {
        match check(access, &request(path, headers)) {
            Ok(session) => session.identity().name().to_owned(),
            Err(status) => status.code().as_u16().to_string(),
        }
    }

    fn bearer(token: &str) -> String {
        format!("Bearer {token}")
    }

    #[test]
    fn token_is_needed_for_every_path() {
        let access = access();
        for path in ["/", "/version", "/livez", "/apis", "/openapi/v3", "/unknown", SECRET] {
            assert_eq!(result(&access, path, &[]), "401", "{path}");
            assert_eq!(result(&access, path, &[("authorization", &bearer(ADMIN))]), "admin");
        }
        for header in [format!("bearer {ADMIN}"), format!("BEARER   {ADMIN} ")] {
            assert_eq!(result(&access, "/", &[("authorization", &header)]), "admin", "{header}");
        }
        for header in [
            String::new(),
            "Bearer".into(),
            "Bearer ".into(),
            ADMIN.into(),
            format!("Basic {ADMIN}"),
            format!("Bearer{ADMIN}"),
        ] {
            assert_eq!(result(&access, "/", &[("authorization", &header)]), "401", "{header}");
        }
        let twice = [("authorization", bearer(ADMIN)), ("authorization", bearer(ADMIN))];
        let twice = twice.each_ref().map(|(name, value)| (*name, value.as_str()));
        assert_eq!(result(&access, "/", &twice), "401");
    }

    #[test]
    fn token_must_be_equal() {
        let access = access();
        for token in [&ADMIN[1..], &ADMIN[..30], &format!("{ADMIN}0"), &ADMIN.to_uppercase()] {
            let header = bearer(token);
            assert_eq!(result(&access, "/", &[("authorization", &header)]), "401", "{token}");
        }
    }

    #[test]
    fn role_of_the_token_decides() {
        let access = access();
        let (view, admin) = (bearer(VIEW), bearer(ADMIN));
        assert_eq!(result(&access, SECRET, &[("authorization", &view)]), "403");
        assert_eq!(result(&access, SECRET, &[("authorization", &admin)]), "admin");
        let services = "/api/v1/services";
        assert_eq!(result(&access, services, &[("authorization", &view)]), "bob");
    }

    #[test]
    fn web_pages_and_impersonation_are_refused() {
        let access = access();
        let admin = bearer(ADMIN);
        for origin in ["http://localhost:6080", "null", ""] {
            let headers = [("authorization", admin.as_str()), ("origin", origin)];
            assert_eq!(result(&access, "/", &headers), "403", "{origin}");
        }
        for header in ["impersonate-user", "Impersonate-Group", "Impersonate-Extra-x"] {
            let headers = [("authorization", admin.as_str()), (header, "bob")];
            assert_eq!(result(&access, "/", &headers), "403", "{header}");
        }
    }

    #[test]
    fn foreign_host_is_refused_before_the_token_is_checked() {
        let access = access();
        let header = bearer(ADMIN);
        let mut parts = request("/", &[("authorization", &header)]);
        parts.headers.insert(HOST, "evil.example".parse().unwrap());
        let status = to_value(check(&access, &parts).unwrap_err()).unwrap();
        assert_eq!(status["code"], 421);
        assert!(!parts.extensions.get::<ClientConnection>().unwrap().is_authenticated());
    }

    #[test]
    fn failed_attempts_are_limited_but_valid_tokens_are_not() {
        let access = access();
        let (wrong, admin) = (bearer("wrong"), bearer(ADMIN));
        let results: Vec<_> =
            (0..20).map(|_| result(&access, "/", &[("authorization", &wrong)])).collect();
        assert_eq!(results.iter().filter(|result| *result == "401").count(), 10, "{results:?}");
        assert_eq!(results.last().unwrap(), "429");
        let status = check(&access, &request("/", &[("authorization", &wrong)])).unwrap_err();
        assert_eq!(status.retry_after_seconds(), Some(1));
        assert_eq!(to_value(&status).unwrap()["reason"], json!("TooManyRequests"));
        for _ in 0..20 {
            assert_eq!(result(&access, "/", &[("authorization", &admin)]), "admin");
            assert_eq!(result(&access, "/", &[]), "401");
        }
    }

    #[test]
    fn connection_is_authenticated_by_a_valid_token() {
        let access = access();
        let (view, wrong) = (bearer(VIEW), bearer("wrong"));
        let parts = request(SECRET, &[("authorization", &wrong)]);
        assert!(check(&access, &parts).is_err());
        assert!(!parts.extensions.get::<ClientConnection>().unwrap().is_authenticated());
        let parts = request(SECRET, &[("authorization", &view)]);
        assert!(check(&access, &parts).is_err());
        assert!(parts.extensions.get::<ClientConnection>().unwrap().is_authenticated());
    }

    #[test]
    fn debug_output_has_no_token_and_no_hash() {
        let text = format!("{:?}", access());
        assert!(text.contains("TokenHash(…)") && !text.contains("0123456789"), "{text}");
    }
}
