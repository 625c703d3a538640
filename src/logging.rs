//! Log lines through `env_logger`: for people on a terminal, else one JSON object each.

use crate::{
    config::LogFormat,
    platform::{http::TARGETS_OF_CLIENTS_FAULTS, values::Clock},
};
use log::{Level, Log, Metadata, Record, kv};
use std::io::{IsTerminal, Write};

/// Starts logging. A second call does nothing.
pub fn start(format: LogFormat, filter: &str) {
    let json = match format {
        LogFormat::Json => true,
        LogFormat::Human => false,
        LogFormat::Auto => !std::io::stderr().is_terminal(),
    };
    let mut builder = env_logger::Builder::new();
    builder.parse_filters(filter);
    if json {
        builder.format(|out, record| writeln!(out, "{}", json_line(record)));
    }
    let logger = builder.build();
    let most = logger.filter();
    // A second start, in tests, keeps the first one's settings.
    if log::set_boxed_logger(Box::new(Weighed(logger))).is_ok() {
        log::set_max_level(most);
    }
}

/// A logger to which a client's fault is a detail, not an error of the service: whoever sends nonsense must wake nobody.
struct Weighed(env_logger::Logger);

impl Log for Weighed {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.0.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if record.level() < Level::Debug && TARGETS_OF_CLIENTS_FAULTS.contains(&record.target()) {
            self.0.log(&record.to_builder().level(Level::Debug).build());
        } else {
            self.0.log(record);
        }
    }

    fn flush(&self) {
        self.0.flush();
    }
}

fn json_line(record: &Record<'_>) -> serde_json::Value {
    let mut line = serde_json::Map::new();
    line.insert("time".into(), Clock::System.now().to_string().into());
    line.insert("level".into(), record.level().as_str().into());
    line.insert("target".into(), record.target().into());
    line.insert("message".into(), record.args().to_string().into());
    // Visiting into a map cannot fail.
    let _ = record.key_values().visit(&mut Members(&mut line));
    serde_json::Value::Object(line)
}

struct Members<'a>(&'a mut serde_json::Map<String, serde_json::Value>);

impl<'kvs> kv::VisitSource<'kvs> for Members<'_> {
    fn visit_pair(&mut self, key: kv::Key<'kvs>, value: kv::Value<'kvs>) -> Result<(), kv::Error> {
        let value = match value.to_u64() {
            Some(number) => number.into(),
            None => value.to_string().into(),
        };
        self.0.insert(key.as_str().to_owned(), value);
        Ok(())
    }
}
