// What a page of another origin reads of each refusal, in a real browser: a service that allows the page's origin.
//   BASE_URL=http://127.0.0.1:8080 ORIGIN_PORT=9000 TOKEN=... node cors.cjs
// The service runs with ALLOWED_ORIGINS=http://127.0.0.1:$ORIGIN_PORT; TOKEN is an operator's.
const assert = require("node:assert/strict");
const http = require("node:http");
const { chromium } = require("playwright-core");

const base = process.env.BASE_URL;
const port = Number(process.env.ORIGIN_PORT);
const signedIn = { authorization: "Bearer " + process.env.TOKEN };
const json = { "content-type": "application/json" };
const post = (path, body, headers) => ({ path, method: "POST", headers: { ...json, ...headers }, body });
const partner = { legal_name: "Page GmbH", country: "DE", currency: "EUR", partner_type: "direct_bill", contact_email: "p@page.example" };

const calls = {
  200: { path: "/v1/partners?limit=1", headers: signedIn },
  400: post("/v1/partners", "{", signedIn),
  401: post("/v1/auth/login", JSON.stringify({ username: "nobody@page.example", password: "a guess" })),
  404: { path: "/v1/partners/01936f2e-4b00-7000-8000-00000000dead", headers: signedIn },
  405: { path: "/v1/partners", method: "PUT", headers: signedIn },
  412: {
    path: "/v1/partners/01936f2e-4b00-7000-8000-000000000001",
    method: "PATCH",
    headers: { ...signedIn, "content-type": "application/merge-patch+json", "if-match": '"999"' },
    body: JSON.stringify({ legal_name: "New" }),
  },
  413: post("/v1/partners", " ".repeat(1024 * 1024 + 1), signedIn),
  415: { path: "/v1/partners", method: "POST", headers: { ...signedIn, "content-type": "text/plain" }, body: "x" },
  422: post("/v1/partners", JSON.stringify({ ...partner, mpn_id: "1" }), signedIn),
  428: {
    path: "/v1/partners/01936f2e-4b00-7000-8000-000000000001",
    method: "PATCH",
    headers: { ...signedIn, "content-type": "application/merge-patch+json" },
    body: JSON.stringify({ legal_name: "New" }),
  },
};

/** Runs in the page: what its script can see of an answer. */
async function seen([url, options]) {
  const answer = await fetch(url, options);
  const body = await answer.json();
  return { status: answer.status, code: body.code, id: answer.headers.get("x-request-id") };
}

(async () => {
  const pages = http.createServer((_, answer) => answer.end("<!doctype html><title>portal</title>")).listen(port, "127.0.0.1");
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox"] });
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${port}/`);
  let failed = 0;
  const check = async (name, status, call) => {
    const { path, ...options } = call;
    try {
      const answer = await page.evaluate(seen, [base + path, options]);
      assert.equal(answer.status, status);
      assert.ok(answer.id, "the page reads X-Request-Id");
      assert.equal(Boolean(answer.code), status >= 400);
      console.log(`ok   ${name} ${answer.code || ""}`);
    } catch (error) {
      failed += 1;
      console.log(`FAIL ${name}: ${error.message.split("\n")[0]}`);
    }
  };
  for (const [status, call] of Object.entries(calls)) await check(status, Number(status), call);
  await browser.close();
  pages.close();
  process.exit(failed ? 1 : 0);
})();
