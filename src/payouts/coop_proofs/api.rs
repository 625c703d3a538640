//! Proofs over HTTP.

use super::{
    receiving::{self, MOST_BYTES, NewProof},
    service,
    view::CoopProofView,
};
use crate::{
    access::{
        Caller,
        policy::{CreateCoopProof, DeleteCoopProof, GetCoopProofContent, ListCoopProofs},
    },
    participation::programs::CoopProofKind,
    payouts::coop_claims::{self, Proof, ProofMedia, proofs},
    platform::{
        Error, Result, codes,
        http::{
            Answer, Cursor, File, FileKind, Listing, NoFilter, PageParams, PageRequest, Path, Query, Upload,
            page_of,
        },
        values::Id,
    },
    text,
};
use actix_web::{delete, get, post};
use serde::Deserialize;
use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type},
};
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this slice.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_coop_proofs)
        .service(create_coop_proof)
        .service(get_coop_proof_content)
        .service(delete_coop_proof);
}

page_of!(
    /// One page of proofs.
    pub CoopProofPage of CoopProofView
);

/// What a file proves.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CoopProofParams {
    /// What the file proves.
    #[serde(default)]
    #[param(inline, value_type = CoopProofKind, required = true)]
    kind: Option<CoopProofKind>,
    /// The name of the file, such as `seminar.jpg`; the kind where it is left out. It is made safe, and its ending follows the content.
    #[param(min_length = 1, max_length = 255)]
    name: Option<String>,
    /// The expense that the file belongs to; left out of a proof of the activity.
    expense_id: Option<Id>,
}

impl CoopProofParams {
    /// The proof that is asked for. The parameters are looked at behind the authority of the caller.
    fn proof_of(self, claim_id: Id, media: ProofMedia) -> Result<NewProof> {
        let missing = || {
            let message = text!("this parameter is needed", "このパラメーターは必須です。");
            Error::invalid_field("kind", "required", message)
        };
        let kind = self.kind.ok_or_else(missing)?;
        let name = self.name.unwrap_or_else(|| kind.to_string());
        if !(1..=255).contains(&name.chars().count()) {
            let message = text!("1 to 255 characters", "1 ～ 255 文字で指定してください。");
            return Err(Error::invalid_field("name", "length", message));
        }
        Ok(NewProof { claim_id, expense_id: self.expense_id, kind, name, media })
    }
}

/// The bytes of a file, for which pages offer a file to choose.
pub struct ProofFile;

impl PartialSchema for ProofFile {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)))
            .max_length(usize::try_from(MOST_BYTES).ok())
            .description(Some("The bytes of a file."))
            .into()
    }
}

impl ToSchema for ProofFile {}

/// List the proofs of a co-op claim
///
/// The oldest first.
#[utoipa::path(tag = "coop-claims", params(PageParams), responses((status = 200, body = CoopProofPage)))]
#[get("/v1/coop-claims/{id}/proofs")]
async fn list_coop_proofs(
    caller: Caller<ListCoopProofs>,
    id: Path<Id>,
    page: PageRequest<NoFilter>,
) -> Result<Listing> {
    caller
        .list(page, move |tx, page| {
            let claim = coop_claims::get(tx, *id)?;
            let total = page.include_total.then(|| proofs::count(tx, &claim)).transpose()?;
            let found = proofs::list(tx, &claim, page)?;
            let cursor = |proof: &Proof| Cursor { key: None, id: proof.id };
            Ok(page.answer(found, total, cursor, CoopProofView::from))
        })
        .await
}

/// Send a proof of a co-op claim
///
/// A PDF, PNG or JPEG of at most 25 MiB, as the body of the request, while the claim is written; a claim has at most 20. The
/// content decides what the file is: it must be of the declared media type, whole, and without scripts, actions, files in it or a
/// password. Where the file does not arrive as a whole, nothing is kept. A file can be sent again for another kind or expense.
#[utoipa::path(
    tag = "coop-claims",
    params(CoopProofParams),
    request_body(
        content((ProofFile = "application/pdf"), (ProofFile = "image/png"), (ProofFile = "image/jpeg")),
        description = "The file."
    ),
    responses((status = 201, body = CoopProofView))
)]
#[post("/v1/coop-claims/{id}/proofs")]
async fn create_coop_proof(
    caller: Caller<CreateCoopProof>,
    id: Path<Id>,
    params: Query<CoopProofParams>,
    file: Upload,
) -> Result<Answer> {
    let media = file.media_type().parse::<ProofMedia>();
    let claim = *id;
    // Who may not send a file to this claim is refused before the service reads the file.
    caller.peek(move |tx| coop_claims::get(tx, claim).map(drop)).await?;
    let Ok(media) = media else {
        let detail = text!(
            "send Content-Type: application/pdf, image/png or image/jpeg",
            "Content-Type には application/pdf、image/png、image/jpeg のいずれかを指定してください。"
        );
        return Err(Error::new(&codes::UNSUPPORTED_MEDIA_TYPE, detail));
    };
    let new = params.0.proof_of(claim, media)?;
    let file = file.at_most(MOST_BYTES)?;
    let asked = new.clone();
    caller.peek(move |tx| receiving::expected(tx, &asked).map(drop)).await?;
    let slot = caller.document_slot().await?;
    let background = caller.background();
    let proof = file
        .feed(move |bytes| {
            let _slot = slot;
            receiving::receive(&background, new, bytes)
        })
        .await?;
    let location = format!("/v1/coop-proofs/{}/content", proof.id);
    Ok(Answer::created(location, &CoopProofView::from(proof), 1))
}

/// Download a proof
///
/// As it was sent, for saving: no browser shows it. Each download is an event of the audit trail.
#[utoipa::path(
    tag = "coop-claims",
    responses((status = 304, description = "You have this file already."), (status = 200, description = "The file.", content(
        (ProofFile = "application/pdf"), (ProofFile = "image/png"), (ProofFile = "image/jpeg")
    )))
)]
#[get("/v1/coop-proofs/{id}/content")]
async fn get_coop_proof_content(caller: Caller<GetCoopProofContent>, id: Path<Id>) -> Result<File> {
    let id = *id;
    let place = caller.file_place().await?;
    caller.note(&place, move |tx| service::note_download(tx, id)).await?;
    let proof = caller.peek(move |tx| proofs::get(tx, id)).await?;
    let objects = caller.app().objects().clone();
    let kind = FileKind { media: proof.media_type.as_str(), ending: proof.media_type.ending() };
    let (name, etag) = (proof.name.clone(), proof.sha256.clone());
    let file = caller.stored_file(place, kind, move |pieces| service::send(&objects, &proof, pieces)).await?;
    Ok(file.of_others(name, &etag))
}

/// Remove a proof
///
/// While its claim is written. The file itself goes within two days.
#[utoipa::path(tag = "coop-claims", responses((status = 204, description = "The proof is removed.")))]
#[delete("/v1/coop-proofs/{id}")]
async fn delete_coop_proof(caller: Caller<DeleteCoopProof>, id: Path<Id>) -> Result<Answer> {
    caller.act(move |tx| service::remove(tx, *id).map(|()| Answer::nothing())).await
}
