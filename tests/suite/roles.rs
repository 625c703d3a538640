//! Section 4 of the domain, line by line: role x operation x scope.

use crate::{
    suite::{
        authority::{ask, nobodys, operations},
        enrollments::{eligible_direct_bill, unmet},
        partners::partner,
        profiles,
    },
    support::{Client, World},
};
use partner_incentives::access::{Role, policy};
use serde_json::json;

/// What, then operator, auditor, incentive admin, viewer, and whether a partner's people need a completed set-up.
type Line = (&'static [&'static str], [&'static str; 4], bool);

#[rustfmt::skip]
const TABLE: &[Line] = &[
    // write partners, agreements, attainments, programs
    (&["createPartner", "updatePartner", "deletePartner", "suspendPartner", "reinstatePartner", "closePartner",
       "createMpnAgreement", "updateMpnAgreement", "renewMpnAgreement", "terminateMpnAgreement",
       "createDistributorAgreement", "updateDistributorAgreement", "renewDistributorAgreement",
       "terminateDistributorAgreement", "createResellerAgreement", "updateResellerAgreement",
       "renewResellerAgreement", "terminateResellerAgreement", "createCompetency", "updateCompetency",
       "putAttainment", "revokeAttainment", "createProgram", "updateProgram", "discontinueProgram",
       "createProgramVersion", "updateProgramVersion", "deleteProgramVersion", "publishProgramVersion"],
     ["yes", "-", "-", "-"], false),
    // read own partner, agreements, attainments, programs
    (&["listPartners", "getPartner", "listMpnAgreements", "getMpnAgreement", "listDistributorAgreements",
       "getDistributorAgreement", "listResellerAgreements", "getResellerAgreement", "listCompetencies",
       "getCompetency", "listAttainments", "getAttainment", "listPrograms", "getProgram", "listProgramVersions",
       "getProgramVersion", "getPartnerSetup"],
     ["yes", "yes", "own", "own"], false),
    // read or simulate eligibility
    (&["getEligibility", "simulateEligibility", "listEvaluations", "getEvaluation"],
     ["yes", "yes", "own", "own"], false),
    // request enrollment, accept, opt out
    (&["requestEnrollment", "acceptEnrollment", "optOutEnrollment"], ["yes", "-", "own", "-"], true),
    // read enrollments and what they rest on
    (&["listEnrollments", "getEnrollment", "listEnrollmentHistory", "listTransactions", "getTransaction",
       "getPartnerSummary", "getStatement", "listEarnings", "getEarning", "simulateEarnings", "listIneligibleRecords", "getIneligibleRecord"],
     ["yes", "yes", "own", "own"], true),
    // discontinue
    (&["discontinueEnrollment"], ["yes", "-", "-", "-"], false),
    // read, write, decide on payout and tax profile
    (&["getPayoutProfile", "getTaxProfile"], ["yes", "yes", "own", "-"], true),
    (&["putPayoutProfile", "putTaxProfile"], ["-", "-", "own", "-"], true),
    (&["approvePayoutProfile", "rejectPayoutProfile", "approveTaxProfile", "rejectTaxProfile"],
     ["yes", "-", "-", "-"], false),
    // propose and decide on adjustments, read those that are approved
    (&["proposeAdjustment", "approveAdjustment", "rejectAdjustment"], ["yes", "-", "-", "-"], false),
    (&["listAdjustments", "getAdjustment"], ["yes", "yes", "own", "own"], true),
    // write fx rates, which everybody reads
    (&["putFxRates"], ["yes", "-", "-", "-"], false),
    (&["listFxRates", "getFxRates"], ["yes", "yes", "own", "own"], false),
    // import transactions
    (&["createTransaction"], ["yes", "-", "-", "-"], false),
    // manage users
    (&["createUser", "updateUser", "deactivateUser", "reactivateUser"], ["yes", "-", "own", "-"], false),
    (&["listUsers", "getUser"], ["yes", "yes", "own", "-"], false),
    // complete set-up
    (&["completePartnerSetup"], ["-", "-", "own", "-"], false),
    (&["sendUserList"], ["yes", "-", "own", "-"], false),
    // audit events
    (&["listAuditEvents", "getAuditEvent"], ["yes", "yes", "own", "-"], false),
];

#[test]
fn the_table_of_roles_holds() {
    let world = World::new();
    let open = world.operator().post("/v1/partners", partner(1, "direct_bill")).send().ok().id();
    let shut = world.operator().post("/v1/partners", partner(2, "direct_bill")).send().ok().id();
    let people = [
        [world.operator(), world.auditor(), world.admin_of(&open), world.viewer_of(&open)],
        [
            world.operator(),
            world.auditor(),
            world.newcomer_of(&shut, Role::IncentiveAdmin),
            world.newcomer_of(&shut, Role::Viewer),
        ],
    ];
    let operations = operations();
    for (names, roles, gated) in TABLE {
        for name in *names {
            let operation = operations.iter().find(|operation| operation.id == *name).expect(name);
            let body = operation.example.as_ref().map(|_| json!({}));
            for (set_up, people) in [(true, &people[0]), (false, &people[1])] {
                for (may, client) in roles.iter().zip(people) {
                    let answer = ask(client, operation, &nobodys(&operation.path), body.as_ref());
                    let code = answer["code"].as_str().filter(|_| matches!(answer.status, 401 | 403));
                    // The gate is asked once the request is right: with its example for a body.
                    let code = match (&operation.example, code) {
                        (Some(example), None) if *may == "own" => {
                            let answer = ask(client, operation, &nobodys(&operation.path), Some(example));
                            answer["code"]
                                .as_str()
                                .filter(|code| *code == "setup_incomplete")
                                .map(str::to_owned)
                        }
                        (_, code) => code.map(str::to_owned),
                    };
                    let expected = match *may {
                        "-" => Some("forbidden"),
                        "own" if *gated && !set_up => Some("setup_incomplete"),
                        _ => None,
                    };
                    assert_eq!(code.as_deref(), expected, "{name}, {may}, set-up completed: {set_up}");
                }
            }
        }
    }
}

#[test]
fn a_headquarters_admin_reaches_its_locations_and_nobody_reaches_up() {
    let world = World::new();
    let operator = world.operator();
    let headquarters = operator.post("/v1/partners", partner(1, "direct_bill")).send().ok().id();
    let case = eligible_direct_bill(&world, 2);
    let location = format!("/v1/partners/{}", case.id);
    let join = json!({"headquarters_id": headquarters});
    operator.patch(&location, join).if_match("*").send().ok();
    world.on("2018-11-01");
    let above = world.admin_of(&headquarters);
    let below = world.newcomer_of(&case.id, Role::IncentiveAdmin);

    above.get(&location).send().ok();
    let made = case.ask(&above, "csp-direct-bill").ok();
    let payout = profiles::payout();
    above.put(&format!("{location}/payout-profile"), payout.clone()).send().ok();
    let new = |partner: &str, email: &str| json!({"email": email, "name": "New", "role": "viewer", "partner_id": partner});
    above.post("/v1/users", new(&case.id, "a@x.example")).send().ok();
    let audited = above.get("/v1/audit-events").query("partner_id", &case.id).send().ok();
    assert!(!audited["items"].as_array().unwrap().is_empty());

    // What is the location's, its own admin reaches too; what is above, or beside, does not exist.
    below.get(&format!("/v1/enrollments/{}", made.id())).send().ok();
    let beside = operator.post("/v1/partners", partner(3, "direct_bill")).send().ok().id();
    for foreign in [&headquarters, &beside] {
        let path = format!("/v1/partners/{foreign}");
        for part in ["", "/setup", "/payout-profile", "/tax-profile", "/competencies"] {
            below.get(&format!("{path}{part}")).send().refused(404, "not_found");
        }
        below.put(&format!("{path}/payout-profile"), payout.clone()).send().refused(404, "not_found");
        below.post("/v1/users", new(foreign, "b@x.example")).send().refused(422, "invalid");
        let listed = below.get("/v1/users").query("partner_id", foreign).send().ok();
        assert_eq!(listed["items"], json!([]));
    }
    above.get(&format!("/v1/partners/{beside}")).send().refused(404, "not_found");
}

#[test]
fn a_viewer_sees_less_of_what_it_sees() {
    let world = World::new();
    let case = eligible_direct_bill(&world, 1);
    world.on("2018-11-01");
    let (admin, viewer) = (world.admin_of(&case.id), world.viewer_of(&case.id));
    let path = format!("/v1/enrollments/{}", case.ask(&admin, "csp-direct-bill").ok().id());
    let (full, less) = (admin.get(&path).send().ok(), viewer.get(&path).send().ok());
    assert_eq!((&full["state"], &less["state"]), (&json!("action_required"), &json!("enrolling")));
    assert!(!full["next_actions"].as_array().unwrap().is_empty());
    assert_eq!(less["next_actions"], json!([]));
    case.ask(&viewer, "csp-direct-bill").refused(403, "forbidden");
    viewer.get(&format!("/v1/partners/{}/tax-profile", case.id)).send().refused(403, "forbidden");
}

#[test]
fn the_people_of_a_closed_partner_read_on_and_start_nothing() {
    let world = World::new();
    let operator = world.operator();
    let case = eligible_direct_bill(&world, 1);
    world.on("2018-11-01");
    let (admin, viewer) = (world.admin_of(&case.id), world.viewer_of(&case.id));
    let path = format!("/v1/enrollments/{}", case.ask(&admin, "csp-direct-bill").ok().id());
    case.approve_profiles();
    let open = operator.post("/v1/partners", partner(2, "direct_bill")).send().ok().id();
    let newcomer = world.newcomer_of(&open, Role::IncentiveAdmin);
    let ready = eligible_direct_bill(&world, 3);
    let late = world.admin_of(&ready.id);
    for id in [&case.id, &open, &ready.id] {
        let because = json!({"reason": "merged into another partner"});
        operator.post(&format!("/v1/partners/{id}/closure"), because).send().ok();
    }
    for client in [&admin, &viewer] {
        for path in [path.as_str(), "/v1/transactions", &format!("/v1/partners/{}", case.id)] {
            client.get(path).send().ok();
        }
    }
    let payout = format!("/v1/partners/{}/payout-profile", case.id);
    admin.get(&payout).send().ok();
    let refusal = ready.ask(&late, "csp-direct-bill").refused(422, "not_eligible");
    assert_eq!(unmet(&refusal), ["partner_not_active"]);
    let new = json!({"email": "x@x.example", "name": "X", "role": "viewer", "partner_id": case.id});
    admin.post("/v1/users", new).send().refused(409, "partner_closed");
    let setup = format!("/v1/partners/{open}/setup/notification");
    newcomer.ask("POST", &setup).send().refused(409, "partner_closed");
    // What it is owed has to go somewhere: it may still say where.
    let terms = profiles::payout_to("Liquidator", "DE02120300000000202051");
    admin.put(&payout, terms).send().ok();
}

#[test]
fn a_disabled_user_is_out_everywhere() {
    let world = World::new();
    let case = eligible_direct_bill(&world, 1);
    let callers = [
        ("incentive_admin", world.admin_of(&case.id)),
        ("viewer", world.viewer_of(&case.id)),
        ("auditor", world.auditor()),
    ];
    for (role, client) in &callers {
        let id = client.get("/v1/me").send().ok().id();
        let because = json!({"reason": "left the company"});
        world.operator().post(&format!("/v1/users/{id}/deactivation"), because).send().ok();
        let mut refused = 0;
        for operation in operations().iter().filter(|o| o.roles.is_some() && o.admits(role)) {
            let answer = ask_rightly(client, operation, &case.id);
            assert_eq!(answer.status, 401, "{role}: {answer}");
            refused += 1;
        }
        assert!(refused >= 25, "{role}: only {refused} operations were tried");
    }
}

/// Asks with everything in place, so that only authority can be wrong.
fn ask_rightly(
    client: &Client,
    operation: &crate::suite::authority::Operation,
    partner: &str,
) -> crate::support::Answer {
    let path = nobodys(&operation.path).replacen("01936f2e-4b00-7000-8000-00000000dead", partner, 1);
    let path =
        if operation.id == "getEligibility" { format!("{path}?program=csp-direct-bill") } else { path };
    ask(client, operation, &path, operation.example.as_ref())
}

#[test]
fn an_api_client_with_one_scope_does_what_that_scope_says() {
    let world = World::new();
    let id = world.operator().post("/v1/partners", partner(1, "direct_bill")).send().ok().id();
    for scope in policy::scopes() {
        let client = world.api_client(Role::Operator, None, scope);
        for operation in operations().iter().filter(|operation| operation.roles.is_some()) {
            let rule = policy::rule_of(&operation.id).expect("a guarded operation");
            let in_scope = rule.scope == Some(scope) || rule.without_scope;
            let may = in_scope && rule.roles.contains(&Role::Operator);
            let body = operation.example.as_ref().map(|_| json!({}));
            let answer = ask(&client, operation, &nobodys(&operation.path), body.as_ref());
            assert_eq!(answer.status == 403, !may, "{scope}: {answer}");
        }
    }
    let reader = world.api_client(Role::Viewer, Some(&id), "partners:read");
    reader.get("/v1/partners").send().ok();
    reader.get("/v1/programs").send().refused(403, "insufficient_scope");
    reader.get("/v1/me").send().refused(403, "insufficient_scope");
}
