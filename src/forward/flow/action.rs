//! Actions of a flow, which its caller performs.

use super::side::Side;
use crate::forward::outcome::Outcome;

/// The next step of the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::forward) enum Action {
    /// Read the bytes that the client has already sent; `Flow::first_bytes_read` takes the
    /// result.
    ReadFirstBytes,
    /// Pick the backend; `Flow::picked` or `Flow::refuse` takes the result.
    Pick,
    /// Choose an endpoint and connect to it; `Flow::dial_started`, `Flow::dial_failed` or
    /// `Flow::refuse` takes the result.
    Dial,
    /// Connect to the same endpoint again.
    Redial,
    /// End the attempt: the endpoint did not answer in time. `Flow::dial_failed` follows.
    GiveUp,
    /// Read, or move bulk data; `Flow::read` takes the result.
    Read { from: Side, is_bulk: bool },
    /// Write the bytes that were read from the other side; `Flow::written` or
    /// `Flow::write_failed` takes the result.
    Write(Side),
    /// Pass the end of the other side on; `Flow::end_passed` or `Flow::write_failed` takes the
    /// result.
    Shutdown(Side),
    /// Ask for the next action in the next turn: other connections come first.
    Yield,
    /// Wait for an event, or for the time of a dial.
    Wait,
    /// Close both sockets.
    End(Outcome),
}
