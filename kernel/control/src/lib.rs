//! The typed protocol of the kernel daemon's socket.
