//! The public interface of the engine.

use std::io;
use std::time::Duration;

use super::bindings::Bindings;
use super::counters::Counters;
use super::reconcile::Reconciler;
use super::settings::Settings;
use crate::plan::Plan;

/// Runs a plan: binds its listeners and forwards their connections.
///
/// Dropping a forwarder resets all its connections. To let them finish, call
/// [`drain`](Self::drain) first.
///
/// A forwarder uses one file descriptor for each address of a listener, two for each connection,
/// four for each worker, and two for each pipe of bulk transfers: at most 64, or two per worker if
/// there are more than 32 workers. The program has to raise the limit of the process
/// (`RLIMIT_NOFILE`, of which the soft limit is often 1024) if that is too low. From the limit at
/// the start follows the number of connections that the process can have: it accepts no more, and
/// further clients wait in the backlog. Two gateways that lead to each other stop at this number
/// too. When the limit itself is reached, listeners fail with
/// [`NoResources`](crate::plan::BindErrorKind::NoResources). On Linux, a forwarder does not use the
/// last descriptors before the limit ([`Settings::descriptor_reserve`]), so that the rest of the
/// program can open files and sockets.
///
/// # Example
///
/// A plan that is built by hand: one listener, one route with one backend.
///
/// ```
/// use std::collections::BTreeMap;
/// use std::io;
/// use std::num::NonZeroUsize;
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use sluicegate::forward::{Forwarder, Settings};
/// use sluicegate::plan::{
///     BackendId, BackendPlan, Endpoint, ListenAddress, ListenerId, ListenerPlan, Plan, RouteId,
///     RoutePlan, Routing, Share,
/// };
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// use tokio::net::{TcpListener, TcpStream};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let database = TcpListener::bind("127.0.0.1:0").await?;
///
/// let backend = BackendPlan::new(
///     BackendId::new("default/database".parse()?, None),
///     [Endpoint::new(database.local_addr()?)],
/// );
/// let route = RoutePlan::new(
///     RouteId::tcp("default/orders".parse()?),
///     vec![Share::new(1, Arc::new(backend))],
/// );
/// // Port 0: the kernel assigns a port.
/// let address = ListenAddress::tcp("127.0.0.1:0".parse()?);
/// let listener: ListenerId = "default/edge/tcp".parse()?;
/// let mut plan = Plan::default();
/// plan.listeners.insert(
///     listener.clone(),
///     ListenerPlan::new(vec![address], Routing::Single(Arc::new(route))),
/// );
///
/// let mut forwarder = Forwarder::start(Settings::default().with_workers(NonZeroUsize::MIN))?;
/// let bindings = forwarder.apply(&plan).await;
/// assert!(bindings.errors.is_empty());
/// let address = bindings.bound[&listener][0];
///
/// let mut client = TcpStream::connect(address).await?;
/// let (mut server, _) = database.accept().await?;
/// client.write_all(b"hello").await?;
/// let mut received = [0; 5];
/// server.read_exact(&mut received).await?;
/// assert_eq!(&received, b"hello");
/// drop((client, server));
///
/// forwarder.drain(Duration::from_secs(10)).await;
/// # Ok(())
/// # })
/// # }
/// ```
#[derive(Debug)]
pub struct Forwarder {
    reconciler: Reconciler,
}

impl Forwarder {
    /// Starts the worker threads.
    ///
    /// # Errors
    /// The error of the operating system, if it cannot create a thread or an event queue (epoll).
    pub fn start(settings: Settings) -> io::Result<Self> {
        Ok(Self { reconciler: Reconciler::start(settings)? })
    }

    /// Replaces the running plan by `plan` and returns the resulting bindings.
    ///
    /// Listeners that are in both plans keep their sockets and connections. New listeners are
    /// bound. Removed listeners stop accepting, and their connections have
    /// [`drain_timeout`](Settings::drain_timeout) to finish.
    ///
    /// # Cancel safety
    /// Not cancel safe: a plan that is partly applied stays so until the next call.
    pub async fn apply(&mut self, plan: &Plan) -> &Bindings {
        self.reconciler.apply(plan).await;
        self.bindings()
    }

    /// Tries again to bind the addresses that failed. Returns the new bindings if they changed.
    ///
    /// # Cancel safety
    /// Not cancel safe, like [`apply`](Self::apply).
    pub async fn retry(&mut self) -> Option<&Bindings> {
        self.reconciler.retry().await.then_some(self.reconciler.bindings())
    }

    /// Returns the bound addresses and the bind errors.
    pub fn bindings(&self) -> &Bindings {
        self.reconciler.bindings()
    }

    /// Returns a handle to the counters. It can be read from any thread, also after the forwarder
    /// is dropped.
    pub fn counters(&self) -> Counters {
        self.reconciler.counters()
    }

    /// Closes all listeners and waits until the last connection has ended. Connections that are
    /// open after `timeout` are reset.
    ///
    /// # Cancel safety
    /// Cancel safe: the connections continue with the deadline that was set. Another drain waits
    /// for them, and the earlier of the two deadlines applies.
    pub async fn drain(&mut self, timeout: Duration) {
        self.reconciler.drain(timeout).await;
    }
}
