//! Checks of descriptor numbers against the bounds.

use std::io;
use std::num::NonZeroUsize;

use super::bounds::Bounds;
use super::checking::Checking;
#[cfg(target_os = "linux")]
use super::linux::{
    Descriptor, HeldDescriptor, descriptor_limit, duplicate, is_exhaustion, is_readable,
    new_exhaustion, number, open_neutral,
};
use super::reservation::Reservation;
use super::undialled::Undialled;
#[cfg(not(target_os = "linux"))]
use super::unsupported::{
    Descriptor, HeldDescriptor, descriptor_limit, duplicate, is_exhaustion, is_readable,
    new_exhaustion, number, open_neutral,
};

/// The limit of descriptors, with the reserve that the engine leaves unused. All workers share it.
#[derive(Debug)]
pub(in crate::forward) struct DescriptorLimit {
    /// `None` if nothing is reserved.
    bounds: Option<Bounds>,
    /// The descriptor that reservations duplicate; `None` if nothing is reserved. It is no
    /// listening socket: a duplicate of one would keep the socket listening after it is closed.
    neutral: Option<HeldDescriptor>,
    checking: Checking,
    /// One for each worker.
    undialled: Box<[Undialled]>,
}

impl DescriptorLimit {
    /// Reads the limit of the process, of which `reserve` descriptors are left unused.
    ///
    /// # Errors
    /// The error of opening a descriptor.
    pub(in crate::forward) fn read(reserve: usize, workers: NonZeroUsize) -> io::Result<Self> {
        let bounds =
            descriptor_limit().and_then(|limit| Bounds::new(limit, reserve, workers.get()));
        Self::new(bounds, workers)
    }

    fn new(bounds: Option<Bounds>, workers: NonZeroUsize) -> io::Result<Self> {
        let undialled = (0..workers.get()).map(|_| Undialled::default()).collect();
        let neutral = bounds.map(|_| open_neutral()).transpose()?;
        Ok(Self { bounds, neutral, checking: Checking::default(), undialled })
    }

    /// Returns `true` if accepts have to wait: they are checked, and connections that were accepted
    /// without a check still need a descriptor for their dial.
    pub(in crate::forward) fn has_undialled(&self) -> bool {
        self.checking.is_on() && self.undialled.iter().any(|count| count.get() > 0)
    }

    /// Checks that a connection can be accepted on `listener`, if accepts are checked and a client
    /// waits. Returns the reservation for its dial; `None` without a check.
    ///
    /// # Errors
    /// `EMFILE` without two free descriptors outside the reserve.
    pub(in crate::forward) fn admit(
        &self,
        listener: &impl Descriptor,
    ) -> io::Result<Option<Reservation>> {
        if self.checking.is_on() && is_readable(listener) { self.hold() } else { Ok(None) }
    }

    /// Checks that a connection can be accepted. Returns the reservation for its dial; `None` if
    /// nothing is reserved.
    fn hold(&self) -> io::Result<Option<Reservation>> {
        let (Some(bounds), Some(neutral)) = (self.bounds, &self.neutral) else { return Ok(None) };
        let held = duplicate(neutral)?;
        // Both are open at the same time, so both numbers were free. Dropping this one frees its
        // number for the accepted socket.
        let accepted = duplicate(neutral)?;
        let highest = number(&held).max(number(&accepted));
        self.checking.note(bounds.tolerance > 0 && highest < bounds.low_end);
        if highest < bounds.end { Ok(Some(Reservation::Held(held))) } else { Err(new_exhaustion()) }
    }

    /// Notes that `worker` accepted a connection without a check, and returns its reservation. From
    /// one half of the limit on, accepts are checked.
    pub(in crate::forward) fn note_unchecked(
        &self,
        socket: &impl Descriptor,
        worker: usize,
    ) -> Option<Reservation> {
        let bounds = self.bounds?;
        let count = &self.undialled[worker];
        count.add();
        // After earlier checks, a few low numbers may be the only free ones. The dials then need
        // numbers after the end, which are enough for this many connections.
        let is_burst = || self.checking.was_on() && count.get() > bounds.tolerance;
        if number(socket) >= bounds.check_from || is_burst() {
            self.checking.start();
        }
        Some(Reservation::Counted { worker })
    }

    /// Ends a reservation: the connection opens the socket of its dial now, or has
    /// ended.
    pub(in crate::forward) fn release(&self, reservation: Option<Reservation>) {
        if let Some(Reservation::Counted { worker }) = reservation {
            self.undialled[worker].remove();
        }
    }

