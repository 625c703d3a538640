// A partner's first claim, from a plan to money, as docs/coop-first-claim.md tells it: every row of the guide is played in Swagger
// UI, on the days that it names.
//   BINARY the service, BASE_URL where it shall listen, CHROMIUM the browser, SHOTS a folder for pictures.
const assert = require("node:assert/strict");
const { statusReport } = require("./bank.cjs");
const service = require("./service.cjs");
const { played } = require("./guide.cjs");
const { paper } = require("./papers.cjs");

const dollars = (amount) => ({ amount, currency: "USD" });
const invoice = (supplier, number) => ({ type: "invoice", supplier, number });
const ROOM = { description: "Room and catering", on: "2026-11-26", source: invoice("Nagoya Congress Center", "NCC-2019-0412"), net: dollars("1200.00"), tax: dollars("96.00"), recovers_tax: true };
const CATERING = { description: "Catering", on: "2026-11-26", source: invoice("Sakura Catering", "4711"), net: dollars("300.00"), tax: dollars("24.00"), recovers_tax: false };

const holds = (fund, expected) => {
  const parts = ["planned", "committed", "paid", "remaining"];
  assert.deepEqual(Object.fromEntries(parts.map((part) => [part, fund[part].amount])), { planned: "0.00", committed: "0.00", paid: "0.00", ...expected });
};

async function plans({ adam, vera, olivia }) {
  const funds = await vera("listCoopFunds", { params: { state: "claimable" } });
  assert.equal(funds.items.length, 1);
  const [fund] = funds.items;
  holds(fund, { remaining: "2869.65" });
  await vera("listCoopActivities", { params: { program: "azure-growth" } });
  const plan = await vera("createCoopPlan", { body: { fund_id: fund.id }, status: 201 });
  assert.deepEqual(plan.assessment.faults.map((fault) => `${fault.pointer} ${fault.code}`), [
    "/activities/0/from outside_usage_period", "/activities/0/to outside_usage_period", "/activities/0/to over",
  ]);
  const params = { id: plan.id };
  const mended = await vera("updateCoopPlan", { params, body: (example) => ({ activities: example.activities.map((one) => ({ ...one, from: "2026-11-26", to: "2026-11-26" })) }) });
  assert.deepEqual([mended.assessment.limits[0].left.amount, mended.assessment.limits[0].budget.amount], ["2869.65", "1500.00"]);
  assert.equal((await adam("submitCoopPlan", { params })).state, "submitted");
  assert.equal((await olivia("approveCoopPlan", { params })).state, "approved");
  holds(await vera("getCoopFund", { params: { id: fund.id } }), { planned: "1500.00", remaining: "1369.65" });
  return fund;
}

async function claims({ adam, vera }, fund, page) {
  const days = { activity_from: "2026-11-26", activity_to: "2026-11-26" };
  const draft = await vera("createCoopClaim", { body: (example) => ({ fund_id: fund.id, ...days, expenses: [{ ...example.expenses[0], on: ROOM.on }] }), status: 201 });
  assert.equal(draft.assessment.reimbursable.amount, "1200.00");
  const params = { id: draft.id };
  const [room] = draft.expenses;
  const both = await vera("updateCoopClaim", { params, body: { expenses: [{ id: room.id, ...ROOM }, CATERING] } });
  assert.equal(both.assessment.reimbursable.amount, "1524.00");
  const [, catering] = both.expenses;
  const { assessment } = await vera("getCoopClaim", { params });
  assert.deepEqual(assessment.missing_proofs.map((proof) => [proof.any_of.join(), proof.expense_id]), [
    ["invitation", null], ["agenda", null], ["photo", null], ["invoice", room.id], ["invoice", catering.id],
  ]);
  assert.equal(assessment.faults.filter((fault) => fault.code === "proof_missing").length, 5);

  const pdf = "application/pdf";
  const papers = [
    ["nagoya-congress-center.pdf", pdf, { kind: "invoice", expense_id: room.id }, "Nagoya Congress Center", "Invoice NCC-2019-0412", "1,200.00 + 96.00"],
    ["sakura-catering.pdf", pdf, { kind: "invoice", expense_id: catering.id }, "Sakura Catering", "Invoice 4711", "300.00 + 24.00"],
    ["invitation.pdf", pdf, { kind: "invitation", expense_id: "" }, "You are invited"],
    ["agenda.pdf", pdf, { kind: "agenda", expense_id: "" }, "Agenda", "9:00 Backup in the cloud"],
    ["seminar.png", "image/png", { kind: "photo", expense_id: "" }, "Forty-five people in a room"],
  ];
  for (const [name, media, of, ...words] of papers) {
    const proof = await vera("createCoopProof", { params: { ...params, ...of, name }, media, file: await paper(page, name, ...words), status: 201 });
    assert.deepEqual([proof.name, proof.media_type, proof.expense_id || ""], [name, media, of.expense_id]);
  }
  await adam("getCoopClaim", { params });
  const submitted = await adam("submitCoopClaim", { params, body: { comment: undefined } });
  assert.deepEqual([submitted.state, submitted.committed.amount, submitted.from_plan.amount], ["submitted", "1524.00", "1500.00"]);
  holds(await vera("getCoopFund", { params: { id: fund.id } }), { committed: "1524.00", remaining: "1345.65" });
  return submitted;
}

