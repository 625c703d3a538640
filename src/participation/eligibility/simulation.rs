//! Judging by hypothetical facts. Nothing here writes.

use super::{
    api::ProgramReference,
    facts::{Known, Sale, Subject},
    model::VersionTerms,
    rules::evaluate_by,
    service::{program_terms, version_terms, wanted_by, with_version},
    simulation_api::{
        EligibilitySimulation, SimulatedVerdict, SupposedAgreement, SupposedAttainment, SupposedPartner,
    },
    view::{EligibilityCheck, EligibilityCheckView},
};
use crate::{
    access::{Role, Tx},
    network::{
        agreements::{Agreement, Kind, MembershipLevel},
        competencies::{self, Attainment},
        partners::{self, PartnerPeriod},
    },
    participation::programs::{self, Offer, Program, ProgramVersion, Requirement},
    platform::{
        Error, FieldError, Result, codes,
        values::{CalendarDate, Id, Locale, Period, Text, Words},
    },
    sales::transactions::TransactionKind,
    text,
};

/// Answers a simulation.
pub(super) fn simulate(tx: &mut Tx<'_>, asked: EligibilitySimulation) -> Result<SimulatedVerdict> {
    let as_of = asked.as_of.unwrap_or(tx.today());
    let day = Period { from: as_of, to: as_of };
    let partner_id = asked.partner_id.as_ref().map(|partner| partner.id(tx)).transpose()?;
    let subject = subject(tx, partner_id, asked.partner.as_ref(), day)?;
    let program = programs::find(tx, &asked.program)?;
    let rules = Rules::of(tx, &program, asked.version, asked.requirements.as_deref(), as_of)?;
    refuse_unsound(tx, &asked, &subject)?;

    let offer = rules.offer(programs::offer_of(tx, &program)?);
    let wanted = wanted_by(std::slice::from_ref(&offer)).by(rules.requirements.unwrap_or_default());
    let on_record = partner_id.map_or([].as_slice(), |_| std::slice::from_ref(&subject));
    let mut known = Known::gather(tx, on_record, &[program.id], wanted)?;
    let hypothetical = suppose(tx, &mut known, &subject, &asked);

    let facts = known.facts(&subject, program.id);
    let mut terms = program_terms(&offer);
    if rules.requirements.is_some() {
        terms.versions = vec![rules.version_terms()];
    }
    let verdict = evaluate_by(&facts, &terms, Some(rules.version_terms()), as_of);
    let checks = verdict.view().into_iter().map(|check| without(check, &hypothetical));
    Ok(SimulatedVerdict {
        simulated: true,
        partner_id,
        version: rules.version.as_ref().map(|version| version.version),
        as_of,
        evaluated_at: tx.now,
        outcome: verdict.outcome,
        eligible_until: verdict.eligible_until(),
        checks: EligibilityCheckView::all(checks.collect(), tx.language),
        program: ProgramReference { id: program.id, code: program.code.clone() },
    })
}

/// The partner to start from: on record, or described.
fn subject(
    tx: &mut Tx<'_>,
    id: Option<Id>,
    described: Option<&SupposedPartner>,
    days: Period,
) -> Result<Subject> {
    match (id, described) {
        (Some(id), None) => Ok(Subject::of(&partners::get(tx, id)?, days)),
        (None, Some(partner)) => {
            let id = tx.new_id();
            let standing = PartnerPeriod {
                partner_id: id,
                last_day: CalendarDate::MAX,
                status: partner.status,
                country: partner.country,
                headquarters_id: None,
                headquarters_since: None,
            };
            Ok(Subject { id, partner_type: partner.partner_type, standing, days })
        }
        (None, None) => {
            let message = text!(
                "name a partner on record, or describe one as partner",
                "登録済みのパートナーを指定するか、partner に条件を記載してください。"
            );
            Err(Error::invalid_field("/partner_id", "required", message))
        }
        (Some(_), Some(_)) => {
            let message = text!(
                "give partner_id or partner, not both",
                "partner_id と partner はいずれか一方のみ指定してください。"
            );
            Err(Error::invalid_field("/partner", "unexpected", message))
        }
    }
}

