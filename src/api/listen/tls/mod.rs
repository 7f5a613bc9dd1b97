//! TLS: the certificate of the server, and its renewal.
//!
//! | file | contents |
//! |---|---|
//! | `authority` | the certificate authority of the folder, and the certificates that it issues |
//! | `certificate_files` | a certificate that is given in files |
//! | `pem` | certificates and keys in PEM |
//! | `tls` | the configuration of rustls, and the loop that renews the certificate |

mod authority;
mod certificate_files;
mod error;
mod pem;
#[allow(clippy::module_inception, reason = "the type of the module")]
mod tls;

pub use self::error::CertificateError;
pub(super) use self::tls::{CertificateSource, Tls};
