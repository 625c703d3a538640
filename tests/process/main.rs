//! The binary as people start it, and the README they start it by.

#![cfg(test)]

mod calculating;
mod readme;
mod running;
mod starting;
