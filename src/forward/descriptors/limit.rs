//! Checks of descriptor numbers against the bounds.

use std::io;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::bounds::Bounds;
#[cfg(target_os = "linux")]
use super::linux::{
    Descriptor, descriptor_limit, duplicate, is_exhaustion, is_readable, new_exhaustion, number,
};
use super::reservation::Reservation;
#[cfg(not(target_os = "linux"))]
use super::unsupported::{
    Descriptor, descriptor_limit, duplicate, is_exhaustion, is_readable, new_exhaustion, number,
};

/// The limit of descriptors, with the reserve that the engine leaves unused. All workers share it.
#[derive(Debug)]
pub(in crate::forward) struct DescriptorLimit {
    /// `None` if nothing is reserved.
    bounds: Option<Bounds>,
    /// Accepts are checked. This is never reset: a low number does not prove that few descriptors
    /// are in use, since it may be the only free one.
    is_checking: AtomicBool,
    /// One for each worker.
    undialled: Box<[Undialled]>,
}

/// Number of connections of a worker that were accepted without a check, and have not dialled yet.
/// Only the worker writes it. The alignment prevents false sharing.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Undialled(AtomicUsize);

impl DescriptorLimit {
    /// Reads the limit of the process, of which `reserve` descriptors are left unused.
    pub(in crate::forward) fn read(reserve: usize, workers: NonZeroUsize) -> Self {
        Self::new(descriptor_limit().and_then(|limit| Bounds::new(limit, reserve)), workers)
    }

    fn new(bounds: Option<Bounds>, workers: NonZeroUsize) -> Self {
        let undialled = (0..workers.get()).map(|_| Undialled::default()).collect();
        Self { bounds, is_checking: AtomicBool::new(false), undialled }
    }

    fn is_checking(&self) -> bool {
        self.is_checking.load(Ordering::Relaxed)
    }

    /// Returns `true` if accepts have to wait: they are checked, and connections that were accepted
    /// without a check still need a descriptor for their dial.
    pub(in crate::forward) fn has_undialled(&self) -> bool {
        self.is_checking() && self.undialled.iter().any(|count| count.0.load(Ordering::Relaxed) > 0)
    }

    /// Checks that a connection can be accepted on `listener`, if accepts are checked. Returns the
    /// reservation for its dial; `None` without a check.
    ///
    /// # Errors
    /// The error of [`hold`](Self::hold).
    pub(in crate::forward) fn admit(
        &self,
        listener: &impl Descriptor,
    ) -> io::Result<Option<Reservation>> {
        if self.is_checking() { self.hold(listener) } else { Ok(None) }
    }

    /// Checks that a connection can be accepted on `listener`. Returns the reservation for its
    /// dial; `None` if nothing is reserved.
    ///
    /// # Errors
    /// `EMFILE` without two free descriptors outside the reserve.
    pub(in crate::forward) fn hold(
        &self,
        listener: &impl Descriptor,
    ) -> io::Result<Option<Reservation>> {
        let Some(bounds) = self.bounds else { return Ok(None) };
        let held = duplicate(listener)?;
        // Both are open at the same time, so both numbers were free. Dropping this one frees its
        // number for the accepted socket.
        let accepted = duplicate(listener)?;
        let has_room = number(&held) < bounds.end && number(&accepted) < bounds.end;
        if has_room { Ok(Some(Reservation::Held(held))) } else { Err(new_exhaustion()) }
    }

    /// Notes that `worker` accepted a connection without a check, and returns its reservation. From
    /// one half of the limit on, accepts are checked.
    pub(in crate::forward) fn note_unchecked(
        &self,
        socket: &impl Descriptor,
        worker: usize,
    ) -> Option<Reservation> {
        let bounds = self.bounds?;
        let count = &self.undialled[worker].0;
        count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        if number(socket) >= bounds.check_from {
            self.start_checking();
        }
        Some(Reservation::Counted)
    }

    /// Ends a reservation of `worker`: the connection opens the socket of its dial now, or has
    /// ended.
    pub(in crate::forward) fn release(&self, reservation: Option<Reservation>, worker: usize) {
        if let Some(Reservation::Counted) = reservation {
            let count = &self.undialled[worker].0;
            count.store(count.load(Ordering::Relaxed) - 1, Ordering::Relaxed);
        }
    }

    /// Notes that an accept failed. If it lacked a descriptor, accepts are checked from now on.
    pub(in crate::forward) fn note_accept_error(&self, error: &io::Error) {
        if self.bounds.is_some() && is_exhaustion(error) {
            self.start_checking();
        }
    }

    fn start_checking(&self) {
        // A store for each accept would move the cache line between the processors.
        if !self.is_checking() {
            self.is_checking.store(true, Ordering::Relaxed);
        }
    }

    /// Checks that a listening socket or a pipe does not use the reserve.
    ///
    /// # Errors
    /// `EMFILE` if it does; the caller has to close it.
    pub(in crate::forward) fn check(&self, descriptor: &impl Descriptor) -> io::Result<()> {
        check(descriptor, self.bounds.map(|bounds| bounds.end))
    }

