// The month's end as finance does it in Swagger UI, on a demo service, from closing to reconciled: each operation is opened, its
// example is sent as it stands but for the ids and months of the demo, and the page shows that it was done.
//   BASE_URL where the service is, CHROMIUM the browser, SHOTS a folder for pictures.
const assert = require("node:assert/strict");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { chromium } = require("playwright-core");

const base = process.env.BASE_URL || "http://127.0.0.1:8080";
const shots = process.env.SHOTS || fs.mkdtempSync(path.join(os.tmpdir(), "month-end-"));
const month = previousMonth();
const picture = (name) => path.join(shots, `month-end-${name}.png`);
let page;

/** Month of the demo that is over and open: the one before this. */
function previousMonth() {
  const now = new Date();
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1, 1)).toISOString().slice(0, 7);
}

/**
 * Sends an operation as a person does: opens it, fills what is given into the form, presses the button, and reads the answer.
 * `body` changes members of the example; a text replaces it.
 */
async function send(id, { params = {}, body, media, status = 200 } = {}) {
  const operation = page.locator(`.opblock[id$="-${id}"]`);
  const method = (await operation.locator(".opblock-summary-method").innerText()).trim().toUpperCase();
  const path = await operation.locator(".opblock-summary-path").getAttribute("data-path");
  if (!(await operation.locator(".opblock-body").count())) await operation.locator(".opblock-summary").first().click();
  for (const [name, value] of Object.entries(params)) {
    const field = operation.locator(`tr[data-param-name="${name}"]`).locator("input, select").first();
    const isChoice = await field.evaluate((element) => element.tagName === "SELECT");
    await (isChoice ? field.selectOption(value) : field.fill(value));
  }
  if (media) await operation.locator(".opblock-section-request-body select.content-type").selectOption(media);
  if (body !== undefined) {
    const text = operation.locator("textarea.body-param__text");
    const example = typeof body === "string" ? body : JSON.stringify(changed(JSON.parse(await text.inputValue()), body));
    await text.fill(example);
  }
  const answered = page.waitForResponse((response) => isAnswer(response, method, path));
  await operation.locator("button.execute").click();
  const answer = await answered;
  const shown = operation.locator(".live-responses-table .response .response-col_status").first();
  await shown.filter({ hasText: String(answer.status()) }).waitFor();
  const told = await answer.text();
  assert.equal(answer.status(), status, `${id}: ${told}`);
  await page.screenshot({ path: picture(id) });
  await operation.locator(".opblock-summary").first().click();
  return /json/.test(answer.headers()["content-type"] || "") ? JSON.parse(told) : told;
}

/** Whether a response answers the operation; the page's own pictures, styles and preflights are responses too. */
function isAnswer(response, method, path) {
  const asked = new URL(response.url()).pathname.split("/");
  const parts = path.split("/");
  const isPath = asked.length === parts.length && parts.every((part, at) => part.startsWith("{") || part === asked[at]);
  return response.request().method() === method && isPath;
}

