// What a page of another origin reads of each refusal, in a real browser: a service that allows the page's origin.
//   BASE_URL=http://127.0.0.1:8080 ORIGIN_PORT=9000 TOKEN=... DATABASE=data.db node cors.cjs
// The service runs with ALLOWED_ORIGINS=http://127.0.0.1:$ORIGIN_PORT and a BODY_SECONDS of some seconds; TOKEN is an
// operator's; DATABASE is its file.
const assert = require("node:assert/strict");
const http = require("node:http");
const net = require("node:net");
const { spawn } = require("node:child_process");
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

/** Calls that need something before: who signs in without the right to write, and whose password was guessed too often. */
const prepared = {
  async 403() {
    const body = JSON.stringify({ username: "viewer-1@partner.example", password: "demo-viewer-passphrase" });
    const session = await (await fetch(base + "/v1/auth/login", { method: "POST", headers: json, body })).json();
    return post("/v1/programs", "{}", { authorization: "Bearer " + session.access_token });
  },
  async 408() {
    return { ...post("/v1/auth/login", "{}".padEnd(5000)), base: await lineThatKeepsBodiesBack() };
  },
  async 429() {
    const guess = post("/v1/auth/login", JSON.stringify({ username: "viewer-2@partner.example", password: "a guess" }));
    for (let n = 0; n < 100; n += 1) if ((await fetch(base + guess.path, guess)).status === 429) return guess;
    throw new Error("nobody stops the guesses");
  },
  async 503() {
    await holdsTheDatabase();
    return post("/v1/programs", JSON.stringify({ code: "waits", name: "Waits", partner_types: ["direct_bill"] }), signedIn);
  },
};

/** A line to the service that passes on the heads of requests alone: no page can send a body slower than the page has it. */
async function lineThatKeepsBodiesBack() {
  const line = net.createServer((page) => {
    const service = net.connect(Number(new URL(base).port), new URL(base).hostname);
    page.on("error", () => service.destroy()).on("close", () => service.destroy());
    service.on("error", () => page.destroy()).pipe(page);
    let head = Buffer.alloc(0);
    let keepsBack = false;
    page.on("data", (bytes) => {
      if (keepsBack) return;
      head = Buffer.concat([head, bytes]);
      const end = head.indexOf("\r\n\r\n") + 4;
      if (end < 4) return;
      service.write(head.subarray(0, end));
      keepsBack = head.subarray(0, 4).toString() === "POST";
      head = head.subarray(end);
    });
  });
  await new Promise((listens) => line.listen(0, "127.0.0.1", listens));
  return `http://127.0.0.1:${line.address().port}`;
}

/** Another process keeps the database from being written to, until this one ends. */
async function holdsTheDatabase() {
  const hold = "import sqlite3, sys, time; c = sqlite3.connect(sys.argv[1], isolation_level=None); "
    + "c.execute('BEGIN IMMEDIATE'); print('held', flush=True); time.sleep(60)";
  const holder = spawn("python3", ["-c", hold, process.env.DATABASE], { stdio: ["ignore", "pipe", "inherit"] });
  process.on("exit", () => holder.kill());
  await new Promise((held) => holder.stdout.once("data", held));
}

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
    const { path, base: at = base, ...options } = call;
    try {
      const answer = await page.evaluate(seen, [at + path, options]);
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
  for (const [status, prepare] of Object.entries(prepared)) await check(status, Number(status), await prepare());
  await browser.close();
  pages.close();
  process.exit(failed ? 1 : 0);
})();
