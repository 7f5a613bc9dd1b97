//! The addresses of a pool.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::model::InvalidScalar;

/// Ranges of IP addresses; written `10.0.0.0/28,10.0.1.5-10.0.1.9,fd00::17`.
///
/// Every address of a range counts, the first and the last included.
///
/// ```
/// use sluicegate::translate::Ranges;
///
/// let ranges: Ranges = "10.0.0.0/30, 10.0.1.5".parse()?;
/// assert!(ranges.contains("10.0.0.3".parse()?));
/// assert_eq!(ranges.to_string(), "10.0.0.0-10.0.0.3,10.0.1.5");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranges(Vec<Range>);

/// Addresses of one family, from the first to the last. The families are told apart by the type of
/// the ends alone: in numbers, they would overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Range {
    first: IpAddr,
    last: IpAddr,
}

/// What may be written between commas.
const EXPECTED: &str = "an address, a range such as 10.0.1.5-10.0.1.9 or 10.0.0.0/28";

impl Ranges {
    /// Whether an address is among them.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|range| range.contains(address))
    }

    /// All addresses once, from the one at `place` (counted round) to the one before it.
    pub(super) fn starting_at(&self, place: u128) -> impl Iterator<Item = IpAddr> + '_ {
        let count = self.count();
        let start = place % count;
        (start..count).chain(0..start).map(|place| self.at(place))
    }

    /// How many there are.
    fn count(&self) -> u128 {
        self.0.iter().map(|range| range.count()).sum()
    }

    fn at(&self, mut place: u128) -> IpAddr {
        for range in &self.0 {
            if place < range.count() {
                return range.at(place);
            }
            place -= range.count();
        }
        unreachable!("a place is below the count")
    }
}

impl Range {
    fn contains(self, address: IpAddr) -> bool {
        self.first.is_ipv4() == address.is_ipv4() && (self.first..=self.last).contains(&address)
    }

    fn count(self) -> u128 {
        number(self.last) - number(self.first) + 1
    }

    fn at(self, place: u128) -> IpAddr {
        address(number(self.first) + place, self.first)
    }

    /// Reads one, and says what is wrong with it where something is.
    fn read(text: &str) -> Result<Self, &'static str> {
        let ip = |text: &str| text.trim().parse::<IpAddr>().map_err(|_| EXPECTED);
        let range = if let Some((network, length)) = text.split_once('/') {
            let network = ip(network)?;
            let length: u32 = length.trim().parse().map_err(|_| EXPECTED)?;
            Self::network(network, length).ok_or("a network: its prefix is too long")?
        } else if let Some((first, last)) = text.split_once('-') {
            Self { first: ip(first)?, last: ip(last)? }
        } else {
            let only = ip(text)?;
            Self { first: only, last: only }
        };
        let Self { first, last } = range;
        if first.is_ipv4() != last.is_ipv4() || first > last {
            return Err("a range from a lower to a higher address of one family");
        }
        if first.is_unspecified() {
            return Err(
                "a range of addresses of their own: its first one stands for all addresses",
            );
        }
        if first.is_multicast() || last.is_multicast() {
            return Err("a range of addresses that can be listened on: some are for multicast");
        }
        if first.to_canonical() != first || last.to_canonical() != last {
            return Err("a range of IPv6 addresses: write IPv4 addresses as such");
        }
        Ok(range)
    }

    fn network(network: IpAddr, length: u32) -> Option<Self> {
        let bits = if network.is_ipv4() { 32 } else { 128 };
        let host_bits = u32::checked_sub(bits, length)?;
        let hosts = 1_u128.checked_shl(host_bits).map_or(u128::MAX, |hosts| hosts - 1);
        let first = number(network) & !hosts;
        Some(Self { first: address(first, network), last: address(first | hosts, network) })
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u32::from(address).into(),
        IpAddr::V6(address) => address.into(),
    }
}

