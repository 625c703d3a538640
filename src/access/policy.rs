//! The table a security reviewer reads: every guarded operation and the roles that may call it.
//!
//! An operation is named once: the policy `CreatePartner` guards the handler `create_partner`, whose
//! operation id in the contract is `createPartner`. An operation that is not listed here is open to everybody.
//! The area of an operation together with `read` or `write` is the scope an API client needs (`partners:read`); no API
//! client may call the operations of the area `people`. The operations of a `gated` area open to a partner's people once
//! the partner's set-up is completed.

use super::Role::{self, Auditor, IncentiveAdmin, Operator, Viewer};

/// Guards one operation.
pub trait Policy: 'static {
    /// The operation's line in the table.
    const RULE: Rule;
}

/// One line of the table.
#[derive(Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a column of the table")]
pub struct Rule {
    /// The operation's name, in `PascalCase`.
    pub operation: &'static str,
    /// The roles that may call the operation.
    pub roles: &'static [Role],
    /// The scope an API client needs; none of an operation for people only.
    pub scope: Option<&'static str>,
    /// Whether the operation stays closed to a partner's people until the partner's set-up is completed (S11).
    pub gated: bool,
    /// Whether the operation is open to a user who has not changed a temporary password yet.
    pub with_temporary_password: bool,
    /// Whether the operation is open to an operator who has not set up the required second factor yet.
    pub without_second_factor: bool,
    /// Whether the operation is open to every API client, with any scopes.
    pub without_scope: bool,
}

macro_rules! policies {
    ($(
        $gate:ident $area:ident {
            $($access:ident $name:ident: $($role:ident)|+ $(, $open:ident)*;)+
        }
    )+) => {
        $($(
            #[doc = concat!("Guards the operation `", stringify!($name), "`.")]
            #[derive(Debug)]
            pub struct $name;
            impl Policy for $name {
                const RULE: Rule = Rule {
                    operation: stringify!($name),
                    roles: &[$($role),+],
                    scope: policies!(@scope $area $access),
                    $($open: true,)*
                    ..policies!(@$gate)
                };
            }
        )+)+

        /// Every guarded operation, in the order of this file.
        pub const TABLE: &[Rule] = &[$($($name::RULE,)+)+];
    };
    (@scope people $access:ident) => { None };
    (@scope $area:ident $access:ident) => { Some(concat!(stringify!($area), ":", stringify!($access))) };
    (@open) => { Rule::PLAIN };
    (@gated) => { Rule { gated: true, ..Rule::PLAIN } };
}

impl Rule {
    const PLAIN: Self = Self {
        operation: "",
        roles: &[],
        scope: None,
        gated: false,
        with_temporary_password: false,
        without_second_factor: false,
        without_scope: false,
    };
}

