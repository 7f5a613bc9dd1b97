//! Configuration of an API server.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::addresses::{bind, certificate_hosts, url};
use super::api_server::ApiServer;
use super::error::ListenError;
use super::settings::ListenSettings;
use super::tls::{CertificateSource, Tls};
use crate::api::access::{ADMIN, Access, ApiHost, Role};
use crate::api::folder::{ApiFolder, Endpoint};

/// Default port of the API.
const PORT: u16 = 6080;

/// Configuration of an [`ApiServer`].
#[derive(Debug)]
pub struct ApiServerBuilder {
    folder: ApiFolder,
    address: SocketAddr,
    hosts: Vec<ApiHost>,
    certificate: Option<(PathBuf, PathBuf)>,
    tokens_file: Option<PathBuf>,
    settings: ListenSettings,
}

impl ApiServer {
    /// Returns a builder of a server that keeps its token and its certificate in a folder.
    pub fn builder(folder: ApiFolder) -> ApiServerBuilder {
        ApiServerBuilder {
            folder,
            address: (Ipv4Addr::LOCALHOST, PORT).into(),
            hosts: Vec::new(),
            certificate: None,
            tokens_file: None,
            settings: ListenSettings::new(),
        }
    }
}

impl ApiServerBuilder {
    /// Sets the address to listen on; 127.0.0.1:6080 by default. Port 0 is replaced by a free port.
    #[must_use]
    pub fn listen(self, address: SocketAddr) -> Self {
        Self { address, ..self }
    }

    /// Allows a name or an address in requests, in addition to the bound address and the names of
    /// the certificate. A certificate that the server issues contains it.
    #[must_use]
    pub fn host(mut self, host: ApiHost) -> Self {
        self.hosts.push(host);
        self
    }

    /// Uses a certificate chain and its key, in PEM files, which are read again when they change.
    ///
    /// Otherwise, an authority in the folder issues the certificate, and renews it.
    #[must_use]
    pub fn certificate(self, chain: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self { certificate: Some((chain.into(), key.into())), ..self }
    }

    /// Accepts the tokens of a file too, as
    /// [`AccessBuilder::tokens_file`](crate::api::AccessBuilder::tokens_file).
    #[must_use]
    pub fn tokens_file(self, path: impl Into<PathBuf>) -> Self {
        Self { tokens_file: Some(path.into()), ..self }
    }

    /// Sets the bounds of connections.
    #[must_use]
    pub fn settings(self, settings: ListenSettings) -> Self {
        Self { settings, ..self }
    }

    /// Binds the address. Generates the token of the administrator and the certificate, if there
    /// are none, and records the address in the folder for kubeconfigs.
    ///
    /// It must run in a tokio runtime.
    ///
    /// # Errors
    /// Returns an error if the address cannot be bound, or if the token, the file of tokens or the
    /// certificate cannot be used.
    pub fn bind(self) -> Result<ApiServer, ListenError> {
        let Self { folder, address, hosts, certificate, tokens_file, settings } = self;
        let token = folder.token()?;
        let mut access = Access::builder().token(ADMIN, Role::Admin, &token);
        for host in &hosts {
            access = access.host(host.clone());
        }
        if let Some(path) = tokens_file {
            access = access.tokens_file(path);
        }
        let access = access.build()?;

        let bind_error = |source| ListenError::Bind { address, source };
        let listener = bind(address).map_err(bind_error)?;
        let address = listener.local_addr().map_err(bind_error)?;
        let tls = Tls::new(match certificate {
            Some((certificate, key)) => CertificateSource::Files { certificate, key },
            None => CertificateSource::Folder {
                folder: folder.clone(),
                hosts: certificate_hosts(address, &hosts),
            },
        })?;
        tls.log_names();
        tls.allow_names(&access);
        let endpoint = Endpoint {
            server: url(address, &hosts),
            certificate_authority: tls.authority().map(str::to_owned),
        };
        if let Err(error) = folder.write_endpoint(&endpoint) {
            // Only `sluicegate kubeconfig` reads the file.
            tracing::warn!(
                error = &error as &(dyn Error + 'static),
                "cannot record the address of the API, so `sluicegate kubeconfig` fails or has the \
                 address of an earlier start until the next one; give it --server"
            );
        }
        tracing::info!(
            %address,
            url = endpoint.server,
            folder = %folder.path().display(),
            "listening for requests to the API"
        );
        Ok(ApiServer { listener, address, tls, access, settings, endpoint, token })
    }
}