/// The address of a number, in the family of another one.
fn address(number: u128, family: IpAddr) -> IpAddr {
    match family {
        IpAddr::V4(_) => Ipv4Addr::from(number as u32).into(),
        IpAddr::V6(_) => Ipv6Addr::from(number).into(),
    }
}

impl FromStr for Ranges {
    type Err = InvalidScalar;

    fn from_str(text: &str) -> Result<Self, InvalidScalar> {
        let mut ranges = Vec::new();
        for part in text.split(',').map(str::trim) {
            let range = Range::read(part)
                .map_err(|expected| InvalidScalar { found: part.to_owned(), expected })?;
            ranges.push(range);
        }
        // In order and apart, so that one pool is always the same, however it is written.
        ranges.sort_unstable();
        ranges.dedup_by(|next, range| {
            let overlaps = range.contains(next.first);
            if overlaps {
                range.last = range.last.max(next.last);
            }
            overlaps
        });
        Ok(Self(ranges))
    }
}

impl fmt::Display for Ranges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, Range { first, last }) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str(",")?;
            }
            write!(f, "{first}")?;
            if first != last {
                write!(f, "-{last}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(text: &str) -> Ranges {
        text.parse().unwrap()
    }

    #[test]
    fn ranges_are_read_in_every_form_and_written_in_one() {
        for (text, written) in [
            ("10.0.0.7/30", "10.0.0.4-10.0.0.7"),
            ("10.0.0.1 - 10.0.0.3", "10.0.0.1-10.0.0.3"),
            ("10.0.0.2, 10.0.0.1,10.0.0.1", "10.0.0.1,10.0.0.2"),
            ("10.0.0.0/30,10.0.0.2-10.0.0.9,10.0.0.1", "10.0.0.0-10.0.0.9"),
            ("fd00::/126,10.0.0.1/32", "10.0.0.1,fd00::-fd00::3"),
            ("fd00::/8", "fd00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ] {
            assert_eq!(ranges(text).to_string(), written);
            assert_eq!(ranges(written), ranges(text));
        }
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for (text, part, why) in [
            ("", "", "an address, a range"),
            ("10.0.0.1,", "", "an address"),
            ("10.0.0.0/28;10.0.1.0/28", "10.0.0.0/28;10.0.1.0/28", "an address"),
            ("10.0.0.1,pool", "pool", "an address"),
            ("10.0.0.0/33", "10.0.0.0/33", "prefix is too long"),
            ("10.0.0.0/-1", "10.0.0.0/-1", "an address"),
            ("10.0.0.9-10.0.0.5", "10.0.0.9-10.0.0.5", "lower to a higher"),
            ("10.0.0.1-fd00::1", "10.0.0.1-fd00::1", "one family"),
            ("0.0.0.0/0", "0.0.0.0/0", "all addresses"),
            ("::/0", "::/0", "all addresses"),
            ("224.0.0.1", "224.0.0.1", "multicast"),
            ("::ffff:10.0.0.1", "::ffff:10.0.0.1", "as such"),
        ] {
            let error = text.parse::<Ranges>().unwrap_err();
            assert_eq!(error.found, part);
            assert!(error.to_string().contains(why), "{error}");
        }
    }

    #[test]
    fn every_address_comes_once_wherever_one_begins() {
        let ranges = ranges("10.0.0.0/31,10.0.1.9,fd00::/127");
        let all = ["10.0.0.0", "10.0.0.1", "10.0.1.9", "fd00::", "fd00::1"];
        for place in 0..all.len() {
            let found: Vec<_> =
                ranges.starting_at(place as u128).map(|ip| ip.to_string()).collect();
            let (before, after) = all.split_at(place);
            assert_eq!(found, [after, before].concat());
        }
        assert!(all.iter().all(|ip| ranges.contains(ip.parse().unwrap())));
        assert!(!ranges.contains("10.0.1.8".parse().unwrap()));
        // The same number in the other family.
        assert!(!ranges.contains("::a00:0".parse().unwrap()));
    }
}
