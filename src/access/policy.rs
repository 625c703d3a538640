//! The table a security reviewer reads: every guarded operation and the roles that may call it.
//!
//! An operation is named once: the policy `CreatePartner` guards the handler `create_partner`, whose
//! operation id in the contract is `createPartner`. What is not listed here is open to everybody.

use super::Role::{self, Auditor, IncentiveAdmin, Operator, Viewer};

/// Guards one operation.
pub trait Policy: 'static {
    /// The operation's name, in `PascalCase`.
    const OPERATION: &'static str;
    /// Who may call it.
    const ROLES: &'static [Role];
    /// Whether it is open to a user who has still to change a temporary password.
    const WITH_TEMPORARY_PASSWORD: bool = false;
}

macro_rules! policies {
    ($($(#[$meta:meta])* $name:ident: $($role:ident)|+ $(, $open:ident)?;)+) => {
        $(
            #[doc = concat!("Guards the operation `", stringify!($name), "`.")]
            #[derive(Debug)]
            pub struct $name;
            impl Policy for $name {
                const OPERATION: &'static str = stringify!($name);
                const ROLES: &'static [Role] = &[$($role),+];
                $(const WITH_TEMPORARY_PASSWORD: bool = policies!(@ $open);)?
            }
        )+

        /// Every guarded operation with the roles that may call it, in the order of this file.
        pub const TABLE: &[(&str, &[Role])] = &[$(($name::OPERATION, $name::ROLES)),+];
    };
    (@ with_temporary_password) => { true };
}

policies! {
    GetMe:                          Operator | Auditor | IncentiveAdmin | Viewer;
    ChangePassword:                 Operator | Auditor | IncentiveAdmin | Viewer, with_temporary_password;

    ListUsers:                      Operator | Auditor | IncentiveAdmin;
    CreateUser:                     Operator | IncentiveAdmin;
    GetUser:                        Operator | Auditor | IncentiveAdmin;
    UpdateUser:                     Operator | IncentiveAdmin;
    DeactivateUser:                 Operator | IncentiveAdmin;
    ReactivateUser:                 Operator | IncentiveAdmin;

    ListPartners:                   Operator | Auditor | IncentiveAdmin | Viewer;
    CreatePartner:                  Operator;
    GetPartner:                     Operator | Auditor | IncentiveAdmin | Viewer;
    UpdatePartner:                  Operator;
    DeletePartner:                  Operator;
    SuspendPartner:                 Operator;
    ReinstatePartner:               Operator;
    ClosePartner:                   Operator;

    ListMpnAgreements:              Operator | Auditor | IncentiveAdmin | Viewer;
    CreateMpnAgreement:             Operator;
    GetMpnAgreement:                Operator | Auditor | IncentiveAdmin | Viewer;
    UpdateMpnAgreement:             Operator;
    RenewMpnAgreement:              Operator;
    TerminateMpnAgreement:          Operator;
    ListDistributorAgreements:      Operator | Auditor | IncentiveAdmin | Viewer;
    CreateDistributorAgreement:     Operator;
    GetDistributorAgreement:        Operator | Auditor | IncentiveAdmin | Viewer;
    UpdateDistributorAgreement:     Operator;
    RenewDistributorAgreement:      Operator;
    TerminateDistributorAgreement:  Operator;
    ListResellerAgreements:         Operator | Auditor | IncentiveAdmin | Viewer;
    CreateResellerAgreement:        Operator;
    GetResellerAgreement:           Operator | Auditor | IncentiveAdmin | Viewer;
    UpdateResellerAgreement:        Operator;
    RenewResellerAgreement:         Operator;
    TerminateResellerAgreement:     Operator;

    ListCompetencies:               Operator | Auditor | IncentiveAdmin | Viewer;
    CreateCompetency:               Operator;
    GetCompetency:                  Operator | Auditor | IncentiveAdmin | Viewer;
    UpdateCompetency:               Operator;
    ListAttainments:                Operator | Auditor | IncentiveAdmin | Viewer;
    GetAttainment:                  Operator | Auditor | IncentiveAdmin | Viewer;
    PutAttainment:                  Operator;
    RevokeAttainment:               Operator;

    ListPrograms:                   Operator | Auditor | IncentiveAdmin | Viewer;
    CreateProgram:                  Operator;
    GetProgram:                     Operator | Auditor | IncentiveAdmin | Viewer;
    UpdateProgram:                  Operator;
    DiscontinueProgram:             Operator;
    ListProgramVersions:            Operator | Auditor | IncentiveAdmin | Viewer;
    CreateProgramVersion:           Operator;
    GetProgramVersion:              Operator | Auditor | IncentiveAdmin | Viewer;
    UpdateProgramVersion:           Operator;
    DeleteProgramVersion:           Operator;
    PublishProgramVersion:          Operator;

    GetEligibility:                 Operator | Auditor | IncentiveAdmin | Viewer;
    SimulateEligibility:            Operator | Auditor | IncentiveAdmin | Viewer;
    ListEvaluations:                Operator | Auditor | IncentiveAdmin | Viewer;
    GetEvaluation:                  Operator | Auditor | IncentiveAdmin | Viewer;

    ListTransactions:               Operator | Auditor | IncentiveAdmin | Viewer;
    CreateTransaction:              Operator;
    GetTransaction:                 Operator | Auditor | IncentiveAdmin | Viewer;

    GetPayoutProfile:               Operator | Auditor | IncentiveAdmin;
    PutPayoutProfile:               IncentiveAdmin;
    ApprovePayoutProfile:           Operator;
    RejectPayoutProfile:            Operator;
    GetTaxProfile:                  Operator | Auditor | IncentiveAdmin;
    PutTaxProfile:                  IncentiveAdmin;
    ApproveTaxProfile:              Operator;
    RejectTaxProfile:               Operator;

    ListEnrollments:                Operator | Auditor | IncentiveAdmin | Viewer;
    RequestEnrollment:              Operator | IncentiveAdmin;
    GetEnrollment:                  Operator | Auditor | IncentiveAdmin | Viewer;
    AcceptEnrollment:               Operator | IncentiveAdmin;
    OptOutEnrollment:               Operator | IncentiveAdmin;
    DiscontinueEnrollment:          Operator;
    ListEnrollmentHistory:          Operator | Auditor | IncentiveAdmin | Viewer;

    ListNotifications:              Operator | Auditor | IncentiveAdmin | Viewer;
    GetNotification:                Operator | Auditor | IncentiveAdmin | Viewer;

    ListAuditEvents:                Operator | Auditor | IncentiveAdmin;
    GetAuditEvent:                  Operator | Auditor | IncentiveAdmin;
}

/// The roles that may call an operation, by its id in the contract; `None` where it is open to everybody.
#[must_use]
pub fn roles_of(operation_id: &str) -> Option<&'static [Role]> {
    let same = |name: &str| {
        name.len() == operation_id.len()
            && name
                .chars()
                .zip(operation_id.chars())
                .enumerate()
                .all(|(i, (a, b))| if i == 0 { a.eq_ignore_ascii_case(&b) } else { a == b })
    };
    TABLE.iter().find(|(name, _)| same(name)).map(|(_, roles)| *roles)
}
