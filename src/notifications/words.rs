//! Messages in words: templates, in English and in Japanese, as text and as HTML.
//!
//! A message has one template for each language, in `templates/en` and `templates/ja` under the name of its kind. The
//! template extends the layout and uses the parts of its format: `layout.txt` and `parts.txt`, or `layout.html` and
//! `parts.html`.

mod coop;

use super::{ListedUser, Message, PaymentEnd, Recipient};
use crate::platform::{
    Error, Result,
    values::{CalendarDate, Locale, Money, Month, Text, Timestamp},
};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context, syntax::SyntaxConfig};
use std::sync::LazyLock;

/// A message in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wording {
    /// The subject, in one line.
    pub subject: String,
    /// The message as plain text.
    pub text: String,
    /// The message as an HTML document.
    pub html: String,
}

/// The words in the place of a secret until the mail is sent, by language.
const IN_THE_MAIL: [&str; 2] = ["(in the mail alone)", "（メールにのみ記載）"];

static TEXT: LazyLock<Result<Environment<'static>, minijinja::Error>> = LazyLock::new(|| {
    environment(AutoEscape::None, include_str!("templates/layout.txt"), include_str!("templates/parts.txt"))
});
static HTML: LazyLock<Result<Environment<'static>, minijinja::Error>> = LazyLock::new(|| {
    environment(AutoEscape::Html, include_str!("templates/layout.html"), include_str!("templates/parts.html"))
});

macro_rules! templates {
    ($($kind:literal),+ $(,)?) => {
        [$(
            (concat!("en/", $kind), include_str!(concat!("templates/en/", $kind, ".jinja"))),
            (concat!("ja/", $kind), include_str!(concat!("templates/ja/", $kind, ".jinja"))),
        )+]
    };
}

fn environment(
    escape: AutoEscape,
    layout: &'static str,
    parts: &'static str,
) -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(move |_| escape.clone());
    // A line that holds a tag alone leaves no empty line.
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.add_template("layout", layout)?;
    environment.add_template("parts", parts)?;
    for (name, source) in templates![
        "enrollment_invited",
        "enrollment_action_required",
        "enrollment_state_changed",
        "eligibility_at_risk",
        "eligibility_lost",
        "user_list",
        "temporary_password",
        "password_reset",
        "password_changed",
        "user_name_changed",
        "new_sign_in",
        "bank_account_changed",
        "payment_sent",
        "payment_settled",
        "payment_failed",
        "rebate_held",
        "forfeiture_announced",
        "rebate_forfeited",
        "dispute_moved",
        "dispute_question",
        "dispute_answered",
        "coop_fund_closed",
        "coop_fund_expiring",
        "coop_fund_forfeited",
        "coop_plan_decided",
        "coop_claim_decided",
        "coop_claim_question",
        "coop_claim_expired",
        "coop_claim_held",
        "coop_audit_requested",
        "coop_audit_decided",
        "statement_ready",
    ] {
        environment.add_template(name, source)?;
    }
    Ok(environment)
}

/// Puts a message into words for its reader, without its secret. Links begin with `base`.
pub(super) fn put(message: &Message, reader: &Recipient, base: &str) -> Result<Wording> {
    let name = format!("{}/{}", reader.locale, message.kind());
    let facts = context! {
        lang => reader.locale.as_str(),
        name => &reader.name,
        email => &reader.email,
        base,
        ..facts(message, reader.locale)
    };
    let (text, subject) = render(&TEXT, &name, &facts)?;
    let (html, _) = render(&HTML, &name, &facts)?;
    Ok(Wording { subject: one_line(&subject), text: with_single_gaps(&text), html })
}

/// The text with its secret in place.
pub(super) fn reveal(text: &str, secret: &str) -> String {
    IN_THE_MAIL.iter().fold(text.to_owned(), |text, place| text.replace(place, secret))
}

/// The rendered template, and its subject.
fn render(
    environment: &Result<Environment<'static>, minijinja::Error>,
    name: &str,
    facts: &Value,
) -> Result<(String, String)> {
    let environment = environment.as_ref().map_err(|error| Error::internal(error.to_string()))?;
    let mut rendered = environment
        .get_template(name)
        .and_then(|template| template.render_captured(facts))
        .map_err(Error::internal)?;
    let subject = rendered.with_state_mut(|state| state.render_block("subject")).map_err(Error::internal)?;
    Ok((rendered.into_output(), subject))
}

/// What became of a payment, as templates name it.
const fn end_in_words(end: PaymentEnd) -> &'static str {
    match end {
        PaymentEnd::Rejected => "rejected",
        PaymentEnd::CameBack => "came_back",
        PaymentEnd::Stopped => "stopped",
    }
}

