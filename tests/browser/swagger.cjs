// Swagger UI as a person uses it: an operation is opened, its example is changed, the button is pressed, the answer is read.
//   BASE_URL where the service is, CHROMIUM the browser, SHOTS a folder for pictures.
const assert = require("node:assert/strict");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { chromium } = require("playwright-core");

const base = process.env.BASE_URL || "http://127.0.0.1:8080";
const ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"];

/** Plays a story in a browser, and ends the process with what became of it. The names of pictures begin with `name`. */
async function play(name, said, story) {
  const shots = process.env.SHOTS || fs.mkdtempSync(path.join(os.tmpdir(), `${name}-`));
  const picture = (of) => path.join(shots, `${name}-${of}.png`);
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ARGS });
  const page = await browser.newPage({ viewport: { width: 1280, height: 1600 } });
  page.setDefaultTimeout(120000);
  let tags;
  const open = async () => (tags = await opened(page));
  const ui = { page, open, send: (id, change) => send(page, picture, tags.get(id), id, change) };
  const failed = await story(ui).then(() => null, (error) => error);
  if (failed) await page.screenshot({ path: picture("failed") }).catch(() => {});
  await browser.close();
  console.log(failed ? `FAIL ${said}\n${failed.stack}` : `ok   ${said}`, `\npictures in ${shots}`);
  process.exit(failed ? 1 : 0);
}

/** Opens the page; returns the tag of each operation. */
async function opened(page) {
  await page.goto(base + "/docs/");
  await page.locator(".opblock").first().waitFor();
  const { paths } = await (await page.request.get(base + "/openapi.json")).json();
  const operations = Object.values(paths).flatMap((item) => Object.values(item));
  return new Map(operations.map(({ operationId, tags: [tag] }) => [operationId, tag]));
}

/**
 * Sends an operation, which is looked for by its tag: fills what is given into the form, presses the button, and returns the
 * answer: JSON, a text, or the bytes of a file that the page's link saves. `body` changes the example; `file` is chosen in
 * the page.
 */
async function send(page, picture, tag, id, { params = {}, body, media, file, status = 200 } = {}) {
  const operation = page.locator(`.opblock[id$="-${id}"]`);
  await page.locator(".operation-filter-input").fill(tag);
  const method = (await operation.locator(".opblock-summary-method").innerText()).trim().toUpperCase();
  const path = await operation.locator(".opblock-summary-path").getAttribute("data-path");
  if (!(await operation.locator(".opblock-body").count())) await operation.locator(".opblock-summary").first().click();
  for (const [name, value] of Object.entries(params)) {
    const field = operation.locator(`tr[data-param-name="${name}"]`).locator("input, select").first();
    const isChoice = await field.evaluate((element) => element.tagName === "SELECT");
    await (isChoice ? field.selectOption(value) : field.fill(value));
  }
  const request = operation.locator(".opblock-section-request-body");
  // What was written before goes; the example comes back.
  const reset = operation.locator("button.reset");
  if (await reset.count()) await reset.click();
  if (media) await request.locator("select.content-type").selectOption(media);
  if (body !== undefined) {
    const example = operation.locator("textarea.body-param__text");
    await example.fill(changed(await example.inputValue(), body));
  }
  if (file) {
    const asked = page.waitForEvent("filechooser");
    await request.locator("input[type=file]").click();
    await (await asked).setFiles(file);
  }
  const answered = page.waitForResponse((response) => isAnswer(response, method, path));
  await operation.locator("button.execute").click();
  const answer = await answered;
  const shown = operation.locator(".live-responses-table .response").first();
  await shown.locator(".response-col_status").filter({ hasText: String(answer.status()) }).waitFor();
  const { "content-type": type = "", "content-disposition": disposition = "" } = answer.headers();
  const told = disposition.startsWith("attachment") ? await saved(page, shown) : await text(shown);
  assert.equal(answer.status(), status, `${id}: ${told}`);
  await page.screenshot({ path: picture(id) });
  await operation.locator(".opblock-summary").first().click();
  return /json/.test(type) ? JSON.parse(told) : told;
}

/** Whether a response answers the operation; the page's own pictures, styles and preflights are responses too. */
function isAnswer(response, method, path) {
  const asked = new URL(response.url()).pathname.split("/");
  const parts = path.split("/");
  const isPath = asked.length === parts.length && parts.every((part, at) => part.startsWith("{") || part === asked[at]);
  return response.request().method() === method && isPath;
}

/** The text that an answer shows; nothing where it has none. */
async function text(shown) {
  const body = shown.locator(".highlight-code pre, pre.microlight").first();
  return (await body.count()) ? body.innerText() : "";
}

/** The bytes that the link below an answer saves. */
async function saved(page, shown) {
  const begun = page.waitForEvent("download");
  await shown.locator("a[download]").click();
  return fs.readFileSync(await (await begun).path());
}

/** The example with other members, which may be made of it; `undefined` leaves a member out. A text stands in its place. */
function changed(text, body) {
  if (typeof body === "string") return body;
  const example = JSON.parse(text);
  const members = typeof body === "function" ? body(example) : body;
  return JSON.stringify({ ...example, ...members }, null, 2);
}

module.exports = { base, play };
