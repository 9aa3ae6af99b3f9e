//! What one plugin may use: every bound of the sandbox, and the two that the engine asks about.

use wasmtime::{Error, ResourceLimiter, Result};

use crate::fault::push_line;

/// Most bytes of a component.
pub const COMPONENT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Stack of the guest. Deeper recursion traps.
pub const GUEST_STACK_BYTES_MAX: usize = 256 * 1024;
/// Most bytes that one call can make this process allocate for what it returns or logs.
pub const HOST_BYTES_PER_CALL_MAX: usize = 64 * 1024;
/// Most bytes of log text in one reply.
pub const LOG_BYTES_MAX: usize = 1024;
/// Room kept within that for saying how many lines were dropped.
const LOG_NOTE_BYTES: usize = 40;
/// Longest text of one log line, in bytes.
pub const LOG_TEXT_LEN_MAX: usize = 256;
/// Longest key of a log line, in bytes.
pub const LOG_KEY_LEN_MAX: usize = 32;
/// Fuel of one log line.
pub const LOG_FUEL_BASE: u64 = 1000;
/// Fuel of one byte of text or key of a log line.
pub const LOG_FUEL_PER_BYTE: u64 = 10;
/// Fuel of putting a component's data in place.
pub const INSTANTIATE_FUEL: u64 = 100_000_000;
/// Fuel of `describe`.
pub const DESCRIBE_FUEL: u64 = 10_000_000;
/// Wall-clock backstop of one call, in ticks of [`TICK_MS`]. The kernel's own deadline is shorter
/// and kills the process; this one only ends a process whose kernel is gone.
pub const CALL_TICKS_MAX: u64 = 2_000;
/// Length of a tick in milliseconds.
pub const TICK_MS: u64 = 1;

/// Core instances: the program, and the two that wit-component puts beside it, with room.
const INSTANCES_MAX: usize = 16;
const MEMORIES_MAX: usize = 1;
const TABLES_MAX: usize = 4;
const TABLE_ELEMENTS_MAX: usize = 20_000;

/// What the host keeps for one plugin: its bounds and its log.
#[derive(Debug)]
pub(crate) struct PluginState {
    memory_bytes_max: usize,
    memory_refused: bool,
    log: String,
    log_lines_dropped: u32,
}

impl PluginState {
    pub(crate) const fn new(memory_bytes_max: usize) -> Self {
        Self { memory_bytes_max, memory_refused: false, log: String::new(), log_lines_dropped: 0 }
    }

    /// Whether the plugin asked for more memory than it may have.
    pub(crate) const fn memory_refused(&self) -> bool {
        self.memory_refused
    }

    /// Forgets the log of the call before.
    pub(crate) fn begin_call(&mut self) {
        self.log.clear();
        self.log_lines_dropped = 0;
    }

    /// What the call logged: lines `text`, or `text TAB key TAB number`, and last how many had no
    /// room.
    pub(crate) fn take_log(&mut self) -> &str {
        if self.log_lines_dropped > 0 {
            let note = format!("({} more lines dropped)\n", self.log_lines_dropped);
            self.log.push_str(&note);
            self.log_lines_dropped = 0;
        }
        &self.log
    }

    /// Takes a line, or counts it where there is no room for it.
    pub(crate) fn write_log(&mut self, text: &str, key: Option<&str>, number: Option<i64>) {
        let mut line = String::with_capacity(64);
        push_line(&mut line, text, LOG_TEXT_LEN_MAX);
        if let (Some(key), Some(number)) = (key, number) {
            line.push('\t');
            push_line(&mut line, key, LOG_KEY_LEN_MAX);
            line.push('\t');
            line.push_str(&number.to_string());
        }
        line.push('\n');
        let room = LOG_BYTES_MAX.saturating_sub(LOG_NOTE_BYTES);
        if self.log.len().saturating_add(line.len()) > room {
            self.log_lines_dropped = self.log_lines_dropped.saturating_add(1);
        } else {
            self.log.push_str(&line);
        }
    }
}

/// Decisions depend on the declared maximum alone, never on what the machine has free.
impl ResourceLimiter for PluginState {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool> {
        let declared = maximum.unwrap_or(0);
        if desired > declared || desired > self.memory_bytes_max {
            self.memory_refused = true;
            return Err(Error::msg(format!(
                "asked for {desired} bytes of memory, may have {}",
                declared.min(self.memory_bytes_max)
            )));
        }
        Ok(true)
    }

    /// The machine could not give what the plugin may have. The plugin must not see that: what it
    /// does would then depend on the machine.
    fn memory_grow_failed(&mut self, error: Error) -> Result<()> {
        self.memory_refused = true;
        Err(error)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> Result<bool> {
        Ok(desired <= TABLE_ELEMENTS_MAX)
    }

    fn instances(&self) -> usize {
        INSTANCES_MAX
    }

    fn tables(&self) -> usize {
        TABLES_MAX
    }

    fn memories(&self) -> usize {
        MEMORIES_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_bounded_and_says_what_it_dropped() {
        let mut state = PluginState::new(0);
        state.write_log("crossed\nup", Some("fast"), Some(-3));
        assert_eq!(state.take_log(), "crossed up\tfast\t-3\n");
        for _ in 0..100 {
            state.write_log(&"x".repeat(300), None, None);
        }
        assert!(state.take_log().ends_with("\n(97 more lines dropped)\n"));
        assert!(state.take_log().len() <= LOG_BYTES_MAX);
        state.begin_call();
        assert_eq!(state.take_log(), "");
    }

    #[test]
    fn memory_beyond_the_declared_maximum_is_refused_and_remembered() {
        let mut state = PluginState::new(1 << 20);
        assert!(state.memory_growing(0, 1 << 20, Some(1 << 21)).unwrap());
        assert!(!state.memory_refused());
        assert!(state.memory_growing(0, (1 << 20) + 1, Some(1 << 21)).is_err());
        assert!(state.memory_refused());
    }
}