fn facts(message: &Message, locale: Locale) -> Value {
    match message {
        Message::EnrollmentInvited { partner, program, until, enrollment } => {
            let enrollment = enrollment.to_string();
            context! { partner, program, until => day(*until, locale), enrollment }
        }
        Message::EnrollmentActionRequired { partner, program, partner_id } => {
            context! { partner, program, partner_id => partner_id.to_string() }
        }
        Message::EnrollmentStateChanged { partner, program, program_year, state, enrollment } => {
            let enrollment = enrollment.to_string();
            context! { partner, program, program_year, state => state_in_words(state, locale), enrollment }
        }
        Message::EligibilityAtRisk { partner, program, lapsing, lapses_on, in_grace, enrollment } => {
            let (lapses_on, enrollment) = (day(*lapses_on, locale), enrollment.to_string());
            let lapsing = sentences(lapsing, locale);
            context! { partner, program, lapsing, lapses_on, in_grace, enrollment }
        }
        Message::EligibilityLost { partner, program, missing, evaluation } => {
            let missing = sentences(missing, locale);
            context! { partner, program, missing, evaluation => evaluation.to_string() }
        }
        Message::UserList { partner, partner_id, users } => {
            let line = |ListedUser { name, email, role }: &ListedUser| {
                (name.clone(), format!("{email} ({})", role_in_words(role, locale)))
            };
            let users: Vec<(String, String)> = users.iter().map(line).collect();
            context! { partner, partner_id => partner_id.to_string(), users }
        }
        Message::TemporaryPassword { expires_at, .. } => {
            context! { password => in_the_mail(locale), expires_at => instant(*expires_at, locale) }
        }
        Message::PasswordReset { expires_at, .. } => {
            context! { token => in_the_mail(locale), expires_at => instant(*expires_at, locale) }
        }
        Message::PasswordChanged { at } => context! { at => instant(*at, locale) },
        Message::UserNameChanged { before, after, at } => {
            context! { before, after, at => instant(*at, locale) }
        }
        Message::NewSignIn { at, address, user_agent } => {
            context! { at => instant(*at, locale), address, user_agent }
        }
        Message::BankAccountChanged { partner, partner_id, account, at, waits_until } => {
            let (partner_id, waits_until) =
                (partner_id.to_string(), waits_until.map(|until| day(until, locale)));
            context! { partner, partner_id, account, at => instant(*at, locale), waits_until }
        }
        Message::PaymentSent { partner, amount, reference, on } => {
            context! { partner, amount => sum(*amount, locale), reference, on => day(*on, locale) }
        }
        Message::PaymentSettled { partner, amount, reference, on, payment } => {
            let (amount, on, payment) = (sum(*amount, locale), day(*on, locale), payment.to_string());
            context! { partner, amount, reference, on, payment }
        }
        Message::PaymentFailed { partner, amount, reference, end, remedy, partner_id } => {
            let (amount, remedy) = (sum(*amount, locale), remedy.in_language(locale));
            context! { partner, amount, reference, end => end_in_words(*end), remedy, partner_id => partner_id.to_string() }
        }
        Message::RebateHeld { partner, amounts, reason, comment, partner_id } => {
            let amounts: Vec<String> = amounts.iter().map(|amount| sum(*amount, locale)).collect();
            let (amounts, reason) = (amounts.join(", "), reason.in_language(locale));
            context! { partner, amounts, reason, comment, partner_id => partner_id.to_string() }
        }
        Message::ForfeitureAnnounced { partner, program, amount, on, cause, partner_id }
        | Message::RebateForfeited { partner, program, amount, on, cause, partner_id } => {
            let (amount, on, partner_id) = (sum(*amount, locale), day(*on, locale), partner_id.to_string());
            context! { partner, program, amount, on, cause, partner_id }
        }
        Message::DisputeMoved { partner, state, figure, expected, words, due_on, dispute } => {
            let (figure, expected) = (sum(*figure, locale), sum(*expected, locale));
            let (due_on, dispute) = (due_on.map(|on| day(on, locale)), dispute.to_string());
            context! { partner, state => dispute_in_words(state, locale), figure, expected, words, due_on, dispute }
        }
        Message::DisputeQuestion { partner, question, dispute } => {
            context! { partner, question, dispute => dispute.to_string() }
        }
        Message::DisputeAnswered { partner, state, expected, granted, reason, dispute } => {
            let (expected, granted) = (sum(*expected, locale), granted.map(|amount| sum(amount, locale)));
            let (state, dispute) = (dispute_in_words(state, locale), dispute.to_string());
            context! { partner, state, expected, granted, reason, dispute }
        }
        Message::CoopFundClosed { .. }
        | Message::CoopFundExpiring { .. }
        | Message::CoopFundForfeited { .. }
        | Message::CoopPlanDecided { .. }
        | Message::CoopClaimDecided { .. }
        | Message::CoopClaimQuestion { .. }
        | Message::CoopClaimExpired { .. }
        | Message::CoopClaimHeld { .. }
        | Message::CoopAuditRequested { .. }
        | Message::CoopAuditDecided { .. } => coop::facts(message, locale),
        Message::StatementReady { partner, partner_id, month: of } => {
            let (partner_id, number) = (partner_id.to_string(), of.to_string());
            context! { partner, partner_id, month => month(*of, locale), number }
        }
    }
}

