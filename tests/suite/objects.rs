//! Files beside the database, in a bucket of a real server.

use crate::support::Bucket;
use partner_incentives::platform::{
    Error, Result, codes,
    objects::{ObjectKey, Objects},
    values::Text,
};
use std::io::{self, Read};

const MIB: usize = 1024 * 1024;

fn key(of: u32) -> ObjectKey {
    let folder = "01936f2e-4b00-7000-8000-000000000001".parse().unwrap();
    ObjectKey { folder, id: format!("01936f2e-4b00-7000-8000-{of:012}").parse().unwrap() }
}

fn read(objects: &Objects, key: ObjectKey) -> Result<Vec<u8>> {
    let mut all = Vec::new();
    objects.read(key, |piece| {
        all.extend_from_slice(&piece);
        Ok(())
    })?;
    Ok(all)
}

/// A body that is cut after so many bytes.
struct Cut(usize);

impl Read for Cut {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.min(buffer.len());
        if count == 0 {
            return Err(io::Error::other(Error::new(&codes::MALFORMED, Text::new("cut", "切断"))));
        }
        self.0 -= count;
        Ok(count)
    }
}

#[test]
fn a_bucket_keeps_what_is_put_and_nothing_of_what_is_cut() {
    let Some(bucket) = Bucket::running() else { return };
    let objects = bucket.objects("proofs/of/ours");
    let bytes: Vec<u8> = (0..12 * MIB).map(|n| n.to_be_bytes()[6] ^ n.to_le_bytes()[0]).collect();
    for (n, length) in [(1, 0), (2, 3), (3, 5 * MIB), (4, 5 * MIB + 1), (5, bytes.len())] {
        let stored = objects.put(key(n), &bytes[..length], 12 * MIB as u64).unwrap();
        assert_eq!(stored.bytes, i64::try_from(length).unwrap());
        assert!(read(&objects, key(n)).unwrap() == bytes[..length], "{length} bytes are others");
    }
    let abc = objects.put(key(6), &b"abc"[..], 3).unwrap();
    assert_eq!(abc.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert!(bucket.listed().contains("<Key>proofs/of/ours/01936f2e-4b00-7000-8000-000000000001/"));

    for (length, most) in [(4, 3), (5 * MIB + 1, 5 * MIB), (11 * MIB, 10 * MIB)] {
        let refused = objects.put(key(7), &bytes[..length], most as u64).unwrap_err();
        assert_eq!(refused.code.code, "too_large");
    }
    for left in [0, 3, 5 * MIB, 11 * MIB] {
        assert_eq!(objects.put(key(7), Cut(left), 1 << 30).unwrap_err().code.code, "malformed");
    }
    let listed = bucket.listed();
    assert!(!listed.contains("000000000007"), "nothing stays: {listed}");

    for _ in 0..2 {
        objects.delete(key(5)).unwrap();
    }
    assert_eq!(read(&objects, key(5)).unwrap_err().code.code, "internal");
    assert_eq!(read(&objects, key(6)).unwrap(), b"abc");
}

#[test]
fn a_bucket_that_is_away_is_a_fault_that_passes() {
    let Some(mut bucket) = Bucket::running() else { return };
    let objects = bucket.objects("proofs");
    objects.put(key(1), &b"abc"[..], 3).unwrap();
    bucket.stop();
    for error in [
        objects.put(key(2), &b"abc"[..], 3).unwrap_err(),
        read(&objects, key(1)).unwrap_err(),
        objects.delete(key(1)).unwrap_err(),
    ] {
        assert_eq!((error.code.code, error.retry_after), ("unavailable", Some(5)), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    bucket.start();
    objects.put(key(2), &b"abc"[..], 3).unwrap();
    assert_eq!(read(&objects, key(2)).unwrap(), b"abc");
}
