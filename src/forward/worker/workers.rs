//! The worker threads of a forwarder.

use std::io;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use super::event_loop::EventLoop;
use super::mailbox::{Command, Mailbox};
use crate::forward::engine::Engine;
use crate::forward::pipe;

/// The worker threads. Dropping them resets all connections and ends the threads.
#[derive(Debug)]
pub(in crate::forward) struct Workers {
    mailboxes: Arc<[Mailbox]>,
    threads: Vec<JoinHandle<()>>,
}

impl Workers {
    /// Starts the threads.
    ///
    /// # Errors
    /// The error of the operating system, if it cannot create a thread or an event queue.
    pub(in crate::forward) fn start(engine: &Arc<Engine>) -> io::Result<Self> {
        let count = engine.settings.workers.get();
        let mut mailboxes = Vec::with_capacity(count);
        let mut queues = Vec::with_capacity(count);
        for _ in 0..count {
            let (mailbox, commands, poll) = Mailbox::new()?;
            mailboxes.push(mailbox);
            queues.push((commands, poll));
        }
        let mut workers = Self { mailboxes: mailboxes.into(), threads: Vec::with_capacity(count) };
        for (number, (commands, poll)) in queues.into_iter().enumerate() {
            let mailboxes = workers.mailboxes.clone();
            let event_loop = EventLoop::new(number, engine.clone(), mailboxes, commands, poll)?;
            let descriptors = engine.descriptors.clone();
            let run = move || {
                pipe::prepare_worker(count, &descriptors);
                event_loop.run();
            };
            let name = format!("sluicegate-{number}");
            workers.threads.push(thread::Builder::new().name(name).spawn(run)?);
        }
        Ok(workers)
    }

    pub(in crate::forward) fn mailboxes(&self) -> &[Mailbox] {
        &self.mailboxes
    }

    /// Resets all connections and waits for the end of the threads.
    pub(in crate::forward) fn stop(&mut self) {
        // A worker that has ended would lose the connections that others give to it.
        let (closed, all_closed) = mpsc::channel();
        let stop_accepting = || Command::StopAccepting(closed.clone());
        self.mailboxes.iter().for_each(|mailbox| mailbox.send(stop_accepting()));
        drop(closed);
        // The call returns an error when the last sender is dropped. A worker that has ended has
        // dropped its sender.
        let _ = all_closed.recv();
        self.mailboxes.iter().for_each(|mailbox| mailbox.send(Command::Stop));
        for thread in self.threads.drain(..) {
            // The panic handler has reported a panic of the thread.
            let _ = thread.join();
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.stop();
    }
}
