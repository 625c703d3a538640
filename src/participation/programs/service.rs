//! The commands on programs.

use super::{Program, ProgramStatus, ProgramVersion, api::ProgramView, program_year_of, store, versions};
use crate::{
    access::Tx,
    audit,
    network::partners::{PartnerType, TRANSITION_NOT_ALLOWED},
    platform::{Error, Result, db::types::Json, values::CalendarDate},
    text,
};

crate::problem_codes! {
    PROGRAM_CODE_TAKEN = "program_code_taken" 409 ["Another program has this code", "このコードは別のプログラムで使用されています"],
        ["A code names one program for good. Look the other one up with `GET /v1/programs/{code}`.", "コードは 1 つのプログラムに恒久的に割り当てられます。該当するプログラムは `GET /v1/programs/{code}` で確認できます。"];
    PROGRAM_DISCONTINUED = "program_discontinued" 409 ["The program has ended for good", "このプログラムは終了しています"],
        ["A discontinued program takes no more changes or versions. Make a new program.", "終了したプログラムには変更も新しい版の追加もできません。新しいプログラムを作成してください。"];
    VERSION_PUBLISHED = "version_published" 409 ["A published version is never changed", "公開済みの版は変更できません"],
        ["Others rely on what it says. A correction is a new version: `POST /v1/programs/{id}/versions`.", "公開済みの内容は他の処理の前提となっています。訂正は新しい版（`POST /v1/programs/{id}/versions`）で行ってください。"];
    VERSION_OVERLAPS = "version_overlaps" 409 ["Another published version is in effect on some of these days", "適用期間が公開済みの別の版と重複しています"],
        ["At most one version of a program is in effect on any day. `version` names the other one; change the days of this draft.", "1 つのプログラムで同じ日に適用される版は 1 つのみです。重複する版は `version` に示されます。この下書きの期間を変更してください。"];
    VERSION_CURRENCY_DIFFERS = "version_currency_differs" 409 ["The versions of a program year count in one currency", "同じプログラム年度の版は同じ通貨で定める必要があります"],
        ["Tiers and caps go on through a corrected version, so their amounts stay in one currency for the program year. `currency` names it; write the draft's thresholds, tiers and caps in that currency.", "段階と上限は訂正後の版にも引き継がれるため、プログラム年度内では同じ通貨で定めます。通貨は `currency` に示されます。下書きの基準額、段階、上限をその通貨で記載してください。"];
    VERSION_SCALE_DIFFERS = "version_scale_differs" 409 ["A lever keeps its kind of scale for a program year", "区分の段階方式は同じプログラム年度内では変更できません"],
        ["What a lever with tiers has counted and given goes on through a corrected version, so the scale under a code stays flat, marginal or retroactive for the program year. `lever` names the code and `version` the version with the other scale; give the draft's lever another code.", "段階を持つ区分の累計は訂正後の版にも引き継がれるため、同じコードの段階方式（flat、marginal、retroactive）はプログラム年度内では変更できません。該当する区分は `lever`、方式が異なる版は `version` に示されます。下書きの区分に別のコードを付けてください。"];
    PROGRAM_HAS_NO_VERSION = "program_has_no_version" 409 ["The program has no published version", "プログラムに公開済みの版がありません"],
        ["There is nothing a partner could be judged by. Write a version and publish it: `POST /v1/programs/{id}/versions/{version}/publication`.", "パートナーを判定する基準がありません。版を作成して公開（`POST /v1/programs/{id}/versions/{version}/publication`）してください。"];
}

/// The programs there are from the first start on: code, name, and the type of partner each is for.
const FOUNDING: [(&str, &str, PartnerType); 3] = [
    ("csp-direct-bill", "CSP Direct Bill", PartnerType::DirectBill),
    ("csp-indirect-provider", "CSP Indirect Provider", PartnerType::IndirectProvider),
    ("csp-indirect-reseller", "CSP Indirect Reseller", PartnerType::IndirectReseller),
];

/// The co-op claims of a month whose originals a new program asks for.
const COOP_AUDIT_SIZE: i32 = 5;

/// The facts of a new program.
#[derive(Clone, Debug)]
pub struct NewProgram {
    /// Stable lower-case slug.
    pub code: String,
    /// Name shown to people.
    pub name: String,
    /// The types of partner it is for.
    pub partner_types: Vec<PartnerType>,
}

