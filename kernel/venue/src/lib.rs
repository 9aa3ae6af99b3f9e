//! The door to a venue: takes only orders that are approved and on record.
