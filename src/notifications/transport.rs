//! The transport of mails: over SMTP, or into the log of the demo.

use crate::{
    config::{self, Mail},
    platform::{Error, Result, values::Timestamp},
};
use lettre::{
    Address, Message, SmtpTransport, Transport as _,
    message::{
        Mailbox, MultiPart,
        header::{Header, HeaderName, HeaderValue},
    },
    transport::smtp::{
        self,
        client::{Certificate, Tls, TlsParameters},
        response::{Category, Severity},
    },
};
use std::{
    path::Path,
    time::{Duration, SystemTime},
};
use url::{Host, Url};

/// How long one answer of the mail server may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A mail, ready to be sent.
pub(super) struct Email {
    pub message_id: String,
    pub recipient: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    pub written: Timestamp,
    /// The secret of the message, which the text and the HTML document contain.
    pub secret: Option<String>,
}

/// The result of an attempt to send a mail.
#[derive(Debug)]
pub(super) enum SendResult {
    /// The mail server took the mail.
    Sent,
    /// The mail was written to the log.
    Logged,
    /// The attempt failed, with the reason; another attempt may succeed.
    Later(String),
    /// The mail server refused the mail for good, with the reason.
    Never(String),
}

/// The transport of mails.
pub(super) enum Transport {
    Log,
    Smtp { server: SmtpTransport, from: Mailbox },
}

impl Transport {
    /// The transport that the settings name; none where mails are not sent. The mail server need not be running.
    pub(super) fn open(mail: &Mail) -> Result<Option<Self>> {
        match &mail.route {
            config::MailRoute::None => Ok(None),
            config::MailRoute::Log => Ok(Some(Self::Log)),
            config::MailRoute::Smtp { url, ca_file } => {
                let server = server(url, ca_file.as_deref())?;
                Ok(Some(Self::Smtp { server, from: mail.from.clone() }))
            }
        }
    }

    /// Sends a mail and waits for the answer of the mail server.
    pub(super) fn send(&self, email: &Email) -> SendResult {
        match self {
            Self::Log => {
                let secret = email.secret.as_ref().map(|secret| format!(" ({secret})")).unwrap_or_default();
                log::info!("mail to {}: {}{secret}", email.recipient, email.subject);
                log::debug!("{}", email.text);
                SendResult::Logged
            }
            Self::Smtp { server, from } => match compose(email, from) {
                Ok(message) => server.send(&message).map_or_else(|error| judge(&error), |_| SendResult::Sent),
                Err(reason) => SendResult::Never(reason),
            },
        }
    }
}

fn compose(email: &Email, from: &Mailbox) -> std::result::Result<Message, String> {
    let address: Address = email.recipient.parse().map_err(|error| format!("no mail address: {error}"))?;
    let written = Duration::from_micros(u64::try_from(email.written.as_micros()).unwrap_or(0));
    Message::builder()
        .message_id(Some(email.message_id.clone()))
        .date(SystemTime::UNIX_EPOCH + written)
        .from(from.clone())
        .to(Mailbox::new(None, address))
        .subject(email.subject.clone())
        .header(AutoSubmitted)
        .multipart(MultiPart::alternative_plain_html(email.text.clone(), email.html.clone()))
        .map_err(|error| format!("the mail cannot be put together: {error}"))
}

/// The header field that keeps automatic repliers from answering the mail (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> std::result::Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".into())
    }
}

/// The result of a failed attempt: only a permanent refusal of the mail itself is for good; a mail server that is away,
/// busy, or refuses the credentials may take the mail later.
fn judge(error: &smtp::Error) -> SendResult {
    let said =
        std::error::Error::source(error).map_or_else(|| error.to_string(), |why| format!("{error}: {why}"));
    match error.status() {
        // 53x concern TLS and credentials, not the mail (RFC 4954, 6).
        Some(code)
            if code.severity == Severity::PermanentNegativeCompletion
                && code.category != Category::Unspecified3 =>
        {
            SendResult::Never(said)
        }
        _ => SendResult::Later(said),
    }
}

fn server(url: &Url, ca_file: Option<&Path>) -> Result<SmtpTransport> {
    let wrong = |what: &str| {
        Error::internal(format!("SMTP_URL: {what}; write smtp://USER:PASSWORD@HOST:587 or smtps://..."))
    };
    let host = url.host_str().ok_or_else(|| wrong("there is no host"))?;
    let tls = url.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value.into_owned());
    let encrypted = match (url.scheme(), tls.as_deref()) {
        ("smtps", None) | ("smtp", Some("required")) => true,
        ("smtp", None) => !is_loopback(url),
        ("smtp", Some("none")) => false,
        ("smtp" | "smtps", Some(_)) => {
            return Err(wrong("tls is required, or none where the network is trusted"));
        }
        _ => return Err(wrong("the scheme is smtp or smtps")),
    };
    let mut plain = url.clone();
    plain.set_query((encrypted && url.scheme() == "smtp").then_some("tls=required"));
    let mut builder = SmtpTransport::from_url(plain.as_str()).map_err(|_| wrong("it cannot be read"))?;
    if encrypted {
        let parameters = parameters(host, ca_file)?;
        let wrap = if url.scheme() == "smtps" { Tls::Wrapper } else { Tls::Required };
        builder = builder.tls(wrap(parameters));
    }
    Ok(builder.timeout(Some(PATIENCE)).build())
}

fn parameters(host: &str, ca_file: Option<&Path>) -> Result<TlsParameters> {
    let mut builder = TlsParameters::builder(host.trim_matches(['[', ']']).to_owned());
    if let Some(path) = ca_file {
        let fault =
            |why: String| Error::internal(format!("SMTP_CA_FILE: {} cannot be used: {why}", path.display()));
        let pem = std::fs::read(path).map_err(|error| fault(error.to_string()))?;
        builder = builder
            .add_root_certificate(Certificate::from_pem(&pem).map_err(|error| fault(error.to_string()))?);
    }
    builder.build().map_err(Error::internal)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            // The URL parser leaves IP addresses unparsed in URLs of other schemes than those of the web.
            name.parse::<std::net::IpAddr>().map_or(name == "localhost", |address| address.is_loopback())
        }
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_elsewhere_is_spoken_to_by_tls_unless_the_setting_says_otherwise() {
        let known = |url: &str| server(&url.parse().unwrap(), None).map(|server| format!("{server:?}"));
        for (url, tls) in [
            ("smtp://mail.example", "Required"),
            ("smtp://u:p%40@mail.example:2525", "Required"),
            ("smtp://mail.example?tls=none", "None"),
            ("smtp://127.0.0.1:25", "None"),
            ("smtp://[::1]:25", "None"),
            ("smtp://localhost", "None"),
            ("smtp://localhost?tls=required", "Required"),
            ("smtps://mail.example", "Wrapper"),
        ] {
            let known = known(url).unwrap();
            assert!(known.contains(&format!("tls: {tls}")), "{url}: {known}");
        }
        for url in ["smtp://mail.example?tls=opportunistic", "http://mail.example", "smtps://x?tls=none"] {
            assert!(known(url).is_err(), "{url}");
        }
    }
}
