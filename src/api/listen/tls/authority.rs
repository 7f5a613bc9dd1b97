//! The certificate authority of the folder, and the certificates that it issues.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, SanType, date_time_ymd,
};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;

use super::error::CertificateError;
use crate::api::access::ApiHost;
use crate::api::folder::ApiFolder;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Validity of an issued certificate.
const LIFETIME: Duration = DAY.saturating_mul(90);

/// Age at which an issued certificate is renewed.
const RENEWAL_AGE: Duration = DAY.saturating_mul(60);

/// Time by which the validity of a certificate begins before its issue, for clients whose clock is
/// slow (clock skew).
const BACKDATING: Duration = DAY;

const AUTHORITY_NAME: &str = "sluicegate API authority";
const SERVER_NAME: &str = "sluicegate API";
const END_OF_CERTIFICATE: &str = "-----END CERTIFICATE-----\n";

/// Certificate authority of a folder. Kubeconfigs contain its certificate, so that they stay valid
/// when the server's certificate is renewed.
#[derive(Debug)]
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
}

/// Certificate that an [`Authority`] has issued.
#[derive(Debug)]
pub(super) struct Issued {
    pub(super) key: Arc<CertifiedKey>,
    issued: SystemTime,
}

impl Authority {
    /// Opens the authority of a folder. Generates it if there is none.
    pub(super) fn open(folder: &ApiFolder) -> Result<Self, CertificateError> {
        let text = match folder.authority()? {
            Some(text) => text,
            None => {
                folder.create_authority(&Self::generate().map_err(issue_error)?)?;
                // Another process may have created the file first.
                folder.authority()?.unwrap_or_default()
            }
        };
        Self::parse(&text)
            .map_err(|source| CertificateError::Authority { path: folder.authority_path(), source })
    }

    /// Generates certificate and key of an authority in PEM.
    fn generate() -> Result<String, rcgen::Error> {
        let key = KeyPair::generate()?;
        let certificate = Self::parameters().self_signed(&key)?;
        Ok(format!("{}{}", certificate.pem(), key.serialize_pem()))
    }

    /// Returns the parameters of the certificate. An issuer needs the same ones after each start.
    fn parameters() -> CertificateParams {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name = DistinguishedName::new();
        parameters.distinguished_name.push(DnType::CommonName, AUTHORITY_NAME);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        // RFC 5280, 4.1.2.5: no well-defined expiration date. Kubeconfigs contain the certificate,
        // and only this server is trusted by it.
        parameters.not_after = date_time_ymd(9999, 12, 31);
        parameters
    }

