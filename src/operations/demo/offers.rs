//! The programs of the demo beside the founding ones; with them every reason against an enrollment occurs.

use crate::{
    access::Tx,
    network::{
        competencies::Level,
        partners::PartnerType::{self, DirectBill, IndirectProvider, IndirectReseller},
    },
    participation::programs::{
        self, Lever, NewProgram, NewVersion, Program, ProgramStatus, Requirement, founding_version, rule_sets,
    },
    platform::{
        Error, Result,
        values::{Country, Currency, Money},
    },
};
use serde_json::json;

/// The code of the program in which partners earn for a year.
pub(super) const GROWTH: &str = "azure-growth";

/// Installs a closed program, a discontinued program, a program with levers, the guide's rules for providers, and a
/// program with more requirements.
pub(super) fn install(tx: &mut Tx<'_>) -> Result<()> {
    // Lists show the newest program first; the newest program of the demo is open.
    let closed = offer(tx, "azure-boost", "Azure Boost", &[DirectBill], rule_sets::founding())?;
    programs::update(tx, closed, |program| program.status = ProgramStatus::Closed)?;
    let ended = offer(tx, "surface-launch", "Surface Launch", &[DirectBill], rule_sets::founding())?;
    programs::discontinue(tx, ended, "the product is no longer sold")?;
    // A half-year of the demo's sales reaches this threshold, so that its funds can be claimed.
    let coop_threshold = Money { minor: 50_000, currency: Currency::USD };
    let rules = ProgramRules { requirements: growing(), levers: growth_levers()?, coop_threshold };
    offer_with_levers(tx, GROWTH, "Azure Growth", &[DirectBill], rules)?;
    let guide = rule_sets::guide(IndirectProvider);
    offer(tx, "csp-provider-guide", "CSP Indirect Provider (guide rules)", &[IndirectProvider], guide)?;
    offer(tx, "cloud-growth-emea", "Cloud Growth EMEA", &[DirectBill, IndirectReseller], demanding()?)
        .map(drop)
}

fn offer(
    tx: &mut Tx<'_>,
    code: &str,
    name: &str,
    partner_types: &[PartnerType],
    requirements: Vec<Requirement>,
) -> Result<Program> {
    let NewVersion { levers, coop_threshold, .. } = founding_version(0);
    let rules = ProgramRules { requirements, levers, coop_threshold };
    offer_with_levers(tx, code, name, partner_types, rules)
}

/// The rules of a program: who may take part, how a partner earns, and the least co-op of a half-year that stays co-op.
struct ProgramRules {
    requirements: Vec<Requirement>,
    levers: Vec<Lever>,
    coop_threshold: Money,
}

fn offer_with_levers(
    tx: &mut Tx<'_>,
    code: &str,
    name: &str,
    partner_types: &[PartnerType],
    rules: ProgramRules,
) -> Result<Program> {
    let new = NewProgram { code: code.into(), name: name.into(), partner_types: partner_types.to_vec() };
    let program = programs::create(tx, new)?;
    let year = programs::program_year_of(tx.today());
    for year in [year, year + 1] {
        let (requirements, levers) = (rules.requirements.clone(), rules.levers.clone());
        let coop_threshold = rules.coop_threshold;
        let new = NewVersion { requirements, levers, coop_threshold, ..founding_version(year) };
        let version = programs::create_version(tx, &program, new)?;
        programs::publish(tx, &program, version, None)?;
    }
    Ok(program)
}

fn growing() -> Vec<Requirement> {
    let devops = Some(vec!["devops".to_owned()]);
    vec![
        Requirement::PartnerActive {},
        Requirement::PartnerType {},
        Requirement::MpnAgreement {},
        Requirement::ResellerAgreement {},
        Requirement::Competency { min_count: 1, min_level: Level::Silver, any_of: devops },
    ]
}

/// A flat rate on every sale, a capped rate that grows with the volume of the month, and an amount for each new
/// customer.
fn growth_levers() -> Result<Vec<Lever>> {
    let usd = |amount: &str| json!({"amount": amount, "currency": "USD"});
    let tiers = json!([{"from": usd("0.00"), "rate": "0.02"}, {"from": usd("10000.00"), "rate": "0.04"}]);
    let levers = json!([
        {"type": "core", "code": "core", "name": "Core rate", "scale": {"type": "flat", "rate": "0.06"}},
        {"type": "accelerator", "code": "azure", "name": "Azure accelerator",
            "scale": {"type": "marginal", "period": "month", "tiers": tiers},
            "applies_to": {"product_families": ["azure"], "customers": {"public_sector": false}},
            "cap": {"scope": "customer", "amount": usd("5000.00")}},
        {"type": "fixed", "code": "customer-add", "name": "New customer", "amount": usd("50.00")},
    ]);
    serde_json::from_value(levers).map_err(Error::internal)
}

fn demanding() -> Result<Vec<Requirement>> {
    let cloud = ["cloud-platform", "cloud-productivity", "data-analytics"].map(str::to_owned).to_vec();
    let countries =
        ["DE", "FR", "GB", "PL"].iter().map(|code| code.parse::<Country>()).collect::<Result<_, _>>();
    let amount =
        Money::parse("20000.00", "EUR".parse().map_err(Error::internal)?).map_err(Error::internal)?;
    let gold = Requirement::Competency { min_count: 1, min_level: Level::Gold, any_of: None };
    let revenue = Requirement::TrailingRevenue { days: 180, amount, keep_once_enrolled: true };
    let users = Requirement::MinimumUsers { min_count: 25 };
    Ok(vec![
        Requirement::PartnerActive {},
        Requirement::PartnerType {},
        Requirement::MpnAgreement {},
        Requirement::Country { countries: countries.map_err(Error::internal)? },
        Requirement::Competency { min_count: 1, min_level: Level::Silver, any_of: Some(cloud) },
        Requirement::AnyOf { requirements: vec![gold, revenue, users] },
    ])
}
