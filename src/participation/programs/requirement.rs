//! Eligibility rules as data: what a program version asks of a partner. Evaluated in `eligibility`.

use crate::{
    network::competencies::Level,
    platform::{
        FieldError,
        values::{Country, Money, Text, Words},
    },
    text,
};
use serde::{Deserialize, Serialize};
use utoipa::{PartialSchema, ToSchema, openapi};

/// How many requirements one list may hold.
const MAX_REQUIREMENTS: usize = 20;

/// How deep lists of requirements may be nested, the outermost included.
const MAX_DEPTH: usize = 4;

/// One eligibility rule of a program version. `rule` names the kind; the other members are its parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "rule", rename_all = "snake_case", deny_unknown_fields)]
#[schema(example = json!({"rule": "competency", "min_count": 1, "min_level": "silver", "any_of": null}))]
pub enum Requirement {
    /// The partner is active and no headquarters of others.
    #[schema(title = "PartnerActiveRequirement")]
    PartnerActive {},
    /// The partner's type is one of the program's.
    #[schema(title = "PartnerTypeRequirement")]
    PartnerType {},
    /// An MPN agreement is in effect; the renewal window counts, with a warning.
    #[schema(title = "MpnAgreementRequirement")]
    MpnAgreement {},
    /// A distributor agreement is in effect. Asked of indirect providers only.
    #[schema(title = "DistributorAgreementRequirement")]
    DistributorAgreement {
        /// Whether the agreement must carry the distributor authorization.
        #[serde(default)]
        authorization_required: bool,
    },
    /// A reseller agreement is in effect. Asked of direct bill partners only.
    #[schema(title = "ResellerAgreementRequirement")]
    ResellerAgreement {},
    /// Enough attainments of competencies count.
    #[schema(title = "CompetencyRequirement")]
    Competency {
        /// How many.
        #[schema(minimum = 1, maximum = 100)]
        min_count: u32,
        /// At which level at least.
        min_level: Level,
        /// From which competencies, by code; null takes the whole catalogue.
        #[schema(max_items = 100, min_items = 1, value_type = Option<Vec<CompetencyCode>>)]
        any_of: Option<Vec<String>>,
    },
    /// At least one purchase that is not wholly refunded. Asked of indirect resellers only.
    #[schema(title = "FirstTransactionRequirement")]
    FirstTransaction {},
    /// Purchases minus refunds over a window that ends on the day reach an amount.
    #[schema(title = "TrailingRevenueRequirement")]
    TrailingRevenue {
        /// Length of the window in days, the day itself included.
        #[schema(minimum = 1, maximum = 1096)]
        days: u32,
        /// The amount to reach; only sales in this currency count.
        amount: Money,
        /// Whether a partner keeps the rule on every day on which it is enrolled, whatever it sells.
        #[serde(default)]
        keep_once_enrolled: bool,
    },
    /// The partner's country is listed.
    #[schema(title = "CountryRequirement")]
    Country {
        /// The countries covered.
        #[schema(min_items = 1, max_items = 300)]
        countries: Vec<Country>,
    },
    /// Enough users of the partner are active: incentive admins and viewers who have set themselves up.
    #[schema(title = "MinimumUsersRequirement")]
    MinimumUsers {
        /// How many.
        #[schema(minimum = 1, maximum = 1000)]
        min_count: u32,
    },
    /// One of the nested requirements is met.
    #[schema(title = "AnyOfRequirement")]
    AnyOf {
        /// The alternatives; lists may be nested up to four levels deep, the version's own included.
        #[schema(min_items = 1, max_items = 20, no_recursion)]
        requirements: Vec<Requirement>,
    },
}

impl Requirement {
    /// Whether it asks for users of the partner, itself or by an alternative.
    #[must_use]
    pub fn asks_for_users(&self) -> bool {
        match self {
            Self::MinimumUsers { .. } => true,
            Self::AnyOf { requirements } => requirements.iter().any(Self::asks_for_users),
            _ => false,
        }
    }

    /// The word for its kind, as on the wire.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::PartnerActive {} => "partner_active",
            Self::PartnerType {} => "partner_type",
            Self::MpnAgreement {} => "mpn_agreement",
            Self::DistributorAgreement { .. } => "distributor_agreement",
            Self::ResellerAgreement {} => "reseller_agreement",
            Self::Competency { .. } => "competency",
            Self::FirstTransaction {} => "first_transaction",
            Self::TrailingRevenue { .. } => "trailing_revenue",
            Self::Country { .. } => "country",
            Self::MinimumUsers { .. } => "minimum_users",
            Self::AnyOf { .. } => "any_of",
        }
    }
}