    /// Checks that the socket of a dial leaves enough of the reserve.
    ///
    /// # Errors
    /// `EMFILE` if it does not; the caller has to close it.
    pub(in crate::forward) fn check_dial(&self, socket: &impl Descriptor) -> io::Result<()> {
        check(socket, self.bounds.map(|bounds| bounds.dial_end))
    }

    /// Returns `true` if a client waits in the backlog of `listener`.
    pub(in crate::forward) fn has_client(listener: &impl Descriptor) -> bool {
        is_readable(listener)
    }

    /// Returns the text of an error, with limit and reserve if a descriptor was missing.
    pub(in crate::forward) fn describe(&self, error: &io::Error) -> String {
        match self.bounds {
            Some(Bounds { limit, reserve, .. }) if is_exhaustion(error) => format!(
                "Too many open files: the limit of this process is {limit}, of which {reserve} are \
                 reserved for health checks and the sources of objects; raise the limit \
                 (RLIMIT_NOFILE, ulimit -n)"
            ),
            _ => error.to_string(),
        }
    }
}

fn check(descriptor: &impl Descriptor, end: Option<i32>) -> io::Result<()> {
    match end {
        Some(end) if number(descriptor) >= end => Err(new_exhaustion()),
        _ => Ok(()),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs::File;
    use std::net::{Ipv4Addr, TcpListener, TcpStream};

    use super::*;

    fn limit(end: i32) -> DescriptorLimit {
        let (check_from, dial_end) = (end / 2, end.saturating_add(1));
        let bounds = Bounds { limit: 1024, reserve: 128, check_from, end, dial_end };
        DescriptorLimit::new(Some(bounds), NonZeroUsize::new(2).expect("not 0"))
    }

    #[test]
    fn accepts_are_checked_from_one_half_on() {
        let socket = File::open("/dev/null").unwrap();
        let number = number(&socket);
        let limit_above = limit(2 * number + 2);
        limit_above.note_unchecked(&socket, 0);
        assert!(!limit_above.is_checking());
        let limit_at = limit(2 * number);
        limit_at.note_unchecked(&socket, 0);
        assert!(limit_at.is_checking());
    }

    #[test]
    fn accepts_wait_for_connections_that_have_not_dialled() {
        let socket = File::open("/dev/null").unwrap();
        let limit = limit(2 * number(&socket) + 2);
        let reservations =
            [(limit.note_unchecked(&socket, 0), 0), (limit.note_unchecked(&socket, 1), 1)];
        assert!(!limit.has_undialled(), "nothing is checked yet");
        limit.note_accept_error(&new_exhaustion());
        for (reservation, worker) in reservations {
            assert!(limit.has_undialled());
            limit.release(reservation, worker);
            limit.release(None, worker);
        }
        assert!(!limit.has_undialled());
        limit.release(limit.hold(&socket).unwrap_or_default(), 0);
        assert!(!limit.has_undialled());
    }

    #[test]
    fn accepts_are_checked_after_exhaustion() {
        let limit = limit(i32::MAX);
        limit.note_accept_error(&io::ErrorKind::ConnectionReset.into());
        assert!(!limit.is_checking());
        limit.note_accept_error(&new_exhaustion());
        assert!(limit.is_checking());
    }

    #[test]
    fn accept_holds_a_descriptor_or_fails() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        assert!(limit(i32::MAX).hold(&listener).unwrap().is_some());
        let error = limit(0).hold(&listener).unwrap_err();
        assert!(is_exhaustion(&error));
        assert!(limit(0).admit(&listener).unwrap().is_none(), "no check is needed yet");
    }

    #[test]
    fn descriptors_at_the_end_are_refused() {
        let file = File::open("/dev/null").unwrap();
        let number = number(&file);
        assert!(limit(number + 1).check(&file).is_ok());
        assert!(limit(number).check(&file).is_err());
        assert!(limit(number).check_dial(&file).is_ok());
        assert!(limit(number - 1).check_dial(&file).is_err());
    }

    #[test]
    fn reserve_of_zero_checks_nothing() {
        let unlimited = DescriptorLimit::read(0, NonZeroUsize::MIN);
        let file = File::open("/dev/null").unwrap();
        assert!(unlimited.note_unchecked(&file, 0).is_none());
        unlimited.note_accept_error(&new_exhaustion());
        assert!(!unlimited.is_checking());
        assert!(unlimited.hold(&file).unwrap().is_none());
        assert!(unlimited.check(&file).is_ok() && unlimited.check_dial(&file).is_ok());
        assert_eq!(unlimited.describe(&new_exhaustion()), new_exhaustion().to_string());
    }

    #[test]
    fn waiting_client_is_detected() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        assert!(!DescriptorLimit::has_client(&listener));
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert!(DescriptorLimit::has_client(&listener));
    }

    #[test]
    fn exhaustion_is_described_with_limit_and_reserve() {
        let text = limit(0).describe(&new_exhaustion());
        for expected in ["Too many open files", "1024", "128", "RLIMIT_NOFILE"] {
            assert!(text.contains(expected), "{text}");
        }
        let other = io::Error::from(io::ErrorKind::AddrInUse);
        assert_eq!(limit(0).describe(&other), other.to_string());
    }
}
