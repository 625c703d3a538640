//! A sweep over the contract: every operation that writes leaves its trace, whatever it writes.

use crate::{
    suite::{
        authority::{Operation, operations},
        calculation::{Story, flat, text},
        coop_audits::draw_on,
        coop_claims::prove,
        coop_funds::close,
        enrollments::{Case, eligible_direct_bill},
        partners::partner,
        payer_accounts::payer_in_america,
        payment_files::{Entry, camt053, of_file},
        payments::usd,
        profiles::{self, payout_to},
        second_factors::{App, wait},
    },
    support::{Answer, Client, PASSWORD, World, person},
};
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl, SelectableHelper};
use partner_incentives::{
    access::{Role, Unaudited, opaque},
    audit::AuditEvent,
    identity::users,
    platform::{db::Conn, values::Id},
    schema::audit_events,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Operations that ask with a body and store nothing.
const ASKING: &[&str] = &["simulateEarnings", "simulateEligibility"];

/// What happened to the record that an operation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Made,
    Changed,
    Removed,
}
use Fate::{Changed, Made, Removed};

/// Who asks, and as whom the trace should name them.
struct Person {
    client: Client,
    id: String,
    role: String,
}

impl Person {
    fn of(client: Client) -> Self {
        let me = client.get("/v1/me").send().ok();
        Self { id: me.id(), role: me["role"].as_str().unwrap().to_owned(), client }
    }
}

struct Sweep<'w> {
    world: &'w World,
    operations: Vec<Operation>,
    swept: BTreeSet<String>,
}

impl Sweep<'_> {
    /// Does it, and looks for its trace.
    #[track_caller]
    fn step(&mut self, who: &Person, name: &str, path: &str, body: Value, fate: Fate) -> Answer {
        let operation = self.operations.iter().find(|operation| operation.id == name).expect(name);
        assert!(fits(&operation.path, path), "{path} is not {}", operation.path);
        let mut asked = who.client.ask(&operation.method, path);
        if matches!(operation.method.as_str(), "PATCH" | "DELETE") {
            asked = asked.if_match("*");
        }
        if let Some(file) = body.as_str() {
            let media = match file.as_bytes() {
                [b'<', ..] => "application/xml",
                [b'%', ..] => "application/pdf",
                _ => "text/csv",
            };
            asked = asked.bytes(media, file);
        } else if operation.example.is_none() && body.is_object() {
            let form = serde_urlencoded::to_string(body.as_object().unwrap()).expect("a form");
            asked = asked.bytes("application/x-www-form-urlencoded", form);
        } else if !body.is_null() {
            asked = asked.bytes("application/json", body.to_string());
        }
        let answer = asked.send().ok();
        let request = answer.header("x-request-id").expect("the id of the request").to_owned();
        let read = move |conn: &mut Conn| {
            let events = audit_events::table.filter(audit_events::request_id.eq(&request));
            Ok(events.select(AuditEvent::as_select()).load::<AuditEvent>(conn)?)
        };
        let events = self.world.service.db.read(read).unwrap();
        for event in &events {
            let actor = event.actor_id.map(|id| id.to_string());
            // A partner may be told without a name; then the programme's staff is told with it.
            let named_beside = event.partner_id.is_some()
                && events
                    .iter()
                    .any(|other| other.resource_id == event.resource_id && other.actor_id.is_some());
            let unnamed = actor.is_none() && named_beside;
            assert!(unnamed || actor.as_ref() == Some(&who.id), "{name}: {event:?}");
            assert_eq!(event.actor_role, who.role, "{name}: {event:?}");
            assert!(event.before.is_some() || event.after.is_some(), "{name}: {event:?}");
            // A token is issued by grants of several names.
            let named = event.operation.eq_ignore_ascii_case(name) || name == "issueToken";
            assert!(named, "{name}: {event:?}");
        }
        let traced = events.iter().any(|event| {
            let told = match (&event.before, &event.after) {
                (None, Some(_)) => Made,
                (Some(_), None) => Removed,
                _ => Changed,
            };
            told == fate && (body["reason"].is_null() || body["reason"].as_str() == event.reason.as_deref())
        });
        assert!(traced, "{name} should leave that a record was {fate:?}, and why: {events:?}");
        self.swept.insert(name.to_owned());
        answer
    }

    fn example(&self, name: &str) -> Value {
        self.operations.iter().find(|operation| operation.id == name).unwrap().example.clone().unwrap()
    }
}

/// Whether a path is one of a template's.
fn fits(template: &str, path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    let same = |(part, actual): (&str, &str)| part.starts_with('{') || part == actual;
    template.split('/').count() == path.split('/').count()
        && template.split('/').zip(path.split('/')).all(same)
}

