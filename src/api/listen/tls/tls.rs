//! The configuration of TLS, and the loop that renews the certificate.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;
use webpki::EndEntityCert;

use super::authority::{Authority, Issued};
use super::certificate_files::CertificateFiles;
use super::error::CertificateError;
use crate::api::access::{Access, ApiHost};
use crate::api::folder::ApiFolder;

/// Interval at which the clock is compared with the time of the renewal. A timer for the renewal
/// itself would not run while the machine is suspended, and would miss a step of the clock.
const CLOCK_INTERVAL: Duration = Duration::from_secs(60);

/// The only protocol in ALPN, for clients that also support HTTP/2.
const ALPN: &[u8] = b"http/1.1";

type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// Origin of a certificate.
#[derive(Debug)]
pub(in crate::api::listen) enum CertificateSource {
    /// Files, which another program renews.
    Files { certificate: PathBuf, key: PathBuf },
    /// The authority of the folder issues it for these hosts.
    Folder { folder: ApiFolder, hosts: Vec<ApiHost> },
}

/// Certificate of a server, and its configuration of TLS.
pub(in crate::api::listen) struct Tls {
    acceptor: TlsAcceptor,
    current: Arc<CurrentCertificate>,
    renewal: Renewal,
}

enum Renewal {
    Files(CertificateFiles),
    Authority { authority: Box<Authority>, hosts: Vec<ApiHost>, issued: Issued, clock: Clock },
}

/// Certificate that new connections get.
#[derive(Debug)]
struct CurrentCertificate(ArcSwap<CertifiedKey>);

impl Tls {
    /// Reads or issues the certificate.
    pub(in crate::api::listen) fn new(source: CertificateSource) -> Result<Self, CertificateError> {
        Self::with_clock(source, Arc::new(SystemTime::now))
    }

    fn with_clock(source: CertificateSource, clock: Clock) -> Result<Self, CertificateError> {
        let (key, renewal) = match source {
            CertificateSource::Files { certificate, key } => {
                let (files, key) = CertificateFiles::open(certificate, key)?;
                (key, Renewal::Files(files))
            }
            CertificateSource::Folder { folder, hosts } => {
                let authority = Box::new(Authority::open(&folder)?);
                let issued = authority.issue(&hosts, clock())?;
                (issued.key.clone(), Renewal::Authority { authority, hosts, issued, clock })
            }
        };
        let current = Arc::new(CurrentCertificate(ArcSwap::new(key)));
        let config = ServerConfig::builder_with_provider(default_provider().into())
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(|error| CertificateError::Issue(Box::new(error)))?;
        let mut config = config.with_no_client_auth().with_cert_resolver(current.clone());
        config.alpn_protocols = vec![ALPN.to_vec()];
        Ok(Self { acceptor: Arc::new(config).into(), current, renewal })
    }

    /// Returns the certificate of the authority in PEM, if the certificate was issued here.
    pub(in crate::api::listen) fn authority(&self) -> Option<&str> {
        match &self.renewal {
            Renewal::Files(_) => None,
            Renewal::Authority { authority, .. } => Some(authority.pem()),
        }
    }

    /// Returns the acceptor of connections, which always uses the newest certificate.
    pub(in crate::api::listen) fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }

    /// Allows the names of the certificate as hosts.
    pub(in crate::api::listen) fn allow_names(&self, access: &Access) {
        if let Ok(certificate) = self.current.0.load().end_entity_cert() {
            access.set_certificate(certificate.clone().into_owned());
        }
    }

    /// Logs the names in the certificate, which are hosts that requests may have.
    pub(in crate::api::listen) fn log_names(&self) {
        tracing::info!("the certificate of the API {}", self.describe_names());
    }

    fn describe_names(&self) -> String {
        match &self.renewal {
            Renewal::Files(_) => {
                let names = match dns_names(&self.current.0.load()) {
                    names if names.is_empty() => "contains no DNS name".to_owned(),
                    names => format!("is for {}", names.join(", ")),
                };
                format!(
                    "{names}; its IP addresses are allowed too. Allow further hosts in requests \
                     with --api-host"
                )
            }
            Renewal::Authority { hosts, .. } => {
                let names: Vec<_> = hosts.iter().map(ToString::to_string).collect();
                let names = names.join(", ");
                format!("is for {names}; give further names and addresses with --api-host")
            }
        }
    }

    /// Renews the certificate before it expires, or reads it again when its files change.
    pub(in crate::api::listen) async fn renew(&mut self, access: &Access) {
        loop {
            match self.renewal.next().await {
                Ok(key) => {
                    self.current.0.store(key);
                    self.allow_names(access);
                    tracing::info!("renewed the certificate of the API");
                    self.log_names();
                }
                Err(error) => tracing::error!(
                    error = &error as &(dyn Error + 'static),
                    "cannot renew the certificate of the API; the last one stays in use"
                ),
            }
        }
    }
}

/// Returns the DNS names in a certificate.
fn dns_names(key: &CertifiedKey) -> Vec<String> {
    let certificate = key.end_entity_cert().ok().and_then(|it| EndEntityCert::try_from(it).ok());
    let names = certificate.iter().flat_map(|it| it.valid_dns_names());
    names.map(str::to_owned).collect()
}

impl Renewal {
    /// Waits for the next certificate.
    async fn next(&mut self) -> Result<Arc<CertifiedKey>, CertificateError> {
        match self {
            Self::Files(files) => files.changed().await,
            Self::Authority { authority, hosts, issued, clock } => {
                sleep(CLOCK_INTERVAL).await;
                while !issued.is_due(clock()) {
                    sleep(CLOCK_INTERVAL).await;
                }
                *issued = authority.issue(hosts, clock())?;
                Ok(issued.key.clone())
            }
        }
    }
}

