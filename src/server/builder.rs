//! Setting a gateway up, and starting it.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::thread;

use tokio::runtime;
use tokio::sync::{mpsc, oneshot, watch};

use super::address;
use super::control::Control;
use super::handle::Handle;
use crate::forward::{self, Forwarder};
use crate::model::GatewayController;
use crate::sources::{Source, SourceError};
use crate::translate::{self, Addresses, Controller, Host};

/// A gateway. [`Server::builder`] is the way to one.
///
/// It leaves the process's limits alone: a program that expects many listeners or connections raises
/// its limit of file descriptors, as the example `file_gateway` does. How many there must be is said
/// at [`Forwarder`].
#[derive(Debug)]
pub struct Server;

impl Server {
    /// A gateway to set up.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

/// A gateway that is being set up.
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
#[derive(Default)]
#[must_use = "a builder does nothing until it is started"]
pub struct Builder {
    sources: Vec<Box<dyn Source>>,
    controller: Controller,
    addresses: Addresses,
    bind: Option<IpAddr>,
    advertise: Option<IpAddr>,
    forward: forward::Settings,
}

impl Builder {
    /// Takes objects from `source`, beside those added before.
    pub fn source(mut self, source: impl Source) -> Self {
        self.sources.push(Box::new(source));
        self
    }

    /// Serves only the GatewayClasses that name this controller. Default: the name that a source
    /// speaks in, such as `KubeSource`; where none does, every class.
    pub fn controller_name(mut self, name: GatewayController) -> Self {
        self.controller = Controller::Named(name);
        self
    }

    /// Where Gateways live. Default: all share the addresses of the host.
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

    /// The address on which Gateways listen that have none of their own. Default: all interfaces.
    pub fn bind(mut self, address: IpAddr) -> Self {
        self.bind = Some(address);
        self
    }

    /// The address to report where all interfaces are bound. Default: the one that a neighbour
    /// would dial, or 127.0.0.1 where there is none.
    pub fn advertise(mut self, address: IpAddr) -> Self {
        self.advertise = Some(address);
        self
    }

    /// How to forward.
    pub fn forward(mut self, settings: forward::Settings) -> Self {
        self.forward = settings;
        self
    }

    /// Starts the gateway: waits for the first snapshot of every source, then opens the listeners.
    ///
    /// A listener that cannot be opened is not an error; [`Handle::listeners`] tells of it, and it
    /// is tried again. Neither the data path nor the control path uses the caller's runtime.
    ///
    /// # Errors
    /// [`StartError`], where there is nothing to start with.
    ///
    /// # Cancel safety
    /// Cancel safe: a gateway that nobody waits for stops.
    pub async fn start(self) -> Result<Handle, StartError> {
        if self.sources.is_empty() {
            return Err(StartError::NoSource);
        }
        let controller = self.controller()?;
        let bind = self.bind.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED));
        let advertise = self.advertise.unwrap_or_else(address::of_this_host);
        let mut settings = translate::Settings::default()
            .with_addresses(self.addresses)
            .with_host(Host::new(bind, advertise));
        settings.controller = controller;

        let forwarder = Forwarder::start(self.forward)?;
        let counters = forwarder.counters();
        let (reporter, reports) = watch::channel(None);
        let (commander, commands) = mpsc::channel(1);
        let (starter, started) = oneshot::channel();
        thread::Builder::new().name("sluicegate-control".to_owned()).spawn(move || {
            // Here, since a runtime must not be dropped within the caller's.
            let runtime = match runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(starter.send(Err(error.into()))),
            };
            let control = Control::new(settings, forwarder, reporter);
            let done = runtime.block_on(control.run(self.sources, commands, starter));
            drop(runtime);
            // Now that nothing is left. Whoever asked may have stopped waiting.
            if let Some(done) = done {
                let _ = done.send(());
            }
        })?;
        // The sender is dropped only by a panic of the thread, which has said so on its own.
        started.await.unwrap_or(Err(StartError::System(io::ErrorKind::BrokenPipe.into())))?;
        Ok(Handle::new(reports, counters, commander))
    }
}

impl Builder {
    /// What the caller says, or the sources; they must agree.
    fn controller(&self) -> Result<Controller, StartError> {
        let names = self.sources.iter().filter_map(|source| source.controller());
        names.map(Controller::Named).try_fold(self.controller.clone(), |known, named| {
            match (known, named) {
                (Controller::Any, named) => Ok(named),
                (known, named) if known == named => Ok(known),
                (Controller::Named(one), Controller::Named(other)) => {
                    Err(StartError::Controllers { one, other })
                }
                (known, _) => Ok(known),
            }
        })
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
            .field("forward", &self.forward)
            .finish()
    }
}

/// Why a gateway could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The caller gave it no source.
    #[error("a gateway needs a source of objects; add one with Builder::source")]
    NoSource,
    /// The caller and a source, or two sources, name different controllers.
    #[error("two names for the controller, {one} and {other}; a gateway has one")]
    Controllers {
        /// The one named first.
        one: GatewayController,
        /// The one named then.
        other: GatewayController,
    },
    /// A source could not come up with its first snapshot.
    #[error("source {name}: {error}")]
    Source {
        /// The source's own name.
        name: String,
        /// What it said.
        #[source]
        error: SourceError,
    },
    /// The system gave no thread or no event queue.
    #[error("cannot start: {0}")]
    System(#[from] io::Error),
}
