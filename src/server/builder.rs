//! Configuration and start of a gateway.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::thread;
use std::time::Duration;

use tokio::runtime;
use tokio::sync::{mpsc, oneshot, watch};

use super::control_loop::ControlLoop;
use super::error::StartError;
use super::handle::Handle;
use super::{controller, local_address};
use crate::forward::{self, Forwarder};
use crate::model::GatewayController;
use crate::sources::Source;
use crate::translate::{self, Addresses, Controller, Host, SpecialAddresses};

/// A gateway; [`Server::builder`] creates one.
///
/// The gateway does not change the limits of the process: a program that expects many listeners or
/// connections raises its limit of file descriptors (`RLIMIT_NOFILE`). [`Forwarder`] documents the
/// number it needs.
#[derive(Debug)]
pub struct Server;

impl Server {
    /// Returns a builder with default settings.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

/// Configuration of a gateway.
///
/// ```
/// use sluicegate::Server;
/// use sluicegate::sources::MemorySource;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let objects = MemorySource::default();
/// let gateway = Server::builder()
///     .source(objects.clone())
///     .bind("127.0.0.1".parse()?)
///     .start()
///     .await?;
/// assert!(gateway.listeners().is_empty());
/// gateway.shutdown().await;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[must_use = "a builder does nothing until it is started"]
pub struct Builder {
    sources: Vec<Box<dyn Source>>,
    controller: Controller,
    addresses: Addresses,
    bind: Option<IpAddr>,
    advertise: Option<IpAddr>,
    special_addresses: Option<SpecialAddresses>,
    listeners_per_namespace: Option<NonZeroU32>,
    own_sockets: BTreeSet<SocketAddr>,
    local_endpoints: bool,
    forward: forward::Settings,
    address_cooldown: Duration,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            sources: Vec::new(),
            controller: Controller::default(),
            addresses: Addresses::default(),
            bind: None,
            advertise: None,
            special_addresses: None,
            listeners_per_namespace: None,
            own_sockets: BTreeSet::new(),
            local_endpoints: true,
            forward: forward::Settings::default(),
            address_cooldown: Duration::from_secs(60),
        }
    }
}

impl Builder {
    /// Adds a source of objects. If several sources contain the same object, the one that was added
    /// first is used.
    pub fn source(mut self, source: impl Source) -> Self {
        self.sources.push(Box::new(source));
        self
    }

    /// Serves only the GatewayClasses that name this controller. Default: the controller that a
    /// source names ([`Source::controller`]), as `KubeSource` does; without one, every class.
    pub fn controller_name(mut self, name: GatewayController) -> Self {
        self.controller = Controller::Named(name);
        self
    }

