//! A certificate that is given in files.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::sign::CertifiedKey;

use super::error::CertificateError;
use super::pem::parse_certified_key;
use crate::api::files::{FileFollower, InputFile};

/// Largest file with a chain of certificates or a key.
const MAX_BYTES: u64 = 1 << 20;

/// Certificate in files, which another program renews.
#[derive(Debug)]
pub(super) struct CertificateFiles {
    certificate: PathBuf,
    key: PathBuf,
    follower: FileFollower,
}

impl CertificateFiles {
    /// Reads the files.
    pub(super) fn open(
        certificate: PathBuf,
        key: PathBuf,
    ) -> Result<(Self, Arc<CertifiedKey>), CertificateError> {
        let inputs =
            [InputFile::public(&certificate, MAX_BYTES), InputFile::secret(&key, MAX_BYTES)];
        let (follower, contents) = FileFollower::open(inputs)?;
        let files = Self { certificate, key, follower };
        let parsed = files.parse(&contents)?;
        Ok((files, parsed))
    }

    /// Waits until the files change. An error is returned once.
    pub(super) async fn changed(&mut self) -> Result<Arc<CertifiedKey>, CertificateError> {
        let contents = self.follower.changed().await?;
        self.parse(&contents)
    }

    fn parse(&self, contents: &[Vec<u8>]) -> Result<Arc<CertifiedKey>, CertificateError> {
        let [certificate, key] = contents else { unreachable!("the follower reads two files") };
        let certificate = (self.certificate.as_path(), certificate.as_slice());
        parse_certified_key(certificate, (&self.key, key)).map(Arc::new)
    }
}
