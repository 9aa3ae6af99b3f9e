//! Rendering: golden parts, hostile entries, and packs of the kernel.
