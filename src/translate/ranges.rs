//! Ranges of addresses, such as those of a pool.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::enumerate::Enumeration;
use crate::model::InvalidScalar;

/// Ranges of IP addresses. Text form: `10.0.0.0/28,10.0.1.5-10.0.1.9,fd00::17`.
///
/// A range includes its first and its last address, and so does a network.
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

/// The multicast addresses of IPv4 and IPv6.
const MULTICAST: &str = "224.0.0.0/4,ff00::/8";

/// Addresses of one family, from the first to the last. As numbers, addresses of both families
/// would overlap, so `contains` compares the family too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Range {
    first: IpAddr,
    last: IpAddr,
}

/// The forms that are allowed between commas.
const EXPECTED: &str = "an address, a range such as 10.0.1.5-10.0.1.9 or 10.0.0.0/28";

impl Ranges {
    /// Returns `true` if the ranges contain the address.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|range| range.contains(address))
    }

    /// Returns `true` if one of the ranges contains the whole range.
    pub(super) fn contains_range(&self, range: Range) -> bool {
        self.0.iter().any(|own| own.contains(range.first) && own.contains(range.last))
    }

    /// Returns the addresses that are in both.
    pub(super) fn intersections(&self, other: &Self) -> impl Iterator<Item = Range> {
        let pairs = self.0.iter().flat_map(|range| other.0.iter().map(move |other| (range, other)));
        pairs.filter_map(|(range, other)| range.intersection(*other))
    }

    /// Checks that a pool may contain the ranges: clients can reach a Gateway neither at a
    /// multicast address nor at an unspecified one.
    ///
    /// # Errors
    /// The first such range.
    pub(super) fn check_pool(&self) -> Result<(), InvalidScalar> {
        let error =
            |range: &Range, expected| Err(InvalidScalar { found: range.to_string(), expected });
        if let Some(range) = self.0.iter().find(|range| range.first.is_unspecified()) {
            return error(range, "a range without the unspecified address (0.0.0.0 or ::)");
        }
        let multicast: Self = MULTICAST.parse().expect("valid ranges");
        match self.intersections(&multicast).next() {
            Some(range) => error(&range, "a range without multicast addresses"),
            None => Ok(()),
        }
    }

    /// Returns every address once, beginning with the one at `index` modulo their number.
    pub(super) fn starting_at(&self, index: u128) -> impl Iterator<Item = IpAddr> + '_ {
        let count = self.count();
        let start = index % count;
        (start..count).chain(0..start).map(|index| self.at(index))
    }

    /// Returns the ranges for a message: all of them, or the first ones and the number of others.
    pub(super) fn list(&self) -> String {
        let mut text = String::new();
        let mut list = Enumeration::new(&mut text, ",");
        for range in &self.0 {
            list.add(|text| text.push_str(&range.to_string()));
        }
        list.finish_list();
        text
    }

    /// Returns the number of addresses.
    fn count(&self) -> u128 {
        self.0.iter().fold(0, |count, range| count.saturating_add(range.count()))
    }

    fn at(&self, mut index: u128) -> IpAddr {
        for range in &self.0 {
            if index < range.count() {
                return range.at(index);
            }
            index -= range.count();
        }
        unreachable!("the index is less than the number of addresses")
    }
}

impl Range {
    fn contains(self, address: IpAddr) -> bool {
        self.first.is_ipv4() == address.is_ipv4() && (self.first..=self.last).contains(&address)
    }

    fn intersection(self, other: Self) -> Option<Self> {
        let first = self.first.max(other.first);
        let last = self.last.min(other.last);
        (self.first.is_ipv4() == other.first.is_ipv4() && first <= last)
            .then_some(Self { first, last })
    }

    fn count(self) -> u128 {
        (to_number(self.last) - to_number(self.first)).saturating_add(1)
    }

    fn at(self, index: u128) -> IpAddr {
        to_address(to_number(self.first) + index, self.first)
    }