/// The rules the partner is judged by.
struct Rules<'a> {
    version: Option<ProgramVersion>,
    program_year: i32,
    days: Period,
    requirements: Option<&'a [Requirement]>,
}

impl<'a> Rules<'a> {
    fn of(
        tx: &mut Tx<'_>,
        program: &Program,
        number: Option<i32>,
        requirements: Option<&'a [Requirement]>,
        as_of: CalendarDate,
    ) -> Result<Self> {
        if requirements.is_some() && tx.actor.role != Some(Role::Operator) {
            let detail = text!(
                "requirements of one's own are for operators; leave them out",
                "独自の要件を指定できるのは運営担当者のみです。この項目を省略してください。"
            );
            return Err(Error::new(&codes::FORBIDDEN, detail));
        }
        let version = match (number, requirements) {
            (Some(number), _) => Some(programs::get_version(tx, program.id, number)?),
            (None, Some(_)) => None,
            (None, None) => Some(programs::version_for(tx, program, as_of)?),
        };
        let year = programs::program_year_of(as_of);
        let program_year = version.as_ref().map_or(year, |version| version.program_year);
        let whole_year = programs::program_year(year).unwrap_or(Period { from: as_of, to: as_of });
        let days = version.as_ref().map_or(whole_year, ProgramVersion::period);
        Ok(Self { version, program_year, days, requirements })
    }

    /// The program, with the version that is judged by in its place.
    fn offer(&self, published: Offer) -> Offer {
        match &self.version {
            Some(version) => with_version(published, version),
            None => published,
        }
    }

    fn version_terms(&self) -> VersionTerms<'_> {
        match (&self.version, self.requirements) {
            (Some(version), None) => version_terms(version),
            (_, requirements) => VersionTerms {
                program_year: self.program_year,
                days: self.days,
                requirements: requirements.unwrap_or_default(),
            },
        }
    }
}

/// Refuses what could never be on record.
fn refuse_unsound(tx: &mut Tx<'_>, asked: &EligibilitySimulation, subject: &Subject) -> Result<()> {
    let mut faults = Vec::new();
    let mut add = |pointer: String, code: &'static str, message: Text| {
        faults.push(FieldError::new(pointer, code, message));
    };
    for (index, SupposedAgreement { kind, effective_on, expires_on, .. }) in
        asked.agreements.iter().enumerate()
    {
        if !kind.fits(subject.partner_type) {
            let (partner_type, Words { en, ja }) = (subject.partner_type, kind.title());
            let message = text!(
                "a partner of type {partner_type} signs no {en}",
                "種別が {partner_type} のパートナーは{ja}を締結できません。"
            );
            add(format!("/agreements/{index}/kind"), "kind_does_not_fit", message);
        }
        if expires_on.is_some_and(|last| last < *effective_on) {
            let message = text!(
                "an agreement expires on or after the day it begins",
                "契約の期限は開始日以降にしてください。"
            );
            add(format!("/agreements/{index}/expires_on"), "order", message);
        }
    }
    let known = known_codes(tx, asked)?;
    for (index, attainment) in asked.attainments.iter().enumerate() {
        let code = &attainment.competency_code;
        if !known.contains(code) {
            let message = text!(
                "{code} is no competency of the catalogue; see GET /v1/competencies",
                "{code} は登録されていないコンピテンシーです。GET /v1/competencies で一覧を確認できます。"
            );
            add(format!("/attainments/{index}/competency_code"), "unknown", message);
        }
        if attainment.expires_on < attainment.attained_on {
            let message = text!(
                "an attainment expires on or after the day it begins",
                "コンピテンシーの期限は取得日以降にしてください。"
            );
            add(format!("/attainments/{index}/expires_on"), "order", message);
        }
    }
    for (index, purchase) in asked.purchases.iter().enumerate() {
        if purchase.amount.minor <= 0 {
            let message =
                text!("a purchase is for more than nothing", "購入の金額は 0 より大きくしてください。");
            add(format!("/purchases/{index}/amount"), "range", message);
        }
    }
    if let Some(requirements) = &asked.requirements {
        faults.extend(programs::requirement_faults(tx, requirements, "/requirements")?);
    }
    faults.truncate(100);
    if faults.is_empty() { Ok(()) } else { Err(Error::invalid(faults)) }
}

