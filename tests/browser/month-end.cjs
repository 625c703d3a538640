// The month's end as finance does it in Swagger UI, on a demo service, from closing to reconciled: each operation is opened, its
// example is sent as it stands but for the ids and months of the demo, and the page shows that it was done.
//   BASE_URL where the service is, CHROMIUM the browser, SHOTS a folder for pictures.
const assert = require("node:assert/strict");
const { statusReport } = require("./bank.cjs");
const { play } = require("./swagger.cjs");

const month = previousMonth();
let page, send;

/** Month of the demo that is over and open: the one before this. */
function previousMonth() {
  const now = new Date();
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1, 1)).toISOString().slice(0, 7);
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
  const body = { run_id: run, currency: undefined, payer_account_id: undefined, execution_on: undefined };
  const faulty = await send("createPaymentFile", { body, status: 422 });
  const refused = new Set(faulty.faults.map((fault) => fault.payment_id));
  for (const id of refused) await send("stopPayment", { params: { id }, body: {} });
  return send("createPaymentFile", { body, status: 201 });
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

async function monthEnd(ui) {
  ({ page, send } = ui);
  await ui.open();
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
  assert.match(String(content), /pain\.001\.001\.09/);
  assert.equal((await send("dispatchPaymentFile", { params: { id: made.id }, body: "{}" })).state, "sent");
  const report = await send("createStatusReport", { params: { id: made.id }, media: "application/xml", body: statusReport(made.message_id, new Date().toISOString()), status: 201 });
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

play("month-end", "the month's end, from closing to reconciled", monthEnd);
