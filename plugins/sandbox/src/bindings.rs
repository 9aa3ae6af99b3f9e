//! The world of `wit/` as Rust types, with the plain field-by-field lowering.

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "portcullis:strategy/strategy",
});
