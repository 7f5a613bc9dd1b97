//! Checks of descriptor numbers against the bounds.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use super::bounds::Bounds;
#[cfg(target_os = "linux")]
use super::linux::{
    Descriptor, HeldDescriptor, descriptor_limit, duplicate, is_exhaustion, is_readable,
    new_exhaustion, number,
};
#[cfg(not(target_os = "linux"))]
use super::unsupported::{
    Descriptor, HeldDescriptor, descriptor_limit, duplicate, is_exhaustion, is_readable,
    new_exhaustion, number,
};

/// The limit of descriptors, with the reserve that the engine leaves unused. All workers share it.
#[derive(Debug)]
pub(in crate::forward) struct DescriptorLimit {
    /// `None` if nothing is reserved.
    bounds: Option<Bounds>,
    /// Accepts are checked. This is never reset: a low number does not prove that few descriptors
    /// are in use, since it may be the only free one.
    is_checking: AtomicBool,
}

impl DescriptorLimit {
    /// Reads the limit of the process, of which `reserve` descriptors are left unused.
    pub(in crate::forward) fn read(reserve: usize) -> Self {
        let bounds = descriptor_limit().and_then(|limit| Bounds::new(limit, reserve));
        Self { bounds, is_checking: AtomicBool::new(false) }
    }

    /// Returns `true` if each accept has to be checked.
    pub(in crate::forward) fn is_checking(&self) -> bool {
        self.is_checking.load(Ordering::Relaxed)
    }

    /// Checks that a connection can be accepted on `listener`, if that is necessary. Returns the
    /// descriptor that the connection holds until it dials.
    ///
    /// # Errors
    /// The error of [`hold`](Self::hold).
    pub(in crate::forward) fn admit(
        &self,
        listener: &impl Descriptor,
    ) -> io::Result<Option<HeldDescriptor>> {
        if self.is_checking() { self.hold(listener) } else { Ok(None) }
    }

    /// Checks that a connection can be accepted on `listener`. Returns the descriptor that the
    /// connection holds until it dials.
    ///
    /// # Errors
    /// `EMFILE` without two free descriptors outside the reserve.
    pub(in crate::forward) fn hold(
        &self,
        listener: &impl Descriptor,
    ) -> io::Result<Option<HeldDescriptor>> {
        let Some(bounds) = self.bounds else { return Ok(None) };
        let held = duplicate(listener)?;
        // Both are open at the same time, so both numbers were free. Dropping this one frees its
        // number for the accepted socket.
        let accepted = duplicate(listener)?;
        let has_room = number(&held) < bounds.end && number(&accepted) < bounds.end;
        if has_room { Ok(Some(held)) } else { Err(new_exhaustion()) }
    }

    /// Notes the number of an accepted socket. From one half of the limit on, accepts are checked.
    pub(in crate::forward) fn note_accepted(&self, socket: &impl Descriptor) {
        if self.bounds.is_some_and(|bounds| number(socket) >= bounds.check_from) {
            self.start_checking();
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
        DescriptorLimit { bounds: Some(bounds), is_checking: AtomicBool::new(false) }
    }

    #[test]
    fn accepts_are_checked_from_one_half_on() {
        let socket = File::open("/dev/null").unwrap();
        let number = number(&socket);
        let limit_above = limit(2 * number + 2);
        limit_above.note_accepted(&socket);
        assert!(!limit_above.is_checking());
        let limit_at = limit(2 * number);
        limit_at.note_accepted(&socket);
        assert!(limit_at.is_checking());
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
    fn nothing_is_checked_without_reserve() {
        let unlimited = DescriptorLimit::read(0);
        let file = File::open("/dev/null").unwrap();
        unlimited.note_accepted(&file);
        unlimited.note_accept_error(&new_exhaustion());
        assert!(!unlimited.is_checking());
        assert!(unlimited.hold(&file).unwrap().is_none());
        assert!(unlimited.check(&file).is_ok() && unlimited.check_dial(&file).is_ok());
        assert_eq!(unlimited.describe(&new_exhaustion()), new_exhaustion().to_string());
    }

    #[test]
    fn waiting_client_is_noticed() {
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
