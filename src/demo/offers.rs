//! The programs of the demo beside the founding ones, so that every reason against an enrollment occurs.

use crate::{
    access::Tx,
    competencies::Level,
    partners::PartnerType::{self, DirectBill, IndirectProvider, IndirectReseller},
    platform::{
        Error, Result,
        values::{Country, Money},
    },
    programs::{
        self, NewProgram, NewVersion, Program, ProgramStatus, Requirement, founding_version, rule_sets,
    },
};

/// A program that asks more, the guide's rules for providers, one that is closed and one that has ended.
pub(super) fn install(tx: &mut Tx<'_>) -> Result<()> {
    // The last one made is the first one listed: one that is open.
    let closed = offer(tx, "azure-boost", "Azure Boost", &[DirectBill], rule_sets::founding())?;
    programs::update(tx, closed, |program| program.status = ProgramStatus::Closed)?;
    let ended = offer(tx, "surface-launch", "Surface Launch", &[DirectBill], rule_sets::founding())?;
    programs::discontinue(tx, ended, "the product is no longer sold")?;
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
    let new = NewProgram { code: code.into(), name: name.into(), partner_types: partner_types.to_vec() };
    let program = programs::create(tx, new)?;
    let year = programs::program_year_of(tx.today());
    for year in [year, year + 1] {
        let new = NewVersion { requirements: requirements.clone(), ..founding_version(year) };
        let version = programs::create_version(tx, &program, new)?;
        programs::publish(tx, &program, version, None)?;
    }
    Ok(program)
}

fn demanding() -> Result<Vec<Requirement>> {
    let cloud = ["cloud-platform", "cloud-productivity", "data-analytics"].map(str::to_owned).to_vec();
    let countries =
        ["DE", "FR", "GB", "PL"].iter().map(|code| code.parse::<Country>()).collect::<Result<_, _>>();
    let amount =
        Money::parse("20000.00", "EUR".parse().map_err(Error::internal)?).map_err(Error::internal)?;
    let gold = Requirement::Competency { min_count: 1, min_level: Level::Gold, any_of: None };
    let revenue = Requirement::TrailingRevenue { days: 180, amount, keep_once_enrolled: true };
    Ok(vec![
        Requirement::PartnerActive {},
        Requirement::PartnerType {},
        Requirement::MpnAgreement {},
        Requirement::Country { countries: countries.map_err(Error::internal)? },
        Requirement::Competency { min_count: 1, min_level: Level::Silver, any_of: Some(cloud) },
        Requirement::AnyOf { requirements: vec![gold, revenue] },
    ])
}