    /// Notes that an accept failed. If it lacked a descriptor, accepts are checked from now on.
    pub(in crate::forward) fn note_accept_error(&self, error: &io::Error) {
        if self.bounds.is_some() && is_exhaustion(error) {
            self.checking.start();
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

    /// Returns `true` if the process had no free descriptor.
    pub(in crate::forward) fn is_exhaustion(error: &io::Error) -> bool {
        is_exhaustion(error)
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
        let bounds = Bounds {
            limit: 1024,
            reserve: 128,
            low_end: end / 4,
            check_from: end / 2,
            end,
            dial_end: end.saturating_add(1),
            tolerance: 2,
        };
        DescriptorLimit::new(Some(bounds), NonZeroUsize::new(2).expect("not 0"))
            .expect("descriptors are free")
    }

    #[test]
    fn accepts_are_checked_from_one_half_on() {
        let socket = File::open("/dev/null").unwrap();
        let number = number(&socket);
        let limit_above = limit(2 * number + 2);
        limit_above.note_unchecked(&socket, 0);
        assert!(!limit_above.checking.is_on());
        let limit_at = limit(2 * number);
        limit_at.note_unchecked(&socket, 0);
        assert!(limit_at.checking.is_on());
    }

    #[test]
    fn accepts_wait_for_connections_that_have_not_dialled() {
        let socket = File::open("/dev/null").unwrap();
        let limit = limit(2 * number(&socket) + 2);
        let reservations = [0, 1].map(|worker| limit.note_unchecked(&socket, worker));
        assert!(!limit.has_undialled(), "nothing is checked yet");
        limit.note_accept_error(&new_exhaustion());
        for reservation in reservations {
            assert!(limit.has_undialled());
            limit.release(reservation);
            limit.release(None);
        }
        assert!(!limit.has_undialled());
        limit.release(limit.hold().unwrap_or_default());
        assert!(!limit.has_undialled());
    }

    #[test]
    fn accepts_are_checked_after_exhaustion() {
        let limit = limit(i32::MAX);
        limit.note_accept_error(&io::ErrorKind::ConnectionReset.into());
        assert!(!limit.checking.is_on());
        limit.note_accept_error(&new_exhaustion());
        assert!(limit.checking.is_on());
    }

    #[test]
    fn accept_holds_a_descriptor_or_fails() {
        assert!(limit(i32::MAX).hold().unwrap().is_some());
        assert!(is_exhaustion(&limit(0).hold().unwrap_err()));
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
        let unlimited = DescriptorLimit::read(0, NonZeroUsize::MIN).unwrap();
        let file = File::open("/dev/null").unwrap();
        assert!(unlimited.note_unchecked(&file, 0).is_none());
        unlimited.note_accept_error(&new_exhaustion());
        assert!(!unlimited.checking.is_on());
        assert!(unlimited.hold().unwrap().is_none());
        assert!(unlimited.check(&file).is_ok() && unlimited.check_dial(&file).is_ok());
        assert_eq!(unlimited.describe(&new_exhaustion()), new_exhaustion().to_string());
    }

    #[test]
    fn accept_is_checked_if_checks_are_on_and_a_client_waits() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let limit = limit(0);
        let has_reservation = || limit.admit(&listener).map(|reservation| reservation.is_some());
        limit.checking.start();
        assert!(!has_reservation().unwrap());
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert!(is_exhaustion(&has_reservation().unwrap_err()));
        (0..1024).for_each(|_| limit.checking.note(true));
        assert!(!has_reservation().unwrap());
    }

    #[test]
    fn reservation_does_not_keep_a_closed_listener_open() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let _client = TcpStream::connect(address).unwrap();
        let limit = limit(i32::MAX);
        limit.checking.start();
        let reservation = limit.admit(&listener).unwrap();
        assert!(matches!(reservation, Some(Reservation::Held(_))));
        drop(listener);
        assert!(TcpStream::connect(address).is_err());
    }

    #[test]
    fn checks_end_after_low_numbers_and_return_with_a_burst() {
        let socket = File::open("/dev/null").unwrap();
        let limit = limit(i32::MAX);
        // Before the first check, numbers prove that few descriptors are in use.
        let unchecked: Vec<_> = (0..10).map(|_| limit.note_unchecked(&socket, 0)).collect();
        assert!(!limit.checking.is_on());
        unchecked.into_iter().for_each(|reservation| limit.release(reservation));

        limit.checking.start();
        (0..1024).for_each(|_| drop(limit.hold().unwrap()));
        assert!(!limit.checking.is_on());
        for _ in 0..10 {
            let pair = [limit.note_unchecked(&socket, 0), limit.note_unchecked(&socket, 0)];
            pair.into_iter().for_each(|reservation| limit.release(reservation));
        }
        assert!(!limit.checking.is_on(), "two at a time are tolerated");
        (0..3).for_each(|_| drop(limit.note_unchecked(&socket, 0)));
        assert!(limit.checking.is_on());
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
