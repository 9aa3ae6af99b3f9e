//! Who said what, provably: canonical JSON, SSHSIG, roster, thresholds. Pure.
