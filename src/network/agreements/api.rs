//! Agreements over HTTP: three resources with the same six operations.

use super::{
    Agreement, Kind, Renewal,
    body::{
        AgreementTermination, DistributorAgreementCreate, DistributorAgreementRenewal,
        DistributorAgreementUpdate, MpnAgreementCreate, MpnAgreementRenewal, MpnAgreementUpdate,
        ResellerAgreementCreate, ResellerAgreementRenewal, ResellerAgreementUpdate,
    },
    filter::{AsOf, Criteria, DistributorAgreementFilter, MpnAgreementFilter, ResellerAgreementFilter},
    service, store,
    view::{
        AgreementView, DistributorAgreementPage, DistributorAgreementView, MpnAgreementPage,
        MpnAgreementView, ResellerAgreementPage, ResellerAgreementView,
    },
};
use crate::{
    access::{
        Caller, Tx,
        policy::{
            CreateDistributorAgreement, CreateMpnAgreement, CreateResellerAgreement, GetDistributorAgreement,
            GetMpnAgreement, GetResellerAgreement, ListDistributorAgreements, ListMpnAgreements,
            ListResellerAgreements, Policy, RenewDistributorAgreement, RenewMpnAgreement,
            RenewResellerAgreement, TerminateDistributorAgreement, TerminateMpnAgreement,
            TerminateResellerAgreement, UpdateDistributorAgreement, UpdateMpnAgreement,
            UpdateResellerAgreement,
        },
    },
    platform::{
        Result,
        http::{Answer, Body, Checked, Cursor, IfMatch, Listing, PageParams, PageRequest, Path, Query},
        values::Id,
    },
};
use actix_web::{get, patch, post};
use serde::de::DeserializeOwned;
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this slice.
pub fn routes(config: &mut ServiceConfig<'_>) {
    mpn_agreements(config);
    distributor_agreements(config);
    reseller_agreements(config);
}

