//! [`ApiSource`]: the source and its builder methods.

use super::event_loop::EventLoop;
use crate::model::GatewayController;
use crate::sources::{Feed, Source, SourceError, async_trait};
use crate::store::Store;

/// Source of the objects of a [`Store`], which also writes their status and Events to it.
///
/// The store has the resources of [`admission::catalog`](crate::admission::catalog). An API serves
/// it to clients, or the embedder's code writes to it. An invalid object is reported as a problem,
/// and does not affect the others.
///
/// The store must stay open for as long as the gateway runs. When it is closed, the source ends and
/// its last objects stay in use.
///
/// ```
/// use serde_json::json;
/// use sluicegate::admission::catalog;
/// use sluicegate::sources::ApiSource;
/// use sluicegate::store::{Settings, Store, Write};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let store = Store::in_memory(catalog(), Settings::new())?;
/// let gateway = sluicegate::Server::builder()
///     .source(ApiSource::new(store.clone()))
///     .bind("127.0.0.1".parse()?)
///     .start()
///     .await?;
///
/// let classes = store.catalog().get("gateway.networking.k8s.io", "gatewayclasses").unwrap();
/// let class = json!({
///     "apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass",
///     "metadata": {"name": "edge"}, "spec": {"controllerName": "example.com/gateway"},
/// });
/// let created = store.write(Write::create(classes, None, class)).await?.object;
///
/// // The source writes the status.
/// let mut watch = store.watch(Default::default(), created.revision())?;
/// let changes = watch.next().await?.expect("the store is open");
/// let status = changes[0].object().to_value()["status"].clone();
/// assert_eq!(status["conditions"][0]["type"], "Accepted");
/// # gateway.shutdown().await;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct ApiSource {
    store: Store,
    controller: Option<GatewayController>,
}

impl ApiSource {
    /// Creates a source of the objects of a store.
    pub fn new(store: Store) -> Self {
        Self { store, controller: None }
    }

    /// Serves only the GatewayClasses that name this controller: other controllers use the same
    /// API. Default: all classes, since an API without a cluster usually has no other controller.
    #[must_use]
    pub fn controller_name(self, name: GatewayController) -> Self {
        Self { controller: Some(name), ..self }
    }
}

#[async_trait]
impl Source for ApiSource {
    fn name(&self) -> String {
        "api".to_owned()
    }

    fn controller(&self) -> Option<GatewayController> {
        self.controller.clone()
    }

    async fn run(self: Box<Self>, feed: Feed) -> Result<(), SourceError> {
        EventLoop::new(self.store, self.controller, feed).run().await
    }
}
