// Signs people in at a real issuer, by authorization code with PKCE, and with what it says at the service:
//   bash .ci/run step oidc
// BINARY is the service, BASE_URL where it shall listen, ISSUER_PORT where the issuer shall.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { key, serve } from "./issuer.mjs";

const { BINARY: binary, BASE_URL: base, ISSUER_PORT: port } = process.env;
const folder = mkdtempSync(join(tmpdir(), "oidc-"));
const first = key("first", "RS256");
let issuer = await serve(port, [first], "RS256");
const env = {
  ...process.env,
  DATABASE_URL: `sqlite://${join(folder, "service.db")}`,
  LISTEN: new URL(base).host,
  OIDC_ISSUER: issuer.issuer,
  OIDC_AUDIENCE: "incentives",
  LOG: "warn",
};
let service;

/** What a browser does: follows redirects, keeps cookies, fills in the issuer's forms. */
async function signInAtIssuer(person, client = "incentives") {
  const cookies = new Map();
  const verifier = randomBytes(32).toString("base64url");
  const challenge = createHash("sha256").update(verifier).digest("base64url");
  const redirect_uri = "http://127.0.0.1/back";
  const ask = { client_id: client, response_type: "code", scope: "openid email", redirect_uri, code_challenge: challenge, code_challenge_method: "S256", prompt: "login consent" };
  let [url, form] = [`${issuer.issuer}/auth?${new URLSearchParams(ask)}`, null];
  for (let steps = 0; steps < 20; steps += 1) {
    const answer = await fetch(url, {
      method: form ? "POST" : "GET",
      body: form && new URLSearchParams(form),
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
      redirect: "manual",
    });
    for (const cookie of answer.headers.getSetCookie()) {
      const [name, value] = cookie.split(";")[0].split(/=(.*)/s);
      if (value) cookies.set(name, value); else cookies.delete(name);
    }
    const location = answer.headers.get("location");
    if (location?.startsWith(redirect_uri)) {
      const code = new URL(location).searchParams.get("code");
      assert.ok(code, `no code: ${location}`);
      return exchangeCode({ grant_type: "authorization_code", code, redirect_uri, client_id: client, code_verifier: verifier });
    }
    if (location) {
      [url, form] = [new URL(location, url).href, null];
      continue;
    }
    const page = await answer.text();
    assert.equal(answer.status, 200, page);
    const action = /<form[^>]* action="([^"]+)"/.exec(page)[1];
    const prompt = /name="prompt" value="([^"]+)"/.exec(page)[1];
    form = prompt === "login" ? { prompt, login: person, password: "whatever" } : { prompt };
    url = new URL(action, url).href;
  }
  throw new Error("the issuer never lets anybody back");
}

async function exchangeCode(grant) {
  const answer = await fetch(`${issuer.issuer}/token`, { method: "POST", body: new URLSearchParams(grant) });
  const tokens = await answer.json();
  assert.ok(tokens.id_token, JSON.stringify(tokens));
  return tokens.id_token;
}

/** Exchanges an identity token at the service. */
async function signIn(subject_token) {
  const grant = {
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    subject_token_type: "urn:ietf:params:oauth:token-type:id_token",
    subject_token,
  };
  const answer = await fetch(`${base}/v1/auth/token`, { method: "POST", body: new URLSearchParams(grant) });
  return { http: answer.status, ...(await answer.json()) };
}

async function call(method, path, token, body) {
  const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  const answer = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  return { http: answer.status, ...(text && JSON.parse(text)) };
}

/** An operator with a password of its own, made on the command line. */
async function operator() {
  const args = ["user", "create", "--email", "op@programme.example", "--name", "Op", "--role", "operator"];
  const temporary = /this once: (\S+)/.exec(execFileSync(binary, args, { env, encoding: "utf8" }))[1];
  const [username, own] = ["op@programme.example", "a long enough password here"];
  const before = await call("POST", "/v1/auth/login", null, { username, password: temporary });
  const changed = await call("PUT", "/v1/me/password", before.access_token, { current_password: temporary, new_password: own });
  assert.equal(changed.http, 204, JSON.stringify(changed));
  return (await call("POST", "/v1/auth/login", null, { username, password: own })).access_token;
}

async function start() {
  service = spawn(binary, ["serve"], { env, stdio: "inherit" });
  for (let tries = 0; tries < 100; tries += 1) {
    if ((await fetch(`${base}/health/ready`).catch(() => null))?.ok) return;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error("the service does not start");
}

const refused = (answer) => assert.deepEqual([answer.http, answer.error], [400, "invalid_grant"], JSON.stringify(answer));
const steps = {
  async "an operator makes users that the issuer vouches for"() {
    const token = await operator();
    for (const name of ["mara", "nils"]) {
      const user = { email: `${name}@programme.example`, name, role: "auditor", issuer: issuer.issuer };
      const made = await call("POST", "/v1/users", token, user);
      assert.deepEqual([made.http, made.temporary_password, made.issuer], [201, undefined, issuer.issuer], JSON.stringify(made));
    }
  },
  async "who signs in there is in here, with the role from here"() {
    const { access_token, http } = await signIn(await signInAtIssuer("mara"));
    assert.equal(http, 200);
    assert.equal((await call("GET", "/v1/me", access_token)).email, "mara@programme.example");
    assert.equal((await call("GET", "/v1/audit-events", access_token)).http, 200);
    assert.equal((await call("POST", "/v1/partners", access_token, {})).http, 403);
  },
  async "an identity token for another audience is refused"() {
    refused(await signIn(await signInAtIssuer("mara", "payroll")));
  },
  async "an address the issuer has not verified is refused"() {
    refused(await signIn(await signInAtIssuer("nils")));
  },
  async "somebody unknown here is refused"() {
    refused(await signIn(await signInAtIssuer("eve")));
  },
  async "the issuer takes a new key of another kind, and is understood"() {
    await issuer.close();
    issuer = await serve(port, [key("second", "ES256"), first], "ES256");
    // The service asks for keys every ten seconds at most.
    await new Promise((done) => setTimeout(done, 10_500));
    assert.equal((await signIn(await signInAtIssuer("mara"))).http, 200);
  },
  async "a key of an issuer that only looks the same is refused"() {
    await issuer.close();
    issuer = await serve(port, [key("second", "ES256")], "ES256");
    refused(await signIn(await signInAtIssuer("mara")));
  },
};

let failed = 0;
try {
  await start();
  for (const [name, step] of Object.entries(steps)) {
    try {
      await step();
      console.log(`ok   ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAIL ${name}\n${error.stack}`);
    }
  }
} finally {
  service?.kill();
  await issuer.close();
}
console.log(`${Object.keys(steps).length - failed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
