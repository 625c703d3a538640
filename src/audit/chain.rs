//! The chain: each event's hash covers the hash before, so that a changed or removed event breaks the chain.

use super::AuditEvent;
use crate::platform::{Error, Result};
use aws_lc_rs::digest::{Context, SHA256};
use std::{fmt, fmt::Write, str::FromStr};

/// The name of the layout of the hashed bytes; another layout gets another name.
const LAYOUT: &[u8] = b"audit-event-1";

/// An event's place in the chain, and the hash over the event and all events before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seal {
    /// The event's place in the chain; the first event has 1.
    pub sequence: i64,
    /// The SHA-256 over the event and the hash before.
    pub hash: [u8; 32],
}

impl Seal {
    /// The seal before the first event.
    pub const START: Self = Self { sequence: 0, hash: [0; 32] };

    /// The seal of the event that follows this one.
    pub(super) fn over(self, event: &AuditEvent) -> Result<Self> {
        let sequence = self.sequence + 1;
        let mut digest = Context::new(&SHA256);
        digest.update(&self.hash);
        let mut field = |bytes: Option<&[u8]>| {
            // Each field is hashed with its length: bytes cannot move from one field into the next unseen.
            let Some(bytes) = bytes else { return digest.update(&[0]) };
            digest.update(&[1]);
            digest.update(&(bytes.len() as u64).to_be_bytes());
            digest.update(bytes);
        };
        field(Some(LAYOUT));
        field(Some(&sequence.to_be_bytes()));
        field(Some(event.id.0.as_bytes()));
        field(Some(&event.occurred_at.as_micros().to_be_bytes()));
        field(event.actor_id.as_ref().map(|id| id.0.as_bytes().as_slice()));
        field(Some(event.actor_role.as_bytes()));
        field(Some(event.operation.as_bytes()));
        field(Some(event.resource_type.as_bytes()));
        field(Some(event.resource_id.0.as_bytes()));
        field(event.partner_id.as_ref().map(|id| id.0.as_bytes().as_slice()));
        for document in [&event.before, &event.after] {
            // PostgreSQL stores members in an order of its own and writes numbers its own way: the form of RFC 8785 is
            // the same from both databases.
            let canonical = document.as_ref().map(|json| serde_json_canonicalizer::to_vec(&json.0));
            field(canonical.transpose().map_err(Error::internal)?.as_deref());
        }
        field(event.reason.as_ref().map(String::as_bytes));
        field(Some(event.request_id.as_bytes()));
        let mut hash = [0; 32];
        hash.copy_from_slice(digest.finish().as_ref());
        Ok(Self { sequence, hash })
    }

    /// How an event differs from the event that was sealed next after this seal; none where the two are the same. `due` is
    /// the seal computed from the event.
    pub(super) fn difference(self, event: &AuditEvent, due: Self) -> Option<String> {
        let place = event.sequence.unwrap_or_default();
        let named = format!(
            "event {} ({} of {} {})",
            event.id, event.operation, event.resource_type, event.resource_id
        );
        if place != due.sequence {
            return Some(format!(
                "sequence {} is missing: {named} at {place} is the next after {}",
                due.sequence, self.sequence
            ));
        }
        let kept = event.hash.as_deref().unwrap_or_default();
        (kept != due.hash).then(|| {
            format!(
                "sequence {place}, {named}: it is not what was sealed; the hash on record is {}, \
                 what is there now comes to {}",
                hex(kept),
                hex(&due.hash)
            )
        })
    }
}

/// Bytes in lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl fmt::Display for Seal {
    /// `SEQUENCE:HASH`, to be noted out of reach of people who can write to the database.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.sequence, hex(&self.hash))
    }
}

impl FromStr for Seal {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "write SEQUENCE:HASH as `verify` printed it, with 64 hexadecimal digits";
        let (sequence, digits) = text.split_once(':').ok_or(FORM)?;
        let sequence = sequence.parse().ok().filter(|sequence| *sequence >= 0).ok_or(FORM)?;
        if digits.len() != 64 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(FORM);
        }
        let mut hash = [0; 32];
        for (at, byte) in hash.iter_mut().enumerate() {
            let pair = digits.get(2 * at..2 * at + 2).ok_or(FORM)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| FORM)?;
        }
        Ok(Self { sequence, hash })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::{
        db::types::Json,
        values::{Id, Timestamp},
    };
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    fn event(before: Value) -> AuditEvent {
        let id: Id = "01936f2e-4b00-7000-8000-000000000001".parse().unwrap();
        AuditEvent {
            id,
            occurred_at: Timestamp::from_micros(1),
            actor_id: None,
            actor_role: "system".into(),
            operation: "Sow".into(),
            resource_type: "field".into(),
            resource_id: id,
            partner_id: None,
            before: Some(Json(before)),
            after: None,
            reason: None,
            request_id: "request".into(),
            sequence: None,
            hash: None,
        }
    }

    fn sealed(event: &AuditEvent) -> Seal {
        Seal::START.over(event).unwrap()
    }

    fn document() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((any::<String>(), inner), 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    /// The same document in the form another store might return: members in reverse order, numbers written otherwise.
    fn restored(value: &Value) -> Value {
        match value {
            Value::Object(members) => {
                let turned = members.iter().rev().map(|(name, value)| (name.clone(), restored(value)));
                Value::Object(turned.collect::<Map<_, _>>())
            }
            Value::Array(items) => items.iter().map(restored).collect(),
            Value::Number(number) => match number.as_f64() {
                // PostgreSQL writes numbers with all digits and without an exponent.
                Some(number) => serde_json::from_str(&number.to_string()).unwrap(),
                None => value.clone(),
            },
            other => other.clone(),
        }
    }

    proptest! {
        #[test]
        fn a_document_has_one_hash_however_it_is_stored(document in document()) {
            prop_assert_eq!(sealed(&event(document.clone())), sealed(&event(restored(&document))));
        }

        #[test]
        fn another_document_has_another_hash(one in document(), other in document()) {
            let canonical = |value: &Value| serde_json_canonicalizer::to_vec(value).unwrap();
            prop_assert_eq!(canonical(&one) == canonical(&other), sealed(&event(one)) == sealed(&event(other)));
        }

        #[test]
        fn a_seal_is_read_as_it_is_written(sequence in 0..i64::MAX, hash: [u8; 32]) {
            let seal = Seal { sequence, hash };
            prop_assert_eq!(seal.to_string().parse(), Ok(seal));
        }
    }

    #[test]
    fn nothing_moves_from_one_field_into_the_next_unseen() {
        let plain = event(json!({}));
        let moved = AuditEvent { operation: "Sowf".into(), resource_type: "ield".into(), ..plain.clone() };
        let turned = AuditEvent { before: None, after: plain.before.clone(), ..plain.clone() };
        let empty = AuditEvent { reason: Some(String::new()), ..plain.clone() };
        for other in [moved, turned, empty] {
            assert_ne!(sealed(&plain), sealed(&other));
        }
        assert_ne!(sealed(&plain).hash, sealed(&plain).over(&plain).unwrap().hash);
    }

    #[test]
    fn what_is_no_seal_is_refused() {
        let digits = "0".repeat(64);
        for text in
            ["", "7", ":", &format!("-1:{digits}"), &format!("7:{digits}0"), &format!("7:{}é", &digits[2..])]
        {
            assert!(text.parse::<Seal>().is_err(), "{text}");
        }
    }
}
