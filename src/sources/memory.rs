//! Objects of the embedder's code.

use async_trait::async_trait;
use tokio::sync::watch;

use super::feed::Feed;
use super::server_metadata::fill_creation_timestamp;
use super::source::{Source, SourceError};
use crate::model::{Object, ObjectMeta, Resources, Timestamp};

/// Objects that the embedder's code adds, changes and removes. Clones share the same objects: pass
/// one clone to the gateway and keep another.
///
/// A Gateway or TCPRoute without a `creation_timestamp` gets the time at which it was added. It
/// keeps this time when it is replaced by an object of the same name, because the oldest object has
/// precedence in conflicts.
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
    /// Creates a source with these objects.
    pub fn new(mut resources: Resources) -> Self {
        fill_creation_timestamps(&mut resources, &Resources::new());
        Self { resources: watch::Sender::new(resources) }
    }

    /// Changes the objects. All changes of one call take effect together.
    ///
    /// `change` holds a lock: using a clone of this source in it causes a deadlock.
    pub fn update<T>(&self, change: impl FnOnce(&mut Resources) -> T) -> T {
        let mut result = None;
        self.resources.send_modify(|resources| {
            let before = resources.clone();
            result = Some(change(resources));
            fill_creation_timestamps(resources, &before);
        });
        result.expect("send_modify always calls its closure")
    }

    /// Returns the current objects.
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
        // The loop ends when the embedder has dropped its clones.
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
    fn age_is_kept_when_an_object_is_replaced() {
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
