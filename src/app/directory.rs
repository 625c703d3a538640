//! The directory: the functions of the slices that answer the questions of `access`.

use crate::{
    access::Directory,
    identity::{api_clients, sessions, setup, users},
    network::partners,
};

/// The answers of the slices that own users, API clients and partners.
pub(super) const DIRECTORY: Directory = Directory {
    user: sessions::standing,
    client: api_clients::standing,
    set_up: setup::is_completed,
    family: partners::family_of,
    numbered: partners::numbered,
    lock: partners::lock,
    guess: sessions::count_guess,
    forget_guesses: sessions::forget_guesses,
    one_person: users::are_one_person,
    end_sessions: sessions::end_others,
};
