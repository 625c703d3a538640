// A reviewer's morning with ten claims, as docs/coop-review.md tells it. The partner has submitted them over the API before; every
// row of the guide is played in Swagger UI.
const assert = require("node:assert/strict");
const crypto = require("node:crypto");
const fs = require("node:fs");
const service = require("./service.cjs");
const { PEOPLE, played } = require("./guide.cjs");
const { paper } = require("./papers.cjs");

const MAGNOLIA = "01936f2e-4b00-7000-8000-000000000044";
const dollars = (amount) => ({ amount, currency: "USD" });

/** The claims by the day on which they are submitted: the activity, more members of it, and its expenses. */
const CLAIMS = {
  "2026-11-16": {
    A: ["exams-tuition", {}, ["151.20", "Elliott Bay Academy", "EB-1", "2026-06-28"]],
    B: ["program-membership", {}, ["122.40", "Cascade Cloud Circle", "M-77/2026"]],
    C: ["program-membership", {}, ["122.40", "CASCADE Cloud Circle", "m 77 2026"]],
  },
  "2026-11-17": {
    D: ["exams-tuition", {}, ["1210.00", "Elliott Bay Academy", "EB-2"]],
    E: ["internal-training", { metric: 12 }, ["60.00", "Pike Street Rooms", "R-301"], ["33.50", "Pike Street Rooms", "R-302"]],
    F: ["proof-of-concept", {}, ["84.00", "Rainier Interiors", "2026-118"]],
  },
  "2026-11-18": {
    G: ["exams-tuition", {}, ["71.30", "Magnolia Cloud", "MC-5"], ["40.20", "Elliott Bay Academy", "EB-3"]],
  },
  "2026-11-19": {
    H: ["exams-tuition", {}, ["252.60", "Elliott Bay Academy", "EB-4"]],
    I: ["exams-tuition", {}, ["183.10", "Elliott Bay Academy", "EB-5"], ["121.90", "Elliott Bay Academy", "EB-6"]],
    J: ["telemarketing", { metric: 30 }, ["142.80", "Ballard Calls", "BC-9"]],
  },
};
const PROOFS = { "internal-training": ["agenda", "slides"], "proof-of-concept": ["material"], telemarketing: ["script"] };

/** Calls the service as Adam, who has signed in on the day. */
async function adamsCalls() {
  const call = (token) => async (path, body, media = "application/json") => {
    const headers = { "content-type": media, ...(token && { authorization: `Bearer ${token}` }) };
    const sent = media === "application/json" && body ? JSON.stringify(body) : body;
    const answer = await fetch(service.base + path, { method: body ? "POST" : "GET", headers, body: sent });
    const told = await answer.text();
    assert.ok(answer.ok, `${path}: ${told}`);
    return JSON.parse(told);
  };
  return call((await call()("/v1/auth/login", PEOPLE.Adam)).access_token);
}

/** Drafts a claim, proves and submits it. */
async function submitted(page, adam, fund_id, letter, [activity, members, ...expenses]) {
  const draft = await adam("/v1/coop-claims", {
    fund_id, activity, activity_from: "2026-11-05", activity_to: "2026-11-06", description: `Claim ${letter}`, ...members,
    expenses: expenses.map(([net, supplier, number, on = "2026-11-06"]) => ({
      description: `Invoice ${number}`, on, source: { type: "invoice", supplier, number }, net: dollars(net), tax: dollars("0.00"), recovers_tax: false,
    })),
  });
  const invoices = draft.expenses.map(({ id, source, net }) => ["invoice", id, source.supplier, source.number, net.amount]);
  for (const [nth, [kind, expense, ...words]] of [...invoices, ...(PROOFS[activity] || []).map((kind) => [kind])].entries()) {
    const name = `${activity.replace(/^.*-/, "")}-${letter.toLowerCase()}${nth || ""}.pdf`;
    const file = fs.readFileSync(await paper(page, name, `Claim ${letter}: ${kind}`, ...words));
    const of = new URLSearchParams({ kind, name, ...(expense && { expense_id: expense }) });
    await adam(`/v1/coop-claims/${draft.id}/proofs?${of}`, file, "application/pdf");
  }
  return adam(`/v1/coop-claims/${draft.id}/submission`, {});
}

async function tenClaims(page) {
  const claims = {};
  for (const [day, ofDay] of Object.entries(CLAIMS)) {
    await service.beginDay(day);
    const adam = await adamsCalls();
    const [fund] = (await adam("/v1/coop-funds?state=claimable")).items;
    for (const [letter, words] of Object.entries(ofDay)) claims[letter] = await submitted(page, adam, fund.id, letter, words);
  }
  return claims;
}

const QUEUE = { partner_id: MAGNOLIA, to_review: "true" };

