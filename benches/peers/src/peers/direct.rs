//! No proxy: clients connect to the backends themselves. The reference for latencies: a proxy adds
//! the difference.

use std::io;
use std::path::Path;
use std::process::Command;

use super::{Proxy, Route};

pub(crate) const NAME: &str = "direct";

struct Direct;

#[expect(clippy::unnecessary_wraps, reason = "the signature of every proxy")]
pub(super) fn find() -> Option<Box<dyn Proxy>> {
    Some(Box::new(Direct))
}

impl Proxy for Direct {
    fn name(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> String {
        "(no proxy)".to_owned()
    }

    fn command(&self, _routes: &[Route], _folder: &Path) -> io::Result<Option<Command>> {
        Ok(None)
    }
}