/// Declares the six operations of one kind of agreement: for each address the operations with their bodies and views.
macro_rules! resource {
    (
        $routes:ident of $kind:ident: $a:literal, $one:literal, $who:literal;
        $collection:tt {
            $list:ident: $List:ident($Filter:ident) -> $Page:ident,
            $create:ident: $Create:ident($New:ident) -> $View:ident,
        }
        $item:tt {
            $get:ident: $Get:ident(AsOf),
            $update:ident: $Update:ident($Correction:ident),
        }
        $renewal:tt { $renew:ident: $Renew:ident($Renewal:ident) }
        $termination:tt { $terminate:ident: $Terminate:ident(AgreementTermination) }
    ) => {
        fn $routes(config: &mut ServiceConfig<'_>) {
            config
                .service($list)
                .service($create)
                .service($get)
                .service($update)
                .service($renew)
                .service($terminate);
        }

        #[utoipa::path(
            tag = "agreements",
            summary = concat!("List ", $one, "s"),
            description = concat!(
                "The ", $one, "s of the partners the caller may see, newest record first. Each is one period; ",
                "`status` is derived for today, or for the day `as_of`, and can be filtered by."
            ),
            params($Filter, PageParams),
            responses((status = 200, body = $Page))
        )]
        #[get($collection)]
        async fn $list(caller: Caller<$List>, page: PageRequest<$Filter>) -> Result<Listing> {
            let wanted = Criteria::from(page.filter.clone());
            list(caller, Kind::$kind, page, wanted).await
        }

        #[utoipa::path(
            tag = "agreements",
            summary = concat!("Record ", $a, " ", $one),
            description = concat!(
                $who, " Its number must be new, and its period must not overlap with that of another ", $one,
                " of the same partner."
            ),
            request_body = $New,
            responses((status = 201, body = $View))
        )]
        #[post($collection)]
        async fn $create(caller: Caller<$Create>, Checked(body): Checked<$New>) -> Result<Answer> {
            caller
                .write(body, |tx, new| {
                    let id = tx.new_id();
                    let new = new.clone().found(tx)?;
                    let agreement = service::create(tx, id, new)?;
                    Ok(created(tx, $collection, agreement))
                })
                .await
        }

        #[utoipa::path(
            tag = "agreements",
            summary = concat!("Read ", $a, " ", $one),
            description = concat!("One ", $one, ", with its status today, or on the day `as_of`."),
            params(AsOf),
            responses((status = 200, body = $View))
        )]
        #[get($item)]
        async fn $get(caller: Caller<$Get>, id: Path<Id>, asked: Query<AsOf>) -> Result<Answer> {
            caller
                .read(move |tx| {
                    let agreement = store::get(tx, Kind::$kind, *id)?;
                    let (revision, today) = (agreement.revision, tx.today());
                    let view = AgreementView::on(agreement, asked.0.as_of.unwrap_or(today), today);
                    Ok(Answer::record(&view, revision))
                })
                .await
        }

        #[utoipa::path(
            tag = "agreements",
            summary = concat!("Correct ", $a, " ", $one, "'s record"),
            description = concat!(
                "A merge patch (RFC 7396) for what was written down wrongly: members given replace those on record, ",
                "a null `expires_on` opens the end. The same rules hold as for a new ", $one, "."
            ),
            request_body = $Correction,
            responses((status = 200, body = $View))
        )]
        #[patch($item)]
        async fn $update(
            caller: Caller<$Update>,
            id: Path<Id>,
            body: Body<$Correction>,
            revision: IfMatch,
        ) -> Result<Answer> {
            caller
                .write(body, move |tx, correction| {
                    let before = service::to_change(tx, Kind::$kind, *id)?;
                    revision.permits(before.revision)?;
                    if *correction == $Correction::default() {
                        let answer = record(tx, before);
                return tx.unchanged(answer);
                    }
                    let agreement = service::correct(tx, &before, correction.clone().into())?;
                    Ok(record(tx, agreement))
                })
                .await
        }

        #[utoipa::path(
            tag = "agreements",
            summary = concat!("Renew ", $a, " ", $one),
            description = concat!(
                "Records a new period under a new number, from the day after the old one on where nothing else is ",
                "said; what is left out is as on the old paper. The old ", $one, " stays as it is. One without end ",
                "needs no renewal; one that was terminated is not renewed but signed anew."
            ),
            request_body = $Renewal,
            responses((status = 201, body = $View))
        )]
        #[post($renewal)]
        async fn $renew(caller: Caller<$Renew>, id: Path<Id>, Checked(body): Checked<$Renewal>) -> Result<Answer> {
            caller
                .write(body, move |tx, renewal| {
                    let before = service::to_change(tx, Kind::$kind, *id)?;
                    let new = tx.new_id();
                    let agreement = service::renew(tx, &before, new, Renewal::from(renewal.clone()))?;
                    Ok(created(tx, $collection, agreement))
                })
                .await
        }

        #[utoipa::path(
            tag = "agreements",
            summary = concat!("Terminate ", $a, " ", $one),
            description = concat!(
                "Ends the ", $one, " early: from `terminated_on` on the agreement no longer counts, and another one may ",
                "begin. A termination is final."
            ),
            request_body = AgreementTermination,
            responses((status = 200, body = $View))
        )]
        #[post($termination)]
        async fn $terminate(
            caller: Caller<$Terminate>,
            id: Path<Id>,
            body: Body<AgreementTermination>,
        ) -> Result<Answer> {
            terminate(caller, Kind::$kind, *id, body).await
        }
    };
}

