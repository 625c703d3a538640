// Swagger UI below a path of a proxy that takes the path away: the walk of docs.cjs, in a real browser.
//   PREFIX_PORT=9001 BASE_URL=http://127.0.0.1:8080 node prefix.cjs
// The service runs at BASE_URL with PUBLIC_URL=http://127.0.0.1:$PREFIX_PORT/incentives.
const http = require("node:http");
const path = require("node:path");
const { spawn } = require("node:child_process");

const prefix = "/incentives";
const service = new URL(process.env.BASE_URL);

const proxy = http.createServer((asked, answer) => {
  if (!asked.url.startsWith(prefix + "/")) {
    answer.writeHead(404, { "content-type": "text/plain" }).end("the service is below " + prefix);
    return;
  }
  const { method, headers } = asked;
  const to = { host: service.hostname, port: service.port, method, headers, path: asked.url.slice(prefix.length) };
  const passed = http.request(to, (told) => {
    answer.writeHead(told.statusCode, told.headers);
    told.pipe(answer);
  });
  passed.on("error", (error) => answer.destroy(error));
  asked.pipe(passed);
});

proxy.listen(Number(process.env.PREFIX_PORT), "127.0.0.1", () => {
  const env = { ...process.env, BASE_URL: `http://127.0.0.1:${process.env.PREFIX_PORT}${prefix}` };
  const walk = spawn(process.execPath, [path.join(__dirname, "docs.cjs")], { env, stdio: "inherit" });
  walk.on("exit", (code) => process.exit(code ?? 1));
});
