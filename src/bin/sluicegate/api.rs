//! The API of the gateway, and the store of its objects.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use sluicegate::api::{self, ApiServer, ApiService};
use sluicegate::sources::ApiSource;
use sluicegate::store::Store;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::api_runtime::ApiRuntime;
use crate::api_storage::ApiStorage;
use crate::cli::RunOptions;
use crate::error::RunError;
use crate::signals::StopSignals;

/// Longest wait for the disk if a signal asks for an immediate stop.
const IMMEDIATE_CLOSE: Duration = Duration::from_secs(1);

/// A running API.
pub(crate) struct Api {
    store: Store,
    /// Folder of the store, which is empty for a store in memory.
    store_path: PathBuf,
    address: SocketAddr,
    local_endpoints: bool,
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
    runtime: ApiRuntime,
}

impl Api {
    /// Binds the address of the API and serves it.
    ///
    /// # Errors
    /// Returns an error if the folder cannot be used, or the address cannot be bound.
    pub(crate) fn start(options: &RunOptions, storage: ApiStorage) -> Result<Self, RunError> {
        let api_options = &options.api_options;
        let ApiStorage { folder, store } = storage;
        let has_files = api_options.data.is_some();
        let store_path = if has_files { folder.store_path() } else { PathBuf::new() };
        let runtime = ApiRuntime::start().map_err(RunError::Runtime)?;
        // The listening socket belongs to the runtime that binds it.
        let _context = runtime.enter();
        let mut builder = ApiServer::builder(folder);
        if let Some(address) = api_options.api_listen {
            builder = builder.listen(address);
        }
        for host in &api_options.api_host {
            builder = builder.host(host.clone());
        }
        if let (Some(certificate), Some(key)) = (&api_options.api_certificate, &api_options.api_key)
        {
            builder = builder.certificate(certificate, key);
        }
        if let Some(tokens) = &api_options.tokens {
            builder = builder.tokens_file(tokens);
        }
        let server = builder.bind()?;
        let local_endpoints = server.is_loopback() || api_options.allow_local_endpoints;
        let settings = api::Settings::new()
            .with_max_watches(server.max_watches())
            .with_local_endpoints(local_endpoints);
        let service = ApiService::new(store.clone(), server.access().clone(), settings);
        let address = server.local_address();
        match &api_options.data {
            Some(data) => {
                let data = data.display();
                tracing::info!(
                    %address,
                    "serving the API at {}; `sluicegate kubeconfig --data {data}` writes a \
                     kubeconfig",
                    server.url()
                );
            }
            None => tracing::warn!(
                %address,
                "serving the API at {}; `sluicegate kubeconfig` writes a kubeconfig. The objects \
                 are in memory and lost when the program stops; give --data DIR to keep them",
                server.url()
            ),
        }
        let (stop, stopped) = oneshot::channel();
        let server = runtime.spawn(async move {
            server
                .serve(service, async move {
                    // An error means that the `Api` was dropped, which stops the server too.
                    let _ = stopped.await;
                })
                .await;
        });
        Ok(Self { store, store_path, address, local_endpoints, stop, server, runtime })
    }

    /// Returns the bound address.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns `true` if endpoints may have loopback addresses.
    pub(crate) fn local_endpoints(&self) -> bool {
        self.local_endpoints
    }

    /// Returns a source of the objects.
    pub(crate) fn source(&self) -> ApiSource {
        ApiSource::new(self.store.clone())
    }

    /// Stops accepting connections. Open requests may finish within the shutdown timeout of the
    /// server, which begins now.
    pub(crate) fn stop(self) -> StoppedApi {
        // An error means that the server has ended.
        let _ = self.stop.send(());
        StoppedApi {
            store: self.store,
            store_path: self.store_path,
            server: self.server,
            _runtime: self.runtime,
        }
    }
}

/// An API that accepts no more connections.
pub(crate) struct StoppedApi {
    store: Store,
    /// Folder of the store, which is empty for a store in memory.
    store_path: PathBuf,
    server: JoinHandle<()>,
    _runtime: ApiRuntime,
}

impl StoppedApi {
    /// Closes the store, which ends the watches, and waits until the open requests are answered or
    /// the shutdown timeout of the server is over. A stop signal ends this immediately. Returns
    /// `true` if there was none.
    pub(crate) async fn close(mut self, signals: &mut StopSignals) -> bool {
        let closed = async {
            self.store.close().await;
            if let Err(error) = (&mut self.server).await {
                tracing::error!(%error, "internal error: the task of the API panicked");
            }
        };
        let is_closed = tokio::select! {
            () = closed => true,
            () = signals.next() => false,
        };
        if !is_closed {
            self.close_immediately().await;
        }
        is_closed
    }

    /// Closes the store, and resets the open connections. Waits only for a disk that answers at
    /// once.
    pub(crate) async fn close_immediately(self) {
        self.server.abort();
        if timeout(IMMEDIATE_CLOSE, self.store.close()).await.is_err() {
            tracing::error!(
                path = %self.store_path.display(),
                "the disk does not answer; the program ends without closing the file of the store, \
                 which is checked at the next start. Writes without an answer may be lost. Check \
                 the disk, or the network file system"
            );
        }
    }
}