fn because() -> Value {
    json!({"reason": "Asked for by telephone, ticket 4711"})
}

#[test]
fn every_operation_that_writes_leaves_its_trace() {
    let world = World::new();
    let mut sweep = Sweep { world: &world, operations: operations(), swept: BTreeSet::new() };
    partners_and_set_up(&mut sweep);
    papers(&mut sweep);
    programs(&mut sweep);
    enrollments(&mut sweep);
    users(&mut sweep);
    own_account(&mut sweep);
    forgotten_password(&mut sweep);
    second_factors(&mut sweep);
    machines(&mut sweep);
    money(&mut sweep);
    // Last: the run goes on in the background.
    jobs(&mut sweep);
    let missing: Vec<_> = sweep
        .operations
        .iter()
        .filter(|operation| !matches!(operation.method.as_str(), "GET" | "HEAD"))
        .map(|operation| operation.id.as_str())
        .filter(|name| !sweep.swept.contains(*name) && !ASKING.contains(name))
        .collect();
    assert!(missing.is_empty(), "add a step for each of {missing:?}, or list it as one that asks");
}

fn partners_and_set_up(sweep: &mut Sweep<'_>) {
    let operator = Person::of(sweep.world.operator());
    let made = sweep.step(&operator, "createPartner", "/v1/partners", partner(901, "direct_bill"), Made);
    let path = format!("/v1/partners/{}", made.id());
    sweep.step(&operator, "updatePartner", &path, json!({"legal_name": "Renamed"}), Changed);
    let admin = Person::of(sweep.world.newcomer_of(&made.id(), Role::IncentiveAdmin));
    sweep.step(&admin, "sendUserList", &format!("{path}/setup/notification"), Value::Null, Changed);
    sweep.step(&admin, "completePartnerSetup", &format!("{path}/setup/completion"), Value::Null, Changed);
    sweep.step(&operator, "suspendPartner", &format!("{path}/suspension"), because(), Changed);
    sweep.step(&operator, "reinstatePartner", &format!("{path}/reinstatement"), because(), Changed);
    sweep.step(&operator, "closePartner", &format!("{path}/closure"), because(), Changed);
    let other = operator.client.post("/v1/partners", partner(902, "direct_bill")).send().ok().id();
    sweep.step(&operator, "deletePartner", &format!("/v1/partners/{other}"), Value::Null, Removed);
}

fn papers(sweep: &mut Sweep<'_>) {
    let operator = Person::of(sweep.world.operator());
    for (kind, name, partner_type, change) in [
        ("mpn", "Mpn", "direct_bill", json!({"membership_level": "gold"})),
        ("distributor", "Distributor", "indirect_provider", json!({"distributor_authorization": false})),
        ("reseller", "Reseller", "direct_bill", json!({"region": "APAC"})),
    ] {
        let case = Case::new(sweep.world, 910 + u32::try_from(kind.len()).unwrap(), partner_type);
        let mut body = sweep.example(&format!("create{name}Agreement"));
        body["partner_id"] = json!(case.id);
        let collection = format!("/v1/{kind}-agreements");
        let made = sweep.step(&operator, &format!("create{name}Agreement"), &collection, body, Made);
        let path = format!("{collection}/{}", made.id());
        sweep.step(&operator, &format!("update{name}Agreement"), &path, change, Changed);
        let paper = sweep.example(&format!("renew{name}Agreement"));
        let renewal = format!("{path}/renewal");
        sweep.step(&operator, &format!("renew{name}Agreement"), &renewal, paper, Made);
        let termination = format!("{path}/termination");
        sweep.step(&operator, &format!("terminate{name}Agreement"), &termination, because(), Changed);
    }
    let made = sweep.step(
        &operator,
        "createCompetency",
        "/v1/competencies",
        sweep.example("createCompetency"),
        Made,
    );
    let path = format!("/v1/competencies/{}", made.id());
    sweep.step(&operator, "updateCompetency", &path, json!({"name": "Renamed"}), Changed);
    let case = Case::new(sweep.world, 920, "direct_bill");
    let path = format!("/v1/partners/{}/competencies/{}", case.id, made["code"].as_str().unwrap());
    let attained = json!({"level": "gold", "attained_on": "2018-07-01", "expires_on": "2019-06-30"});
    sweep.step(&operator, "putAttainment", &path, attained, Made);
    sweep.step(&operator, "revokeAttainment", &path, Value::Null, Changed);
    let mut sale = sweep.example("createTransaction");
    sale["partner_id"] = json!(case.id);
    sale["occurred_on"] = json!("2018-07-01");
    sweep.step(&operator, "createTransaction", "/v1/transactions", sale, Made);
    let file = format!(
        "source,external_id,partner_id,customer_id,customer_country,product,product_family,kind,occurred_on,amount,\
         currency\nbilling,INV-1,{},C-1,DE,SKU-1,azure,purchase,2018-07-01,1.00,EUR\n",
        case.id
    );
    sweep.step(&operator, "createTransactionImport", "/v1/transaction-imports", json!(file), Made);
}

