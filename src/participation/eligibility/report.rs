//! An assessment on a terminal, in English: readable, or as JSON.

use super::{Assessment, CheckStatus, EligibilityCheck, EligibilityCheckView};
use crate::platform::{Error, Result, values::Locale};
use serde_json::json;
use std::fmt::Write;

impl Assessment {
    /// The assessment as the API answers it.
    pub fn to_json(&self, program: &str) -> Result<String> {
        let document = json!({
            "partner_id": self.partner_id, "program": { "id": self.program_id, "code": program },
            "version": self.version, "as_of": self.as_of, "evaluated_at": self.evaluated_at,
            "outcome": self.outcome, "eligible_until": self.eligible_until,
            "checks": EligibilityCheckView::all(self.checks.clone(), Locale::En),
        });
        serde_json::to_string_pretty(&document).map_err(Error::internal)
    }

    /// The assessment for people: the outcome, then a line per rule with what is to be done.
    #[must_use]
    pub fn for_people(&self, partner: &str, program: &str) -> String {
        let until =
            self.eligible_until.map_or_else(String::new, |day| format!(", until {day} if nothing changes"));
        let mut text = format!("{partner} is {} for {program} on {}{until}.\n", self.outcome, self.as_of);
        for check in &self.checks {
            line(&mut text, check, 1);
        }
        text
    }
}

fn line(text: &mut String, check: &EligibilityCheck, depth: usize) {
    let mark = match check.status {
        CheckStatus::Met => "ok  ",
        CheckStatus::Unmet => "NO  ",
        CheckStatus::NotApplicable => "n/a ",
    };
    let indent = "  ".repeat(depth);
    // Writing into a text cannot fail.
    let _ =
        writeln!(text, "{indent}{mark}{:22} {}", check.rule.as_str(), check.message.in_language(Locale::En));
    if let Some(remedy) = &check.remedy {
        let _ = writeln!(text, "{indent}    {:22} -> {}", "", remedy.in_language(Locale::En));
    }
    check.checks.iter().for_each(|nested| line(text, nested, depth + 1));
}
