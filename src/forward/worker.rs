//! A worker: a thread with a runtime of its own, and the listeners it serves.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::net::TcpListener;
use tokio::runtime;
use tokio::sync::{mpsc, oneshot, watch};

use super::accept::{self, Acceptor};
use super::engine::Engine;
use super::listener::{Phase, SharedListener};
use super::pipe;

/// A socket for a worker to serve.
pub(super) struct Assignment {
    pub(super) socket: std::net::TcpListener,
    pub(super) listener: Arc<SharedListener>,
    pub(super) stop: watch::Receiver<Phase>,
    /// Told when the socket is closed.
    pub(super) closed: oneshot::Sender<()>,
    /// Told, by being dropped, when the last connection has ended.
    pub(super) finished: oneshot::Sender<()>,
}

/// Assignments on their way to a worker; the sender waits when there are more.
const QUEUE: usize = 256;

/// The end of a worker that its owner holds. Dropping it ends the worker, and waits for that.
#[derive(Debug)]
pub(super) struct Worker {
    assignments: Option<mpsc::Sender<Assignment>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    pub(super) fn start(number: usize, engine: Arc<Engine>) -> io::Result<Self> {
        let (assignments, queue) = mpsc::channel(QUEUE);
        let (starter, started) = std::sync::mpsc::sync_channel(1);
        let thread =
            thread::Builder::new().name(format!("sluicegate-{number}")).spawn(move || {
                pipe::prepare_worker(&engine);
                // Here, since a runtime must not be dropped within the caller's.
                match runtime::Builder::new_current_thread().enable_all().build() {
                    Ok(runtime) => {
                        let _ = starter.send(Ok(()));
                        runtime.block_on(work(number, engine, queue));
                    }
                    Err(error) => drop(starter.send(Err(error))),
                }
            })?;
        // The sender is dropped only by a panic of the thread, which has said so on its own.
        started.recv().unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into()))?;
        Ok(Self { assignments: Some(assignments), thread: Some(thread) })
    }

    pub(super) async fn assign(&self, assignment: Assignment) {
        if let Some(assignments) = &self.assignments {
            // It fails only if the worker is gone, and then so is everything it served.
            let _ = assignments.send(assignment).await;
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.assignments = None;
        if let Some(thread) = self.thread.take() {
            // A worker that panicked has said so on its own.
            let _ = thread.join();
        }
    }
}

/// Takes assignments until there can be no more; the runtime then ends what is left.
async fn work(number: usize, engine: Arc<Engine>, mut queue: mpsc::Receiver<Assignment>) {
    while let Some(assignment) = queue.recv().await {
        let Assignment { socket, listener, stop, closed, finished } = assignment;
        let socket = match TcpListener::from_std(socket) {
            Ok(socket) => socket,
            Err(error) => {
                tracing::error!(listener = %listener.state().id, worker = number, %error, "cannot register listening socket with the runtime; this worker does not serve it");
                continue;
            }
        };
        let acceptor = Acceptor::new(socket, listener, number, engine.clone());
        tokio::spawn(async move {
            accept::run(acceptor, stop, closed).await;
            drop(finished);
        });
    }
}
