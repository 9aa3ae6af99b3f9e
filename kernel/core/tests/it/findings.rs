//! The life of findings: explained by one person, confirmed by another.
