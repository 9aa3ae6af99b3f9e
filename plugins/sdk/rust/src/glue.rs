//! Between the generated bindings and [`Strategy`]. Not for strategies to call.

use std::cell::RefCell;
use std::fmt;

use crate::{Event, Orders, Session, Strategy};
pub use bindings::exports::portcullis::strategy::plugin as world;

/// Generated from `wit/strategy.wit`.
#[expect(missing_docs, clippy::pedantic, reason = "generated code")]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../../../wit",
        world: "portcullis:strategy/strategy",
        export_macro_name: "export_world",
        pub_export_macro: true,
    });
}

/// The component's only state. There is one thread, and the host never re-enters.
pub struct Running<S> {
    state: RefCell<Option<State<S>>>,
}

struct State<S> {
    strategy: S,
    orders: Orders,
}

impl<S> fmt::Debug for Running<S> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Running").finish_non_exhaustive()
    }
}

impl<S> Default for Running<S> {
    fn default() -> Self {
        Self::new()
    }
}

/// What a strategy says of itself, as the world wants it.
pub fn describe<S: Strategy>() -> world::Declaration {
    S::describe().into_world()
}

impl<S> Running<S> {
    /// Nothing runs before `init`.
    pub const fn new() -> Self {
        Self { state: RefCell::new(None) }
    }
}

impl<S: Strategy> Running<S> {
    /// See `wit/strategy.wit`.
    pub fn init(
        &self,
        session: world::SessionStart,
        parameters: Vec<world::ParameterValue>,
        instruments: Vec<world::Instrument>,
    ) -> Result<(), String> {
        let strategy = S::init(&Session::new(session, parameters, instruments))?;
        *self.state.borrow_mut() = Some(State { strategy, orders: Orders::new() });
        Ok(())
    }

    /// See `wit/strategy.wit`.
    pub fn on_events(&self, events: &[world::Event]) -> Vec<world::Intent> {
        let mut state = self.state.borrow_mut();
        let Some(state) = state.as_mut() else { return Vec::new() };
        for event in events {
            state.strategy.on_event(Event::from(*event), &mut state.orders);
        }
        state.orders.take()
    }

    /// The next order number, then the strategy's own state; nothing if it keeps none.
    pub fn snapshot(&self) -> Vec<u8> {
        let state = self.state.borrow();
        let own = state.as_ref().map(|state| (state.orders.next(), state.strategy.snapshot()));
        match own {
            Some((next, own)) if !own.is_empty() => {
                let mut bytes = next.to_le_bytes().to_vec();
                bytes.extend(own);
                bytes
            }
            Some(_) | None => Vec::new(),
        }
    }

    /// See `wit/strategy.wit`.
    pub fn restore(&self, bytes: &[u8]) -> Result<(), String> {
        let mut state = self.state.borrow_mut();
        let state = state.as_mut().ok_or("restore before init")?;
        match bytes.split_first_chunk() {
            Some((next, own)) => {
                state.orders.continue_from(u64::from_le_bytes(*next));
                state.strategy.restore(own)
            }
            None if bytes.is_empty() => state.strategy.restore(&[]),
            None => Err("a state too short to be one".to_owned()),
        }
    }
}

/// The one import. Outside a component there is nobody to read it.
pub fn write_log(text: &str, key: Option<&str>, number: Option<i64>) {
    #[cfg(target_arch = "wasm32")]
    bindings::portcullis::strategy::log::write(text, key, number);
    #[cfg(not(target_arch = "wasm32"))]
    let _ = (text, key, number);
}
