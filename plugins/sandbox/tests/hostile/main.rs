//! Hostile and ordinary plugins against the real sandbox process, over its real socket.
//!
//! The components are built before (`cargo xtask test` does it); without them the tests say that
//! they were skipped.

#[cfg(test)]
mod kernel_side;

#[cfg(test)]
mod tests {
    #![expect(clippy::arithmetic_side_effects, reason = "prices made up from small numbers")]

    use crate::kernel_side::{self, Failure, Kernel, component, header, quote};
    use portcullis_domain::frame::{
        EventRecord, FrameHeader, FrameKind, IntentRecord, RECORD_LEN, event_kind, side_code,
    };
    use portcullis_sandbox::{FaultCode, Plugin, SandboxEngine, SessionStart};
    use serde_json::Value;

    const FUEL: u64 = 10_000_000;
    const MEMORY: u64 = 64 * 1024 * 1024;

    /// Loads and initialises; nothing if the guest was not built.
    fn running(guest: &str, params: &str) -> Option<Kernel> {
        let component = component(guest)?;
        let mut kernel = Kernel::start();
        kernel.load(&component, MEMORY).unwrap();
        kernel.init(params, FUEL).unwrap();
        Some(kernel)
    }

    fn check(guest: &str, params: &str, code: &str) {
        let Some(mut kernel) = running(guest, params) else { return };
        let failure = kernel.events(1, &[quote(1, 100, 101)], FUEL).unwrap_err();
        assert_eq!(failure.code(), code, "{guest} {params}: {failure:?}");
        assert_eq!(kernel.wait(), 1, "the process ends with its plugin");
    }

