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
//! Each layer can be used alone: [`translate()`] is a function over [`model::Resources`], and a
//! [`forward::Forwarder`] runs any [`plan::Plan`].
//!
//! # Features
//!
//! - `files` (default): `sources::FileSource` reads manifests from files and directories, and
//!   follows their changes.
//! - `yaml` (part of `files`): `model::manifest` parses manifests.
//! - `kube`: `sources::KubeSource` watches a Kubernetes cluster and writes status to it. A program
//!   that enables it also enables a version feature of `k8s-openapi`.
//! - `api`: `api::ApiService` serves the Kubernetes API of a `store::Store`, which holds objects in
//!   a file or in memory; `api::ApiServer` is its listener, with TLS and tokens.
//!   `sources::ApiSource` feeds a gateway from a store and writes status to it. `admission` and
//!   `schema` have the checks and the resources.
//! - `cli`: the program `sluicegate`.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "api")]
#[cfg_attr(docsrs, doc(cfg(feature = "api")))]
pub mod admission;
#[cfg(feature = "api")]
#[cfg_attr(docsrs, doc(cfg(feature = "api")))]
pub mod api;
pub mod forward;
#[warn(clippy::disallowed_methods, clippy::disallowed_types)]
pub mod model;
#[warn(clippy::disallowed_methods, clippy::disallowed_types)]
pub mod plan;
#[cfg(feature = "api")]
#[cfg_attr(docsrs, doc(cfg(feature = "api")))]
#[warn(clippy::disallowed_methods, clippy::disallowed_types)]
pub mod schema;
mod server;
pub mod sources;
#[cfg(feature = "api")]
#[cfg_attr(docsrs, doc(cfg(feature = "api")))]
pub mod store;
#[warn(clippy::disallowed_methods, clippy::disallowed_types)]
pub mod translate;

pub use self::server::{Builder, Handle, ListenerReport, Report, Reports, Server, StartError};
#[doc(inline)]
pub use self::translate::translate;

/// Compiles the example in README.md as a doc test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