policies! {
    open people {
        read  GetMe:                         Operator | Auditor | IncentiveAdmin | Viewer, without_second_factor;
        write UpdateMe:                      Operator | Auditor | IncentiveAdmin | Viewer, without_second_factor;
        read  ListSessions:                  Operator | Auditor | IncentiveAdmin | Viewer, without_second_factor;
        write EndSession:                    Operator | Auditor | IncentiveAdmin | Viewer, without_second_factor;
        write EndSessions:                   Operator | Auditor | IncentiveAdmin | Viewer, without_second_factor;
        write ChangePassword:                Operator | Auditor | IncentiveAdmin | Viewer, with_temporary_password, without_second_factor;
        read  GetSecondFactor:               Operator | Auditor | IncentiveAdmin | Viewer, without_second_factor;
        write EnrollSecondFactor:            Operator | Auditor | IncentiveAdmin | Viewer, without_second_factor;
        write ConfirmSecondFactor:           Operator | Auditor | IncentiveAdmin | Viewer, without_second_factor;
        write RenewRecoveryCodes:            Operator | Auditor | IncentiveAdmin | Viewer;
        write RemoveSecondFactor:            Operator | Auditor | IncentiveAdmin | Viewer;
        read  GetPermissions:                Operator | Auditor | IncentiveAdmin | Viewer, with_temporary_password, without_second_factor, without_scope;
    }
    open users {
        read  ListUsers:                     Operator | Auditor | IncentiveAdmin;
        read  GetUser:                       Operator | Auditor | IncentiveAdmin;
    }
    open people {
        write CreateUser:                    Operator | IncentiveAdmin;
        write UpdateUser:                    Operator | IncentiveAdmin;
        write DeactivateUser:                Operator | IncentiveAdmin;
        write ResetPassword:                 Operator | IncentiveAdmin;
        write ReactivateUser:                Operator | IncentiveAdmin;
        write ResetSecondFactor:             Operator | IncentiveAdmin;
        read  ListApiClients:                Operator | Auditor;
        write CreateApiClient:               Operator;
        read  GetApiClient:                  Operator | Auditor;
        write UpdateApiClient:               Operator;
        write RotateApiClientSecret:         Operator;
        write RevokeApiClient:               Operator;
    }
    open partners {
        read  ListPartners:                  Operator | Auditor | IncentiveAdmin | Viewer;
        write CreatePartner:                 Operator;
        read  GetPartner:                    Operator | Auditor | IncentiveAdmin | Viewer;
        write UpdatePartner:                 Operator;
        write DeletePartner:                 Operator;
        write SuspendPartner:                Operator;
        write ReinstatePartner:              Operator;
        write ClosePartner:                  Operator;
        read  GetPartnerSetup:               Operator | Auditor | IncentiveAdmin | Viewer;
        read  ListPartnerSetups:             Operator | Auditor;
    }
    open people {
        write SendUserList:                  Operator | IncentiveAdmin;
        write CompletePartnerSetup:          IncentiveAdmin;
    }
    open agreements {
        read  ListMpnAgreements:             Operator | Auditor | IncentiveAdmin | Viewer;
        write CreateMpnAgreement:            Operator;
        read  GetMpnAgreement:               Operator | Auditor | IncentiveAdmin | Viewer;
        write UpdateMpnAgreement:            Operator;
        write RenewMpnAgreement:             Operator;
        write TerminateMpnAgreement:         Operator;
        read  ListDistributorAgreements:     Operator | Auditor | IncentiveAdmin | Viewer;
        write CreateDistributorAgreement:    Operator;
        read  GetDistributorAgreement:       Operator | Auditor | IncentiveAdmin | Viewer;
        write UpdateDistributorAgreement:    Operator;
        write RenewDistributorAgreement:     Operator;
        write TerminateDistributorAgreement: Operator;
        read  ListResellerAgreements:        Operator | Auditor | IncentiveAdmin | Viewer;
        write CreateResellerAgreement:       Operator;
        read  GetResellerAgreement:          Operator | Auditor | IncentiveAdmin | Viewer;
        write UpdateResellerAgreement:       Operator;
        write RenewResellerAgreement:        Operator;
        write TerminateResellerAgreement:    Operator;
    }
    open competencies {
        read  ListCompetencies:              Operator | Auditor | IncentiveAdmin | Viewer;
        write CreateCompetency:              Operator;
        read  GetCompetency:                 Operator | Auditor | IncentiveAdmin | Viewer;
        write UpdateCompetency:              Operator;
        read  ListAttainments:               Operator | Auditor | IncentiveAdmin | Viewer;
        read  GetAttainment:                 Operator | Auditor | IncentiveAdmin | Viewer;
        write PutAttainment:                 Operator;
        write RevokeAttainment:              Operator;
    }
    open programs {
        read  ListPrograms:                  Operator | Auditor | IncentiveAdmin | Viewer;
        write CreateProgram:                 Operator;
        read  GetProgram:                    Operator | Auditor | IncentiveAdmin | Viewer;
        write UpdateProgram:                 Operator;
        write DiscontinueProgram:            Operator;
        read  ListProgramVersions:           Operator | Auditor | IncentiveAdmin | Viewer;
        write CreateProgramVersion:          Operator;
        read  GetProgramVersion:             Operator | Auditor | IncentiveAdmin | Viewer;
        write UpdateProgramVersion:          Operator;
        write DeleteProgramVersion:          Operator;
        write PublishProgramVersion:         Operator;
    }
    open eligibility {
        read  GetEligibility:                Operator | Auditor | IncentiveAdmin | Viewer;
        read  SimulateEligibility:           Operator | Auditor | IncentiveAdmin | Viewer;
        read  ListEvaluations:               Operator | Auditor | IncentiveAdmin | Viewer;
        read  GetEvaluation:                 Operator | Auditor | IncentiveAdmin | Viewer;
    }
    gated transactions {
        read  ListTransactions:              Operator | Auditor | IncentiveAdmin | Viewer;
        write CreateTransaction:             Operator;
        read  GetTransaction:                Operator | Auditor | IncentiveAdmin | Viewer;
        read  ListTransactionImports:        Operator | Auditor;
        write CreateTransactionImport:       Operator;
        read  GetTransactionImport:          Operator | Auditor;
        read  ListTransactionImportErrors:   Operator | Auditor;
        read  GetRejectedRows:               Operator | Auditor;
    }
    gated profiles {
        read  ListPayoutProfiles:            Operator | Auditor;
        read  ListTaxProfiles:               Operator | Auditor;
        read  GetPayoutProfile:              Operator | Auditor | IncentiveAdmin;
        write PutPayoutProfile:              IncentiveAdmin;
        write ApprovePayoutProfile:          Operator;
        write ReleaseCoolingOff:             Operator;
        write RejectPayoutProfile:           Operator;
        read  GetTaxProfile:                 Operator | Auditor | IncentiveAdmin;
        write PutTaxProfile:                 IncentiveAdmin;
        write ApproveTaxProfile:             Operator;
        write PutTinStatus:                  Operator;
        write RejectTaxProfile:              Operator;
    }
    gated enrollments {
        read  ListEnrollments:               Operator | Auditor | IncentiveAdmin | Viewer;
        write RequestEnrollment:             Operator | IncentiveAdmin;
        read  GetEnrollment:                 Operator | Auditor | IncentiveAdmin | Viewer;
        write AcceptEnrollment:              Operator | IncentiveAdmin;
        write OptOutEnrollment:              Operator | IncentiveAdmin;
        write DiscontinueEnrollment:         Operator;
        read  ListEnrollmentHistory:         Operator | Auditor | IncentiveAdmin | Viewer;
    }
    gated earnings {
        read  ListEarnings:                  Operator | Auditor | IncentiveAdmin | Viewer;
        read  GetEarning:                    Operator | Auditor | IncentiveAdmin | Viewer;
        read  SimulateEarnings:              Operator | Auditor | IncentiveAdmin | Viewer;
        read  ListIneligibleRecords:         Operator | Auditor | IncentiveAdmin | Viewer;
        read  GetIneligibleRecord:           Operator | Auditor | IncentiveAdmin | Viewer;
    }
    gated statements {
        read  GetPartnerSummary:             Operator | Auditor | IncentiveAdmin | Viewer;
        read  ListStatements:                Operator | Auditor | IncentiveAdmin | Viewer;
        read  GetStatement:                  Operator | Auditor | IncentiveAdmin | Viewer;
        read  MakeStatementLink:             Operator | Auditor | IncentiveAdmin | Viewer;
    }
    gated rebates {
        read  ListRebates:                   Operator | Auditor | IncentiveAdmin | Viewer;
        read  GetRebate:                     Operator | Auditor | IncentiveAdmin | Viewer;
        write HoldRebate:                    Operator;
        write ReleaseRebate:                 Operator;
    }
    open programs {
        read  ListCoopActivities:            Operator | Auditor | IncentiveAdmin | Viewer;
    }
    gated coop {
        read  ListCoopFunds:                 Operator | Auditor | IncentiveAdmin | Viewer;
        read  GetCoopFund:                   Operator | Auditor | IncentiveAdmin | Viewer;
        read  ListCoopPlans:                 Operator | Auditor | IncentiveAdmin | Viewer;
        write CreateCoopPlan:                IncentiveAdmin | Viewer;
        read  GetCoopPlan:                   Operator | Auditor | IncentiveAdmin | Viewer;
        write UpdateCoopPlan:                IncentiveAdmin | Viewer;
        write SubmitCoopPlan:                IncentiveAdmin;
        write CancelCoopPlan:                IncentiveAdmin;
        write ApproveCoopPlan:               Operator;
        write RejectCoopPlan:                Operator;
        read  ListCoopClaims:                Operator | Auditor | IncentiveAdmin | Viewer;
        write CreateCoopClaim:               IncentiveAdmin | Viewer;
        read  GetCoopClaim:                  Operator | Auditor | IncentiveAdmin | Viewer;
        write UpdateCoopClaim:               IncentiveAdmin | Viewer;
        write SubmitCoopClaim:               IncentiveAdmin;
        write RecallCoopClaim:               IncentiveAdmin;
        write CancelCoopClaim:               IncentiveAdmin | Viewer;
        write DisputeCoopClaim:              IncentiveAdmin;
        write ReviewCoopClaim:               Operator;
        write HandBackCoopClaim:             Operator;
        write ApproveCoopClaim:              Operator;
        write RejectCoopClaim:               Operator;
        write RequestCoopClaimInformation:   Operator;
        write HoldCoopClaim:                 Operator;
        write ReleaseCoopClaim:              Operator;
        read  ListCoopProofs:                Operator | Auditor | IncentiveAdmin | Viewer;
        write CreateCoopProof:               IncentiveAdmin | Viewer;
        read  GetCoopProofContent:           Operator | Auditor | IncentiveAdmin | Viewer;
        write DeleteCoopProof:               IncentiveAdmin | Viewer;
        read  ListCoopAudits:                Operator | Auditor | IncentiveAdmin | Viewer;
        read  GetCoopAudit:                  Operator | Auditor | IncentiveAdmin | Viewer;
        write PassCoopAudit:                 Operator;
        write RecoverCoopAudit:              Operator;
    }
    open fx_rates {
        read  ListFxRates:                   Operator | Auditor | IncentiveAdmin | Viewer;
        read  GetFxRates:                    Operator | Auditor | IncentiveAdmin | Viewer;
        write PutFxRates:                    Operator;
    }
    gated adjustments {
        read  ListAdjustments:               Operator | Auditor | IncentiveAdmin | Viewer;
        write ProposeAdjustment:             Operator;
        read  GetAdjustment:                 Operator | Auditor | IncentiveAdmin | Viewer;
        write ApproveAdjustment:             Operator;
        write RejectAdjustment:              Operator;
    }
    open payer_accounts {
        read  ListPayerAccounts:             Operator | Auditor;
        read  GetPayerAccount:               Operator | Auditor;
    }
    open people {
        write CreatePayerAccount:            Operator;
        write UpdatePayerAccount:            Operator;
        write ClosePayerAccount:             Operator;
    }
    open withholding_rates {
        read  ListWithholdingRates:          Operator | Auditor;
        write CreateWithholdingRate:         Operator;
        read  GetWithholdingRate:            Operator | Auditor;
    }
    open calculation {
        read  ListCalculationRuns:           Operator | Auditor;
        write StartCalculationRun:           Operator;
        read  GetCalculationRun:             Operator | Auditor;
        read  PreviewRecalculation:          Operator | Auditor;
        write RecalculatePartner:            Operator;
        read  ListAccountingMonths:          Operator | Auditor;
        read  GetAccountingMonthClosure:     Operator | Auditor;
        write CloseAccountingMonth:          Operator;
    }
    open payment_runs {
        read  ListPaymentRuns:               Operator | Auditor;
        write CreatePaymentRun:              Operator;
        read  GetPaymentRun:                 Operator | Auditor;
        write ApprovePaymentRun:             Operator;
        write CancelPaymentRun:              Operator;
        write DispatchPaymentRun:            Operator;
    }
    open payment_files {
        read  ListPaymentFiles:              Operator | Auditor;
        read  GetPaymentFile:                Operator | Auditor;
        read  ListStatusReports:             Operator | Auditor;
        write CreateStatusReport:            Operator;
        read  GetStatusReport:               Operator | Auditor;
        read  ListBankStatements:            Operator | Auditor;
        write CreateBankStatement:           Operator;
        read  GetBankStatement:              Operator | Auditor;
        read  ListBankExceptions:            Operator | Auditor;
        read  GetBankException:              Operator | Auditor;
        write ResolveBankException:          Operator;
    }
    open payment_runs {
        read  GetPaymentRunReconciliation:   Operator | Auditor;
    }
    open people {
        write CreatePaymentFile:             Operator;
        write GetPaymentFileContent:         Operator;
        write DispatchPaymentFile:           Operator;
        write WithdrawPaymentFile:           Operator;
    }
    gated payments {
        read  ListPayments:                  Operator | Auditor | IncentiveAdmin | Viewer;
        read  GetPayment:                    Operator | Auditor | IncentiveAdmin | Viewer;
        read  GetRemittance:                 Operator | Auditor | IncentiveAdmin | Viewer;
        write ConfirmPayment:                Operator;
        write FailPayment:                   Operator;
        write ReturnPayment:                 Operator;
        write StopPayment:                   Operator;
        write ReversePayment:                Operator;
        write ReissuePayment:                Operator;
    }
    gated disputes {
        read  ListDisputes:                  Operator | Auditor | IncentiveAdmin | Viewer;
        write RaiseDispute:                  IncentiveAdmin;
        read  GetDispute:                    Operator | Auditor | IncentiveAdmin | Viewer;
        write AnswerDispute:                 Operator;
        write RequestDisputeInformation:     Operator;
        write ReplyToDispute:                IncentiveAdmin;
        write EscalateDispute:               IncentiveAdmin;
        write WithdrawDispute:               IncentiveAdmin;
    }
    open jobs {
        read  ListJobs:                      Operator | Auditor;
        write StartDailyRefresh:             Operator;
        read  ListJobRuns:                   Operator | Auditor;
        read  GetJobRun:                     Operator | Auditor;
    }
    open people {
        read  ListNotifications:             Operator | Auditor | IncentiveAdmin | Viewer;
        read  GetNotification:               Operator | Auditor | IncentiveAdmin | Viewer;
    }
    open audit {
        read  ListAuditEvents:               Operator | Auditor | IncentiveAdmin;
        read  GetAuditEvent:                 Operator | Auditor | IncentiveAdmin;
    }
}

/// The line of an operation, by its id in the contract; `None` of an operation that is open to everybody.
#[must_use]
pub fn rule_of(operation_id: &str) -> Option<&'static Rule> {
    let same = |name: &str| {
        name.len() == operation_id.len()
            && name
                .chars()
                .zip(operation_id.chars())
                .enumerate()
                .all(|(i, (a, b))| if i == 0 { a.eq_ignore_ascii_case(&b) } else { a == b })
    };
    TABLE.iter().find(|rule| same(rule.operation))
}

/// Every scope of the table, in alphabetical order.
#[must_use]
pub fn scopes() -> Vec<&'static str> {
    let mut scopes: Vec<_> = TABLE.iter().filter_map(|rule| rule.scope).collect();
    scopes.sort_unstable();
    scopes.dedup();
    scopes
}