resource! {
    mpn_agreements of Mpn: "an", "MPN agreement", "Membership in the partner network, which every partner needs.";
    "/v1/mpn-agreements" {
        list_mpn_agreements: ListMpnAgreements(MpnAgreementFilter) -> MpnAgreementPage,
        create_mpn_agreement: CreateMpnAgreement(MpnAgreementCreate) -> MpnAgreementView,
    }
    "/v1/mpn-agreements/{id}" {
        get_mpn_agreement: GetMpnAgreement(AsOf),
        update_mpn_agreement: UpdateMpnAgreement(MpnAgreementUpdate),
    }
    "/v1/mpn-agreements/{id}/renewal" {
        renew_mpn_agreement: RenewMpnAgreement(MpnAgreementRenewal)
    }
    "/v1/mpn-agreements/{id}/termination" {
        terminate_mpn_agreement: TerminateMpnAgreement(AgreementTermination)
    }
}

resource! {
    distributor_agreements of Distributor:
        "a", "distributor agreement", "For an indirect provider, or a headquarters of one.";
    "/v1/distributor-agreements" {
        list_distributor_agreements:
            ListDistributorAgreements(DistributorAgreementFilter) -> DistributorAgreementPage,
        create_distributor_agreement:
            CreateDistributorAgreement(DistributorAgreementCreate) -> DistributorAgreementView,
    }
    "/v1/distributor-agreements/{id}" {
        get_distributor_agreement: GetDistributorAgreement(AsOf),
        update_distributor_agreement: UpdateDistributorAgreement(DistributorAgreementUpdate),
    }
    "/v1/distributor-agreements/{id}/renewal" {
        renew_distributor_agreement: RenewDistributorAgreement(DistributorAgreementRenewal)
    }
    "/v1/distributor-agreements/{id}/termination" {
        terminate_distributor_agreement: TerminateDistributorAgreement(AgreementTermination)
    }
}

resource! {
    reseller_agreements of Reseller:
        "a", "reseller agreement", "For a direct bill partner, or a headquarters of one.";
    "/v1/reseller-agreements" {
        list_reseller_agreements: ListResellerAgreements(ResellerAgreementFilter) -> ResellerAgreementPage,
        create_reseller_agreement: CreateResellerAgreement(ResellerAgreementCreate) -> ResellerAgreementView,
    }
    "/v1/reseller-agreements/{id}" {
        get_reseller_agreement: GetResellerAgreement(AsOf),
        update_reseller_agreement: UpdateResellerAgreement(ResellerAgreementUpdate),
    }
    "/v1/reseller-agreements/{id}/renewal" {
        renew_reseller_agreement: RenewResellerAgreement(ResellerAgreementRenewal)
    }
    "/v1/reseller-agreements/{id}/termination" {
        terminate_reseller_agreement: TerminateResellerAgreement(AgreementTermination)
    }
}

async fn list<P: Policy, F: DeserializeOwned + Send + 'static>(
    caller: Caller<P>,
    kind: Kind,
    page: PageRequest<F>,
    wanted: Criteria,
) -> Result<Listing> {
    caller
        .list(page, move |tx, page| {
            let total = page.include_total.then(|| store::count(tx, kind, &wanted)).transpose()?;
            let agreements = store::list(tx, kind, &wanted, page)?;
            let today = tx.today();
            let as_of = wanted.as_of.unwrap_or(today);
            let view = |agreement| AgreementView::on(agreement, as_of, today);
            Ok(page.answer(agreements, total, |agreement| Cursor { key: None, id: agreement.id }, view))
        })
        .await
}

async fn terminate<P: Policy>(
    caller: Caller<P>,
    kind: Kind,
    id: Id,
    body: Body<AgreementTermination>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, termination| {
            let before = service::to_change(tx, kind, id)?;
            let agreement = service::terminate(tx, &before, termination.clone().into())?;
            Ok(record(tx, agreement))
        })
        .await
}

fn created(tx: &Tx<'_>, collection: &str, agreement: Agreement) -> Answer {
    let location = format!("{collection}/{}", agreement.id);
    record(tx, agreement).made_at(location)
}

fn record(tx: &Tx<'_>, agreement: Agreement) -> Answer {
    let revision = agreement.revision;
    Answer::record(&AgreementView::today(tx, agreement), revision)
}
