//! Deadlines that cost next to nothing where they are met, as nearly all are.
//!
//! A timer for each dial would be set up and taken down again within a millisecond, and setting it
//! up wakes the runtime. Instead, the worker looks every now and then for those who have waited too
//! long.

use std::cell::RefCell;
use std::future::poll_fn;
use std::mem;
use std::pin::pin;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use slab::Slab;
use tokio::time::sleep;

/// How often the worker looks; no deadline is missed by much more.
const INTERVAL: Duration = Duration::from_millis(50);

thread_local! {
    static WAITING: RefCell<Waiting> =
        const { RefCell::new(Waiting { waiters: Slab::new(), is_watched: false }) };
}

/// Everybody on this worker who waits for something with a deadline.
struct Waiting {
    waiters: Slab<(Instant, Waker)>,
    is_watched: bool,
}

/// One of those who wait; no more when dropped.
struct Waiter(usize);

/// What `future` comes to; `None` if that takes longer than `timeout`.
pub(super) async fn within<F: Future>(timeout: Duration, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    // A time so far off that it has no name never comes.
    let deadline = Instant::now().checked_add(timeout);
    let mut waiter: Option<Waiter> = None;
    poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        let Some(deadline) = deadline else { return Poll::Pending };
        match &waiter {
            None => waiter = Some(Waiter::new(deadline, cx.waker().clone())),
            Some(_) if deadline <= Instant::now() => return Poll::Ready(None),
            Some(waiter) => waiter.set_waker(cx.waker()),
        }
        Poll::Pending
    })
    .await
}

impl Waiter {
    fn new(deadline: Instant, waker: Waker) -> Self {
        let (waiter, is_watched) = WAITING.with_borrow_mut(|waiting| {
            let waiter = waiting.waiters.insert((deadline, waker));
            (Self(waiter), mem::replace(&mut waiting.is_watched, true))
        });
        if !is_watched {
            tokio::spawn(watch(EndOfWatch));
        }
        waiter
    }

    fn set_waker(&self, waker: &Waker) {
        WAITING.with_borrow_mut(|waiting| waiting.waiters[self.0].1.clone_from(waker));
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        // While the thread ends there may be nobody left to tell.
        let _ = WAITING.try_with(|waiting| waiting.borrow_mut().waiters.remove(self.0));
    }
}

/// Wakes those who have waited too long, until nobody waits.
async fn watch(_end: EndOfWatch) {
    loop {
        sleep(INTERVAL).await;
        let is_needed = WAITING.with_borrow(|waiting| {
            let now = Instant::now();
            for (_, (deadline, waker)) in &waiting.waiters {
                if *deadline <= now {
                    waker.wake_by_ref();
                }
            }
            !waiting.waiters.is_empty()
        });
        if !is_needed {
            return;
        }
    }
}

/// The watch may also end with its runtime.
struct EndOfWatch;

impl Drop for EndOfWatch {
    fn drop(&mut self) {
        let _ = WAITING.try_with(|waiting| waiting.borrow_mut().is_watched = false);
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use tokio::task::{JoinSet, yield_now};

    use super::*;

    fn waiters() -> usize {
        WAITING.with_borrow(|waiting| waiting.waiters.len())
    }

    #[tokio::test]
    async fn a_deadline_that_is_met_leaves_nothing() {
        assert_eq!(within(Duration::ZERO, ready(1)).await, Some(1));
        // A time so far off never comes, so nobody waits for it.
        for (timeout, expected) in [(Duration::from_secs(60), 1), (Duration::MAX, 0)] {
            let slow = async {
                yield_now().await;
                waiters()
            };
            assert_eq!(within(timeout, slow).await, Some(expected));
            assert_eq!(waiters(), 0);
        }
    }

    #[tokio::test]
    async fn each_waits_for_its_own() {
        let started = Instant::now();
        let mut waits = JoinSet::new();
        for timeout in [200, 0, 100].map(Duration::from_millis) {
            waits.spawn(async move {
                assert_eq!(within(timeout, pending::<()>()).await, None);
                timeout
            });
        }
        let mut met = Vec::new();
        while let Some(timeout) = waits.join_next().await {
            let timeout = timeout.unwrap();
            assert!(started.elapsed() >= timeout);
            met.push(timeout.as_millis());
        }
        met.sort_unstable();
        assert_eq!(met, [0, 100, 200]);
    }

    #[test]
    fn the_watch_may_end_with_its_runtime() {
        for _ in 0..2 {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let wait = within(Duration::from_millis(1), pending::<()>());
            assert_eq!(runtime.block_on(wait), None);
        }
    }
}
