// The page of a statement as a person opens it: on a telephone and on paper, in both languages, by a link without a token.
//   BASE_URL=http://127.0.0.1:8080 TOKEN=... node statement.cjs
// TOKEN is an operator's on a demo service; SHOTS a folder for pictures. pdftotext reads what is printed.
const assert = require("node:assert/strict");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { execFileSync } = require("node:child_process");
const { chromium } = require("playwright-core");

// A4 has 210 by 297 mm; the style sheet leaves 14 mm on each side.
const PAPER = Math.round(((210 - 2 * 14) / 25.4) * 96);
const A4_POINTS = [595, 842];

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

/** Runs in the page: how wide it is, the cells whose words do not fit, and the words that stand on two lines. */
function measured(look) {
  const cells = [...document.querySelectorAll("td, th, h1, h2, p")];
  const name = (cell) => `${cell.tagName} ${cell.textContent.trim().slice(0, 40)}`;
  const broken = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { data, parentElement } = texts.currentNode;
    // A hash is longer than any line; a drawing has no lines.
    if (parentElement.closest(".hash, svg, style, script")) continue;
    for (const { index, 0: word } of data.matchAll(/[\p{Script=Latin}\p{N}.,:\u2212%+]+/gu)) {
      // An identifier is as long as a line of a telephone.
      if (look === "telephone" && /^[0-9a-f]{32}$/.test(word)) continue;
      const range = document.createRange();
      range.setStart(texts.currentNode, index);
      range.setEnd(texts.currentNode, index + word.length);
      const lines = new Set([...range.getClientRects()].map((box) => Math.round(box.top)));
      if (lines.size > 1) broken.push(`${parentElement.tagName} ${word}`);
    }
  }
  return {
    width: document.documentElement.scrollWidth,
    overflowing: cells.filter((cell) => cell.scrollWidth > cell.clientWidth + 1 && cell.clientWidth > 0).map(name),
    broken,
  };
}

/** Runs in the page: the words and numbers of its cells and titles. */
function words() {
  const texts = [...document.querySelectorAll("h1, h2, h3, td, th, dd")].map((cell) => cell.innerText);
  return texts.flatMap((text) => text.match(/[\p{Script=Latin}\p{N}.,\u2212%]+/gu) || []);
}

/** Prints a page, and returns the words that no printed page has as a whole. */
async function printed(page, file) {
  const shown = await page.evaluate(words);
  assert.ok(shown.length > 100, `the page has ${shown.length} words`);
  await page.pdf({ path: file, preferCSSPageSize: true });
  const sizes = [...fs.readFileSync(file, "latin1").matchAll(/\/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]/g)];
  assert.ok(sizes.length > 0, "the paper has a size");
  for (const [, wide, high] of sizes) assert.deepEqual([wide, high].map((side) => Math.round(Number(side))), A4_POINTS);
  const text = execFileSync("pdftotext", ["-layout", file, "-"], { encoding: "utf8" });
  return [...new Set(shown)].filter((word) => !text.includes(word));
}

(async () => {
  fs.mkdirSync(shots, { recursive: true });
  const route = await longest();
  assert.ok(route, "the demo has a statement");
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox"] });
  let failed = 0;
  for (const language of ["en", "ja"]) {
    const page = await browser.newPage({ locale: language, viewport: { width: 375, height: 812 } });
    const looks = { telephone: [375, "screen"], paper: [PAPER, "print"] };
    for (const [look, [width, media]] of Object.entries(looks)) {
      try {
        const link = await api(`${route}/link`, { method: "POST", body: "{}", headers: { ...headers, "accept-language": language } });
        await page.setViewportSize({ width, height: 812 });
        await page.emulateMedia({ media });
        const opened = await page.goto(link.url);
        assert.equal(opened.status(), 200);
        assert.equal(await page.locator("html").getAttribute("lang"), language);
        const { width: wide, overflowing, broken } = await page.evaluate(measured, look);
        await page.screenshot({ path: path.join(shots, `statement-${language}-${look}.png`), fullPage: true });
        assert.ok(wide <= width, `the page is ${wide} pixels wide, and the ${look} ${width}`);
        assert.deepEqual({ overflowing, broken }, { overflowing: [], broken: [] });
        if (look === "paper") {
          assert.deepEqual(await printed(page, path.join(shots, `statement-${language}.pdf`)), [], "words that are torn on paper");
          // The measure sees a word that is broken by whatever property.
          const tear = "td, th { max-width: 5mm; white-space: normal !important; overflow-wrap: anywhere !important }";
          await page.evaluate((rule) => document.styleSheets[0].insertRule(rule, document.styleSheets[0].cssRules.length), tear);
          assert.ok((await page.evaluate(measured, look)).broken.length > 0, "words that are broken on purpose are seen");
        }
        console.log(`ok   ${language}, ${look}`);
      } catch (error) {
        failed += 1;
        console.log(`FAIL ${language}, ${look}: ${error.message}`);
      }
    }
    await page.close();
  }
  await browser.close();
  process.exit(failed ? 1 : 0);
})();
