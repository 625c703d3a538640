//! The papers of the demo's partners: agreements with every fault an agreement can have, competencies, and profiles.

use super::{
    cast::{CAST, Player, Plot, partner_id},
    story::{Setting, players},
};
use crate::{
    access::Tx,
    network::{
        agreements::{self, Agreement, AgreementTerms, Kind, MembershipLevel, NewAgreement, Termination},
        competencies::{self, Level, NewAttainment},
        partners::PartnerType,
    },
    platform::{Result, values::CalendarDate},
};

/// The first day of the agreements in effect.
fn begin(today: CalendarDate) -> CalendarDate {
    today.plus_days(-290)
}

/// The first day of the agreements that take effect next month.
fn soon(today: CalendarDate) -> CalendarDate {
    today.plus_days(25)
}

pub(super) fn are_signed(tx: &mut Tx<'_>, setting: &Setting) -> Result<()> {
    let today = setting.today;
    let (begin, soon) = (begin(today), soon(today));
    // A list shows the newest agreements first: those of partners that no example names, so that readers may renew and
    // terminate the agreements.
    for (n, player) in players().skip(5).chain(players().take(5)) {
        let long = Some(today.plus_days(400));
        match player.plot {
            Plot::SinceLastYear => continue,
            Plot::MpnMissing | Plot::Location => {}
            Plot::MpnNotEffective => drop(sign(tx, n, Kind::Mpn, soon, long)?),
            Plot::MpnExpired | Plot::NothingInOrder => {
                drop(sign(tx, n, Kind::Mpn, begin, Some(today.plus_days(-90)))?);
            }
            Plot::MpnInGrace => drop(sign(tx, n, Kind::Mpn, begin, Some(today.plus_days(-12)))?),
            Plot::MpnTerminated => {
                let signed = sign(tx, n, Kind::Mpn, begin, long)?;
                terminate(tx, &signed, today.plus_days(-30))?;
            }
            Plot::MpnGap => {
                sign(tx, n, Kind::Mpn, begin, Some(today.plus_days(-200)))?;
                sign(tx, n, Kind::Mpn, today.plus_days(-120), long)?;
            }
            _ => drop(sign(tx, n, Kind::Mpn, begin, long)?),
        }
        sign_channel_agreement(tx, n, player, today)?;
    }
    Ok(())
}

fn sign_channel_agreement(tx: &mut Tx<'_>, n: usize, player: &Player, today: CalendarDate) -> Result<()> {
    let (begin, soon) = (begin(today), soon(today));
    let kind = match player.partner_type {
        PartnerType::DirectBill => Kind::Reseller,
        PartnerType::IndirectProvider => Kind::Distributor,
        PartnerType::IndirectReseller => return Ok(()),
    };
    let last = Some(today.plus_days(800));
    match player.plot {
        Plot::ChannelMissing | Plot::NothingInOrder | Plot::Location => {}
        Plot::ChannelNotEffective => drop(sign(tx, n, kind, soon, last)?),
        Plot::ChannelExpired => drop(sign(tx, n, kind, begin, Some(today.plus_days(-40)))?),
        Plot::ChannelTerminated => {
            let signed = sign(tx, n, kind, begin, None)?;
            terminate(tx, &signed, today.plus_days(-50))?;
        }
        _ => drop(sign(tx, n, kind, begin, last)?),
    }
    Ok(())
}

/// The n-th partner signs an agreement for the days from `from` to `to`; without `to` the agreement has no end.
pub(super) fn sign(
    tx: &mut Tx<'_>,
    n: usize,
    kind: Kind,
    from: CalendarDate,
    to: Option<CalendarDate>,
) -> Result<Agreement> {
    let authorized = CAST.get(n - 1).is_none_or(|player| player.plot != Plot::Unauthorized);
    let region = "Worldwide".to_owned();
    let terms = match kind {
        Kind::Mpn => AgreementTerms::Mpn { membership_level: MembershipLevel::Silver, grace_days: 30 },
        Kind::Distributor => AgreementTerms::Distributor { region, distributor_authorization: authorized },
        Kind::Reseller => AgreementTerms::Reseller { region },
    };
    let new = NewAgreement {
        partner_id: partner_id(n),
        agreement_number: format!("{}-{n:03}-{from}", kind.as_str().to_uppercase()),
        signed_by: format!("Sam Signer {n}"),
        signed_on: from.plus_days(-5),
        effective_on: from,
        expires_on: to,
        terms,
    };
    let id = tx.new_id();
    agreements::create(tx, id, new)
}

pub(super) fn terminate(tx: &mut Tx<'_>, agreement: &Agreement, on: CalendarDate) -> Result<()> {
    let termination = Termination { terminated_on: Some(on), reason: "annual fee not paid".into() };
    agreements::terminate(tx, agreement, termination).map(drop)
}

pub(super) fn and_competencies_attained(tx: &mut Tx<'_>, setting: &Setting) -> Result<()> {
    const CODES: [&str; 4] =
        ["cloud-productivity", "cloud-platform", "data-analytics", "enterprise-mobility-management"];
    let today = setting.today;
    for (n, player) in players() {
        let code = CODES.get(n % CODES.len()).copied().unwrap_or("cloud-platform");
        let level = if n % 3 == 0 { Level::Gold } else { Level::Silver };
        let usual = (today.plus_days(-280), today.plus_days(200), None);
        let (code, (attained_on, expires_on, at_risk_since)) = match player.plot {
            Plot::CompetencyMissing | Plot::NothingInOrder | Plot::Location | Plot::SinceLastYear => continue,
            Plot::CompetencyExpired => (code, (today.plus_days(-280), today.plus_days(-60), None)),
            Plot::CompetencyElsewhere => ("messaging", usual),
            Plot::CompetencyAtRisk => {
                (code, (today.plus_days(-280), today.plus_days(80), Some(today.plus_days(-9))))
            }
            _ => (code, usual),
        };
        let new = NewAttainment { level, attained_on, expires_on, grace_days: 30, at_risk_since };
        competencies::record_attainment(tx, partner_id(n), code, &new)?;
        if n == 1 || n == CAST.len() {
            // One more attainment, for readers to revoke: no requirement needs the attainment.
            competencies::record_attainment(tx, partner_id(n), "data-platform", &new)?;
        }
    }
    Ok(())
}
