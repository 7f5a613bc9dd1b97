//! The connections of a worker.

use slab::Slab;

use super::connection::Connection;
use super::token::{GENERATIONS, Key};

/// The connections of a worker. Slots are reused; a key contains a generation, which
/// distinguishes the connections of a slot.
#[derive(Default)]
pub(super) struct Connections {
    slots: Slab<(usize, Connection)>,
    next_generation: usize,
}

impl Connections {
    /// Adds a connection. `create` gets its key.
    pub(super) fn insert(&mut self, create: impl FnOnce(Key) -> Connection) -> Key {
        let generation = self.next_generation;
        self.next_generation = (generation + 1) % GENERATIONS;
        let slot = self.slots.vacant_entry();
        let key = Key { index: slot.key(), generation };
        slot.insert((generation, create(key)));
        key
    }

    /// Returns the connection, unless it has ended.
    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut Connection> {
        match self.slots.get_mut(key.index) {
            Some((generation, connection)) if *generation == key.generation => Some(connection),
            _ => None,
        }
    }

    /// Removes a connection.
    pub(super) fn remove(&mut self, key: Key) -> Option<Connection> {
        self.get_mut(key)?;
        Some(self.slots.remove(key.index).1)
    }

    /// Returns the keys of the connections that match.
    pub(super) fn keys(&self, matches: impl Fn(&Connection) -> bool) -> Vec<Key> {
        let of = self.slots.iter().filter(|(_, (_, connection))| matches(connection));
        of.map(|(index, (generation, _))| Key { index, generation: *generation }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Most open connections are idle, and each one uses a slot: 100 bytes more for each of 8000
    /// connections are 0.8 MiB. A slot keeps the room for the state of a dial after the dial.
    #[test]
    fn slot_of_a_connection_is_small() {
        const MAX_SLOT: usize = 600;
        let size = size_of::<(usize, Connection)>();
        assert!(size <= MAX_SLOT, "a connection needs {size} bytes");
    }
}
