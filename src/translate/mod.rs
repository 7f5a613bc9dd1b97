//! Translation of objects into a plan and the status that the specification requires, in one pass
//! over one snapshot.
//!
//! [`translate`] is a function: no I/O, no clock, no randomness, and it cannot fail. Invalid
//! configuration becomes conditions for its author and rejecting targets in the plan.
//!
//! The passes, in this order:
//!
//! | module | result |
//! |---|---|
//! | `gateway_classes` | the GatewayClasses of this controller, and so its Gateways |
//! | `listeners` | the valid listeners: protocol, conflicts within the Gateway, kinds |
//! | `listener_quota` | the listeners beyond the limit of their namespace |
//! | `placement` | the addresses and ports of each Gateway: host, pool or Service |
//! | `port_conflicts` | the listeners whose port another Gateway has |
//! | `attach` | the listeners of each route, and the route that carries each listener's traffic |
//! | `own_sockets` | the sockets of this gateway, to which no backend may lead |
//! | `backends` | the endpoints of each backendRef (`grants`: the permissions) |
//! | `compile` | the plan |
//! | `status` | the conditions (`route_accepted`: Accepted of a parentRef) |
//! | `released` | the conditions of Gateways whose class was deleted |
//! | `programmed` | the conditions that depend on which listeners could be opened |

mod assignments;
mod attach;
mod backend_error;
mod backends;
mod compile;
mod conditions;
mod endpoints;
mod enumerate;
mod gateway_classes;
mod gateways;
mod grants;
mod holder;
mod index;
mod listener_quota;
mod listeners;
mod no_endpoints;
mod own_sockets;
mod placement;
mod port_conflicts;
mod precedence;
mod programmed;
mod ranges;
mod refusal;
mod released;
mod route_accepted;
mod settings;
mod special_addresses;
mod status;
mod translation;
mod unmanaged;
mod unserved;

pub use self::assignments::Assignments;
pub use self::ranges::Ranges;
pub use self::settings::{Addresses, Controller, Host, Settings};
pub use self::special_addresses::SpecialAddresses;
pub use self::translation::{Evaluation, Translation, evaluate, translate};
pub use self::unmanaged::Unmanaged;
