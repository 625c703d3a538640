// A guide that is played: the people do what its tables say, row by row, and see what the rows say.
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const service = require("./service.cjs");

const OPERATOR = "demo-operator-passphrase";
const PEOPLE = {
  Adam: { username: "admin-68@partner.example", password: "demo-admin-passphrase" },
  Vera: { username: "viewer-68@partner.example", password: "demo-viewer-passphrase" },
  Olivia: { username: "olivia@programme.example", password: OPERATOR },
  Oscar: { username: "oscar@programme.example", password: OPERATOR },
};

/** The rows of a guide's tables: number, who, operation, what is sent, what is seen; each with the day that its heading begins with. */
function rowsOf(name) {
  const text = fs.readFileSync(path.join(__dirname, "../../docs", name), "utf8");
  const rows = [];
  let day;
  for (const line of text.split("\n")) {
    day = /^## (\d{4}-\d\d-\d\d)/.exec(line)?.[1] || day;
    const cells = line.split("|").map((cell) => cell.trim());
    if (!/^\d+$/.test(cells[1])) continue;
    const codes = (cell) => [...cell.matchAll(/`([^`]+)`/g)].map((code) => code[1]);
    const [operation] = codes(cells[3]);
    rows.push({ number: Number(cells[1]), day, who: cells[2], operation, seen: codes(cells[5]) });
  }
  assert.deepEqual(rows.map((row) => row.number), rows.map((_, at) => at + 1), `${name}: the steps are counted from 1`);
  return rows;
}

/** The people of a guide, by name: each sends an operation, and signs in before where somebody else was at the page. */
function played(name, ui) {
  const rows = rowsOf(name);
  let at = 0;
  let person, since;

  async function by(who, operation, { again = false, ...change } = {}) {
    const row = rows[again ? at - 1 : at];
    const is = { day: service.today(), who, operation };
    assert.deepEqual({ day: row?.day, who: row?.who, operation: row?.operation }, is, `step ${row?.number} of ${name}`);
    if (!again) at += 1;
    // Nobody stays signed in from one day to the next.
    if (person !== who || since !== row.day) await ui.send("login", { body: PEOPLE[who] });
    [person, since] = [who, row.day];
    const answer = await ui.send(operation, change);
    if (!again) sees(row, answer);
    return answer;
  }

  function sees(row, answer) {
    const told = Buffer.isBuffer(answer) ? answer.toString("latin1") : JSON.stringify(answer);
    const unseen = row.seen.filter((code) => !told.includes(code));
    assert.deepEqual(unseen, [], `step ${row.number} of ${name} is not what is seen: ${told}`);
  }

  const people = Object.keys(PEOPLE).map((who) => [who.toLowerCase(), (operation, change) => by(who, operation, change)]);
  const ended = () => assert.equal(at, rows.length, `${name} goes on after step ${at}`);
  return { ...Object.fromEntries(people), ended };
}

module.exports = { PEOPLE, played };