fn programs(sweep: &mut Sweep<'_>) {
    let operator = Person::of(sweep.world.operator());
    let made = sweep.step(&operator, "createProgram", "/v1/programs", sweep.example("createProgram"), Made);
    let path = format!("/v1/programs/{}", made.id());
    sweep.step(&operator, "updateProgram", &path, json!({"name": "Renamed"}), Changed);
    let versions = format!("{path}/versions");
    let version = sweep.example("createProgramVersion");
    let draft = sweep.step(&operator, "createProgramVersion", &versions, version.clone(), Made);
    let at = format!("{versions}/{}", draft["version"]);
    sweep.step(&operator, "updateProgramVersion", &at, json!({"invitation_days": 45}), Changed);
    sweep.step(&operator, "publishProgramVersion", &format!("{at}/publication"), because(), Changed);
    let mut next = version;
    next["program_year"] = json!(2033);
    let draft = operator.client.post(&versions, next).send().ok();
    let at = format!("{versions}/{}", draft["version"]);
    sweep.step(&operator, "deleteProgramVersion", &at, Value::Null, Removed);
    sweep.step(&operator, "discontinueProgram", &format!("{path}/discontinuation"), because(), Changed);
}

fn enrollments(sweep: &mut Sweep<'_>) {
    let (world, operator) = (sweep.world, Person::of(sweep.world.operator()));
    let case = eligible_direct_bill(world, 930);
    let admin = Person::of(world.admin_of(&case.id));
    for (kind, name) in [("payout", "Payout"), ("tax", "Tax")] {
        let path = format!("/v1/partners/{}/{kind}-profile", case.id);
        let (filed, changed) = if kind == "payout" {
            (profiles::payout(), profiles::payout_to("Partner", "DE02120300000000202051"))
        } else {
            (profiles::vat("DE123456789"), profiles::vat("DE987654321"))
        };
        sweep.step(&admin, &format!("put{name}Profile"), &path, filed.clone(), Made);
        sweep.step(
            &operator,
            &format!("reject{name}Profile"),
            &format!("{path}/rejection"),
            because(),
            Changed,
        );
        sweep.step(&admin, &format!("put{name}Profile"), &path, changed, Changed);
        let comment = json!({"comment": "Compared"});
        sweep.step(
            &operator,
            &format!("approve{name}Profile"),
            &format!("{path}/approval"),
            comment,
            Changed,
        );
    }
    let path = format!("/v1/partners/{}", case.id);
    let second = Person::of(world.another_operator());
    let release = format!("{path}/payout-profile/cooling-off-release");
    sweep.step(&second, "releaseCoolingOff", &release, because(), Changed);
    let matched = sweep.example("putTinStatus");
    sweep.step(&operator, "putTinStatus", &format!("{path}/tax-profile/tin-status"), matched, Changed);
    world.on("2018-11-01");
    let request = json!({"partner_id": case.id, "program": "csp-direct-bill", "reason": because()["reason"]});
    let made = sweep.step(&operator, "requestEnrollment", "/v1/enrollments", request, Made);
    let path = format!("/v1/enrollments/{}/discontinuation", made.id());
    sweep.step(&operator, "discontinueEnrollment", &path, because(), Changed);

    let invited = Case::new(world, 931, "indirect_reseller")
        .agreement("mpn", "2018-07-01", Some("2019-06-30"))
        .competency("cloud-platform", "gold", "2018-07-01");
    invited.sale(1, "2018-11-01", "100.00", None);
    let listed = operator.client.get("/v1/enrollments").query("partner_id", &invited.id).send().ok();
    let path = format!("/v1/enrollments/{}", listed["items"][0]["id"].as_str().unwrap());
    sweep.step(&operator, "acceptEnrollment", &format!("{path}/acceptance"), because(), Changed);
    sweep.step(&operator, "optOutEnrollment", &format!("{path}/opt-out"), because(), Changed);
}

fn users(sweep: &mut Sweep<'_>) {
    let operator = Person::of(sweep.world.operator());
    let made = sweep.step(&operator, "createUser", "/v1/users", sweep.example("createUser"), Made);
    let path = format!("/v1/users/{}", made.id());
    sweep.step(&operator, "updateUser", &path, json!({"name": "Renamed"}), Changed);
    sweep.step(&operator, "resetPassword", &format!("{path}/password-reset"), because(), Changed);
    sweep.step(&operator, "deactivateUser", &format!("{path}/deactivation"), because(), Changed);
    sweep.step(&operator, "reactivateUser", &format!("{path}/reactivation"), because(), Changed);
}

