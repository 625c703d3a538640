// Papers that prove what was spent: printed and taken by the browser, in files that a person can choose.
const fs = require("node:fs");
const path = require("node:path");
const { place } = require("./service.cjs");

/** Makes a file by its name: a PDF, or a picture. The words stand on the paper. */
async function paper(page, name, ...words) {
  const sheet = await page.context().browser().newPage();
  const [title, ...lines] = words;
  await sheet.setContent(`<h1>${title}</h1>${lines.map((line) => `<p>${line}</p>`).join("")}`);
  const file = path.join(place(), name);
  const bytes = name.endsWith(".pdf") ? await sheet.pdf({ format: "A4" }) : await sheet.screenshot();
  await sheet.close();
  fs.writeFileSync(file, bytes);
  return file;
}

module.exports = { paper };
