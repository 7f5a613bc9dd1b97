//! A worker: a thread with a runtime of its own, and the listeners that it serves.

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
    /// Receives a message when the socket is closed.
    pub(super) closed: oneshot::Sender<()>,
    /// Dropped when the last connection has ended, which ends the channel.
    pub(super) finished: oneshot::Sender<()>,
}

/// Capacity of the channel of assignments. If it is full, the sender waits.
const QUEUE: usize = 256;

/// Handle of a worker thread. Dropping it ends the thread and waits for its end.
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
                // Created in this thread, since a runtime must not be dropped within another
                // runtime.
                match runtime::Builder::new_current_thread().enable_all().build() {
                    Ok(runtime) => {
                        let _ = starter.send(Ok(()));
                        runtime.block_on(work(number, engine, queue));
                    }
                    Err(error) => drop(starter.send(Err(error))),
                }
            })?;
        // The sender is dropped without a message only if the thread panics. The panic handler has
        // reported that.
        started.recv().unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into()))?;
        Ok(Self { assignments: Some(assignments), thread: Some(thread) })
    }

    pub(super) async fn assign(&self, assignment: Assignment) {
        if let Some(assignments) = &self.assignments {
            // It fails only if the thread has ended, and its listeners and connections with it.
            let _ = assignments.send(assignment).await;
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.assignments = None;
        if let Some(thread) = self.thread.take() {
            // The panic handler has reported a panic of the thread.
            let _ = thread.join();
        }
    }
}

/// Serves assignments until the sender is dropped. The runtime then aborts the remaining tasks.
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