fn own_account(sweep: &mut Sweep<'_>) {
    let me = Person::of(sweep.world.auditor());
    let door = Person { client: sweep.world.nobody(), ..me };
    let sign_in = |password: &str| json!({"username": "auditor@vendor.example", "password": password});
    let inside =
        |signed_in: Answer| Person::of(door.client.with_token(signed_in["access_token"].as_str().unwrap()));
    let me = inside(sweep.step(&door, "login", "/v1/auth/login", sign_in(PASSWORD), Made));
    sweep.step(&me, "updateMe", "/v1/me", json!({"locale": "ja"}), Changed);
    let sessions = me.client.get("/v1/me/sessions").send().ok();
    let path = format!("/v1/me/sessions/{}", sessions["items"][0]["id"].as_str().unwrap());
    sweep.step(&me, "endSession", &path, Value::Null, Changed);
    let me = inside(sweep.step(&door, "login", "/v1/auth/login", sign_in(PASSWORD), Made));
    let change = json!({"current_password": PASSWORD, "new_password": "violets in the window box"});
    sweep.step(&me, "changePassword", "/v1/me/password", change, Changed);
    let again = sign_in("violets in the window box");
    let signed_in = sweep.step(&door, "login", "/v1/auth/login", again.clone(), Made);
    let renewal = json!({"grant_type": "refresh_token", "refresh_token": signed_in["refresh_token"]});
    let renewed = sweep.step(&door, "issueToken", "/v1/auth/token", renewal, Changed);
    let token = json!({"token": renewed["refresh_token"]});
    sweep.step(&door, "revokeToken", "/v1/auth/revoke", token, Changed);
    let me = inside(sweep.step(&door, "login", "/v1/auth/login", again, Made));
    sweep.step(&me, "endSessions", "/v1/me/sessions", Value::Null, Changed);
}

fn forgotten_password(sweep: &mut Sweep<'_>) {
    let (world, who) = (sweep.world, Person::of(sweep.world.auditor()));
    let door = Person { client: world.nobody(), ..who };
    let name = json!({"username": "auditor@vendor.example"});
    let asked = door.client.post("/v1/auth/password-reset-requests", name).send().ok();
    let request = asked.header("x-request-id").expect("the id of the request").to_owned();
    let read = move |conn: &mut Conn| {
        let events = audit_events::table.filter(audit_events::request_id.eq(&request));
        Ok(events.select(AuditEvent::as_select()).load::<AuditEvent>(conn)?)
    };
    // Who has forgotten a password is nobody yet.
    let events = world.service.db.read(read).unwrap();
    let traced = |event: &AuditEvent| event.actor_id.is_none() && event.operation == "RequestPasswordReset";
    assert!(matches!(events.as_slice(), [event] if traced(event)), "{events:?}");
    sweep.swept.insert("requestPasswordReset".to_owned());

    let (user, token, now) = (door.id.parse::<Id>().unwrap(), "a token of a mail", world.clock.now());
    let mailed = move |conn: &mut Conn| {
        use partner_incentives::schema::password_resets::dsl as column;
        let row = (
            column::user_id.eq(user),
            column::digest.eq(opaque::digest(token)),
            column::mailed_at.eq(now),
            column::expires_at.eq(now.plus_seconds(60)),
        );
        diesel::insert_into(column::password_resets).values(row).execute(conn)?;
        Ok(())
    };
    world.service.db.write(mailed).unwrap();
    let body = json!({"token": token, "new_password": "violets in another window box"});
    sweep.step(&door, "resetPasswordByToken", "/v1/auth/password-resets", body, Changed);
}

fn second_factors(sweep: &mut Sweep<'_>) {
    const PATH: &str = "/v1/me/second-factor";
    let (world, operator) = (sweep.world, Person::of(sweep.world.operator()));
    let partner = Case::new(world, 940, "direct_bill").id;
    let me = Person::of(world.admin_of(&partner));
    let prove = json!({"current_password": PASSWORD});
    let enroll = |sweep: &mut Sweep<'_>| {
        let told = sweep.step(&me, "enrollSecondFactor", PATH, prove.clone(), Made);
        let app = App::told(told["secret"].as_str().unwrap());
        let code = json!({"code": app.shows(world)});
        sweep.step(&me, "confirmSecondFactor", &format!("{PATH}/confirmation"), code, Changed);
        wait(world, 30);
        app
    };
    let app = enroll(sweep);
    let code = json!({"code": app.shows(world)});
    sweep.step(&me, "renewRecoveryCodes", &format!("{PATH}/recovery-codes"), code, Made);
    wait(world, 30);
    let removal = json!({"current_password": PASSWORD, "code": app.shows(world)});
    sweep.step(&me, "removeSecondFactor", &format!("{PATH}/removal"), removal, Changed);
    wait(world, 30);
    enroll(sweep);
    let path = format!("/v1/users/{}/second-factor-reset", me.id);
    sweep.step(&operator, "resetSecondFactor", &path, because(), Changed);
}

