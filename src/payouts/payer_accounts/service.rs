//! Commands on payer accounts: open, change, close.

use super::{CreditorAgentWithoutBic, PayerAccount, PayerAccountState, store, view::PayerAccountView};
use crate::{
    access::Tx,
    audit,
    network::{partners::TRANSITION_NOT_ALLOWED, profiles::BankAccount},
    platform::{Error, FieldError, Result, values::Id},
    text,
};

/// A payer account to record.
#[derive(Clone, Debug)]
pub struct NewPayerAccount {
    /// The name among the operators.
    pub name: String,
    /// The account.
    pub account: BankAccount,
    /// How files name the bank of a payee whose BIC is not known.
    pub creditor_agent_without_bic: CreditorAgentWithoutBic,
    /// Whether the bank books the payments of a file as one sum.
    pub batch_booking: bool,
    /// Whether the bank takes files as pain.001.
    pub speaks_pain001: bool,
}

/// Records a payer account; refuses one that no bank file can name, with all of its faults.
pub fn create(tx: &mut Tx<'_>, id: Id, new: NewPayerAccount) -> Result<PayerAccount> {
    refuse_faults(&new.account)?;
    let payer = PayerAccount {
        id,
        name: new.name,
        account: new.account,
        creditor_agent_without_bic: new.creditor_agent_without_bic,
        batch_booking: new.batch_booking,
        speaks_pain001: new.speaks_pain001,
        state: PayerAccountState::Active,
        created_at: tx.now,
        updated_at: tx.now,
        revision: 1,
    };
    store::insert(tx, &payer)?;
    audit::Event::on("payer_account", id).after(&PayerAccountView::from(payer.clone())).record(tx)?;
    Ok(payer)
}

fn refuse_faults(account: &BankAccount) -> Result<()> {
    let faults: Vec<FieldError> = account.faults().into_iter().map(FieldError::from).collect();
    if faults.is_empty() { Ok(()) } else { Err(Error::invalid(faults)) }
}

/// Changes what is said of an account; closed accounts stay as they are.
pub(super) fn update(tx: &mut Tx<'_>, before: &PayerAccount, after: PayerAccount) -> Result<PayerAccount> {
    refuse_closed(before)?;
    refuse_faults(&after.account)?;
    save(tx, before, after, None)
}

/// Closes an account: no payment leaves from it any more.
pub(super) fn close(tx: &mut Tx<'_>, before: &PayerAccount, reason: &str) -> Result<PayerAccount> {
    refuse_closed(before)?;
    save(tx, before, PayerAccount { state: PayerAccountState::Closed, ..before.clone() }, Some(reason))
}

fn refuse_closed(payer: &PayerAccount) -> Result<()> {
    if payer.state == PayerAccountState::Active {
        return Ok(());
    }
    let detail = text!(
        "a payer account that is closed stays as it is",
        "支払元口座は閉鎖済みのため、変更できません。"
    );
    let error = Error::new(&TRANSITION_NOT_ALLOWED, detail);
    Err(error.with("from", payer.state).with("allowed", payer.state.allowed()))
}

fn save(
    tx: &mut Tx<'_>,
    before: &PayerAccount,
    after: PayerAccount,
    reason: Option<&str>,
) -> Result<PayerAccount> {
    let after = PayerAccount { updated_at: tx.now, revision: before.revision + 1, ..after };
    store::update(tx, &after)?;
    audit::Event::on("payer_account", after.id)
        .before(&PayerAccountView::from(before.clone()))
        .after(&PayerAccountView::from(after.clone()))
        .because(reason)
        .record(tx)?;
    Ok(after)
}
