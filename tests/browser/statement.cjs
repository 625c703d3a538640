// The page of a statement as a person opens it: on a telephone and on paper, in both languages, by a link without a token.
//   BASE_URL=http://127.0.0.1:8080 TOKEN=... node statement.cjs
// TOKEN is an operator's on a demo service; SHOTS a folder for pictures.
const assert = require("node:assert/strict");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { chromium } = require("playwright-core");

const base = process.env.BASE_URL;
const shots = process.env.SHOTS || fs.mkdtempSync(path.join(os.tmpdir(), "statement-"));
const headers = { authorization: "Bearer " + process.env.TOKEN, "content-type": "application/json" };
const api = async (route, options) => (await fetch(base + route, { headers, ...options })).json();

/** The statement with the most lines among some partners. */
async function longest() {
  let best = { length: 0 };
  for (const { id } of (await api("/v1/partners?limit=40")).items) {
    for (const { month } of (await api(`/v1/partners/${id}/statements`)).items || []) {
      const length = JSON.stringify(await api(`/v1/partners/${id}/statements/${month}`)).length;
      if (length > best.length) best = { length, route: `/v1/partners/${id}/statements/${month}` };
    }
  }
  return best.route;
}

/** Runs in the page: how wide it is, and the cells whose words do not fit or are broken. */
function measured() {
  const cells = [...document.querySelectorAll("td, th, h1, h2, p")];
  const name = (cell) => `${cell.tagName} ${cell.textContent.trim().slice(0, 40)}`;
  return {
    width: document.documentElement.scrollWidth,
    overflowing: cells.filter((cell) => cell.scrollWidth > cell.clientWidth + 1 && cell.clientWidth > 0).map(name),
    broken: cells.filter((cell) => getComputedStyle(cell).wordBreak === "break-all").map(name),
  };
}

(async () => {
  fs.mkdirSync(shots, { recursive: true });
  const route = await longest();
  assert.ok(route, "the demo has a statement");
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox"] });
  let failed = 0;
  for (const [language, telephone, paper] of [["en", 375, 718], ["ja", 375, 718]]) {
    const page = await browser.newPage({ locale: language, viewport: { width: telephone, height: 812 } });
    // 718 pixels are the width of A4 between its margins.
    const looks = { telephone: [telephone, "screen"], paper: [paper, "print"] };
    for (const [look, [width, media]] of Object.entries(looks)) {
      try {
        const link = await api(`${route}/link`, { method: "POST", body: "{}", headers: { ...headers, "accept-language": language } });
        await page.setViewportSize({ width, height: 812 });
        await page.emulateMedia({ media });
        const opened = await page.goto(link.url);
        assert.equal(opened.status(), 200);
        assert.equal(await page.locator("html").getAttribute("lang"), language);
        const { width: wide, overflowing, broken } = await page.evaluate(measured);
        await page.screenshot({ path: path.join(shots, `statement-${language}-${look}.png`), fullPage: true });
        assert.ok(wide <= width, `the page is ${wide} pixels wide, and the ${look} ${width}`);
        assert.deepEqual({ overflowing, broken }, { overflowing: [], broken: [] });
        console.log(`ok   ${language}, ${look}`);
      } catch (error) {
        failed += 1;
        console.log(`FAIL ${language}, ${look}: ${error.message}`);
      }
    }
    await page.pdf({ path: path.join(shots, `statement-${language}.pdf`), format: "A4" });
    await page.close();
  }
  await browser.close();
  process.exit(failed ? 1 : 0);
})();
