// The two guides to co-op from beginning to end, in Swagger UI, on the days that they tell of:
//   node coop.cjs, or one of them: node coop.cjs review
// BINARY is the service, BASE_URL where it shall listen, CHROMIUM the browser, SHOTS a folder for pictures.
const { play } = require("./swagger.cjs");

const stories = { "first-claim": require("./coop-first-claim.cjs"), review: require("./coop-review.cjs") };
const asked = process.argv.slice(2);

play("coop", "a partner's first claim, and a reviewer's morning", async (ui) => {
  for (const name of asked.length > 0 ? asked : Object.keys(stories)) await stories[name](ui);
});