fn machines(sweep: &mut Sweep<'_>) {
    let operator = Person::of(sweep.world.operator());
    let made =
        sweep.step(&operator, "createApiClient", "/v1/api-clients", sweep.example("createApiClient"), Made);
    let machine = Person { client: sweep.world.nobody(), id: made.id(), role: "api_client".into() };
    let knock = json!({
        "grant_type": "client_credentials", "client_id": made.id(), "client_secret": made["client_secret"],
    });
    sweep.step(&machine, "issueToken", "/v1/auth/token", knock, Changed);
    let path = format!("/v1/api-clients/{}", made.id());
    sweep.step(&operator, "updateApiClient", &path, json!({"name": "Renamed"}), Changed);
    let rotation = format!("{path}/secret-rotation");
    sweep.step(&operator, "rotateApiClientSecret", &rotation, json!({"overlap_hours": 24}), Changed);
    sweep.step(&operator, "revokeApiClient", &format!("{path}/revocation"), because(), Changed);
}

fn money(sweep: &mut Sweep<'_>) {
    let world = sweep.world;
    let story = Story::new(world, &json!([flat("core", "0.08")]));
    story.sale("1", "2018-11-01", "100.00");
    let operator = Person::of(world.operator());
    sweep.step(&operator, "startCalculationRun", "/v1/calculation-runs", json!({}), Made);
    story.calculate();
    let path = format!("/v1/partners/{}/recalculation", story.partner);
    let begun = sweep.step(&operator, "recalculatePartner", &path, because(), Made);
    story.ended(&begun);
    let rates = json!({"rates": [{"base": "USD", "quote": "JPY", "rate": "113.27"}]});
    sweep.step(&operator, "putFxRates", "/v1/fx-rates/2018-11", rates, Changed);
    let colleague = world.api_client(Role::Operator, None, "adjustments:write");
    for (how, name) in [("approval", "approveAdjustment"), ("rejection", "rejectAdjustment")] {
        let mut proposal = sweep.example("proposeAdjustment");
        proposal["enrollment_id"] = json!(story.enrollment);
        proposal["earned_in"] = json!("2018-11");
        let by_another = colleague.post("/v1/adjustments", proposal.clone()).send().ok().id();
        sweep.step(&operator, "proposeAdjustment", "/v1/adjustments", proposal, Made);
        let path = format!("/v1/adjustments/{by_another}/{how}");
        sweep.step(&operator, name, &path, json!({"comment": "Compared"}), Changed);
    }
    let new = sweep.example("createWithholdingRate");
    sweep.step(&operator, "createWithholdingRate", "/v1/withholding-rates", new, Made);
    let new = sweep.example("createPayerAccount");
    let made = sweep.step(&operator, "createPayerAccount", "/v1/payer-accounts", new, Made);
    let path = format!("/v1/payer-accounts/{}", made.id());
    sweep.step(&operator, "updatePayerAccount", &path, sweep.example("updatePayerAccount"), Changed);
    sweep.step(&operator, "closePayerAccount", &format!("{path}/closure"), because(), Changed);
    let path = format!("/v1/rebates/{}", text(&story.list("/v1/rebates")[0]["id"]));
    sweep.step(&operator, "holdRebate", &format!("{path}/hold"), because(), Changed);
    sweep.step(&operator, "releaseRebate", &format!("{path}/release"), because(), Changed);
    let rich = story.another(950);
    rich.sale("2", "2018-11-01", "10000.00");
    takes_dollars(&rich);
    story.calculate();
    world.on("2018-12-01");
    let operator = Person::of(world.operator());
    let path = "/v1/accounting-months/2018-11/closure";
    sweep.step(&operator, "closeAccountingMonth", path, because(), Made);
    let path = format!("/v1/partners/{}/statements/2018-11/link", story.partner);
    sweep.step(&operator, "makeStatementLink", &path, Value::Null, Made);
    disputes(sweep, &story);
    payments(sweep);
    coop_claims(sweep, &rich);
    coop_proofs(sweep, &rich);
}

