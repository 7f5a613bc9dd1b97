//! The cooldown of released pool addresses: clients of the last Gateway may still connect to them.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;

use crate::translate::Assignments;

const ONE_YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The ends of the cooldowns of [`Assignments::cooling_down`].
#[derive(Debug)]
pub(super) struct Cooldown {
    duration: Duration,
    ends: BTreeMap<IpAddr, Instant>,
}

impl Cooldown {
    pub(super) fn new(duration: Duration) -> Self {
        Self { duration, ends: BTreeMap::new() }
    }

    /// Starts the cooldown of newly released addresses, and cancels that of addresses in use.
    pub(super) fn update(&mut self, assignments: &Assignments, now: Instant) {
        self.ends.retain(|address, _| assignments.cooling_down.contains_key(address));
        // A cooldown too long for the clock lasts a year.
        let end = now.checked_add(self.duration).unwrap_or(now + ONE_YEAR);
        for address in assignments.cooling_down.keys() {
            self.ends.entry(*address).or_insert(end);
        }
    }

    /// Returns the time at which the next cooldown ends.
    pub(super) fn next_expiry(&self) -> Option<Instant> {
        self.ends.values().min().copied()
    }

    /// Makes the addresses whose cooldown has ended available.
    pub(super) fn expire(&mut self, assignments: &mut Assignments, now: Instant) {
        self.ends.retain(|_, end| *end > now);
        assignments.cooling_down.retain(|address, _| self.ends.contains_key(address));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::NamespacedName;

    const DURATION: Duration = Duration::from_secs(60);

    fn cooling(addresses: &[&str]) -> Assignments {
        let gateway = "a/g".parse().unwrap();
        let mut assignments = Assignments::default();
        for address in addresses {
            assignments
                .cooling_down
                .insert(address.parse().unwrap(), NamespacedName::clone(&gateway));
        }
        assignments
    }

    #[test]
    fn cooldown_starts_when_an_address_is_released() {
        let (mut cooldown, start) = (Cooldown::new(DURATION), Instant::now());
        let after = |quarters| start + DURATION * quarters / 4;
        cooldown.update(&cooling(&[]), after(0));
        assert_eq!(cooldown.next_expiry(), None);
        cooldown.update(&cooling(&["10.0.0.1"]), after(1));
        let mut both = cooling(&["10.0.0.1", "10.0.0.2"]);
        cooldown.update(&both, after(2));
        assert_eq!(cooldown.next_expiry(), Some(after(5)));
        cooldown.expire(&mut both, after(5));
        assert_eq!(both, cooling(&["10.0.0.2"]));
        assert_eq!(cooldown.next_expiry(), Some(after(6)));
    }

    #[test]
    fn cooldown_is_cancelled_when_the_address_is_assigned_again() {
        let (mut cooldown, now) = (Cooldown::new(DURATION), Instant::now());
        cooldown.update(&cooling(&["10.0.0.1"]), now);
        cooldown.update(&cooling(&[]), now);
        assert_eq!(cooldown.next_expiry(), None);
    }
}
