//! Certificates and keys in PEM.

use std::path::Path;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::error::CertificateError;

/// Parses the chain of a certificate and its key.
pub(super) fn parse_certified_key(
    (certificate_path, certificate): (&Path, &[u8]),
    (key_path, key): (&Path, &[u8]),
) -> Result<CertifiedKey, CertificateError> {
    let pem_error = |source| CertificateError::Pem {
        path: certificate_path.to_owned(),
        source: Box::new(source),
    };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate).collect();
    let chain = chain.map_err(pem_error)?;
    if chain.is_empty() {
        return Err(CertificateError::NoCertificate { path: certificate_path.to_owned() });
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|source| CertificateError::NoKey {
        path: key_path.to_owned(),
        source: Box::new(source),
    })?;
    CertifiedKey::from_der(chain, key, &default_provider()).map_err(|source| {
        CertificateError::Unusable {
            certificate: certificate_path.to_owned(),
            key: key_path.to_owned(),
            source: Box::new(source),
        }
    })
}