    /// Parses one range.
    ///
    /// # Errors
    /// The expected form.
    fn parse(text: &str) -> Result<Self, &'static str> {
        let ip = |text: &str| text.trim().parse::<IpAddr>().map_err(|_| EXPECTED);
        let range = if let Some((network, length)) = text.split_once('/') {
            let network = ip(network)?;
            let length: u32 = length.trim().parse().map_err(|_| EXPECTED)?;
            Self::from_network(network, length)
                .ok_or("a network with a prefix of at most 32 bits (IPv4) or 128 bits (IPv6)")?
        } else if let Some((first, last)) = text.split_once('-') {
            Self { first: ip(first)?, last: ip(last)? }
        } else {
            let only = ip(text)?;
            Self { first: only, last: only }
        };
        let Self { first, last } = range;
        if first.is_ipv4() != last.is_ipv4() || first > last {
            return Err("a range from a lower to a higher address of the same family");
        }
        if first.to_canonical() != first || last.to_canonical() != last {
            return Err("a range without IPv4-mapped IPv6 addresses; write them as IPv4");
        }
        Ok(range)
    }

    fn from_network(network: IpAddr, length: u32) -> Option<Self> {
        let bits = if network.is_ipv4() { 32 } else { 128 };
        let host_bits = u32::checked_sub(bits, length)?;
        let hosts = 1_u128.checked_shl(host_bits).map_or(u128::MAX, |hosts| hosts - 1);
        let first = to_number(network) & !hosts;
        Some(Self { first: to_address(first, network), last: to_address(first | hosts, network) })
    }
}

fn to_number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u32::from(address).into(),
        IpAddr::V6(address) => address.into(),
    }
}

/// Returns the address with this number, in the family of another address.
fn to_address(number: u128, family: IpAddr) -> IpAddr {
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
            let range = Range::parse(part)
                .map_err(|expected| InvalidScalar { found: part.to_owned(), expected })?;
            ranges.push(range);
        }
        // Sorted, with overlapping ranges merged, so that order and overlap do not affect equality.
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
        for (index, range) in self.0.iter().enumerate() {
            f.write_str(if index > 0 { "," } else { "" })?;
            range.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, last } = self;
        match first == last {
            true => first.fmt(f),
            false => write!(f, "{first}-{last}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(text: &str) -> Ranges {
        text.parse().unwrap()
    }

    #[test]
    fn ranges_parse_in_every_form_and_display_in_one() {
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
    fn ranges_reject_other_texts() {
        for (text, part, why) in [
            ("", "", "an address, a range"),
            ("10.0.0.1,", "", "an address"),
            ("10.0.0.0/28;10.0.1.0/28", "10.0.0.0/28;10.0.1.0/28", "an address"),
            ("10.0.0.1,pool", "pool", "an address"),
            ("10.0.0.0/33", "10.0.0.0/33", "at most 32 bits"),
            ("10.0.0.0/-1", "10.0.0.0/-1", "an address"),
            ("10.0.0.9-10.0.0.5", "10.0.0.9-10.0.0.5", "lower to a higher"),
            ("10.0.0.1-fd00::1", "10.0.0.1-fd00::1", "same family"),
            ("::ffff:10.0.0.1", "::ffff:10.0.0.1", "IPv4-mapped"),
        ] {
            let error = text.parse::<Ranges>().unwrap_err();
            assert_eq!(error.found, part);
            assert!(error.to_string().contains(why), "{error}");
        }
    }

    #[test]
    fn pool_contains_neither_unspecified_nor_multicast_addresses() {
        for (text, range, why) in [
            ("0.0.0.0/0", "0.0.0.0-255.255.255.255", "unspecified"),
            ("10.0.0.1,::", "::", "unspecified"),
            ("10.0.0.1,224.0.0.1", "224.0.0.1", "multicast"),
            ("200.0.0.0-250.0.0.0", "224.0.0.0-239.255.255.255", "multicast"),
            ("fe00::/7", "ff00::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "multicast"),
        ] {
            let error = ranges(text).check_pool().unwrap_err();
            assert_eq!(error.found, range);
            assert!(error.to_string().contains(why), "{error}");
        }
        assert_eq!(ranges("10.0.0.0/8,127.0.0.1,fd00::/8").check_pool(), Ok(()));
    }

    #[test]
    fn starting_at_returns_every_address_once() {
        let ranges = ranges("10.0.0.0/31,10.0.1.9,fd00::/127");
        let all = ["10.0.0.0", "10.0.0.1", "10.0.1.9", "fd00::", "fd00::1"];
        for index in 0..all.len() {
            let found: Vec<_> =
                ranges.starting_at(index as u128).map(|ip| ip.to_string()).collect();
            let (before, after) = all.split_at(index);
            assert_eq!(found, [after, before].concat());
        }
        assert!(all.iter().all(|ip| ranges.contains(ip.parse().unwrap())));
        assert!(!ranges.contains("10.0.1.8".parse().unwrap()));
        // The same number in the other family is another address.
        assert!(!ranges.contains("::a00:0".parse().unwrap()));
    }
}