/// One claim after the other on a fund of the first half of the year.
fn coop_claims(sweep: &mut Sweep<'_>, story: &Story<'_>) {
    let world = sweep.world;
    world.on("2018-12-20");
    story.sale("coop", "2018-12-10", "9000000.00");
    close(story, &["2018-12"], "2019-01-04");
    world.on("2019-02-20");
    let operator = Person::of(world.operator());
    let admin = Person::of(world.admin_of(&story.partner));
    let fund =
        story.list(&format!("/v1/coop-funds?state=claimable&partner_id={}", story.partner))[0]["id"].clone();
    coop_plans(sweep, &operator, &admin, &fund);
    // No claim has what another one has: one person decides.
    let draft = |sweep: &mut Sweep<'_>, net: &str| {
        let mut new = sweep.example("createCoopClaim");
        new["expenses"][0]["source"]["number"] = json!(net);
        (new["fund_id"], new["activity"]) = (fund.clone(), json!("website-search"));
        (new["activity_from"], new["activity_to"]) = (json!("2019-02-11"), json!("2019-02-11"));
        (new["web_address"], new["expenses"][0]["on"]) =
            (json!("https://contoso.example"), json!("2019-02-11"));
        (new["expenses"][0]["net"], new["metric"]) = (usd(net), json!(1));
        sweep.step(&admin, "createCoopClaim", "/v1/coop-claims", new, Made).id()
    };
    let told = |sweep: &mut Sweep<'_>, who: &Person, name: &str, claim: &str, what: &str| {
        let body = sweep.example(name);
        sweep.step(who, name, &format!("/v1/coop-claims/{claim}/{what}"), body, Changed);
    };
    let thrown = draft(sweep, "700.00");
    let path = format!("/v1/coop-claims/{thrown}");
    let change = sweep.example("updateCoopClaim");
    sweep.step(&admin, "updateCoopClaim", &path, change, Changed);
    told(sweep, &admin, "cancelCoopClaim", &thrown, "cancellation");
    let rejected = draft(sweep, "800.00");
    prove(&admin.client, &rejected);
    told(sweep, &admin, "submitCoopClaim", &rejected, "submission");
    told(sweep, &admin, "recallCoopClaim", &rejected, "recall");
    told(sweep, &admin, "submitCoopClaim", &rejected, "submission");
    sweep.step(
        &operator,
        "reviewCoopClaim",
        &format!("/v1/coop-claims/{rejected}/review"),
        Value::Null,
        Changed,
    );
    told(sweep, &operator, "handBackCoopClaim", &rejected, "hand-back");
    told(sweep, &operator, "requestCoopClaimInformation", &rejected, "information-request");
    told(sweep, &admin, "submitCoopClaim", &rejected, "submission");
    told(sweep, &operator, "rejectCoopClaim", &rejected, "rejection");
    told(sweep, &admin, "disputeCoopClaim", &rejected, "dispute");
    let approved = draft(sweep, "900.00");
    prove(&admin.client, &approved);
    told(sweep, &admin, "submitCoopClaim", &approved, "submission");
    told(sweep, &operator, "approveCoopClaim", &approved, "approval");
    told(sweep, &operator, "holdCoopClaim", &approved, "hold");
    told(sweep, &operator, "releaseCoopClaim", &approved, "release");
    let other = draft(sweep, "950.00");
    prove(&admin.client, &other);
    told(sweep, &admin, "submitCoopClaim", &other, "submission");
    told(sweep, &operator, "approveCoopClaim", &other, "approval");
    coop_audits(sweep, story);
}

/// Two claims are paid, drawn and decided by somebody who has not approved them.
fn coop_audits(sweep: &mut Sweep<'_>, story: &Story<'_>) {
    let world = sweep.world;
    close(story, &["2019-01", "2019-02"], "2019-03-03");
    let operator = world.operator();
    let colleague = world.api_client(Role::Operator, None, "payment_runs:write payments:read payments:write");
    let run = colleague.post("/v1/payment-runs", json!({"month": "2019-02"})).send().ok().id();
    for (who, what) in [(&operator, "approval"), (&colleague, "dispatch")] {
        who.post(&format!("/v1/payment-runs/{run}/{what}"), json!({})).send().ok();
    }
    let payments = colleague.get("/v1/payments").query("run_id", &run).send().ok();
    let of_claims = payments["items"].as_array().unwrap().iter();
    for payment in of_claims.filter(|one| one["document_kind"] == "self_billed_invoice") {
        let path = format!("/v1/payments/{}/confirmation", text(&payment["id"]));
        colleague.post(&path, json!({})).send().ok();
    }
    draw_on(world, "2019-04-02");
    let new = person("third@vendor.example", "Ottilie Operator", Role::Operator, None);
    let third = Person::of(world.signed_in(users::provision(&world.service.app, new).unwrap()));
    let audits = story.list("/v1/coop-audits");
    for (audit, (name, what)) in
        audits.iter().zip([("passCoopAudit", "pass"), ("recoverCoopAudit", "recovery")])
    {
        let path = format!("/v1/coop-audits/{}/{what}", text(&audit["id"]));
        let body = sweep.example(name);
        sweep.step(&third, name, &path, body, Changed);
    }
}