/// Makes the founding programs, in effect for the program year of the day and the next.
pub fn install(tx: &mut Tx<'_>) -> Result<()> {
    let year = program_year_of(tx.today());
    for (code, name, partner_type) in FOUNDING {
        let new = NewProgram { code: code.into(), name: name.into(), partner_types: vec![partner_type] };
        let program = create(tx, new)?;
        for year in [year, year.saturating_add(1)] {
            let version = versions::create_version(tx, &program, versions::founding_version(year))?;
            versions::publish(tx, &program, version, None)?;
        }
    }
    Ok(())
}

/// The published version to judge by on a day: the one in effect, else the nearest; refuses where there is none.
pub fn version_for(tx: &mut Tx<'_>, program: &Program, day: CalendarDate) -> Result<ProgramVersion> {
    if let Some(version) = store::version_in_effect(tx, program.id, day)? {
        return Ok(version);
    }
    store::nearest_version(tx, program.id, day)?.ok_or_else(|| has_no_version(program))
}

/// The refusal where no version of a program has been published.
#[must_use]
pub fn has_no_version(program: &Program) -> Error {
    Error::new(
        &PROGRAM_HAS_NO_VERSION,
        text!("no version of {} has been published", "{} には公開済みの版がありません。", program.code),
    )
}

/// Makes a program; it is open, and takes part from its first published version on.
pub fn create(tx: &mut Tx<'_>, new: NewProgram) -> Result<Program> {
    if store::is_taken(tx, &new.code)? {
        let detail = text!("there is a program {} already", "プログラム {} はすでに存在します。", new.code);
        return Err(Error::new(&PROGRAM_CODE_TAKEN, detail));
    }
    let program = Program {
        id: tx.new_id(),
        code: new.code,
        name: new.name,
        partner_types: Json(each_once(new.partner_types)),
        status: ProgramStatus::Open,
        created_at: tx.now,
        updated_at: tx.now,
        revision: 1,
        holidays: Json(Vec::new()),
        coop_audit_size: COOP_AUDIT_SIZE,
    };
    store::insert(tx, &program)?;
    audit::Event::on("program", program.id).after(&ProgramView::from(program.clone())).record(tx)?;
    Ok(program)
}

/// Changes a program's record; `change` says how.
pub fn update(tx: &mut Tx<'_>, before: Program, change: impl Fn(&mut Program)) -> Result<Program> {
    refuse_discontinued(&before)?;
    let mut program = before.clone();
    change(&mut program);
    program.partner_types = Json(each_once(program.partner_types.0));
    program.holidays.0.sort_unstable();
    program.holidays.0.dedup();
    save(tx, &before, program, None)
}

/// Ends a program for good.
pub fn discontinue(tx: &mut Tx<'_>, before: Program, reason: &str) -> Result<Program> {
    if before.status == ProgramStatus::Discontinued {
        let detail = text!(
            "a discontinued program allows nothing more",
            "終了したプログラムに対して行える操作はありません。"
        );
        let refusal = Error::new(&TRANSITION_NOT_ALLOWED, detail).with("from", before.status);
        return Err(refusal.with("allowed", [""; 0]));
    }
    let program = Program { status: ProgramStatus::Discontinued, ..before.clone() };
    save(tx, &before, program, Some(reason))
}

pub(super) fn refuse_discontinued(program: &Program) -> Result<()> {
    if program.status == ProgramStatus::Discontinued {
        return Err(Error::new(
            &PROGRAM_DISCONTINUED,
            text!("{} has been discontinued", "{} は終了しています。", program.code),
        ));
    }
    Ok(())
}

fn save(tx: &mut Tx<'_>, before: &Program, program: Program, reason: Option<&str>) -> Result<Program> {
    let program = Program { updated_at: tx.now, revision: before.revision + 1, ..program };
    let changes_its_days = (program.status, &program.partner_types) != (before.status, &before.partner_types);
    if changes_its_days {
        store::keep_past(tx, before)?;
    }
    store::update(tx, &program)?;
    let views = (ProgramView::from(before.clone()), ProgramView::from(program.clone()));
    let event = audit::Event::on("program", program.id).before(&views.0).after(&views.1);
    event.because(reason).record(tx)?;
    if changes_its_days {
        tx.program_changed(program.id);
    }
    Ok(program)
}

fn each_once(partner_types: Vec<PartnerType>) -> Vec<PartnerType> {
    PartnerType::ALL.iter().copied().filter(|one| partner_types.contains(one)).collect()
}
