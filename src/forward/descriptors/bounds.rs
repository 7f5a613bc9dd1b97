//! Bounds of descriptor numbers, computed from the limit and the reserve.

/// Bounds of the descriptor numbers that the engine may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    /// The soft limit of the process.
    pub(super) limit: u64,
    /// Number of reserved descriptors.
    pub(super) reserve: u64,
    /// From this number on, accepts are checked.
    pub(super) check_from: i32,
    /// End of the numbers for accepted sockets, listening sockets and pipes.
    pub(super) end: i32,
    /// End of the numbers for sockets of dials. It is higher, so that a connection that was
    /// accepted when the limit was nearly reached is not reset.
    pub(super) dial_end: i32,
}

impl Bounds {
    /// Computes the bounds. Returns `None` if the limit is too high to be reached, or if nothing is
    /// reserved.
    pub(super) fn new(limit: u64, reserve: usize) -> Option<Self> {
        let reserve = u64::try_from(reserve).unwrap_or(u64::MAX).min(limit / 4);
        if reserve == 0 {
            return None;
        }
        let end = limit - reserve;
        // Descriptor numbers are of type i32.
        let number = |number: u64| i32::try_from(number).ok();
        Some(Self {
            limit,
            reserve,
            check_from: number(end / 2)?,
            end: number(end)?,
            dial_end: number(limit - reserve / 2)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_leave_reserve_free() {
        let bounds = Bounds::new(1024, 128).unwrap();
        assert_eq!((bounds.limit, bounds.reserve), (1024, 128));
        assert_eq!((bounds.check_from, bounds.end, bounds.dial_end), (448, 896, 960));
    }

    #[test]
    fn bounds_reserve_at_most_a_quarter() {
        for (limit, reserve, expected) in
            [(1024, 1000, 256), (256, 128, 64), (100, 128, 25), (1024, usize::MAX, 256)]
        {
            let bounds = Bounds::new(limit, reserve).unwrap();
            assert_eq!(bounds.reserve, expected, "{limit} {reserve}");
            assert_eq!(bounds.end, i32::try_from(limit - expected).unwrap());
            assert!(bounds.check_from <= bounds.end && bounds.end <= bounds.dial_end);
        }
    }

    #[test]
    fn bounds_are_absent_without_reserve_or_with_unreachable_limit() {
        assert_eq!(Bounds::new(1024, 0), None);
        // A quarter of it is 0.
        assert_eq!(Bounds::new(3, 128), None);
        // Descriptor numbers end at 2^31.
        assert_eq!(Bounds::new(u64::MAX, 128), None);
        assert!(Bounds::new(1 << 30, 128).is_some());
    }
}
