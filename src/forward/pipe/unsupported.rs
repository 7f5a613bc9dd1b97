//! Replacement for systems without `splice(2)`: there are no pipes, and all bytes are copied.

use std::io;
use std::sync::Arc;

use crate::forward::descriptors::DescriptorLimit;

pub(in crate::forward) const CAPACITY: usize = 1 << 20;

pub(in crate::forward) const MAX_PIPES: usize = 0;

/// An uninhabited type, since no pipe can be acquired.
pub(in crate::forward) enum Pipe {}

pub(in crate::forward) fn prepare_worker(_: usize, _: &Arc<DescriptorLimit>) {}

impl Pipe {
    pub(in crate::forward) fn acquire() -> Option<Self> {
        None
    }

    pub(in crate::forward) fn is_empty(&self) -> bool {
        match *self {}
    }

    pub(in crate::forward) fn fill<S>(&mut self, _: S, _: usize) -> io::Result<usize> {
        match *self {}
    }

    pub(in crate::forward) fn empty<S>(&mut self, _: S) -> io::Result<usize> {
        match *self {}
    }
}