/// The words in the place of a secret.
fn in_the_mail(locale: Locale) -> &'static str {
    let [english, japanese] = IN_THE_MAIL;
    match locale {
        Locale::En => english,
        Locale::Ja => japanese,
    }
}

/// Sentences in one language.
fn sentences(texts: &[Text], locale: Locale) -> Vec<String> {
    texts.iter().map(|text| text.in_language(locale).to_owned()).collect()
}

/// A date in words: 31 July 2026, 2026年7月31日.
#[must_use]
pub fn day(date: CalendarDate, locale: Locale) -> String {
    let month = month(Month::of(date), locale);
    match locale {
        Locale::En => format!("{} {month}", date.day()),
        Locale::Ja => format!("{month}{}日", date.day()),
    }
}

/// A month in words: July 2026, 2026年7月.
#[must_use]
pub fn month(month: Month, locale: Locale) -> String {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let (year, number) = (month.first_day().year(), month.first_day().month());
    match locale {
        Locale::En => {
            let name = usize::try_from(number - 1).ok().and_then(|at| MONTHS.get(at));
            format!("{} {year}", name.unwrap_or(&""))
        }
        Locale::Ja => format!("{year}年{number}月"),
    }
}

/// An instant to the minute, in UTC.
#[must_use]
pub fn instant(at: Timestamp, locale: Locale) -> String {
    let minutes = at.as_seconds().rem_euclid(24 * 3600) / 60;
    let (date, time) = (day(at.date(), locale), format!("{:02}:{:02}", minutes / 60, minutes % 60));
    match locale {
        Locale::En => format!("{date}, {time} UTC"),
        Locale::Ja => format!("{date} {time}（協定世界時）"),
    }
}

/// An amount with its currency's digits, in groups of three.
fn sum(amount: Money, locale: Locale) -> String {
    let grouped = amount.grouped();
    match (locale, amount.currency.as_str()) {
        (Locale::Ja, "JPY") => format!("{grouped}円"),
        (_, currency) => format!("{currency} {grouped}"),
    }
}

/// The name of an enrollment's state for people.
fn state_in_words(state: &str, locale: Locale) -> &str {
    let (english, japanese) = match state {
        "invited" => ("invited", "ご案内中"),
        "action_required" => ("waiting for your profiles", "お手続き待ち"),
        "validating" => ("under review", "審査中"),
        "enrolled" => ("enrolled", "参加中"),
        "ineligible" => ("paused (a rule is not met)", "参加要件未充足のため停止中"),
        "expired" => ("expired", "期限切れ"),
        "opted_out" => ("ended (the partner opted out)", "参加辞退"),
        "discontinued" => ("discontinued", "終了"),
        other => (other, other),
    };
    match locale {
        Locale::En => english,
        Locale::Ja => japanese,
    }
}

/// The name of a dispute's state for people.
fn dispute_in_words(state: &str, locale: Locale) -> &str {
    let (english, japanese) = match state {
        "open" => ("waiting for an answer", "回答待ち"),
        "information_requested" => ("waiting for the partner's reply", "パートナーの返信待ち"),
        "upheld" => ("upheld", "認容"),
        "rejected" => ("rejected", "却下"),
        "escalated" => ("escalated, waiting for the final answer", "上申済み・最終回答待ち"),
        "rejected_finally" => ("rejected, finally", "最終却下"),
        "withdrawn" => ("withdrawn", "取り下げ"),
        other => (other, other),
    };
    match locale {
        Locale::En => english,
        Locale::Ja => japanese,
    }
}

/// The name of a role for people.
fn role_in_words(role: &str, locale: Locale) -> &str {
    let (english, japanese) = match role {
        "operator" => ("operator", "プログラム運営担当"),
        "auditor" => ("auditor", "監査担当"),
        "incentive_admin" => ("incentive admin", "インセンティブ管理者"),
        "viewer" => ("viewer", "閲覧者"),
        other => (other, other),
    };
    match locale {
        Locale::En => english,
        Locale::Ja => japanese,
    }
}

/// The text in one line: a subject is a header field, whatever names stand in the subject.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text with at most one empty line between two other lines.
fn with_single_gaps(text: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for line in text.trim().lines() {
        if !(line.is_empty() && lines.last().is_none_or(|before| before.is_empty())) {
            lines.push(line);
        }
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests;
