//! Write a strategy in Rust: typed events in, orders out.
//!
//! Implement [`Strategy`] for a type and name it in [`export!`]. The crate then builds to a
//! component that can do what `wit/strategy.wit` says and nothing else. Everything is an integer:
//! prices and quantities are in the units of their [`Instrument`].

#[doc(hidden)]
pub mod glue;

mod declaration;
mod event;
mod orders;
mod session;

pub use declaration::Declaration;
pub use event::{
    Denial, Event, Fill, OrderState, OrderUpdate, Position, Quote, RawEvent, SessionState, Side,
    Timer, Trade,
};
pub use orders::Orders;
pub use session::{Instrument, Session};

/// A strategy: what it is, how it begins, what it does when told something.
pub trait Strategy: Sized {
    /// What it is and which settings it has. Part of the signed release.
    fn describe() -> Declaration;

    /// Begins a session. An error is shown to the operator, and the session does not open.
    fn init(session: &Session) -> Result<Self, String>;

    /// Is told one thing, and may place, cancel and set timers. What is asked for counts only if
    /// the whole batch of events returns.
    fn on_event(&mut self, event: Event, orders: &mut Orders);

    /// Its state as bytes, at most as many as declared. The default keeps none.
    fn snapshot(&self) -> Vec<u8> {
        Vec::new()
    }

    /// Puts the state of an earlier `snapshot` back. The default accepts only none.
    fn restore(&mut self, state: &[u8]) -> Result<(), String> {
        if state.is_empty() { Ok(()) } else { Err("this strategy keeps no state".to_owned()) }
    }
}

/// Writes one line into the session's evidence. Costs fuel; what is too much is dropped.
pub fn log(text: &str) {
    glue::write_log(text, None, None);
}

/// Writes one line and one point of the chart named `key`.
pub fn chart(text: &str, key: &str, number: i64) {
    glue::write_log(text, Some(key), Some(number));
}

/// Makes a [`Strategy`] the component's own: `export!(MyStrategy);`, once per crate.
#[macro_export]
macro_rules! export {
    ($strategy:ty) => {
        /// The exports, and the one running strategy behind them.
        #[cfg(target_arch = "wasm32")]
        mod component {
            use super::*;
            use $crate::glue::{Running, world};

            std::thread_local! {
                static RUNNING: Running<$strategy> = const { Running::new() };
            }

            struct Exports;

            impl world::Guest for Exports {
                fn describe() -> world::Declaration {
                    $crate::glue::describe::<$strategy>()
                }
                fn init(
                    session: world::SessionStart,
                    parameters: Vec<world::ParameterValue>,
                    instruments: Vec<world::Instrument>,
                ) -> Result<(), String> {
                    RUNNING.with(|running| running.init(session, parameters, instruments))
                }
                fn on_events(events: Vec<world::Event>) -> Vec<world::Intent> {
                    RUNNING.with(|running| running.on_events(&events))
                }
                fn snapshot() -> Vec<u8> {
                    RUNNING.with(|running| running.snapshot())
                }
                fn restore(state: Vec<u8>) -> Result<(), String> {
                    RUNNING.with(|running| running.restore(&state))
                }
            }

            $crate::glue::bindings::export_world!(Exports with_types_in $crate::glue::bindings);
        }
    };
}
