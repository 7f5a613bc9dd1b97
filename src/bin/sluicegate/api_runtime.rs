//! The runtime of the API.

use std::io;
use std::ops::Deref;

use tokio::runtime::{Builder, Runtime};

/// Number of threads that serve requests. With two, one request that needs much time does not delay
/// all others.
const WORKERS: usize = 2;

/// Runtime of the API. Its threads are not those of the health endpoints, the signals and the
/// gateway, so that none of these waits for a request.
#[derive(Debug)]
pub(crate) struct ApiRuntime(Option<Runtime>);

impl ApiRuntime {
    /// Starts the threads.
    ///
    /// # Errors
    /// Returns an error if the kernel provides no event queue or no thread.
    pub(crate) fn start() -> io::Result<Self> {
        let mut builder = Builder::new_multi_thread();
        let runtime = builder.worker_threads(WORKERS).thread_name("api").enable_all().build()?;
        Ok(Self(Some(runtime)))
    }
}

impl Deref for ApiRuntime {
    type Target = Runtime;

    fn deref(&self) -> &Runtime {
        self.0.as_ref().expect("BUG: the runtime is used after its drop")
    }
}

impl Drop for ApiRuntime {
    fn drop(&mut self) {
        // The drop of a runtime waits for its threads, which panics on a thread of another runtime.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
