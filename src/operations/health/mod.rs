//! Health and metrics: what a balancer and a monitor ask.

pub mod api;
