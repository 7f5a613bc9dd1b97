//! The spread of connections over the workers.

use super::mailbox::Mailbox;

/// Returns the worker with the fewest connections. The worker that accepted the connection keeps it
/// if it has about as few: giving it to another worker costs a message and a wake.
pub(super) fn choose_worker(acceptor: usize, mailboxes: &[Mailbox]) -> usize {
    if mailboxes.len() == 1 {
        return acceptor;
    }
    let own = mailboxes[acceptor].connections();
    let fewest = mailboxes.iter().enumerate().min_by_key(|(_, mailbox)| mailbox.connections());
    match fewest {
        Some((worker, mailbox)) if own > mailbox.connections() + slack(own) => worker,
        _ => acceptor,
    }
}

/// Returns the number of connections by which a worker may exceed another one.
fn slack(connections: usize) -> usize {
    1 + connections / 64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worker_with_fewest_connections_is_chosen() {
        let mailboxes: Vec<_> = (0..3).map(|_| Mailbox::new().unwrap().0).collect();
        for _ in 0..300 {
            mailboxes[choose_worker(1, &mailboxes)].add_connection();
        }
        let counts = || mailboxes.iter().map(Mailbox::connections).collect::<Vec<_>>();
        let spread = || counts().iter().max().unwrap() - counts().iter().min().unwrap();
        assert!(spread() <= 3, "{:?}", counts());
        // One worker loses its connections, and gets the next ones.
        (0..90).for_each(|_| mailboxes[2].remove_connection());
        (0..60).for_each(|_| mailboxes[choose_worker(1, &mailboxes)].add_connection());
        assert!(counts()[2] >= 65, "{:?}", counts());
    }

    #[test]
    fn accepting_worker_serves_few_connections_itself() {
        let mailboxes: Vec<_> = (0..2).map(|_| Mailbox::new().unwrap().0).collect();
        assert_eq!(choose_worker(1, &mailboxes), 1);
        mailboxes[1].add_connection();
        assert_eq!(choose_worker(1, &mailboxes), 1, "a hand-over costs more than one connection");
        assert_eq!(choose_worker(0, &mailboxes[1..]), 0);
    }
}
