//! The journal, market-data chunks, the pack and its verification.
