//! Objects from the embedder's own code.

use async_trait::async_trait;
use tokio::sync::watch;

use super::server_metadata::fill_creation_timestamp;
use super::{Feed, Source, SourceError};
use crate::model::{Object, ObjectMeta, Resources, Timestamp};

/// Objects that code puts in and takes out. Clones share them: give one to the gateway, keep one.
///
/// A Gateway or TCPRoute that comes without a `creation_timestamp` gets the time at which it was
/// put in, and keeps it while it is replaced by others of its name: the oldest is then the first.
///
/// ```
/// use sluicegate::model::GatewayClass;
/// use sluicegate::sources::MemorySource;
///
/// let memory = MemorySource::default();
/// let class = GatewayClass::new("edge".parse()?, "example.com/gateway".parse()?);
/// memory.update(|resources| resources.insert(class));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct MemorySource {
    resources: watch::Sender<Resources>,
}

impl MemorySource {
    /// A source with these objects.
    pub fn new(mut resources: Resources) -> Self {
        fill_creation_timestamps(&mut resources, &Resources::new());
        Self { resources: watch::Sender::new(resources) }
    }

    /// Changes the objects. However many changes `change` makes, they take effect together.
    ///
    /// Other clones of the source wait meanwhile: `change` must not use one.
    pub fn update<T>(&self, change: impl FnOnce(&mut Resources) -> T) -> T {
        let mut result = None;
        self.resources.send_modify(|resources| {
            let before = resources.clone();
            result = Some(change(resources));
            fill_creation_timestamps(resources, &before);
        });
        result.expect("send_modify always calls its closure")
    }

    /// The objects as they are now.
    pub fn resources(&self) -> Resources {
        self.resources.borrow().clone()
    }
}

impl Default for MemorySource {
    fn default() -> Self {
        Self::new(Resources::new())
    }
}

/// Sets the creation timestamps of Gateways and TCPRoutes that have none. Those of other kinds are
/// never compared.
fn fill_creation_timestamps(resources: &mut Resources, before: &Resources) {
    let has_none = |metadata: &ObjectMeta| metadata.creation_timestamp.is_none();
    let gateways = resources.gateways.values().filter(|gateway| has_none(&gateway.metadata));
    let routes = resources.tcp_routes.values().filter(|route| has_none(&route.metadata));
    let objects: Vec<_> = gateways
        .cloned()
        .map(Object::Gateway)
        .chain(routes.cloned().map(Object::TcpRoute))
        .collect();
    let now = Timestamp::now();
    for mut object in objects {
        let previous = before.get(&object.key());
        fill_creation_timestamp(&mut object, previous.as_ref(), now);
        resources.insert(object);
    }
}

#[async_trait]
impl Source for MemorySource {
    fn name(&self) -> String {
        "memory".to_owned()
    }

    async fn run(self: Box<Self>, feed: Feed) -> Result<(), SourceError> {
        let mut changes = self.resources.subscribe();
        // Only the embedder's clones keep this going.
        drop(self);
        loop {
            let resources = changes.borrow_and_update().clone();
            feed.publish(resources);
            if changes.changed().await.is_err() {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TcpRoute;

    fn route(name: &str) -> TcpRoute {
        TcpRoute::new(ObjectMeta::named(name.parse().unwrap()), Vec::new(), Vec::new())
    }

    fn age(memory: &MemorySource, name: &str) -> Timestamp {
        let key = Object::from(route(name)).key();
        memory.resources().get(&key).unwrap().metadata().creation_timestamp.unwrap()
    }

    #[test]
    fn the_oldest_is_the_first_that_was_put_in() {
        let memory = MemorySource::new([route("z")].into_iter().collect());
        let first = age(&memory, "z");
        memory.update(|objects| objects.insert(route("a")));
        assert!(age(&memory, "a") > first);
        memory.update(|objects| objects.insert(route("z")));
        assert_eq!(age(&memory, "z"), first);
        memory.update(|objects| objects.tcp_routes.clear());
        memory.update(|objects| objects.insert(route("z")));
        assert!(age(&memory, "z") > first);
    }
}
