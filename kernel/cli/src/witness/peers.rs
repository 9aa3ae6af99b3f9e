//! Who may ask how much: nobody who floods takes the witness away from the others.

use std::collections::BTreeMap;

/// Most connections of one peer at once; others find some of the rest.
pub(crate) const AT_ONCE_MAX: u32 = 8;
/// Most requests of one peer in one minute. A house whose carrier comes every second needs a fifth.
pub(crate) const A_MINUTE_MAX: u32 = 600;
/// Most peers that are remembered.
const PEERS_MAX: usize = 1_024;
const MINUTE_S: u64 = 60;

/// What every peer has had: an address, or a user of this host.
#[derive(Debug, Default)]
pub(crate) struct Peers(BTreeMap<String, Share>);

#[derive(Debug, Default)]
struct Share {
    at_once: u32,
    /// The minute that is counted, and what was asked in it.
    minute: u64,
    asked: u32,
}

impl Peers {
    /// Whether a peer may ask once more now. Whoever may has to [`Peers::leave`].
    pub(crate) fn enter(&mut self, peer: &str, now_s: u64) -> bool {
        let minute = now_s.div_euclid(MINUTE_S);
        if !self.0.contains_key(peer) && self.0.len() >= PEERS_MAX {
            self.0.retain(|_, share| share.at_once > 0 || share.minute == minute);
            if self.0.len() >= PEERS_MAX {
                return false;
            }
        }
        let share = self.0.entry(peer.to_owned()).or_default();
        if share.minute != minute {
            (share.minute, share.asked) = (minute, 0);
        }
        let may = share.at_once < AT_ONCE_MAX && share.asked < A_MINUTE_MAX;
        if may {
            share.at_once = share.at_once.saturating_add(1);
            share.asked = share.asked.saturating_add(1);
        }
        may
    }

    /// One connection of a peer is over.
    pub(crate) fn leave(&mut self, peer: &str) {
        if let Some(share) = self.0.get_mut(peer) {
            share.at_once = share.at_once.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_floods_is_refused_and_the_others_are_not() {
        let mut peers = Peers::default();
        for _ in 0..AT_ONCE_MAX {
            assert!(peers.enter("flood", 60));
        }
        assert!(!peers.enter("flood", 60));
        assert!(peers.enter("other", 60));
        peers.leave("flood");
        for _ in AT_ONCE_MAX..A_MINUTE_MAX {
            assert!(peers.enter("flood", 119));
            peers.leave("flood");
        }
        assert!(!peers.enter("flood", 119));
        assert!(peers.enter("other", 119));
        assert!(peers.enter("flood", 120));
    }

    #[test]
    fn only_so_many_peers_are_remembered() {
        let mut peers = Peers::default();
        for number in 0..PEERS_MAX {
            let peer = number.to_string();
            assert!(peers.enter(&peer, 60));
            if number % 2 == 0 {
                peers.leave(&peer);
            }
        }
        assert!(!peers.enter("late", 60));
        assert!(peers.enter("0", 60));
        // A minute later those are forgotten who ask nothing any more.
        assert!(peers.enter("late", 120));
        assert!(peers.0.len() <= PEERS_MAX / 2 + 2);
    }
}
