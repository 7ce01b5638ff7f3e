// Loads several test files of the pure tiers into one process, as one suite each. A process for each of these files would spend
// most of its time on the start of Node.js and of the compiler.
const path = require("node:path");
const { after, before, describe } = require("node:test");

let loading = "";
// Otherwise nothing says which of them it was.
process.on(
  "exit",
  () => loading !== "" && console.error(`${loading} ended the process, or failed, while it was loaded`),
);

for (const file of process.argv.slice(2)) {
  describe(file, () => {
    const outside = { ...process.env };
    let own = outside;
    // A file may set variables while it loads. They are for its own tests and hooks only.
    before(() => replaceEnvironment(own));
    loading = file;
    require(path.resolve(file));
    loading = "";
    own = { ...process.env };
    replaceEnvironment(outside);
    after(() => replaceEnvironment(outside));
  });
}

function replaceEnvironment(variables) {
  for (const name of Object.keys(process.env)) if (!(name in variables)) delete process.env[name];
  Object.assign(process.env, variables);
}