fn known_codes(tx: &mut Tx<'_>, asked: &EligibilitySimulation) -> Result<Vec<String>> {
    let codes: Vec<String> = asked.attainments.iter().map(|a| a.competency_code.clone()).collect();
    if codes.is_empty() {
        return Ok(codes);
    }
    competencies::known_codes(tx, codes)
}

/// Adds hypothetical facts to those on record; returns the ids they were given.
fn suppose(tx: &Tx<'_>, known: &mut Known, subject: &Subject, asked: &EligibilitySimulation) -> Vec<Id> {
    let mut made = vec![];
    let mut id = || {
        let id = tx.new_id();
        made.push(id);
        id
    };
    for hypothetical in &asked.agreements {
        known.suppose_agreement(agreement(tx, id(), subject.id, hypothetical));
    }
    for hypothetical in &asked.attainments {
        known.suppose_attainment(attainment(tx, id(), subject.id, hypothetical));
    }
    for hypothetical in &asked.purchases {
        let sale = Sale {
            id: id(),
            kind: TransactionKind::Purchase,
            original_id: None,
            occurred_on: hypothetical.occurred_on,
            amount: hypothetical.amount,
        };
        known.suppose_sale(subject.id, sale);
    }
    if asked.partner_id.is_none() {
        made.push(subject.id);
    }
    made
}

fn agreement(tx: &Tx<'_>, id: Id, partner_id: Id, hypothetical: &SupposedAgreement) -> Agreement {
    let kind = hypothetical.kind;
    let grace_days = if kind == Kind::Mpn { hypothetical.grace_days.unwrap_or(30) } else { 0 };
    Agreement {
        id,
        kind,
        partner_id,
        agreement_number: "(hypothetical)".into(),
        signed_by: String::new(),
        signed_on: hypothetical.effective_on,
        effective_on: hypothetical.effective_on,
        expires_on: hypothetical.expires_on,
        terminated_on: None,
        termination_reason: None,
        membership_level: (kind == Kind::Mpn).then_some(MembershipLevel::Community),
        grace_days,
        region: None,
        distributor_authorization: (kind == Kind::Distributor)
            .then_some(hypothetical.distributor_authorization),
        created_at: tx.now,
        updated_at: tx.now,
        revision: 1,
    }
}

fn attainment(tx: &Tx<'_>, id: Id, partner_id: Id, hypothetical: &SupposedAttainment) -> Attainment {
    Attainment {
        id,
        partner_id,
        competency_code: hypothetical.competency_code.clone(),
        level: hypothetical.level,
        attained_on: hypothetical.attained_on,
        expires_on: hypothetical.expires_on,
        grace_days: hypothetical.grace_days,
        at_risk_since: None,
        revoked_on: None,
        created_at: tx.now,
        updated_at: tx.now,
        revision: 1,
    }
}

/// A hypothetical record has no address, and so is no evidence and no remedy's target.
fn without(check: EligibilityCheck, hypothetical: &[Id]) -> EligibilityCheck {
    let real = |remedy: &Text| {
        let text = remedy.in_language(Locale::En);
        !hypothetical.iter().any(|id| text.contains(&id.to_string()))
    };
    EligibilityCheck {
        remedy: check.remedy.filter(real),
        evidence: check.evidence.into_iter().filter(|record| !hypothetical.contains(&record.id)).collect(),
        checks: check.checks.into_iter().map(|check| without(check, hypothetical)).collect(),
        ..check
    }
}