    fn parse(text: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let certificate = CertificateDer::from_pem_slice(text.as_bytes())?;
        let key = KeyPair::try_from(&PrivateKeyDer::from_pem_slice(text.as_bytes())?)?;
        let end = text.find(END_OF_CERTIFICATE).ok_or("the certificate has no end")?;
        let pem = text[..end + END_OF_CERTIFICATE.len()].to_owned();
        // Returns an error if the key is not that of the certificate.
        CertifiedKey::from_der(
            vec![certificate.clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            &default_provider(),
        )?;
        Ok(Self { issuer: Issuer::new(Self::parameters(), key), certificate, pem })
    }

    /// Returns the certificate in PEM.
    pub(super) fn pem(&self) -> &str {
        &self.pem
    }

    /// Issues a certificate for a server with these names and addresses.
    pub(super) fn issue(
        &self,
        hosts: &[ApiHost],
        now: SystemTime,
    ) -> Result<Issued, CertificateError> {
        let key = KeyPair::generate().map_err(issue_error)?;
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name = DistinguishedName::new();
        parameters.distinguished_name.push(DnType::CommonName, SERVER_NAME);
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        parameters.use_authority_key_identifier_extension = true;
        let ((year, month, day), end) = (date(now - BACKDATING)?, date(now + LIFETIME)?);
        parameters.not_before = date_time_ymd(year, month, day);
        parameters.not_after = date_time_ymd(end.0, end.1, end.2);
        for host in hosts {
            let name = match host.address() {
                Some(address) => SanType::IpAddress(address),
                None => SanType::DnsName(host.to_string().try_into().map_err(issue_error)?),
            };
            parameters.subject_alt_names.push(name);
        }
        let certificate = parameters.signed_by(&key, &self.issuer).map_err(issue_error)?;
        let chain = vec![certificate.der().clone(), self.certificate.clone()];
        let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        let key = CertifiedKey::from_der(chain, key, &default_provider()).map_err(issue_error)?;
        Ok(Issued { key: key.into(), issued: now })
    }
}

impl Issued {
    /// Returns `true` if the certificate must be replaced: it will expire, or the clock was wrong
    /// when it was issued, as on a machine without a battery for its clock.
    pub(super) fn is_due(&self, now: SystemTime) -> bool {
        match now.duration_since(self.issued) {
            Ok(age) => age >= RENEWAL_AGE,
            Err(early) => early.duration() >= BACKDATING / 2,
        }
    }
}

/// Returns the date of a time, as year, month and day.
fn date(time: SystemTime) -> Result<(i32, u8, u8), CertificateError> {
    let timestamp = Timestamp::try_from(time).map_err(issue_error)?;
    let date = timestamp.to_zoned(TimeZone::UTC).date();
    let part = |part: i8| u8::try_from(part).map_err(issue_error);
    Ok((date.year().into(), part(date.month())?, part(date.day())?))
}

fn issue_error(source: impl Into<Box<dyn Error + Send + Sync>>) -> CertificateError {
    CertificateError::Issue(source.into())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::tempdir;

    use super::*;

    fn folder() -> (tempfile::TempDir, ApiFolder) {
        let parent = tempdir().unwrap();
        let folder = ApiFolder::open(parent.path().join("api")).unwrap();
        (parent, folder)
    }

    #[test]
    fn authority_is_made_once() {
        let (_parent, folder) = folder();
        let first = Authority::open(&folder).unwrap();
        let second = Authority::open(&folder).unwrap();
        assert_eq!(first.pem(), second.pem());
        assert!(first.pem().starts_with("-----BEGIN CERTIFICATE-----\n"));
        assert!(first.pem().ends_with(END_OF_CERTIFICATE) && !first.pem().contains("KEY"));
        assert!(!format!("{first:?}").contains("PRIVATE"));
    }

    #[test]
    fn damaged_authority_is_an_error() {
        let (_parent, folder) = folder();
        let other = Authority::generate().unwrap();
        Authority::open(&folder).unwrap();
        let path = folder.authority_path();
        let text = fs::read_to_string(&path).unwrap();
        let end = text.find(END_OF_CERTIFICATE).unwrap() + END_OF_CERTIFICATE.len();
        let mixed = format!("{}{}", &text[..end], &other[other.find("-----BEGIN PRIV").unwrap()..]);
        for damaged in ["", &text[..end], &text[end..], &mixed] {
            fs::write(&path, damaged).unwrap();
            let error = Authority::open(&folder).unwrap_err();
            assert!(matches!(error, CertificateError::Authority { .. }), "{error}");
        }
    }

    #[test]
    fn certificate_is_due_before_it_expires_and_after_a_step_of_the_clock() {
        let (_parent, folder) = folder();
        let authority = Authority::open(&folder).unwrap();
        let now = SystemTime::now();
        let issued = authority.issue(&["localhost".parse().unwrap()], now).unwrap();
        for (time, is_due) in [
            (now, false),
            (now + DAY * 59, false),
            (now + DAY * 60, true),
            (now + DAY * 4000, true),
            (now - Duration::from_secs(60), false),
            (now - DAY, true),
            (SystemTime::UNIX_EPOCH, true),
        ] {
            assert_eq!(issued.is_due(time), is_due, "{time:?}");
        }
    }

    #[test]
    fn dates_are_those_of_utc() {
        let time = SystemTime::UNIX_EPOCH + DAY * 59 - Duration::from_secs(1);
        assert_eq!(date(time).unwrap(), (1970, 2, 28));
        assert_eq!(date(time + Duration::from_secs(1)).unwrap(), (1970, 3, 1));
    }
}
