//! State that all workers of a forwarder share.

use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;

use super::budget::Budget;
use super::connection_log::ConnectionLogger;
use super::descriptors::{self, DescriptorLimit};
use super::endpoints::Limits;
use super::own_sockets::OwnSockets;
use super::pipe::MAX_PIPES;
use super::settings::Settings;

/// Settings and state that all workers of a forwarder share.
#[derive(Debug)]
pub(super) struct Engine {
    pub(super) settings: Settings,
    pub(super) dial_limits: Limits,
    /// Maximum number of dials in progress to one backend.
    pub(super) dials_per_backend: usize,
    pub(super) budget: Budget,
    pub(super) own_sockets: OwnSockets,
    pub(super) descriptors: Arc<DescriptorLimit>,
    pub(super) connection_log: ConnectionLogger,
}

impl Engine {
    /// Creates the shared state.
    ///
    /// # Errors
    /// The error of [`DescriptorLimit::read`].
    pub(super) fn new(settings: Settings) -> io::Result<Self> {
        let descriptors = DescriptorLimit::read(settings.descriptor_reserve, settings.workers)?;
        let budget = Budget::new(
            descriptors::usable(settings.descriptor_reserve),
            used_otherwise(&settings),
        );
        let dials =
            settings.dials_per_backend.map_or_else(|| default_dials(budget), NonZeroUsize::get);
        Ok(Self {
            dials_per_backend: dials.max(1),
            dial_limits: Limits { attempt: settings.dial_timeout, budget: settings.dial_budget },
            own_sockets: OwnSockets::new(&settings.own_sockets),
            budget,
            descriptors: Arc::new(descriptors),
            connection_log: ConnectionLogger::new(&settings),
            settings,
        })
    }
}

/// Returns the default limit of dials to one backend: a quarter of the budget. A worker may begin
/// several dials in one turn, so the limit is higher for a small budget, of which it leaves a
/// quarter for other backends.
fn default_dials(budget: Budget) -> usize {
    const FEW: usize = 64;
    let quarter = budget.limit() / 4;
    quarter.max(FEW.min(3 * quarter))
}

/// Returns the number of descriptors that the engine needs apart from connections: for each worker,
/// its event queue, two further handles to it and its waker; and pipes.
fn used_otherwise(settings: &Settings) -> u64 {
    let workers = settings.workers.get();
    (4 * workers + 2 * MAX_PIPES.max(workers)) as u64
}
