//! A venue client that can cancel, cancel all and list open orders, and nothing else.
