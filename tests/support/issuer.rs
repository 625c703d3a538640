//! A small OpenID Connect issuer: discovery, a key set, and tokens with any claims a story needs.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair},
};
use jsonwebtoken::{Algorithm, EncodingKey, Header, jwk::Jwk};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

/// An issuer on a port of its own, which serves until the test ends.
pub struct Issuer {
    /// The name of the issuer, which is its address.
    pub name: String,
    keys: Arc<Mutex<Vec<Key>>>,
    asked: Arc<AtomicU32>,
}

struct Key {
    kid: String,
    algorithm: Algorithm,
    private: EncodingKey,
    shown: bool,
}

impl Issuer {
    /// An issuer with a key named `first`, for `EdDSA`.
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("find a free port");
        let name = format!("http://{}", listener.local_addr().expect("the port"));
        let (keys, asked) = (Arc::default(), Arc::default());
        let issuer = Self { name: name.clone(), keys: Arc::clone(&keys), asked: Arc::clone(&asked) };
        issuer.add_key("first", Algorithm::EdDSA, true);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                serve(stream.expect("a connection"), &name, &keys, &asked);
            }
        });
        issuer
    }

    /// Adds a key that signs tokens; the key set names the key where `shown` is true.
    pub fn add_key(&self, kid: &str, algorithm: Algorithm, shown: bool) {
        let private = match algorithm {
            Algorithm::EdDSA => {
                let pair = Ed25519KeyPair::generate().expect("a key").to_pkcs8v1().expect("a key");
                EncodingKey::from_ed_der(pair.as_ref())
            }
            Algorithm::ES256 => {
                let random = SystemRandom::new();
                let pair = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random);
                EncodingKey::from_ec_der(pair.expect("a key").as_ref())
            }
            other => panic!("no story needs {other:?}"),
        };
        self.keys.lock().expect("the keys").push(Key { kid: kid.into(), algorithm, private, shown });
    }

    /// Removes a key.
    pub fn withdraw(&self, kid: &str) {
        self.keys.lock().expect("the keys").retain(|key| key.kid != kid);
    }

    /// The number of requests for the key set.
    pub fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }

    /// A token with these claims, signed with a key.
    pub fn sign(&self, kid: &str, claims: &Value) -> String {
        let keys = self.keys.lock().expect("the keys");
        let key = keys.iter().find(|key| key.kid == kid).expect("a key of that name");
        let header = Header { kid: Some(kid.into()), ..Header::new(key.algorithm) };
        jsonwebtoken::encode(&header, claims, &key.private).expect("a token")
    }
}

fn serve(mut stream: TcpStream, name: &str, keys: &Mutex<Vec<Key>>, asked: &AtomicU32) {
    let mut lines = BufReader::new(stream.try_clone().expect("the stream")).lines().map_while(Result::ok);
    let asks_for = lines.next().unwrap_or_default();
    lines.take_while(|line| !line.is_empty()).for_each(drop);
    let body = if asks_for.contains("/.well-known/openid-configuration ") {
        json!({"issuer": name, "jwks_uri": format!("{name}/keys")})
    } else {
        asked.fetch_add(1, Ordering::SeqCst);
        let keys = keys.lock().expect("the keys");
        let public = |key: &Key| {
            let mut jwk = Jwk::from_encoding_key(&key.private, key.algorithm).expect("a public key");
            jwk.common.key_id = Some(key.kid.clone());
            jwk
        };
        json!({"keys": keys.iter().filter(|key| key.shown).map(public).collect::<Vec<_>>()})
    };
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).expect("answer");
}
