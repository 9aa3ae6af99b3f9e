//! The one path of an order: the core loop and the outbox loop.
