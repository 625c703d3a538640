// A real OpenID Connect issuer (panva's oidc-provider), with two people and two clients.
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const people = {
  mara: { email: "mara@programme.example", email_verified: true },
  nils: { email: "nils@programme.example", email_verified: false },
  eve: { email: "eve@elsewhere.example", email_verified: true },
};

const client = (client_id) => ({
  client_id,
  token_endpoint_auth_method: "none",
  redirect_uris: ["http://127.0.0.1/back"],
  application_type: "native",
  response_types: ["code"],
  grant_types: ["authorization_code"],
});

/** A new signing key. */
export function key(kid, alg) {
  const made = alg === "RS256" ? generateKeyPairSync("rsa", { modulusLength: 2048 }) : generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { ...made.privateKey.export({ format: "jwk" }), kid, alg, use: "sig" };
}

/** Serves the issuer with these keys on a port until it is closed. */
export async function serve(port, keys, alg) {
  const issuer = `http://127.0.0.1:${port}`;
  const clients = ["incentives", "payroll"].map((id) => ({ ...client(id), id_token_signed_response_alg: alg }));
  const provider = new Provider(issuer, {
    clients,
    jwks: { keys },
    cookies: { keys: ["only-for-this-test"] },
    claims: { openid: ["sub"], email: ["email", "email_verified"] },
    // The identity token itself names the e-mail address.
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    features: { devInteractions: { enabled: true } },
    findAccount: (_, id) => ({ accountId: id, claims: async () => ({ sub: `subject-of-${id}`, ...people[id] }) }),
  });
  const server = createServer(provider.callback());
  await new Promise((done) => server.listen(port, "127.0.0.1", done));
  const close = () =>
    new Promise((done) => {
      // Callers learn that their connections are gone before the next issuer takes the port.
      server.close(() => setTimeout(done, 100));
      server.closeAllConnections();
    });
  return { issuer, close };
}