/// The plan of a fund, sent back once and withdrawn in the end.
fn coop_plans(sweep: &mut Sweep<'_>, operator: &Person, admin: &Person, fund: &Value) {
    let days = |plan: &mut Value| {
        let planned = &mut plan["activities"][0];
        (planned["from"], planned["to"]) = (json!("2019-03-11"), json!("2019-03-11"));
    };
    let mut new = sweep.example("createCoopPlan");
    new["fund_id"] = fund.clone();
    days(&mut new);
    let plan = sweep.step(admin, "createCoopPlan", "/v1/coop-plans", new, Made).id();
    let mut change = sweep.example("updateCoopPlan");
    days(&mut change);
    sweep.step(admin, "updateCoopPlan", &format!("/v1/coop-plans/{plan}"), change, Changed);
    let steps = [
        (admin, "submitCoopPlan", "submission"),
        (operator, "rejectCoopPlan", "rejection"),
        (admin, "submitCoopPlan", "submission"),
        (operator, "approveCoopPlan", "approval"),
        (admin, "cancelCoopPlan", "cancellation"),
    ];
    for (who, name, what) in steps {
        let body = if what == "submission" { Value::Null } else { sweep.example(name) };
        sweep.step(who, name, &format!("/v1/coop-plans/{plan}/{what}"), body, Changed);
    }
}

fn coop_proofs(sweep: &mut Sweep<'_>, story: &Story<'_>) {
    let world = sweep.world;
    let claimable = || story.list(&format!("/v1/coop-funds?state=claimable&partner_id={}", story.partner));
    if claimable().is_empty() {
        world.on("2018-12-20");
        story.sale("coop", "2018-12-10", "9000000.00");
        close(story, &["2018-12"], "2019-01-04");
    }
    let viewer = Person::of(world.viewer_of(&story.partner));
    let mut new = sweep.example("createCoopClaim");
    new["fund_id"] = claimable()[0]["id"].clone();
    let claim = viewer.client.post("/v1/coop-claims", new).send().ok().id();
    let path = format!("/v1/coop-claims/{claim}/proofs?kind=photo&name=seminar.pdf");
    let made = sweep.step(&viewer, "createCoopProof", &path, json!("%PDF-1.4\n%%EOF\n"), Made).id();
    sweep.step(&viewer, "deleteCoopProof", &format!("/v1/coop-proofs/{made}"), Value::Null, Removed);
}

fn disputes(sweep: &mut Sweep<'_>, story: &Story<'_>) {
    let operator = Person::of(sweep.world.operator());
    let admin = Person::of(sweep.world.admin_of(&story.partner));
    let mut new = sweep.example("raiseDispute");
    (new["subject"], new["subject_id"]) = (json!("earning"), story.list("/v1/earnings")[0]["id"].clone());
    let made = sweep.step(&admin, "raiseDispute", "/v1/disputes", new, Made).id();
    let of = |what: &str| format!("/v1/disputes/{made}/{what}");
    let mut told = |who: &Person, name: &str, what: &str| {
        let body = sweep.example(name);
        sweep.step(who, name, &of(what), body, Changed);
    };
    told(&operator, "requestDisputeInformation", "information-request");
    told(&admin, "replyToDispute", "reply");
    told(&operator, "answerDispute", "answer");
    told(&admin, "escalateDispute", "escalation");
    told(&admin, "withdrawDispute", "withdrawal");
}

