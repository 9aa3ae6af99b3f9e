//! Imports a clock. Admission has to name it and refuse.

#[cfg(target_arch = "wasm32")]
mod component {
    wit_bindgen::generate!({
        inline: "
            package portcullis:hostile;

            world clock-reader {
                import wasi:clocks/monotonic-clock@0.2.3;
                export tick: func() -> u64;
            }

            package wasi:clocks@0.2.3 {
                interface monotonic-clock {
                    now: func() -> u64;
                }
            }
        ",
        world: "portcullis:hostile/clock-reader",
        generate_all,
    });

    struct ClockReader;

    impl Guest for ClockReader {
        fn tick() -> u64 {
            wasi::clocks::monotonic_clock::now()
        }
    }

    export!(ClockReader);
}
