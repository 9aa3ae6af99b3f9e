//! What threads share, named in one place: a test includes the modules that use it with other
//! types of the same names, under which every order of events is tried.

pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
pub(crate) use std::sync::{Mutex, MutexGuard, PoisonError};
