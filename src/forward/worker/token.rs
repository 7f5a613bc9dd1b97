//! Tokens of the event queue, which identify the sockets of events.

use mio::Token;

const _: () = assert!(usize::BITS >= 64, "tokens need 64 bits");

/// Bits of a token: the kind of the socket, the attempt to connect, the slot of the connection, and
/// its generation. The highest bit is not used.
const KIND_BITS: u32 = 2;
const ATTEMPT_BITS: u32 = 6;
const INDEX_BITS: u32 = 24;
const INDEX_SHIFT: u32 = KIND_BITS + ATTEMPT_BITS;
const GENERATION_SHIFT: u32 = INDEX_SHIFT + INDEX_BITS;

/// Number of generations. After the last one, they start again at 0.
pub(super) const GENERATIONS: usize = 1 << (usize::BITS - GENERATION_SHIFT - 1);

/// Kinds of sockets.
const DOWNSTREAM: usize = 0;
const UPSTREAM: usize = 1;
const LISTENER: usize = 2;

/// The token of the worker's waker.
pub(super) const WAKER: Token = Token(usize::MAX);

/// Key of a connection on its worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    /// The slot.
    pub(super) index: usize,
    /// Number that distinguishes the connection from earlier ones in the same slot. A batch of
    /// events may contain an event of a connection that an earlier event of the batch has ended.
    pub(super) generation: usize,
}

/// Socket or waker that a token identifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    Waker,
    Listener(usize),
    Connection(Key, Socket),
}

/// A socket of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Socket {
    Downstream,
    /// The socket of an attempt to connect. The number of the attempt, modulo 64, distinguishes it
    /// from earlier ones: a batch of events may contain an event of a socket that is closed.
    Upstream {
        attempt: u8,
    },
}

/// Returns the token of a listening socket.
pub(in crate::forward) fn of_listener(number: usize) -> Token {
    Token(number << KIND_BITS | LISTENER)
}

impl Socket {
    /// Returns the socket of an attempt to connect.
    pub(super) fn of_attempt(number: u32) -> Self {
        Self::Upstream { attempt: (number % (1 << ATTEMPT_BITS)) as u8 }
    }
}

impl Key {
    /// Returns the token of a socket of the connection.
    pub(super) fn token(self, socket: Socket) -> Token {
        let socket = match socket {
            Socket::Downstream => DOWNSTREAM,
            Socket::Upstream { attempt } => UPSTREAM | usize::from(attempt) << KIND_BITS,
        };
        let Self { index, generation } = self;
        Token(generation << GENERATION_SHIFT | index << INDEX_SHIFT | socket)
    }
}

impl Subject {
    pub(super) fn of(token: Token) -> Self {
        let Token(bits) = token;
        if token == WAKER {
            return Self::Waker;
        }
        let socket = match bits & ((1 << KIND_BITS) - 1) {
            LISTENER => return Self::Listener(bits >> KIND_BITS),
            DOWNSTREAM => Socket::Downstream,
            _ => {
                let attempt = bits >> KIND_BITS & ((1 << ATTEMPT_BITS) - 1);
                Socket::Upstream { attempt: attempt as u8 }
            }
        };
        let index = bits >> INDEX_SHIFT & ((1 << INDEX_BITS) - 1);
        let generation = bits >> GENERATION_SHIFT;
        Self::Connection(Key { index, generation }, socket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_identifies_its_subject() {
        assert_eq!(Subject::of(WAKER), Subject::Waker);
        for number in [0, 1, 1 << 20] {
            assert_eq!(Subject::of(of_listener(number)), Subject::Listener(number));
        }
        for index in [0, 1, (1 << INDEX_BITS) - 1] {
            for generation in [0, 1, GENERATIONS - 1] {
                let key = Key { index, generation };
                let attempts = [0, 1, 63].map(|attempt| Socket::Upstream { attempt });
                for socket in attempts.into_iter().chain([Socket::Downstream]) {
                    let subject = Subject::Connection(key, socket);
                    assert_eq!(Subject::of(key.token(socket)), subject);
                }
            }
        }
    }
}
