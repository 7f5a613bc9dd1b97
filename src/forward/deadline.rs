//! Deadlines that cost next to nothing where they are met, as nearly all are.
//!
//! A timer for each dial would be set up and taken down again within a millisecond, and setting it
//! up wakes the runtime. Instead, the worker looks every now and then for those who have waited too
//! long.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use slab::Slab;
use tokio::time::sleep;

/// How often the worker looks; no deadline is missed by much more.
const INTERVAL: Duration = Duration::from_millis(50);

thread_local! {
    static WAITING: RefCell<Waiting> =
        const { RefCell::new(Waiting { places: Slab::new(), is_watched: false }) };
}

/// Everybody on this worker who waits for something with a deadline.
struct Waiting {
    places: Slab<(Instant, Waker)>,
    is_watched: bool,
}

/// A place among those who wait; given up when dropped.
struct Place(usize);

/// What `future` comes to; `None` if that takes longer than `timeout`.
pub(super) async fn within<F: Future>(timeout: Duration, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    // A time so far off that it has no name never comes.
    let deadline = Instant::now().checked_add(timeout);
    let mut place: Option<Place> = None;
    poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        let Some(deadline) = deadline else { return Poll::Pending };
        match &place {
            None => place = Some(Place::new(deadline, cx.waker().clone())),
            Some(_) if deadline <= Instant::now() => return Poll::Ready(None),
            Some(place) => place.set_waker(cx.waker()),
        }
        Poll::Pending
    })
    .await
}

impl Place {
    fn new(deadline: Instant, waker: Waker) -> Self {
        WAITING.with_borrow_mut(|waiting| {
            if !waiting.is_watched {
                waiting.is_watched = true;
                tokio::spawn(watch());
            }
            Self(waiting.places.insert((deadline, waker)))
        })
    }

    fn set_waker(&self, waker: &Waker) {
        WAITING.with_borrow_mut(|waiting| waiting.places[self.0].1.clone_from(waker));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // While the thread ends there may be nobody left to tell.
        let _ = WAITING.try_with(|waiting| waiting.borrow_mut().places.remove(self.0));
    }
}

/// Wakes those who have waited too long, until nobody waits.
async fn watch() {
    let mut is_needed = true;
    while is_needed {
        sleep(INTERVAL).await;
        is_needed = WAITING.with_borrow_mut(|waiting| {
            let now = Instant::now();
            for (_, (deadline, waker)) in &waiting.places {
                if *deadline <= now {
                    waker.wake_by_ref();
                }
            }
            waiting.is_watched = !waiting.places.is_empty();
            waiting.is_watched
        });
    }
}
