//! Where each Gateway lives, by the setting.

use std::net::IpAddr;

use super::addresses::Home;
use super::index::Index;
use super::listeners::Refusal;
use super::settings::{Addresses, Settings};
use super::{pool, services};
use crate::model::{Gateway, NamespacedName, PortNumber};

/// A Gateway that is to live somewhere.
#[derive(Debug)]
pub(super) struct Seeker<'a> {
    pub(super) name: &'a NamespacedName,
    pub(super) gateway: &'a Gateway,
    /// The addresses it asks for; `None` is one that it leaves to us.
    pub(super) wishes: Vec<Option<IpAddr>>,
    /// The ports of its valid listeners.
    pub(super) ports: Vec<PortNumber>,
}

/// Finds a home for each, in the same order; there is none for a Gateway that is refused. Those that
/// come first choose first.
pub(super) fn find(
    index: &Index<'_>,
    settings: &Settings,
    seekers: &[Result<Seeker<'_>, Refusal>],
) -> Vec<Result<Home, Refusal>> {
    let accepted: Vec<_> = seekers.iter().flatten().collect();
    let homes = match &settings.addresses {
        Addresses::Host => {
            let on_host = |seeker: &&Seeker<'_>| Home::on_host(&seeker.wishes, &settings.host);
            accepted.iter().map(on_host).collect()
        }
        Addresses::Pool(ranges) => pool::homes(ranges, &settings.history, &accepted),
        Addresses::Service => services::homes(index, settings, &accepted),
    };
    let mut homes = homes.into_iter();
    let home = |seeker: &Result<_, Refusal>| match seeker {
        Ok(_) => Ok(homes.next().expect("there is a home for each")),
        Err(refusal) => Err(refusal.clone()),
    };
    seekers.iter().map(home).collect()
}
