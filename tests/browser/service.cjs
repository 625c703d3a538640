// The demo on the days of a story, with a database of its own. The service begins anew on each day: one whose clock jumps while
// it runs distrusts the clock for some minutes.
//   BINARY the service, BASE_URL where it shall listen; Debian's `faketime` sets its clock.
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { spawn } = require("node:child_process");
const { once } = require("node:events");

const { BINARY: binary, BASE_URL: base } = process.env;
let folder, running, today;

/** A folder for the service and for what people have on their disks; another one for each story. */
function place() {
  folder ??= fs.mkdtempSync(path.join(os.tmpdir(), "coop-"));
  return folder;
}

/** Begins a day at nine o'clock; from then on the clock goes on. */
async function beginDay(day) {
  await stop();
  today = day;
  const clock = { LD_PRELOAD: "/usr/$LIB/faketime/libfaketimeMT.so.1", FAKETIME: `@${day} 09:00:00`, DONT_FAKE_MONOTONIC: "1", TZ: "UTC" };
  const settings = { DATABASE_URL: `sqlite://${path.join(place(), "demo.db")}`, LISTEN: new URL(base).host, SIGN_INS_PER_MINUTE: "100000", LOG: "warn" };
  const printed = path.join(place(), "service.txt");
  const output = fs.openSync(printed, "a");
  running = spawn(binary, ["demo"], { env: { ...process.env, ...clock, ...settings, TMPDIR: place() }, stdio: ["ignore", output, output] });
  fs.closeSync(output);
  for (let tries = 0; tries < 1500 && running.exitCode === null; tries += 1) {
    if ((await fetch(`${base}/health/ready`).catch(() => null))?.ok) return;
    await new Promise((done) => setTimeout(done, 200));
  }
  throw new Error(`the service does not start:\n${fs.readFileSync(printed, "utf8").slice(-3000)}`);
}

async function stop() {
  if (!running || running.exitCode !== null) return;
  running.kill();
  await once(running, "exit");
}

/** Ends a story: what the service has kept is removed. */
async function end() {
  await stop();
  fs.rmSync(folder, { recursive: true });
  folder = undefined;
}

process.on("exit", () => running?.kill());

module.exports = { base, place, beginDay, end, today: () => today };
