//! The agreement rules: an agreement of the kind counts.

use super::{
    evidence::collection,
    held::Holding,
    model::{Account, Case, Ruling},
    rules::reach,
    view::EligibilityEvidence,
    words::{CheckWarning, EligibilityCode as Code},
};
use crate::{
    network::agreements::{Agreement, AgreementStatus, Kind},
    platform::values::{Text, Words},
    text,
};

/// The reason why no agreement of a kind counts.
#[derive(Clone, Copy, Debug)]
enum AgreementFault<'a> {
    /// No agreement of the kind is on record.
    Missing,
    /// The first agreement begins later.
    NotEffective(&'a Agreement),
    /// The latest agreement ran out; the next one to begin, where there is one.
    Expired(&'a Agreement, Option<&'a Agreement>),
    /// The latest agreement was ended early; the next one to begin, where there is one.
    Terminated(&'a Agreement, Option<&'a Agreement>),
    /// An agreement counts but carries no authorization to distribute.
    Unauthorized(&'a Agreement),
}

/// An agreement of the kind counts, grace included.
pub(super) fn holds(case: Case<'_>, kind: Kind) -> Ruling {
    judge(case, kind, |_| true)
}

/// A distributor agreement counts and, where that is asked, carries the authorization to distribute.
pub(super) fn distributor(case: Case<'_>, authorization_required: bool) -> Ruling {
    judge(case, Kind::Distributor, |agreement| {
        !authorization_required || agreement.distributor_authorization == Some(true)
    })
}

fn judge(case: Case<'_>, kind: Kind, fits: impl Fn(&Agreement) -> bool + Copy) -> Ruling {
    let day = case.as_of;
    let fitting = || {
        let all = case.facts.agreements.iter();
        all.filter(move |held| held.record.kind == kind && fits(held.record))
    };
    let status = |held: &Holding<'_, Agreement>| held.record.status_on(day);
    let counting = fitting().filter(|held| held.counts_on(day));
    let best =
        counting.max_by_key(|held| (status(held) == AgreementStatus::Active, held.until(), held.record.id));
    let Some(best) = best else {
        let fault = fault(case, kind);
        return Ruling::unmet(code(fault, kind), case.tell(|| unmet(fault, kind)));
    };
    let in_grace = status(&best) == AgreementStatus::Grace;
    let carried = |day| fitting().filter(|a| a.counts_on(day)).map(|a| a.until()).max().unwrap_or(day);
    Ruling::met(reach(day, carried), case.tell(|| met(best.record, in_grace)))
        .warning(in_grace.then_some(CheckWarning::InGrace))
}

/// The most telling reason why no agreement counts: the end of the one that began last, else the one to come.
fn fault(case: Case<'_>, kind: Kind) -> AgreementFault<'_> {
    let day = case.as_of;
    let all = || case.facts.agreements.on(day).filter(|agreement| agreement.kind == kind);
    if let Some(bare) = all().filter(|a| a.counts_on(day)).max_by_key(|a| (a.first_day_without(), a.id)) {
        return AgreementFault::Unauthorized(bare);
    }
    let latest =
        all().filter(|a| a.effective_on <= day).max_by_key(|a| (a.effective_on, a.first_day_without(), a.id));
    // An agreement that was ended before it began never comes.
    let to_come = |a: &&Agreement| day < a.effective_on && a.effective_on < a.first_day_without();
    let next = all().filter(to_come).min_by_key(|a| (a.effective_on, a.id));
    let cancelled = || all().max_by_key(|a| (a.effective_on, a.id));
    match (latest, next) {
        (Some(last), next) if last.status_on(day) == AgreementStatus::Terminated => {
            AgreementFault::Terminated(last, next)
        }
        (Some(last), next) => AgreementFault::Expired(last, next),
        (None, Some(next)) => AgreementFault::NotEffective(next),
        (None, None) => {
            cancelled().map_or(AgreementFault::Missing, |last| AgreementFault::Terminated(last, None))
        }
    }
}

const fn code(fault: AgreementFault<'_>, kind: Kind) -> Code {
    match (fault, kind) {
        (AgreementFault::Missing, Kind::Mpn) => Code::MpnAgreementMissing,
        (AgreementFault::Missing, Kind::Distributor) => Code::DistributorAgreementMissing,
        (AgreementFault::Missing, Kind::Reseller) => Code::ResellerAgreementMissing,
        (AgreementFault::NotEffective(_), Kind::Mpn) => Code::MpnAgreementNotEffective,
        (AgreementFault::NotEffective(_), Kind::Distributor) => Code::DistributorAgreementNotEffective,
        (AgreementFault::NotEffective(_), Kind::Reseller) => Code::ResellerAgreementNotEffective,
        (AgreementFault::Expired(..), Kind::Mpn) => Code::MpnAgreementExpired,
        (AgreementFault::Expired(..), Kind::Distributor) => Code::DistributorAgreementExpired,
        (AgreementFault::Expired(..), Kind::Reseller) => Code::ResellerAgreementExpired,
        (AgreementFault::Terminated(..), Kind::Mpn) => Code::MpnAgreementTerminated,
        (AgreementFault::Terminated(..), Kind::Distributor) => Code::DistributorAgreementTerminated,
        (AgreementFault::Terminated(..), Kind::Reseller) => Code::ResellerAgreementTerminated,
        (AgreementFault::Unauthorized(_), _) => Code::DistributorAuthorizationMissing,
    }
}

fn met(agreement: &Agreement, in_grace: bool) -> Account {
    let (Words { en, ja }, number) = (paper(agreement.kind), &agreement.agreement_number);
    let account = match agreement.expires_on {
        Some(last) if in_grace => {
            let end = agreement.first_day_without().plus_days(-1);
            Account::of(text!(
                "{en} {number} expired on {last}; its renewal window ends on {end}.",
                "{ja} {number} は {last} に満了しています。更新の猶予期間は {end} までです。"
            ))
            .mended_by(renew(agreement))
        }
        Some(last) => Account::of(text!(
            "{en} {number} is active until {last}.",
            "{ja} {number} は {last} まで有効です。"
        )),
        None => {
            let first = agreement.effective_on;
            Account::of(text!(
                "{en} {number} is active since {first}.",
                "{ja} {number} は {first} から有効です。"
            ))
        }
    };
    account.resting_on([EligibilityEvidence::from(agreement)])
}

fn unmet(fault: AgreementFault<'_>, kind: Kind) -> Account {
    let (Words { en, ja }, Words { en: within, .. }) = (paper(kind), kind.title());
    let collection = collection(kind);
    let sign = || {
        text!(
            "Sign and record a new {within}: POST /v1/{collection}",
            "新たに{ja}を締結し、登録してください：POST /v1/{collection}"
        )
    };
    let wait = |next: &Agreement| {
        let day = next.effective_on;
        text!("Ask again from {day} on.", "{day} 以降に再度お申し込みください。")
    };
    match fault {
        AgreementFault::Missing => {
            Account::of(text!("No {within} is on record.", "{ja}が登録されていません。")).mended_by(text!(
                "Sign and record the {within}: POST /v1/{collection}",
                "{ja}を締結し、登録してください：POST /v1/{collection}"
            ))
        }
        AgreementFault::NotEffective(a) => {
            let (number, begins) = (&a.agreement_number, a.effective_on);
            Account::of(text!(
                "{en} {number} begins on {begins}.",
                "{ja} {number} の開始日は {begins} です。"
            ))
            .mended_by(wait(a))
            .resting_on([a.into()])
        }
        AgreementFault::Expired(a, next) => {
            let (number, counted) = (&a.agreement_number, a.first_day_without().plus_days(-1));
            let last = a.expires_on.unwrap_or(counted);
            let message = if last < counted {
                text!(
                    "{en} {number} expired on {last}; its renewal window ended on {counted}.",
                    "{ja} {number} は {last} に満了し、更新の猶予期間も {counted} に終了しています。"
                )
            } else {
                text!("{en} {number} expired on {last}.", "{ja} {number} は {last} に満了しています。")
            };
            Account::of(with_next(message, next))
                .mended_by(next.map_or_else(|| renew(a), wait))
                .resting_on([a.into()])
        }
        AgreementFault::Terminated(a, next) => {
            let end = a.terminated_on.unwrap_or_else(|| a.first_day_without());
            let number = &a.agreement_number;
            let message = text!(
                "{en} {number} was terminated as of {end}.",
                "{ja} {number} は {end} に解約されています。"
            );
            Account::of(with_next(message, next))
                .mended_by(next.map_or_else(sign, wait))
                .resting_on([a.into()])
        }
        AgreementFault::Unauthorized(a) => {
            let number = &a.agreement_number;
            let record = format!("PATCH /v1/{collection}/{}", a.id);
            Account::of(text!(
                "{en} {number} is active but carries no distributor authorization.",
                "{ja} {number} は有効ですが、販売権限が付与されていません。"
            ))
            .mended_by(text!(
                "Have the authorization granted and record it: {record}",
                "販売権限の付与を受け、登録してください：{record}"
            ))
            .resting_on([a.into()])
        }
    }
}

/// The sentence, and behind it the agreement that begins next, where there is one.
fn with_next(message: Text, next: Option<&Agreement>) -> Text {
    let Some(next) = next else { return message };
    let (number, day) = (&next.agreement_number, next.effective_on);
    let more = text!(" The next, {number}, begins on {day}.", "次の契約 {number} の開始日は {day} です。");
    Text::in_each(|language| [message.in_language(language), more.in_language(language)].concat())
}

fn renew(agreement: &Agreement) -> Text {
    let (Words { en, ja }, collection) = (agreement.kind.title(), collection(agreement.kind));
    let id = agreement.id;
    text!(
        "Renew the {en}: POST /v1/{collection}/{id}/renewal",
        "{ja}を更新してください：POST /v1/{collection}/{id}/renewal"
    )
}

/// The paper's name at the head of a sentence.
const fn paper(kind: Kind) -> Words<'static> {
    match kind {
        Kind::Mpn => Words::new("MPN agreement", "MPN 契約"),
        Kind::Distributor => Words::new("Distributor agreement", "ディストリビューター契約"),
        Kind::Reseller => Words::new("Reseller agreement", "リセラー契約"),
    }
}