async function theQueue({ olivia }, claims, lettersOf) {
  const of = (letter) => ({ id: claims[letter].id });
  const cut = (letter, nth, approved, reason, remedy) => {
    const line = { expense_id: claims[letter].expenses[nth].id, approved: dollars(approved), reason, remedy };
    return { params: of(letter), body: { comment: undefined, lines: [line] } };
  };
  const queue = await olivia("listCoopClaims", { params: { ...QUEUE, include_total: "true" } });
  assert.deepEqual([lettersOf(queue), queue.total], ["ABCDEFGHIJ", 10]);
  const risky = await olivia("listCoopClaims", { params: { ...QUEUE, risky: "true" } });
  assert.equal(lettersOf(risky), "ACG");
  assert.equal((await olivia("reviewCoopClaim", { params: of("A") })).state, "under_review");
  const back = await olivia("handBackCoopClaim", { params: of("A"), body: { comment: "Oscar knows the supplier" } });
  assert.deepEqual([back.state, back.review.reviewer_id], ["submitted", null]);

  const [proof] = (await olivia("listCoopProofs", { params: of("C") })).items;
  const content = await olivia("getCoopProofContent", { params: { id: proof.id } });
  assert.equal(crypto.createHash("sha256").update(content).digest("hex"), proof.sha256);
  const double = await olivia("rejectCoopClaim", { params: of("C"), body: { reason_code: "duplicate", reason: "The invoice M-77/2026 was claimed before" } });
  assert.deepEqual([double.state, double.committed.amount], ["rejected", "0.00"]);
  for (const letter of ["B", "D"]) {
    const first = await olivia("approveCoopClaim", { params: of(letter) });
    assert.deepEqual([first.state, first.approved], ["submitted", null]);
    assert.ok(first.review.first_reviewer_id);
  }
  assert.equal((await olivia("requestCoopClaimInformation", { params: of("E") })).state, "action_required");
  assert.equal((await olivia("rejectCoopClaim", { params: of("F") })).state, "rejected");
  const own = await olivia("approveCoopClaim", cut("G", 0, "0.00", "proof_missing", "Send a certification of your own service"));
  assert.deepEqual([own.state, own.expenses.map((one) => one.decision.approved.amount)], ["submitted", ["0.00", "40.20"]]);
  const whole = await olivia("approveCoopClaim", { params: of("H") });
  assert.deepEqual([whole.state, whole.approved.amount], ["approved", "252.60"]);
  const part = await olivia("approveCoopClaim", cut("I", 1, "100.00", "amount_not_proved", "Send an invoice of 121.90"));
  assert.deepEqual([part.state, part.approved.amount, part.committed.amount], ["partially_approved", "283.10", "283.10"]);
  const rejected = await olivia("rejectCoopClaim", { params: of("J"), body: { reason_code: "proof_missing", reason: "The script is of another campaign" } });
  assert.equal(rejected.state, "rejected");
}

async function theSecondPerson({ olivia, oscar }, claims, lettersOf) {
  const approval = (letter, body) => ({ params: { id: claims[letter].id }, body });
  const queue = await oscar("listCoopClaims", { params: { ...QUEUE, risky: "" } });
  assert.equal(lettersOf(queue), "ABDG");
  await oscar("reviewCoopClaim", { params: { id: claims.A.id } });
  assert.equal((await oscar("approveCoopClaim", approval("A"))).state, "submitted");
  assert.equal((await oscar("approveCoopClaim", approval("B"))).approved.amount, "122.40");
  assert.equal((await oscar("approveCoopClaim", approval("D"))).approved.amount, "1210.00");
  const part = await oscar("approveCoopClaim", approval("G", "{}"));
  assert.deepEqual([part.state, part.approved.amount], ["partially_approved", "40.20"]);
  assert.equal((await olivia("approveCoopClaim", approval("A"))).approved.amount, "151.20");
}

async function theAnswers({ adam, olivia, oscar }, claims) {
  const params = { id: claims.J.id };
  const disputed = await adam("disputeCoopClaim", { params });
  assert.deepEqual([disputed.state, disputed.committed.amount], ["disputed", "142.80"]);
  await olivia("approveCoopClaim", { params, status: 403 });
  const final = await oscar("approveCoopClaim", { params });
  assert.deepEqual([final.state, final.approved.amount], ["approved", "142.80"]);
  const answer = { comment: "R-301 is for the room, R-302 for coffee" };
  assert.equal((await adam("submitCoopClaim", { params: { id: claims.E.id }, body: answer })).state, "submitted");
  const answered = await oscar("approveCoopClaim", { params: { id: claims.E.id } });
  assert.deepEqual([answered.state, answered.approved.amount], ["approved", "93.50"]);
  assert.equal((await oscar("listCoopClaims", { params: QUEUE })).items.length, 0);
  const fund = await adam("getCoopFund", { params: { id: claims.A.fund_id } });
  assert.deepEqual(["claimable", "planned", "committed", "paid", "remaining"].map((part) => fund[part].amount), ["2869.65", "0.00", "2295.80", "0.00", "573.85"]);
}

/** Plays the guide in a page. */
module.exports = async function review(ui) {
  const people = played("coop-review.md", ui);
  const claims = await tenClaims(ui.page);
  await service.beginDay("2026-11-20");
  await ui.open();
  const letterOf = ({ id }) => Object.keys(claims).find((letter) => claims[letter].id === id);
  const lettersOf = (page) => page.items.map(letterOf).join("");
  await theQueue(people, claims, lettersOf);
  await theSecondPerson(people, claims, lettersOf);
  await theAnswers(people, claims);
  people.ended();
  await service.end();
};
