//! Venue protocols as bytes: decoders of both directions, signing, checksums, sequence rules. No sockets.
