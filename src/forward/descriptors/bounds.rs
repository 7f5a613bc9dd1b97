//! Bounds of descriptor numbers, computed from the limit and the reserve.

/// Bounds of the descriptor numbers that the engine may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    /// The soft limit of the process.
    pub(super) limit: u64,
    /// Number of reserved descriptors.
    pub(super) reserve: u64,
    /// Checks with numbers below this one can end.
    pub(super) low_end: i32,
    /// From this number on, accepts are checked.
    pub(super) check_from: i32,
    /// End of the numbers for accepted sockets, listening sockets and pipes.
    pub(super) end: i32,
    /// End of the numbers for sockets of dials. It is higher, so that a connection that was
    /// accepted when the limit was nearly reached is not reset.
    pub(super) dial_end: i32,
    /// Number of connections of a worker that may wait for their dial without a check, after checks
    /// have ended. Their dials may all need numbers after the end. With 0, checks never end.
    pub(super) tolerance: usize,
}

impl Bounds {
    /// Computes the bounds for a number of workers. Returns `None` if the limit is too high to be
    /// reached, or if nothing is reserved.
    pub(super) fn new(limit: u64, reserve: usize, workers: usize) -> Option<Self> {
        let reserve = reserved(limit, reserve);
        if reserve == 0 {
            return None;
        }
        let end = limit - reserve;
        // Descriptor numbers are of type i32.
        let number = |number: u64| i32::try_from(number).ok();
        Some(Self {
            limit,
            reserve,
            low_end: number(end / 4)?,
            check_from: number(end / 2)?,
            end: number(end)?,
            dial_end: number(limit - reserve / 2)?,
            tolerance: usize::try_from(reserve).ok()? / 4 / workers,
        })
    }
}

/// Returns the number of descriptors that are reserved: at most a quarter of the limit.
fn reserved(limit: u64, reserve: usize) -> u64 {
    u64::try_from(reserve).unwrap_or(u64::MAX).min(limit / 4)
}

/// Returns the number of descriptors that are not reserved.
pub(super) fn unreserved(limit: u64, reserve: usize) -> u64 {
    limit - reserved(limit, reserve)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_leave_reserve_free() {
        let bounds = Bounds::new(1024, 128, 2).unwrap();
        assert_eq!((bounds.limit, bounds.reserve), (1024, 128));
        assert_eq!((bounds.check_from, bounds.end, bounds.dial_end), (448, 896, 960));
        assert_eq!((bounds.low_end, bounds.tolerance), (224, 16));
    }

    #[test]
    fn bounds_reserve_at_most_a_quarter() {
        for (limit, reserve, expected) in
            [(1024, 1000, 256), (256, 128, 64), (100, 128, 25), (1024, usize::MAX, 256)]
        {
            let bounds = Bounds::new(limit, reserve, 1).unwrap();
            assert_eq!(bounds.reserve, expected, "{limit} {reserve}");
            assert_eq!(bounds.end, i32::try_from(limit - expected).unwrap());
            assert!(bounds.check_from <= bounds.end && bounds.end <= bounds.dial_end);
        }
    }

    #[test]
    fn bounds_are_absent_without_reserve_or_with_unreachable_limit() {
        assert_eq!(Bounds::new(1024, 0, 1), None);
        // A quarter of it is 0.
        assert_eq!(Bounds::new(3, 128, 1), None);
        // Descriptor numbers end at 2^31.
        assert_eq!(Bounds::new(u64::MAX, 128, 1), None);
        assert!(Bounds::new(1 << 30, 128, 1).is_some());
    }
}