fn payments(sweep: &mut Sweep<'_>) {
    let world = sweep.world;
    let operator = Person::of(world.operator());
    let colleague = world.api_client(Role::Operator, None, "payment_runs:write payments:read payments:write");
    let month = json!({"month": "2018-11"});
    let run = |id: &str, what: &str| format!("/v1/payment-runs/{id}/{what}");
    let made = sweep.step(&operator, "createPaymentRun", "/v1/payment-runs", month.clone(), Made).id();
    sweep.step(&operator, "cancelPaymentRun", &run(&made, "cancellation"), because(), Changed);
    let payment_of = |run: &str| {
        let listed = colleague.get("/v1/payments").query("run_id", run).send().ok();
        text(&listed["items"][0]["id"])
    };
    let payment = |id: &str, what: &str| format!("/v1/payments/{id}/{what}");
    let refusal = json!({"reason": "Asked for by telephone, ticket 4711"});
    let made = colleague.post("/v1/payment-runs", month.clone()).send().ok().id();
    sweep.step(&operator, "approvePaymentRun", &run(&made, "approval"), json!({}), Changed);
    sweep.step(&operator, "dispatchPaymentRun", &run(&made, "dispatch"), json!({}), Changed);
    let first = payment_of(&made);
    sweep.step(&operator, "confirmPayment", &payment(&first, "confirmation"), json!({}), Changed);
    sweep.step(&operator, "returnPayment", &payment(&first, "return"), refusal.clone(), Changed);
    let anew = sweep.step(&operator, "reissuePayment", &payment(&first, "reissue"), because(), Made);
    for what in ["approval", "dispatch"] {
        colleague.post(&run(&text(&anew["run_id"]), what), json!({})).send().ok();
    }
    sweep.step(&operator, "failPayment", &payment(&anew.id(), "failure"), refusal, Changed);
    let made = colleague.post("/v1/payment-runs", month.clone()).send().ok().id();
    operator.client.post(&run(&made, "approval"), json!({})).send().ok();
    bank_files(sweep, &made);
    let made = colleague.post("/v1/payment-runs", month.clone()).send().ok().id();
    sweep.step(&operator, "stopPayment", &payment(&payment_of(&made), "stop"), because(), Changed);
    colleague.post(&run(&made, "cancellation"), because()).send().ok();
    let made = colleague.post("/v1/payment-runs", month).send().ok().id();
    operator.client.post(&run(&made, "approval"), json!({})).send().ok();
    colleague.post(&run(&made, "dispatch"), json!({})).send().ok();
    let last = payment_of(&made);
    colleague.post(&payment(&last, "confirmation"), json!({})).send().ok();
    sweep.step(&operator, "reversePayment", &payment(&last, "reversal"), because(), Changed);
}

/// The partner names an account that takes dollars.
fn takes_dollars(story: &Story<'_>) {
    let profile = format!("/v1/partners/{}/payout-profile", story.partner);
    let mut account = payout_to("Partner", "DE02120300000000202051");
    (account["currency"], account["bic"]) = (json!("USD"), json!("BYLADEM1001"));
    story.world.admin_of(&story.partner).put(&profile, account).if_match("*").send().ok();
    story.operator.post(&format!("{profile}/approval"), json!({})).send().ok();
}

/// A file of an approved run goes to the bank, which rejects the file, and books a fee.
fn bank_files(sweep: &mut Sweep<'_>, run: &str) {
    let operator = Person::of(sweep.world.operator());
    operator.client.post("/v1/payer-accounts", payer_in_america()).send().ok();
    let new = json!({"run_id": run});
    let first = sweep.step(&operator, "createPaymentFile", "/v1/payment-files", new.clone(), Made).id();
    let path = format!("/v1/payment-files/{first}/withdrawal");
    sweep.step(&operator, "withdrawPaymentFile", &path, because(), Changed);
    let file = operator.client.post("/v1/payment-files", new).send().ok();
    let path = format!("/v1/payment-files/{}", file.id());
    sweep.step(&operator, "dispatchPaymentFile", &format!("{path}/dispatch"), json!({}), Changed);
    let rejected = "<GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Cd>AM04</Cd></Rsn></StsRsnInf>";
    let report = json!(of_file(&file, rejected, ""));
    sweep.step(&operator, "createStatusReport", &format!("{path}/status-reports"), report, Made);
    let statement = json!(camt053("FEE", &[Entry::fee()]));
    sweep.step(&operator, "createBankStatement", "/v1/bank-statements", statement, Made);
    let exception = operator.client.get("/v1/bank-exceptions").send().ok();
    let path = format!("/v1/bank-exceptions/{}/resolution", text(&exception["items"][0]["id"]));
    let settled = sweep.example("resolveBankException");
    sweep.step(&operator, "resolveBankException", &path, settled, Changed);
}

fn jobs(sweep: &mut Sweep<'_>) {
    let operator = Person::of(sweep.world.operator());
    sweep.step(&operator, "startDailyRefresh", "/v1/jobs/daily-refresh/runs", json!({}), Made);
}

#[test]
fn a_unit_without_an_event_says_why() {
    let world = World::new();
    let app = &world.service.app;
    let silent = app.write_as_system("SayNothing", |_| Ok(()));
    assert!(silent.unwrap_err().to_string().contains("wrote without an audit event"));
    for reason in [Unaudited::NothingWritten, Unaudited::NotPublished] {
        app.write_as_system("SayWhy", move |tx| {
            tx.exempt_from_audit(reason);
            Ok(())
        })
        .unwrap();
        // Not where a fact has changed that other records rest on.
        let changed = app.write_as_system("ChangeFacts", move |tx| {
            tx.exempt_from_audit(reason);
            tx.facts_changed(tx.new_id());
            Ok(())
        });
        assert!(changed.is_err(), "{reason:?}");
    }
}