async function isDecided({ adam, vera, olivia, oscar }, claim) {
  const params = { id: claim.id };
  assert.equal((await olivia("reviewCoopClaim", { params })).state, "under_review");
  assert.equal((await olivia("requestCoopClaimInformation", { params })).state, "action_required");
  await adam("listNotifications", { params: { kind: "coop_claim_question" } });
  const [room, catering] = claim.expenses.map((expense) => expense.id);
  const expenses = [{ id: room, ...ROOM, description: "Room" }, { id: catering, ...CATERING }];
  await vera("updateCoopClaim", { params, body: { expenses } });
  await adam("submitCoopClaim", { params, body: { comment: "The one of the Nagoya Congress Center" } });
  assert.equal((await olivia("approveCoopClaim", { params })).state, "submitted");
  assert.equal((await oscar("approveCoopClaim", { params })).state, "approved");
  const approved = await adam("getCoopClaim", { params });
  assert.deepEqual([approved.approved.amount, approved.committed.amount], ["1524.00", "1524.00"]);
}

async function isPaid({ adam, olivia, oscar }, claim, page) {
  let run = await olivia("startCalculationRun", { status: 202 });
  for (let again = false; run.state === "running"; again = true) {
    if (again) await page.waitForTimeout(500);
    run = await olivia("getCalculationRun", { params: { id: run.id }, again });
  }
  for (const month of ["2026-10", "2026-11"]) {
    assert.equal((await olivia("closeAccountingMonth", { params: { month } })).state, "closed");
  }
  const payments = await olivia("createPaymentRun", { params: { preview: "false" }, body: { month: "2026-11", currency: "USD" }, status: 201 });
  assert.equal((await oscar("approvePaymentRun", { params: { id: payments.id } })).state, "approved");
  const body = { run_id: payments.id };
  const { faults } = await oscar("createPaymentFile", { body, status: 422 });
  for (const [nth, id] of [...new Set(faults.map((fault) => fault.payment_id))].entries()) {
    await oscar("stopPayment", { params: { id }, again: nth > 0 });
  }
  const file = await oscar("createPaymentFile", { body, status: 201 });
  const params = { id: file.id };
  await oscar("getPaymentFileContent", { params });
  assert.equal((await oscar("dispatchPaymentFile", { params })).state, "sent");
  const settled = statusReport(file.message_id, `${service.today()}T09:30:00Z`);
  const report = await oscar("createStatusReport", { params, media: "application/xml", body: settled, status: 201 });
  assert.equal(report.changed, file.payments);
  const paid = await adam("getCoopClaim", { params: { id: claim.id } });
  assert.deepEqual([paid.state, paid.committed.amount], ["paid", "0.00"]);
  holds(await adam("getCoopFund", { params: { id: claim.fund_id } }), { paid: "1524.00", remaining: "1345.65" });
  const remittance = await adam("getRemittance", { params: { id: paid.payment_id } });
  assert.deepEqual([remittance.gross.amount, remittance.net.amount], ["1524.00", "1524.00"]);
  assert.deepEqual(remittance.lines.map((line) => line.claim_id), [claim.id]);
}

/** Plays the guide in a page. */
module.exports = async function firstClaim(ui) {
  const people = played("coop-first-claim.md", ui);
  await service.beginDay("2026-11-20");
  await ui.open();
  const fund = await plans(people);
  await service.beginDay("2026-11-27");
  const claim = await claims(people, fund, ui.page);
  await service.beginDay("2026-11-30");
  await isDecided(people, claim);
  await service.beginDay("2026-12-02");
  await isPaid(people, claim, ui.page);
  people.ended();
  await service.end();
};
