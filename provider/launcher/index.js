// Pulumi's Node.js host loads this with the engine's address in argv; the provider itself is one bundled file.
const path = require("node:path");

const provider = path.join(__dirname, "..", "..", "dist", "provider.js");
try {
  require.resolve(provider);
} catch {
  process.stderr.write(`groundplane: ${provider} is missing; run \`npm run build\` in the project's folder\n`);
  process.exit(1);
}
require(provider);