/// Every competency code that a list of requirements at a JSON pointer names, with where it does.
#[must_use]
pub fn competency_codes<'a>(requirements: &'a [Requirement], pointer: &str) -> Vec<(String, &'a str)> {
    let named = |(index, requirement): (usize, &'a Requirement)| {
        let pointer = format!("{pointer}/{index}");
        match requirement {
            Requirement::Competency { any_of: Some(codes), .. } => {
                let place =
                    |(index, code): (usize, &'a String)| (format!("{pointer}/any_of/{index}"), code.as_str());
                codes.iter().enumerate().map(place).collect()
            }
            Requirement::AnyOf { requirements } => {
                competency_codes(requirements, &format!("{pointer}/requirements"))
            }
            _ => Vec::new(),
        }
    };
    requirements.iter().enumerate().flat_map(named).collect()
}

/// Every fault in a list of requirements that came at a JSON pointer; empty where the list is sound.
#[must_use]
pub fn validate_requirements(requirements: &[Requirement], pointer: &str) -> Vec<FieldError> {
    let mut faults = Faults(Vec::new());
    faults.list(requirements, pointer, 1);
    faults.0
}

struct Faults(Vec<FieldError>);

impl Faults {
    fn list(&mut self, requirements: &[Requirement], pointer: &str, depth: usize) {
        if depth > MAX_DEPTH {
            self.add(
                pointer,
                "depth",
                text!(
                    "nest lists of requirements at most {MAX_DEPTH} deep",
                    "要件の入れ子は {MAX_DEPTH} 階層までにしてください。"
                ),
            );
            return;
        }
        self.within(
            requirements.len(),
            1..=MAX_REQUIREMENTS,
            pointer,
            Words::new("requirements", "要件の数"),
        );
        for (index, requirement) in requirements.iter().enumerate() {
            self.one(requirement, &format!("{pointer}/{index}"), depth);
        }
    }

    fn one(&mut self, requirement: &Requirement, pointer: &str, depth: usize) {
        match requirement {
            Requirement::Competency { min_count, any_of, .. } => {
                self.competency(*min_count as usize, any_of.as_deref(), pointer);
            }
            Requirement::TrailingRevenue { days, amount, .. } => {
                self.within(*days as usize, 1..=1096, &format!("{pointer}/days"), Words::new("days", "日数"));
                if amount.minor <= 0 {
                    self.add(
                        &format!("{pointer}/amount"),
                        "range",
                        text!("ask for more than nothing", "0 より大きい値を指定してください。"),
                    );
                }
            }
            Requirement::Country { countries } => {
                self.within(
                    countries.len(),
                    1..=300,
                    &format!("{pointer}/countries"),
                    Words::new("countries", "国の数"),
                );
            }
            Requirement::MinimumUsers { min_count } => {
                self.within(
                    *min_count as usize,
                    1..=1000,
                    &format!("{pointer}/min_count"),
                    Words::new("users", "利用者の数"),
                );
            }
            Requirement::AnyOf { requirements } => {
                self.list(requirements, &format!("{pointer}/requirements"), depth + 1);
            }
            _ => {}
        }
    }

    fn competency(&mut self, min_count: usize, any_of: Option<&[String]>, pointer: &str) {
        let at_most = any_of.map_or(100, <[String]>::len).clamp(1, 100);
        self.within(
            min_count,
            1..=at_most,
            &format!("{pointer}/min_count"),
            Words::new("competencies", "コンピテンシーの数"),
        );
        let Some(codes) = any_of else { return };
        let pointer = format!("{pointer}/any_of");
        self.within(codes.len(), 1..=100, &pointer, Words::new("codes", "コードの数"));
        for (index, code) in codes.iter().enumerate() {
            let pointer = format!("{pointer}/{index}");
            if !CompetencyCode::is_shaped(code) {
                let message = text!(
                    "write the code of a competency, a lower-case slug such as cloud-platform",
                    "cloud-platform のような、コンピテンシーのコード（英小文字の識別名）を指定してください。"
                );
                self.add(&pointer, "format", message);
            } else if codes.iter().take(index).any(|earlier| earlier == code) {
                self.add(&pointer, "duplicate", text!("{code} is listed twice", "{code} が重複しています。"));
            }
        }
    }

    fn within(
        &mut self,
        given: usize,
        range: std::ops::RangeInclusive<usize>,
        pointer: &str,
        what: Words<'static>,
    ) {
        if !range.contains(&given) {
            let (from, to) = range.into_inner();
            let Words { en, ja } = what;
            let message = text!(
                "give {from} to {to} {en}, not {given}",
                "{ja}は {from} 以上 {to} 以下で指定してください（現在 {given}）。"
            );
            self.add(pointer, "range", message);
        }
    }

    fn add(&mut self, pointer: &str, code: &'static str, message: Text) {
        self.0.push(FieldError::new(pointer, code, message));
    }
}

/// The shape of a competency's code; stands for the plain text in the contract.
struct CompetencyCode;

impl CompetencyCode {
    fn is_shaped(code: &str) -> bool {
        let word = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        code.len() <= 64 && code.split('-').all(word)
    }
}

impl PartialSchema for CompetencyCode {
    fn schema() -> openapi::RefOr<openapi::Schema> {
        openapi::ObjectBuilder::new()
            .schema_type(openapi::Type::String)
            .pattern(Some("^[a-z0-9]+(-[a-z0-9]+)*$"))
            .min_length(Some(1))
            .max_length(Some(64))
            .description(Some("Code of a competency of the catalogue, a lower-case slug."))
            .examples(["cloud-platform"])
            .into()
    }
}

impl ToSchema for CompetencyCode {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{network::partners::PartnerType, participation::programs::rule_sets};

    fn any_of(requirements: Vec<Requirement>) -> Requirement {
        Requirement::AnyOf { requirements }
    }

    fn competency(min_count: u32, any_of: &[&str]) -> Requirement {
        let any_of = Some(any_of.iter().map(|code| (*code).to_owned()).collect());
        Requirement::Competency { min_count, min_level: Level::Silver, any_of }
    }

    fn faults(requirements: &[Requirement]) -> Vec<(String, String)> {
        let faults = validate_requirements(requirements, "/requirements");
        faults.into_iter().map(|fault| (fault.pointer, fault.code.into_owned())).collect()
    }

    #[test]
    fn the_shipped_rule_sets_are_sound_and_survive_the_wire() {
        let guides = PartnerType::ALL.iter().map(|partner_type| rule_sets::guide(*partner_type));
        for rules in guides.chain([rule_sets::founding()]) {
            assert_eq!(validate_requirements(&rules, ""), []);
            let wire = serde_json::to_value(&rules).unwrap();
            for (rule, wire) in rules.iter().zip(wire.as_array().unwrap()) {
                assert_eq!(wire["rule"], rule.rule());
            }
            assert_eq!(serde_json::from_value::<Vec<Requirement>>(wire).unwrap(), rules);
        }
    }

    #[test]
    fn every_fault_is_named_at_its_place() {
        let wrong = [
            competency(2, &["cloud-crm"]),
            any_of(vec![competency(1, &["Cloud CRM", "erp", "erp", "", "a--b"])]),
            any_of(vec![]),
        ];
        assert_eq!(
            faults(&wrong),
            [
                ("/requirements/0/min_count".into(), "range".into()),
                ("/requirements/1/requirements/0/any_of/0".into(), "format".into()),
                ("/requirements/1/requirements/0/any_of/2".into(), "duplicate".into()),
                ("/requirements/1/requirements/0/any_of/3".into(), "format".into()),
                ("/requirements/1/requirements/0/any_of/4".into(), "format".into()),
                ("/requirements/2/requirements".into(), "range".into()),
            ]
        );
        assert_eq!(faults(&[]), [("/requirements".into(), "range".into())]);
    }

    #[test]
    fn lists_nest_four_deep_and_no_deeper() {
        let nested = |depth| (1..depth).fold(Requirement::MpnAgreement {}, |inner, _| any_of(vec![inner]));
        assert_eq!(faults(&[nested(4)]), []);
        let pointer = format!("{}/requirements", "/requirements/0".repeat(4));
        assert_eq!(faults(&[nested(5)]), [(pointer, "depth".into())]);
    }

    #[test]
    fn an_unknown_parameter_is_refused() {
        let text = r#"{"rule": "mpn_agreement", "level": "gold"}"#;
        assert!(serde_json::from_str::<Requirement>(text).is_err());
    }
}
