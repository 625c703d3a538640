// What a person does with Swagger UI on a demo service, in a real browser:
//   cargo run -- demo &
//   cd tests/browser && npm install --no-package-lock && npm test
// BASE_URL where the service is, CHROMIUM the browser, SHOTS a folder for pictures;
// PICTURE=docs/demo.png (from this folder: ../../docs/demo.png) takes the picture of the README anew.
const assert = require("node:assert/strict");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { chromium } = require("playwright-core");

const base = process.env.BASE_URL || "http://127.0.0.1:8080";
const shots = process.env.SHOTS || fs.mkdtempSync(path.join(os.tmpdir(), "docs-"));
const faults = [];
let browser, page;

const steps = {
  async "the page opens with the contract's title and its operations in the order of the business"() {
    await page.goto(base + "/docs/");
    await page.locator(".opblock").first().waitFor();
    const contract = await (await page.request.get(base + "/openapi.json")).json();
    assert.equal(await page.title(), contract.info.title);
    const tags = await page.locator(".opblock-tag").evaluateAll((all) => all.map((tag) => tag.dataset.tag));
    const used = new Set(Object.values(contract.paths).flatMap((item) => Object.values(item).flatMap((o) => o.tags)));
    assert.deepEqual(tags, contract.tags.map((tag) => tag.name).filter((name) => used.has(name)));
    await shot("opened");
  },

  async "executing login as it stands authorises the page"() {
    assert.equal(await page.locator(".btn.authorize.unlocked").count(), 1);
    const { status } = await execute("login");
    assert.equal(status, 200);
    await page.locator(".btn.authorize.locked").waitFor();
    await shot("signed-in");
  },

  async "the partners are listed"() {
    const { status, body } = await execute("listPartners");
    assert.equal(status, 200);
    assert.ok(body.items.length > 0, "the demo has partners");
    await shot("partners");
  },

  async "the example partner is shown"() {
    const { status, body } = await execute("getPartner");
    assert.equal(status, 200);
    assert.ok(body.legal_name);
  },

  async "the example partner's eligibility is shown"() {
    const { status, body } = await execute("getEligibility");
    assert.equal(status, 200);
    assert.ok(JSON.stringify(body).includes("eligible"));
    await shot("eligibility");
  },

  async "the filter leaves the tags that match"() {
    const box = page.locator(".operation-filter-input");
    await box.fill("partners");
    await page.waitForFunction(() => document.querySelectorAll(".opblock-tag").length === 1);
    await shot("filtered");
    await box.fill("");
    await page.waitForFunction(() => document.querySelectorAll(".opblock-tag").length > 1);
  },

  async "the page is still authorised after it was loaded anew"() {
    await page.reload();
    await page.locator(".btn.authorize.locked").waitFor();
    const { status, body } = await execute("getMe");
    assert.equal(status, 200);
    assert.equal(body.role, "operator");
    await shot("me");
  },

  async "an answer as long as the contract is shown whole, and at once"() {
    const { status, body } = await execute("getOpenapi");
    assert.equal(status, 200);
    assert.ok(body.paths["/v1/partners"], "the document is whole");
    const coloured = page.locator('.opblock[id$="-getOpenapi"] .live-responses-table .highlight-code pre span');
    assert.equal(await coloured.count(), 0, "colouring it takes seconds");
  },

  async "a problem's page explains it"() {
    await page.goto(base + "/problems/not_found");
    assert.match(await page.locator("body").innerText(), /not_found/);
    await shot("problem");
  },

  async "nothing failed in the browser, and nothing was asked of another host"() {
    assert.deepEqual(faults, []);
  },
};

/** Opens an operation, sends it as the page proposes, and returns what the page shows. */
async function execute(id) {
  const operation = page.locator(`.opblock[id$="-${id}"]`);
  await operation.locator(".opblock-summary").first().click();
  await operation.locator("button.execute").click();
  const live = operation.locator(".live-responses-table .response").first();
  await live.locator(".response-col_status").waitFor();
  const status = Number.parseInt(await live.locator(".response-col_status").innerText(), 10);
  const text = await live.locator(".highlight-code pre").first().innerText();
  return { status, body: JSON.parse(text) };
}

/** Takes the picture of the README: what the demo's refused partner lacks, without what would differ at every time. */
async function picture(file) {
  await page.setViewportSize({ width: 1100, height: 1000 });
  await page.goto(base + "/docs/");
  await page.addStyleTag({
    content: `.curl-command, .request-url, .opblock-description-wrapper, .copy-to-clipboard, .download-contents,
      .responses-table:not(.live-responses-table), .responses-inner > div > h4,
      tr:has(#as_of), tr[data-param-name="as_of"] { display: none !important }
      .highlight-code > pre { max-height: 400px !important; overflow: hidden !important }`,
  });
  const operation = page.locator('.opblock[id$="-getEligibility"]');
  await operation.locator(".opblock-summary").click();
  await operation.locator("input").first().fill("01936f2e-4b00-7000-8000-000000000003");
  await operation.locator("button.execute").click();
  const answer = operation.locator(".live-responses-table .highlight-code pre").first();
  await answer.waitFor();
  await answer.evaluate((shown) => {
    const cell = shown.closest("td");
    const [, ...below] = cell.querySelectorAll("h5");
    for (const other of [...below, ...cell.querySelectorAll("pre")]) if (other !== shown) other.remove();
    const line = shown.scrollHeight / shown.innerText.split("\n").length;
    const unmet = shown.innerText.split("\n").findIndex((text) => text.includes('"mpn_agreement"'));
    shown.scrollTop = line * (unmet - 1);
  });
  await operation.screenshot({ path: file });
}

async function shot(name) {
  await page.screenshot({ path: path.join(shots, name + ".png") });
}

function watch() {
  page.on("pageerror", (error) => faults.push("page error: " + error.message));
  page.on("console", (message) => message.type() === "error" && faults.push("console: " + message.text()));
  page.on("requestfailed", (request) => faults.push("request failed: " + request.url()));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(base + "/") && !/^(data|blob):/.test(url)) faults.push("another host: " + url);
  });
}

(async () => {
  const args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"];
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args });
  page = await browser.newPage({ viewport: { width: 1280, height: 1600 } });
  page.setDefaultTimeout(60000);
  watch();
  let passed = 0;
  for (const [name, step] of Object.entries(steps)) {
    try {
      await step();
      passed += 1;
      console.log("ok   " + name);
    } catch (error) {
      await shot("failed").catch(() => {});
      console.log("FAIL " + name + "\n" + error.message);
      break; // each step stands on those before it
    }
  }
  if (process.env.PICTURE) await picture(process.env.PICTURE);
  await browser.close();
  const failed = Object.keys(steps).length - passed;
  console.log(`pictures in ${shots}\n${passed} passed, ${failed} failed`);
  process.exit(failed ? 1 : 0);
})();
