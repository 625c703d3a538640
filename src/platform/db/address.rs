//! The parts of a PostgreSQL URL, read as libpq reads them: what may be shown of the URL, and where the server is.

use std::{ffi::OsString, net::IpAddr};

/// The parameters whose values are secrets.
const SECRETS: [&str; 2] = ["password", "sslpassword"];

/// A PostgreSQL URL, in parts. Every value is percent-decoded.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct ServerAddress {
    password: String,
    hosts: Vec<Host>,
    name: String,
    parameters: Vec<(String, String)>,
}

/// A server as the URL names it before the database's name.
#[derive(Clone, PartialEq, Eq)]
struct Host {
    name: String,
    port: String,
}

impl ServerAddress {
    /// Reads a URL. An error names the faulty part, never its text: that may be a piece of the password.
    pub(super) fn of(url: &str) -> Result<Self, String> {
        let (scheme, rest) = url.split_once("://").unwrap_or_default();
        if !matches!(scheme, "postgres" | "postgresql") {
            return Err("write postgres://USER@HOST/NAME".into());
        }
        let (user, rest) = match rest.find(['@', '/']) {
            Some(at) if rest[at..].starts_with('@') => (&rest[..at], &rest[at + 1..]),
            _ => ("", rest),
        };
        let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
        if before.contains('@') {
            return Err(
                "percent-encode the signs @ : / ? # % in user name and password, as in p%40ss for p@ss"
                    .into(),
            );
        }
        let (servers, name) = before.split_once('/').unwrap_or((before, ""));
        let password = user.split_once(':').map_or("", |(_, password)| password);
        decoded(user)?;
        Ok(Self {
            password: decoded(password)?,
            hosts: servers.split(',').map(Host::of).collect::<Result<_, _>>()?,
            name: decoded(name)?,
            parameters: query
                .split('&')
                .filter(|it| !it.is_empty())
                .map(parameter)
                .collect::<Result<_, _>>()?,
        })
    }

    /// The servers and the database's name: the part of the URL without secrets.
    pub(super) fn shown(&self) -> String {
        let named: Vec<String> = self.hosts.iter().map(Host::shown).collect();
        let (servers, by_parameter) =
            (named.join(","), self.value("host").or_else(|| self.value("hostaddr")));
        match by_parameter {
            Some(host) => format!("postgres://{servers}/{}?host={host}", self.name),
            None => format!("postgres://{servers}/{}", self.name),
        }
    }