    /// Sets the addresses of Gateways. Default: all share the addresses of the host.
    ///
    /// ```no_run
    /// # use sluicegate::Server;
    /// let gateway = Server::builder().addresses("10.0.0.0/28,10.0.1.5-10.0.1.9".parse()?);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn addresses(mut self, addresses: Addresses) -> Self {
        self.addresses = addresses;
        self
    }

    /// Sets the address on which Gateways without addresses of their own listen, and the bind
    /// address of pod ports with [`Addresses::Service`]. Default: all interfaces.
    pub fn bind(mut self, address: IpAddr) -> Self {
        self.bind = Some(address);
        self
    }

    /// Sets the address to advertise for Gateways that listen on all interfaces. Default: the
    /// address of the default route's interface, or 127.0.0.1 if there is none.
    pub fn advertise(mut self, address: IpAddr) -> Self {
        self.advertise = Some(address);
        self
    }

    /// Sets the special addresses (loopback, link-local, multicast and unspecified) that Gateways
    /// may request. A pool may contain the loopback and link-local ones of them. Default: all, or
    /// none if one of the sources does not allow them ([`Source::allows_special_addresses`]), such
    /// as `KubeSource`.
    pub fn special_addresses(mut self, special_addresses: SpecialAddresses) -> Self {
        self.special_addresses = Some(special_addresses);
        self
    }

    /// Sets the maximum number of listeners of all Gateways of a namespace. Default: no limit.
    pub fn listeners_per_namespace(mut self, limit: NonZeroU32) -> Self {
        self.listeners_per_namespace = Some(limit);
        self
    }

    /// Adds listening sockets of the program apart from those of Gateways, such as the socket of
    /// its API. A route whose backend leads there is rejected, and its status contains the reason.
    pub fn own_sockets(mut self, sockets: impl IntoIterator<Item = SocketAddr>) -> Self {
        self.own_sockets.extend(sockets);
        self
    }

    /// Allows or refuses backends whose endpoints have loopback addresses. Clients of an API that
    /// listens on other addresses could reach programs of this host through them. Default: allowed.
    pub fn local_endpoints(mut self, is_allowed: bool) -> Self {
        self.local_endpoints = is_allowed;
        self
    }

    /// Sets the time during which a released address of a pool is not assigned to another Gateway,
    /// because clients may still connect to it. Default: 60 s.
    pub fn address_cooldown(mut self, duration: Duration) -> Self {
        self.address_cooldown = duration;
        self
    }

    /// Sets the settings of the forwarder.
    pub fn forward(mut self, settings: forward::Settings) -> Self {
        self.forward = settings;
        self
    }

    /// Starts the gateway: waits for the first snapshot of every source, then opens the listeners.
    ///
    /// A listener that cannot be opened is not an error: [`Handle::listeners`] reports it, and the
    /// gateway retries. Neither the data path nor the control path uses the caller's runtime.
    ///
    /// # Errors
    /// [`StartError`] if there is no source, if a source fails before its first snapshot, or if
    /// controller names conflict.
    ///
    /// # Cancel safety
    /// Cancel safe: the gateway stops if the future is dropped.
    pub async fn start(self) -> Result<Handle, StartError> {
        if self.sources.is_empty() {
            return Err(StartError::NoSource);
        }
        let controller = controller::merge_names(self.controller, &self.sources)?;
        let bind = self.bind.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED));
        let advertise = self.advertise.unwrap_or_else(local_address::detect);
        let special_addresses = self.special_addresses.unwrap_or_else(|| {
            match self.sources.iter().all(|source| source.allows_special_addresses()) {
                true => SpecialAddresses::Allow,
                false => SpecialAddresses::Deny,
            }
        });
        if let Addresses::Pool(pool) = &self.addresses {
            special_addresses.check_pool(pool).map_err(StartError::Pool)?;
        }
        let mut settings = translate::Settings::default()
            .with_addresses(self.addresses)
            .with_special_addresses(special_addresses)
            .with_listeners_per_namespace(self.listeners_per_namespace)
            .with_own_sockets(self.own_sockets.clone())
            .with_local_endpoints(self.local_endpoints)
            .with_host(Host::new(bind, advertise));
        settings.controller = controller;

        let forwarder = Forwarder::start(self.forward.with_own_sockets(self.own_sockets))?;
        let counters = forwarder.counters();
        let (reporter, reports) = watch::channel(None);
        let (commander, commands) = mpsc::channel(1);
        let (start_result, started) = oneshot::channel();
        thread::Builder::new().name("sluicegate-control".to_owned()).spawn(move || {
            // Created and dropped on this thread: a runtime must not be dropped in an async
            // context.
            let runtime = match runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(start_result.send(Err(error.into()))),
            };
            let control = ControlLoop::new(settings, self.address_cooldown, forwarder, reporter);
            let done = runtime.block_on(control.run(self.sources, commands, start_result));
            // The shutdown does not wait for threads that still read a large file.
            runtime.shutdown_background();
            // All tasks of the gateway have ended now. Sending fails if the caller no longer waits.
            if let Some(done) = done {
                let _ = done.send(());
            }
        })?;
        // The thread drops the sender only if it panics, and the panic has been printed.
        started.await.unwrap_or(Err(StartError::Panicked))?;
        Ok(Handle::new(reports, counters, commander))
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sources: Vec<_> = self.sources.iter().map(|source| source.name()).collect();
        f.debug_struct("Builder")
            .field("sources", &sources)
            .field("controller", &self.controller)
            .field("addresses", &self.addresses)
            .field("bind", &self.bind)
            .field("advertise", &self.advertise)
            .field("special_addresses", &self.special_addresses)
            .field("listeners_per_namespace", &self.listeners_per_namespace)
            .field("own_sockets", &self.own_sockets)
            .field("local_endpoints", &self.local_endpoints)
            .field("forward", &self.forward)
            .field("address_cooldown", &self.address_cooldown)
            .finish()
    }
}
