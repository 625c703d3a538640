//! Places for work that takes long: so many in all, and so many of one person.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::Notify, time::timeout};

/// The places for one kind of work.
pub struct Slots<K> {
    all: usize,
    of_one: usize,
    taken: Mutex<HashMap<K, usize>>,
    freed: Notify,
}

/// A place that is taken; free again when this value is dropped.
pub struct Slot<K: Hash + Eq + Copy> {
    slots: Arc<Slots<K>>,
    who: K,
}

/// The reason for which there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// This person has taken as many places as one person may.
    Own,
    /// Others have taken all places.
    All,
}

impl<K: Hash + Eq + Copy> Slots<K> {
    /// So many places in all, and so many of one person.
    #[must_use]
    pub fn new(all: usize, of_one: usize) -> Arc<Self> {
        Arc::new(Self { all, of_one, taken: Mutex::default(), freed: Notify::new() })
    }

    /// Takes a place. Waits no longer than `patience` where others have taken all places, and not at all where it is the
    /// person's own work that is in the way.
    pub async fn take(self: &Arc<Self>, who: K, patience: Duration) -> Result<Slot<K>, Full> {
        let taken = timeout(patience, async {
            loop {
                let freed = self.freed.notified();
                match self.try_take(who) {
                    Err(Full::All) => freed.await,
                    done => return done,
                }
            }
        });
        taken.await.unwrap_or(Err(Full::All))
    }

    fn try_take(self: &Arc<Self>, who: K) -> Result<Slot<K>, Full> {
        let mut taken = self.taken();
        if taken.get(&who).is_some_and(|own| *own >= self.of_one) {
            return Err(Full::Own);
        }
        if taken.values().sum::<usize>() >= self.all {
            return Err(Full::All);
        }
        *taken.entry(who).or_default() += 1;
        Ok(Slot { slots: Arc::clone(self), who })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<K, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq + Copy> Drop for Slot<K> {
    fn drop(&mut self) {
        let mut taken = self.slots.taken();
        let left = taken.get(&self.who).map_or(0, |own| own - 1);
        if left == 0 {
            taken.remove(&self.who);
        } else {
            taken.insert(self.who, left);
        }
        drop(taken);
        self.slots.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT_ONCE: Duration = Duration::from_millis(1);

    #[actix_web::test]
    async fn one_person_takes_no_place_of_another() {
        let slots = Slots::new(3, 2);
        let first = slots.take(1, AT_ONCE).await.unwrap();
        let _second = slots.take(1, AT_ONCE).await.unwrap();
        assert_eq!(slots.take(1, AT_ONCE).await.err(), Some(Full::Own));
        let third = slots.take(2, AT_ONCE).await.unwrap();
        assert_eq!(slots.take(2, AT_ONCE).await.err(), Some(Full::All));
        drop(first);
        let again = slots.take(3, AT_ONCE).await.unwrap();
        assert_eq!(slots.take(1, AT_ONCE).await.err(), Some(Full::All));
        // Who waits has the place as soon as it is free.
        let waits = slots.take(1, Duration::from_secs(10));
        let frees = async { drop((third, again)) };
        let (waited, ()) = tokio::join!(waits, frees);
        waited.unwrap();
        assert_eq!(slots.taken().len(), 1);
    }
}
