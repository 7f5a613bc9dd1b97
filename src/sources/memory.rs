//! Objects from the embedder's own code.

use async_trait::async_trait;
use tokio::sync::watch;

use super::{Feed, Source, SourceError};
use crate::model::Resources;

/// Objects that code puts in and takes out. Clones share them: give one to the gateway, keep one.
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
    pub fn new(resources: Resources) -> Self {
        Self { resources: watch::Sender::new(resources) }
    }

    /// Changes the objects. However many changes `change` makes, they take effect together.
    ///
    /// Other clones of the source wait meanwhile: `change` must not use one.
    pub fn update<T>(&self, change: impl FnOnce(&mut Resources) -> T) -> T {
        let mut result = None;
        self.resources.send_modify(|resources| result = Some(change(resources)));
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
