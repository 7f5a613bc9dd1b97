//! Objects of the embedder's code.

use async_trait::async_trait;
use tokio::sync::watch;

use super::feed::Feed;
use super::server_metadata::{fill_server_metadata, has_generation};
use super::source::{Source, SourceError};
use crate::model::{ObjectDifference, Resources, Timestamp};

/// Objects that the embedder's code adds, changes and removes. Clones share the same objects: pass
/// one clone to the gateway and keep another.
///
/// The source sets the metadata that an API server would set. A GatewayClass, Gateway or TCPRoute
/// without a `creation_timestamp` gets the time at which it was added. It keeps this time when it
/// is replaced by an object of the same name, because the oldest object has precedence in
/// conflicts. Its `generation` begins at 1 and increases with each change of its spec, unless the
/// object has a higher one; the conditions in a report contain the generation that they describe.
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
        fill_metadata(&mut resources, &Resources::new());
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
            fill_metadata(resources, &before);
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

/// Sets the metadata of the objects that differ from those before, if they are of a kind with a
/// status. The metadata of other kinds is never read.
fn fill_metadata(resources: &mut Resources, before: &Resources) {
    let now = Timestamp::now();
    let changed: Vec<_> = resources.differences(before).collect();
    for ObjectDifference { before, now: object } in changed {
        let Some(mut object) = object.filter(|object| has_generation(object.kind())) else {
            continue;
        };
        fill_server_metadata(&mut object, before.as_ref(), now);
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
    use std::sync::Arc;

    use super::*;
    use crate::model::{Object, ObjectMeta, ParentRef, TcpRoute};

    fn route(name: &str) -> TcpRoute {
        TcpRoute::new(ObjectMeta::named(name.parse().unwrap()), Vec::new(), Vec::new())
    }

    fn metadata(memory: &MemorySource, name: &str) -> ObjectMeta {
        let key = Object::from(route(name)).key();
        memory.resources().get(&key).unwrap().metadata().clone()
    }

    fn age(memory: &MemorySource, name: &str) -> Timestamp {
        metadata(memory, name).creation_timestamp.unwrap()
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
    #[test]
    fn generation_increases_when_the_spec_changes() {
        let generation = |memory: &MemorySource| metadata(memory, "r").generation;
        let memory = MemorySource::new([route("r")].into_iter().collect());
        assert_eq!(generation(&memory), Some(1));
        memory.update(|objects| objects.insert(route("other")));
        memory.update(|objects| objects.insert(route("r")));
        assert_eq!(generation(&memory), Some(1));
        // A change in place counts too.
        memory.update(|objects| {
            let route = objects.tcp_routes.values_mut().last().unwrap();
            Arc::make_mut(route).spec.parent_refs.push(ParentRef::gateway("g".parse().unwrap()));
        });
        assert_eq!(generation(&memory), Some(2));
        memory.update(|objects| objects.insert(route("r")));
        assert_eq!(generation(&memory), Some(3));
    }
}