    /// A text of the driver without the secrets of this URL.
    pub(super) fn scrubbed(&self, text: &str) -> String {
        let secrets = self.parameters.iter().filter(|(name, _)| SECRETS.contains(&name.as_str()));
        let secrets = secrets.map(|(_, value)| value).chain([&self.password]).filter(|it| !it.is_empty());
        secrets.fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "…"))
    }

    pub(super) fn says(&self, parameter: &str) -> bool {
        self.value(parameter).is_some()
    }

    /// Whether some way to the server leaves this machine: by a host of the URL, its parameters or the environment of
    /// libpq. A service file may name any host.
    pub(super) fn is_remote(&self, environment: &dyn Fn(&str) -> Option<OsString>) -> bool {
        let env = |name: &str| environment(name).map(|value| value.to_string_lossy().into_owned());
        if self.says("service") || env("PGSERVICE").is_some_and(|name| !name.is_empty()) {
            return true;
        }
        let mut lists: Vec<String> = self.hosts.iter().map(|host| host.name.clone()).collect();
        lists.extend(self.values("host").chain(self.values("hostaddr")).map(str::to_owned));
        // The environment takes the place of what the URL leaves out; an address counts beside a name.
        if lists.iter().all(|hosts| hosts.split(',').any(str::is_empty)) {
            lists.extend(env("PGHOST"));
        }
        if !self.says("hostaddr") {
            lists.extend(env("PGHOSTADDR"));
        }
        lists.iter().flat_map(|hosts| hosts.split(',')).any(|host| !is_here(host))
    }

    /// Whether the URL or the environment of libpq says that a connection without TLS is given up.
    pub(super) fn insists_on_tls(&self, environment: &dyn Fn(&str) -> Option<OsString>) -> bool {
        const MODES: [&str; 3] = ["require", "verify-ca", "verify-full"];
        let by_environment = || environment("PGSSLMODE").map(|mode| mode.to_string_lossy().into_owned());
        let short = self.value("ssl").filter(|it| *it == "true").map(|_| "require".to_owned());
        let mode = self.value("sslmode").map(str::to_owned).or(short).or_else(by_environment);
        mode.is_some_and(|mode| MODES.contains(&mode.as_str()))
    }

    /// The value of a parameter; of a repeated one the last, as libpq takes it.
    fn value(&self, name: &str) -> Option<&str> {
        self.parameters.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.parameters.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Host {
    fn of(text: &str) -> Result<Self, String> {
        let (name, rest) = match text.strip_prefix('[') {
            Some(v6) => v6.split_once(']').ok_or("an IPv6 address ends with ]")?,
            None => text.split_at(text.find(':').unwrap_or(text.len())),
        };
        let port = rest.strip_prefix(':').unwrap_or(rest);
        if !port.is_empty() && port.parse::<u16>().is_err() {
            return Err("the port of the server is a number up to 65535".into());
        }
        Ok(Self { name: decoded(name)?, port: port.to_owned() })
    }

    fn shown(&self) -> String {
        let Self { name, port } = self;
        let name = if name.contains(':') { format!("[{name}]") } else { name.clone() };
        if port.is_empty() { name } else { format!("{name}:{port}") }
    }
}

/// Whether a host is this machine: a socket in a folder, an abstract socket, `localhost` or a loopback address. The empty
/// name is the usual socket. A name that only looks like an address may be anywhere.
fn is_here(host: &str) -> bool {
    host.is_empty()
        || host.starts_with(['/', '@'])
        || host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn parameter(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write each parameter after ? as NAME=VALUE")?;
    Ok((decoded(name)?, decoded(value)?))
}

fn decoded(text: &str) -> Result<String, String> {
    let fault =
        || "a % in the URL is followed by two hexadecimal digits: write %25 for the sign itself".to_owned();
    let mut bytes = Vec::new();
    let mut parts = text.split('%');
    bytes.extend(parts.next().unwrap_or_default().bytes());
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).ok_or_else(fault)?;
        // `from_str_radix` takes a sign.
        let byte = digits.chars().all(|c| c.is_ascii_hexdigit()).then(|| u8::from_str_radix(digits, 16));
        bytes.push(byte.and_then(Result::ok).ok_or_else(fault)?);
        bytes.extend(rest.bytes());
    }
    String::from_utf8(bytes).map_err(|_| fault())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(url: &str) -> ServerAddress {
        ServerAddress::of(url).unwrap_or_else(|fault| panic!("{url}: {fault}"))
    }

    #[test]
    fn a_remote_server_is_told_from_a_local_one() {
        let remote = |url: &str| address(url).is_remote(&|_| None);
        for url in [
            "postgres://u:p@db.example.com/x",
            "postgres://db.example.com:5432/x",
            "postgres://u@10.0.0.7/x",
            "postgres://[2001:db8::1]:5432/x",
            "postgres://127.evil.example/x",
            "postgres://127.0.0.1.evil.example/x",
            "postgres://localhost,db.example.com/x",
            "postgres:///x?host=db.example.com",
            "postgres:///x?host=%64b.example.com",
            "postgres:///x?host=/run/postgresql,db.example.com",
            "postgres://localhost/x?host=db.example.com",
            "postgres://localhost/x?hostaddr=10.0.0.7",
            "postgres:///x?hostaddr=127.0.0.1,10.0.0.7",
            "postgres:///x?user=u&host=/run&host=db.example.com",
            "postgres://localhost/x?service=main",
            "postgres://u:host=%2Frun@db.example.com/x",
            "postgres://db.example.com/x?application_name=host=/run",
        ] {
            assert!(remote(url), "{url}");
        }
        for url in [
            "postgres:///x",
            "postgres://u@localhost:5433/x",
            "postgres://LOCALHOST/x",
            "postgres://127.0.0.1/x",
            "postgres://127.8.9.1/x",
            "postgres://[::1]/x",
            "postgres://localhost,127.0.0.1:5433/x",
            "postgres:///x?host=/run/postgresql",
            "postgres://%2Frun%2Fpostgresql/x",
            "postgres:///x?host=@abstract",
            "postgres:///x?hostaddr=127.0.0.1",
        ] {
            assert!(!remote(url), "{url}");
        }
    }

    #[test]
    fn the_environment_of_the_driver_names_servers_too() {
        let with = |url: &str, name: &'static str, value: &'static str| {
            address(url).is_remote(&move |asked| (asked == name).then(|| value.into()))
        };
        assert!(with("postgres:///x", "PGHOST", "db.example.com"));
        assert!(
            !with("postgres://localhost,/x", "PGHOST", "db.example.com"),
            "an empty one of several is the socket"
        );
        assert!(!with("postgres://localhost/x", "PGHOST", "db.example.com"), "the URL wins");
        assert!(!with("postgres:///x", "PGHOST", "/run/postgresql"));
        assert!(with("postgres://localhost/x", "PGHOSTADDR", "10.0.0.7"), "an address wins over a name");
        assert!(!with("postgres://localhost/x?hostaddr=127.0.0.1", "PGHOSTADDR", "10.0.0.7"));
        assert!(with("postgres://localhost/x", "PGSERVICE", "main"));
    }

    #[test]
    fn tls_is_insisted_on_by_its_mode_alone() {
        let insists = |url: &str| address(url).insists_on_tls(&|_| None);
        assert!(insists("postgres://h/x?sslmode=verify-full") && insists("postgres://h/x?ssl=true"));
        for url in [
            "postgres://h/x",
            "postgres://h/x?sslmode=prefer",
            "postgres://h/x?sslmode=require&sslmode=allow",
        ] {
            assert!(!insists(url), "{url}");
        }
        assert!(
            address("postgres://h/x").insists_on_tls(&|name| (name == "PGSSLMODE").then(|| "require".into()))
        );
    }

    #[test]
    fn a_secret_is_never_shown() {
        for url in [
            "postgres://u:s3cr3t-word@h:5433/d",
            "postgres://u:s3cr3t%2Dword@h:5433/d",
            "postgres://h:5433/d?password=s3cr3t-word",
            "postgres://h:5433/d?user=u&sslpassword=s3cr3t-word",
        ] {
            let address = address(url);
            assert_eq!(address.shown(), "postgres://h:5433/d");
            assert_eq!(address.scrubbed("of s3cr3t-word it says"), "of … it says", "{url}");
        }
        for url in
            ["postgres://u:s3cr3t@word@h/d", "postgres://u:s3cr3t/word@h/d", "postgres://u:s3cr3t%zz@h/d"]
        {
            let fault = ServerAddress::of(url).err().unwrap_or_else(|| panic!("{url}"));
            assert!(!fault.contains("s3cr3t") && fault.contains('%'), "{fault}");
        }
        assert_eq!(address("postgres:///d?host=/run").shown(), "postgres:///d?host=/run");
        assert!(
            ServerAddress::of("postgres://h:s3cr3t/d").err().is_some_and(|fault| !fault.contains("s3cr3t"))
        );
    }
}
