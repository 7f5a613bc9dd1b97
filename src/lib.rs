//! TCP routing with the [Kubernetes Gateway API](https://gateway-api.sigs.k8s.io).
//!
//! Declare GatewayClass, Gateway, TCPRoute, Service and EndpointSlice; a [`Server`] opens the
//! listeners and forwards each connection to the right backend.
//!
//! ```
//! use sluicegate::Server;
//! use sluicegate::model::{Gateway, GatewayClass, Listener, ObjectMeta, PortNumber, Resources};
//! use sluicegate::sources::MemorySource;
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let mut objects = Resources::new();
//! objects.insert(GatewayClass::new("edge".parse()?, "example.com/edge".parse()?));
//! let listener = Listener::tcp("postgres".parse()?, PortNumber::try_from(15432)?);
//! let name = ObjectMeta::named("public".parse()?);
//! objects.insert(Gateway::new(name, "edge".parse()?, vec![listener]));
//!
//! let gateway = Server::builder()
//!     .source(MemorySource::new(objects))
//!     .bind("127.0.0.1".parse()?)
//!     .start()
//!     .await?;
//! for (listener, report) in gateway.listeners() {
//!     println!("{listener} listens on {:?}", report.bound);
//! }
//! gateway.shutdown().await;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! ```text
//! sources ──► model::Resources ──► translate() ──► plan::Plan ──► forward::Forwarder
//!                                       └────────► status ◄── which listeners opened
//! ```
//!
//! Each layer can be used alone: [`translate()`] is a plain function over [`model::Resources`], and a
//! [`forward::Forwarder`] runs a [`plan::Plan`] from wherever.
//!
//! | feature | brings |
//! |---|---|
//! | `files` (default) | `sources::FileSource`: manifests from files and directories, followed as they change |
//! | `yaml` | `model::manifest`: reading manifests; part of `files` |
//! | `kube` | `sources::KubeSource`: objects from a Kubernetes cluster, and their status back into it; a program that uses it chooses a version feature of `k8s-openapi` |
//! | `cli` | the program `sluicegate` |

pub mod forward;
pub mod model;
pub mod plan;
mod server;
pub mod sources;
pub mod translate;

pub use self::server::{Builder, Handle, ListenerReport, Report, Reports, Server, StartError};
#[doc(inline)]
pub use self::translate::translate;

/// The README's example compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