impl ResolvesServerCert for CurrentCertificate {
    fn resolve(&self, _client_hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use http::Request;
    use tempfile::tempdir;
    use tokio::time::{Instant, timeout};

    use super::*;
    use crate::api::files::replace_file;
    use crate::api::request::{Attributes, Query};

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    fn current(tls: &Tls) -> Vec<u8> {
        tls.current.0.load().end_entity_cert().unwrap().to_vec()
    }

    /// Returns a clock that follows the paused time of tokio.
    fn clock() -> Clock {
        let (start, instant) = (SystemTime::now(), Instant::now());
        Arc::new(move || start + instant.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn issued_certificate_is_renewed_in_time_by_the_same_authority() {
        let parent = tempdir().unwrap();
        let folder = ApiFolder::open(parent.path().join("api")).unwrap();
        let hosts = vec!["localhost".parse().unwrap()];
        let source = CertificateSource::Folder { folder, hosts };
        let mut tls = Tls::with_clock(source, clock()).unwrap();
        let access = Access::builder().build().unwrap();
        let (first, authority) = (current(&tls), tls.authority().unwrap().to_owned());
        assert!(timeout(DAY * 59, tls.renew(&access)).await.is_err());
        assert_eq!(current(&tls), first);
        assert!(timeout(DAY * 2, tls.renew(&access)).await.is_err());
        let second = current(&tls);
        assert_ne!(second, first);
        assert!(timeout(DAY * 62, tls.renew(&access)).await.is_err());
        assert_ne!(current(&tls), second);
        assert_eq!(tls.authority(), Some(authority.as_str()));
    }

    #[tokio::test(start_paused = true)]
    async fn names_of_changed_files_are_allowed_as_hosts() {
        let folder = tempdir().unwrap();
        let (certificate, key) = (folder.path().join("c"), folder.path().join("k"));
        let write = |name: &str| {
            let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
            replace_file(&key, made.signing_key.serialize_pem().as_bytes()).unwrap();
            replace_file(&certificate, made.cert.pem().as_bytes()).unwrap();
        };
        write("a.example");
        let source =
            CertificateSource::Files { certificate: certificate.clone(), key: key.clone() };
        let mut tls = Tls::new(source).unwrap();
        let access = Access::builder().build().unwrap();
        tls.allow_names(&access);
        // Without a token, the answer is 401 if the host is allowed.
        let codes = |access: &Access| {
            ["a.example", "b.example"].map(|host| {
                let request = Request::builder().header("host", host).body(()).unwrap();
                let (parts, ()) = request.into_parts();
                let attributes = Attributes::new(&parts, &Query::default());
                access.check(&parts, &attributes).unwrap_err().code().as_u16()
            })
        };
        assert_eq!(codes(&access), [401, 421]);
        write("b.example");
        assert!(timeout(Duration::from_secs(10), tls.renew(&access)).await.is_err());
        assert_eq!(codes(&access), [421, 401]);
    }

    #[test]
    fn names_in_given_certificate_are_described() {
        for (names, expected) in [
            (&["a.example", "192.0.2.7"][..], "is for a.example; its IP addresses are allowed too"),
            (&["192.0.2.7"], "contains no DNS name; its IP addresses are allowed too"),
        ] {
            let folder = tempdir().unwrap();
            let (certificate, key) = (folder.path().join("c"), folder.path().join("k"));
            let names = names.iter().map(ToString::to_string).collect::<Vec<_>>();
            let made = rcgen::generate_simple_self_signed(names).unwrap();
            replace_file(&key, made.signing_key.serialize_pem().as_bytes()).unwrap();
            replace_file(&certificate, made.cert.pem().as_bytes()).unwrap();
            let tls = Tls::new(CertificateSource::Files { certificate, key }).unwrap();
            let text = tls.describe_names();
            assert!(text.starts_with(expected), "{text}");
        }
    }

    #[test]
    fn unusable_files_are_errors() {
        let folder = tempdir().unwrap();
        let (certificate, key) = (folder.path().join("c"), folder.path().join("k"));
        let made = rcgen::generate_simple_self_signed(["a".to_owned()]).unwrap();
        let other = rcgen::KeyPair::generate().unwrap().serialize_pem();
        let (chain, own) = (made.cert.pem(), made.signing_key.serialize_pem());
        let tls = |chain: &str, text: &str| {
            fs::write(&certificate, chain).unwrap();
            fs::remove_file(&key).ok();
            replace_file(&key, text.as_bytes()).unwrap();
            let (certificate, key) = (certificate.clone(), key.clone());
            Tls::new(CertificateSource::Files { certificate, key }).map(|_| ())
        };
        assert!(tls(&chain, &own).is_ok());
        assert!(tls(&format!("{chain}{own}"), &format!("{chain}{own}")).is_ok());
        assert!(matches!(tls("", &own), Err(CertificateError::NoCertificate { .. })));
        assert!(matches!(tls(&own, &own), Err(CertificateError::NoCertificate { .. })));
        assert!(matches!(tls(&chain, ""), Err(CertificateError::NoKey { .. })));
        assert!(matches!(tls(&chain, &chain), Err(CertificateError::NoKey { .. })));
        assert!(matches!(tls(&chain, &other), Err(CertificateError::Unusable { .. })));
        let cut = &chain[..chain.len() / 2];
        assert!(matches!(tls(cut, &own), Err(CertificateError::Pem { .. })));
    }
}