/** The example with other members; `undefined` leaves a member out. */
function changed(example, members) {
  const all = { ...example, ...members };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

const signIn = (name) =>
  send("login", { body: { username: `${name}@programme.example`, password: "demo-operator-passphrase" } });

async function calculated() {
  const begun = await send("startCalculationRun", { status: 202 });
  for (;;) {
    const run = await send("getCalculationRun", { params: { id: begun.id } });
    if (run.state !== "running") return assert.equal(run.state, "succeeded");
    await page.waitForTimeout(500);
  }
}

/** A file with the approved payments of a run; those that no bank would take are stopped. */
async function file(run) {
  const faulty = await send("createPaymentFile", { body: { run_id: run, currency: undefined, payer_account_id: undefined, execution_on: undefined }, status: 422 });
  const refused = new Set(faulty.faults.map((fault) => fault.payment_id));
  for (const id of refused) await send("stopPayment", { params: { id }, body: {} });
  return send("createPaymentFile", { status: 201 });
}

function statusReport(message) {
  return `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>
  <GrpHdr><MsgId>REPORT-1</MsgId><CreDtTm>${new Date().toISOString()}</CreDtTm></GrpHdr>
  <OrgnlGrpInfAndSts><OrgnlMsgId>${message}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId><GrpSts>ACSC</GrpSts></OrgnlGrpInfAndSts>
</CstmrPmtStsRpt></Document>`;
}

function bankStatement(message, total) {
  const today = new Date().toISOString().slice(0, 10);
  const entry = (amount, more) =>
    `<Ntry><Amt Ccy="USD">${amount}</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>${today}</Dt></BookgDt><BkTxCd/>${more}</Ntry>`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>
  <GrpHdr><MsgId>STATEMENT-1</MsgId><CreDtTm>${new Date().toISOString()}</CreDtTm></GrpHdr>
  <Stmt><Id>${today}</Id>${entry(total, `<NtryDtls><Btch><MsgId>${message}</MsgId></Btch></NtryDtls>`)}${entry("25.00", "<AddtlNtryInf>Fee for the file</AddtlNtryInf>")}</Stmt>
</BkToCstmrStmt></Document>`;
}

async function monthEnd() {
  await page.goto(base + "/docs/");
  await page.locator(".opblock").first().waitFor();
  await signIn("olivia");
  await calculated();
  const preview = await send("getAccountingMonthClosure", { params: { month } });
  assert.equal(preview.obstacle, null);
  const closed = await send("closeAccountingMonth", { params: { month }, body: {} });
  assert.equal(closed.state, "closed");

  const asked = { month, currency: "USD" };
  const looked = await send("createPaymentRun", { params: { preview: "true" }, body: asked });
  const run = await send("createPaymentRun", { params: { preview: "false" }, body: asked, status: 201 });
  assert.deepEqual(run.totals, looked.totals, "the run is what the preview said");
  await send("approvePaymentRun", { params: { id: run.id }, body: {}, status: 403 });
  await signIn("oscar");
  assert.equal((await send("approvePaymentRun", { params: { id: run.id }, body: {} })).state, "approved");

  const made = await file(run.id);
  const content = await send("getPaymentFileContent", { params: { id: made.id } });
  assert.match(content, /pain\.001\.001\.09/);
  assert.equal((await send("dispatchPaymentFile", { params: { id: made.id }, body: "{}" })).state, "sent");
  const report = await send("createStatusReport", { params: { id: made.id }, media: "application/xml", body: statusReport(made.message_id), status: 201 });
  assert.equal(report.changed, made.payments);
  const statement = await send("createBankStatement", { media: "application/xml", body: bankStatement(made.message_id, made.total.amount), status: 201 });
  assert.deepEqual([statement.state, statement.exceptions], ["applied", 1]);
  const open = await send("listBankExceptions", { params: { state: "open" } });
  await send("resolveBankException", { params: { id: open.items[0].id }, body: { payment_id: undefined } });
  const reconciled = await send("getPaymentRunReconciliation", { params: { id: run.id } });
  assert.equal(reconciled.is_reconciled, true);
  const payment = (await send("listPayments", { params: { run_id: run.id } })).items.find((one) => one.state === "settled");
  const remittance = await send("getRemittance", { params: { id: payment.id } });
  const sum = (amounts) => amounts.reduce((all, amount) => all + BigInt(amount.replace(".", "")), 0n);
  assert.equal(sum(remittance.lines.map((line) => line.amount.amount)), sum([remittance.gross.amount]));
}

(async () => {
  const args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"];
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args });
  page = await browser.newPage({ viewport: { width: 1280, height: 1600 } });
  page.setDefaultTimeout(120000);
  const failed = await monthEnd().then(() => null, (error) => error);
  if (failed) await page.screenshot({ path: picture("failed") }).catch(() => {});
  await browser.close();
  console.log(failed ? `FAIL the month's end\n${failed.stack}` : "ok   the month's end, from closing to reconciled", `\npictures in ${shots}`);
  process.exit(failed ? 1 : 0);
})();
