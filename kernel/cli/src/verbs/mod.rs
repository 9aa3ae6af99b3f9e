//! One file for each verb, or for a few that are alike.

pub(crate) mod ask;
pub(crate) mod by_hand;
pub(crate) mod evidence;
pub(crate) mod explain;
pub(crate) mod init;
pub(crate) mod kill;
pub(crate) mod limits;
pub(crate) mod order;
pub(crate) mod phase;
pub(crate) mod plugin;
pub(crate) mod position;
pub(crate) mod proposal;
pub(crate) mod recon;
pub(crate) mod request;
pub(crate) mod scribe;
pub(crate) mod session;
pub(crate) mod sign;
pub(crate) mod status;