    #[test]
    fn a_hostile_plugin_fails_with_its_own_code() {
        check("hostile-spin", "{}", "PLUGIN_FUEL");
        check("hostile-trap", "{}", "PLUGIN_TRAP");
        check("hostile-intent-flood", r#"{"count":"257"}"#, "PLUGIN_OUTPUT");
        check("hostile-intent-flood", r#"{"count":"20000"}"#, "PLUGIN_OUTPUT");
        check("hostile-log-flood", r#"{"lines":"1000000"}"#, "PLUGIN_FUEL");
        check("hostile-log-flood", r#"{"lines":"1","length":"100000"}"#, "PLUGIN_OUTPUT");
    }

    #[test]
    fn the_wall_clock_ends_what_fuel_does_not() {
        let Some(mut kernel) = running("hostile-spin", "{}") else { return };
        let failure = kernel.events(1, &[quote(1, 100, 101)], 1 << 62).unwrap_err();
        assert_eq!(failure.text, "PLUGIN_TRAP did not return in 2000 ms");
    }

    #[test]
    fn memory_ends_at_the_declared_maximum() {
        let Some(mut kernel) = running("hostile-memory-bomb", "{}") else { return };
        let events = vec![quote(1, 100, 101); 64];
        let failure = kernel.events(1, &events, 1 << 40).unwrap_err();
        assert_eq!(failure.code(), "PLUGIN_MEMORY", "{failure:?}");
        assert!(failure.text.contains("may have 16777216"), "{failure:?}");
        let Some(mut kernel) = running("hostile-intent-flood", "{}") else { return };
        let failure = kernel.events(1, &[quote(1, 100, 101)], 1 << 40).unwrap_err();
        assert_eq!(failure.code(), "PLUGIN_MEMORY", "a million intents: {failure:?}");
    }

    #[test]
    fn what_a_trapped_call_wanted_does_not_exist() {
        let Some(mut kernel) = running("hostile-trap", r#"{"after":"2"}"#) else { return };
        let event = quote(1, 100, 101);
        let reply = kernel.events(1, &[event, event], FUEL).unwrap();
        assert_eq!(reply.intents().len(), 2);
        let failure = kernel.events(2, &[event], FUEL).unwrap_err();
        assert_eq!((failure.code(), failure.batch), ("PLUGIN_TRAP", 2));
        assert_eq!(kernel.rest(), b"", "nothing but the failure was sent");
    }

    #[test]
    fn as_many_intents_as_allowed_pass() {
        let Some(mut kernel) = running("hostile-intent-flood", r#"{"count":"256"}"#) else {
            return;
        };
        let reply = kernel.events(1, &[quote(1, 100, 101)], FUEL).unwrap();
        assert_eq!(reply.intents().len(), 256);
        assert_eq!(reply.intents()[255].reference, 256);
    }

    #[test]
    fn the_log_is_bounded_and_costs_fuel() {
        let log = |lines: u32| {
            let params = format!("{{\"lines\":\"{lines}\"}}");
            let mut kernel = running("hostile-log-flood", &params)?;
            let reply = kernel.events(1, &[quote(1, 100, 101)], FUEL).unwrap();
            Some((reply.log(), reply.header.value))
        };
        let (Some((little, cheap)), Some((much, dear))) = (log(2), log(500)) else { return };
        assert_eq!(little, format!("{0}\n{0}\n", "x".repeat(100)));
        assert!(much.len() <= 1024 && much.ends_with("(491 more lines dropped)\n"), "{much}");
        assert!(dear.saturating_sub(cheap) >= 498 * 2_000, "{cheap} {dear}");
    }

    #[test]
    fn a_foreign_import_is_named_with_its_cure() {
        let Some(bytes) = component("hostile-foreign-import") else { return };
        let failure = Kernel::start().load(&bytes, MEMORY).unwrap_err();
        assert_eq!(failure.code(), "PLUGIN_ADMISSION");
        assert!(failure.text.contains("wasi:clocks/monotonic-clock@0.2.3"), "{failure:?}");
        let (code, out, err) = kernel_side::inspect("hostile-foreign-import");
        assert_eq!((code, out.as_str(), err.lines().count()), (3, "", 1), "{err}");
        assert!(err.contains("expected portcullis:strategy/log@0.9.0"), "{err}");
    }

    #[test]
    fn another_version_of_the_world_is_refused() {
        let Some(bytes) = component("ema-cross") else { return };
        let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
        let older = text.replace("strategy/plugin@0.9.0", "strategy/plugin@0.8.0");
        let older: Vec<u8> = older.chars().filter_map(|char| u8::try_from(char).ok()).collect();
        let failure = Kernel::start().load(&older, MEMORY).unwrap_err();
        assert_eq!(failure.code(), "PLUGIN_ADMISSION");
        assert!(failure.text.contains("(version 0.8.0); expected"), "{failure:?}");
    }

    #[test]
    fn more_memory_than_was_signed_is_refused() {
        let Some(bytes) = component("ema-cross") else { return };
        let failure = Kernel::start().load(&bytes, 1024).unwrap_err();
        assert_eq!(failure.code(), "PLUGIN_ADMISSION");
        assert!(failure.text.contains("as signed"), "{failure:?}");
    }

    #[test]
    fn load_says_what_the_plugin_is() {
        let Some(bytes) = component("ema-cross") else { return };
        let loaded = Kernel::start().load(&bytes, MEMORY).unwrap();
        let loaded: Value = serde_json::from_slice(&loaded.payload).unwrap();
        let (code, proof, _) = kernel_side::inspect("ema-cross");
        let proof: Value = serde_json::from_str(&proof).unwrap();
        assert_eq!(code, 0);
        for member in ["component", "exports", "imports", "memory_bytes_max", "world"] {
            assert_eq!(loaded[member], proof[member], "{member}");
        }
        assert_eq!(loaded["engine"], SandboxEngine::new().unwrap().name());
        assert_eq!(loaded["declaration"]["streams"][0], "quotes");
        assert_eq!(loaded["declaration"]["parameters"][0]["name"], "fast");
    }

    #[test]
    fn parameters_are_checked_before_and_by_the_plugin() {
        let Some(bytes) = component("ema-cross") else { return };
        let refusal = |params: &str| -> Failure {
            let mut kernel = Kernel::start();
            kernel.load(&bytes, MEMORY).unwrap();
            kernel.init(params, FUEL).unwrap_err()
        };
        for (params, said) in [
            (r#"{"fast":"0"}"#, "parameter fast: expected a whole number from 1 to 100000"),
            (r#"{"speed":"9"}"#, "parameter speed is not declared"),
            (r#"{"fast":"50","slow":"50"}"#, "fast must be shorter than slow"),
        ] {
            let failure = refusal(params);
            assert_eq!((failure.code(), failure.cause()), ("PLUGIN_INIT", said));
        }
    }

    #[test]
    fn the_kernel_side_is_not_trusted_to_speak_well() {
        let code = |kernel: &mut Kernel| kernel.reply().unwrap_err().code().to_owned();
        let mut kernel = Kernel::start();
        kernel.send(header(FrameKind::Events, 1, 1, FUEL), &quote(1, 1, 2).encode());
        assert_eq!(code(&mut kernel), "PLUGIN_PROTOCOL");
        let mut kernel = Kernel::start();
        kernel.send_bytes(&[0xff; 24]);
        assert_eq!(code(&mut kernel), "PLUGIN_PROTOCOL");
        let mut kernel = Kernel::start();
        kernel.hang_up();
        assert_eq!(kernel.wait(), 0, "hanging up is the ordinary end");
        let Some(mut kernel) = running("ema-cross", "{}") else { return };
        kernel.send(header(FrameKind::Events, 1, 65, FUEL), &[0; 65 * RECORD_LEN]);
        assert_eq!(code(&mut kernel), "PLUGIN_PROTOCOL");
        let Some(mut kernel) = running("ema-cross", "{}") else { return };
        kernel.send(header(FrameKind::Events, 1, 1, FUEL), &[0; 2 * RECORD_LEN]);
        assert_eq!(code(&mut kernel), "PLUGIN_PROTOCOL");
    }

    /// Prices that go up and down, so that the averages cross.
    fn swing() -> impl Iterator<Item = (i64, i64)> {
        (0..400_i64).map(|n| {
            let price = 10_000 + 10 * (n % 100 - 50).abs();
            (n, price)
        })
    }

    #[test]
    fn the_same_events_give_the_same_intents_and_fuel() {
        let params = r#"{"fast":"5","greedy":"3","qty":"7","slow":"20"}"#;
        let run = || {
            let mut kernel = running("ema-cross", params)?;
            let mut record = Vec::new();
            for (n, price) in swing() {
                let batch = u32::try_from(n).unwrap();
                let reply = kernel.events(batch, &[quote(n, price, price + 1)], FUEL).unwrap();
                record.push((reply.header.value, reply.intents()));
            }
            Some(record)
        };
        let (Some(first), Some(second)) = (run(), run()) else { return };
        assert_eq!(first, second);
        let orders: Vec<_> = first.iter().flat_map(|(_, intents)| intents).collect();
        // Nobody answers, so one order stays under way and only its cancels follow.
        assert_eq!((orders[0].kind, orders[0].reference, orders[0].qty), (1, 1, 70));
        assert!(orders.len() > 2 && orders[1..].iter().all(|intent| intent.kind == 3));
        let dearest = first.iter().map(|(fuel, _)| *fuel).max();
        assert!(dearest < Some(20_000), "one event is within what is declared: {dearest:?}");
    }

    /// Plays the kernel for `ema-cross`: fills orders of a sane size at once, denies the others.
    /// Returns the orders' quantities in order, and the position at the end.
    fn trade(params: &str) -> Option<(Vec<i64>, i64)> {
        let mut kernel = running("ema-cross", params)?;
        let (mut wanted, mut position, mut news) = (Vec::new(), 0, Vec::new());
        for (n, price) in swing() {
            news.push(quote(n, price, price + 1));
            let reply = kernel.events(u32::try_from(n).unwrap(), &news, FUEL).unwrap();
            news.clear();
            for order in reply.intents() {
                let sign = if order.side == side_code::BUY { 1 } else { -1 };
                wanted.push(sign * order.qty);
                if order.qty > 1_000 {
                    news.push(EventRecord { kind: event_kind::DENIAL, code: 3, ..about(&order) });
                    continue;
                }
                position += sign * order.qty;
                let (side, qty) = (order.side, order.qty);
                news.push(EventRecord { kind: event_kind::FILL, side, qty, ..about(&order) });
                news.push(EventRecord { kind: event_kind::ORDER, code: 5, qty, ..about(&order) });
                let qty = position;
                news.push(EventRecord { kind: event_kind::POSITION, qty, ..about(&order) });
            }
        }
        Some((wanted, position))
    }

    fn about(order: &IntentRecord) -> EventRecord {
        EventRecord { reference: order.reference, ..EventRecord::default() }
    }

    #[test]
    fn ema_cross_goes_long_and_flat_and_takes_a_denial_as_an_answer() {
        let Some((wanted, _)) = trade(r#"{"fast":"5","qty":"7","slow":"20"}"#) else { return };
        assert!(wanted.len() >= 6, "{wanted:?}");
        assert!(
            wanted.iter().zip([70, -70].iter().cycle()).all(|(is, due)| is == due),
            "{wanted:?}"
        );
        let params = r#"{"fast":"5","greedy":"3","qty":"7","slow":"20"}"#;
        let Some((wanted, position)) = trade(params) else { return };
        // The denied entry is not repeated, and its exit finds nothing to sell.
        assert_eq!(wanted[..4], [70, -70, 70_000, 70], "{wanted:?}");
        assert!([0, 70].contains(&position));
    }

    #[test]
    fn ema_cross_rests_and_takes_back() {
        let params = r#"{"fast":"5","offset":"4","qty":"7","rest":"1","slow":"20"}"#;
        let Some(mut kernel) = running("ema-cross", params) else { return };
        let mut seen = Vec::new();
        for (n, price) in swing() {
            let event = quote(n, price, price + 1);
            let reply = kernel.events(u32::try_from(n).unwrap(), &[event], FUEL).unwrap();
            seen.extend(reply.intents().into_iter().map(|intent| (intent, price)));
        }
        let (order, price) = seen[0];
        assert_eq!((order.ord_type, order.time_in_force, order.price), (2, 1, price - 4));
        assert_eq!((seen[1].0.kind, seen[1].0.reference), (3, order.reference));
    }

    #[test]
    fn a_snapshot_larger_than_declared_is_refused_and_a_bad_restore_traps() {
        let Some(bytes) = component("hostile-bad-restore") else { return };
        let engine = SandboxEngine::new().unwrap();
        let start: SessionStart = serde_json::from_str(&kernel_side::session_start("{}")).unwrap();
        let mut plugin = Plugin::load(&engine, &bytes, MEMORY).unwrap();
        plugin.init(&start, FUEL).unwrap();
        assert_eq!(plugin.snapshot(FUEL).unwrap_err().code(), FaultCode::Output);
        assert_eq!(plugin.restore(&[0; 25], FUEL).unwrap_err().code(), FaultCode::Init);
        assert_eq!(plugin.restore(&[0; 20], FUEL).unwrap_err().code(), FaultCode::Trap);
    }

    #[test]
    fn a_header_alone_gets_no_answer_and_no_memory() {
        let mut kernel = Kernel::start();
        let claim = FrameHeader {
            kind: FrameKind::Load,
            payload_len: 60 * 1024 * 1024,
            batch: 0,
            count: 0,
            value: MEMORY,
        };
        kernel.send_bytes(&claim.encode());
        kernel.hang_up();
        assert_eq!(kernel.wait(), 0);
    }
}
