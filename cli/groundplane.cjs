#!/usr/bin/env node
// The commands are bundled into one file, which starts several times faster than their sources.
const fs = require("node:fs");
const path = require("node:path");

const bundle = path.join(__dirname, "..", "dist", "cli.js");
if (fs.existsSync(bundle)) require(bundle);
else {
  console.error(
    `error: ${bundle} is missing\n  next step: run \`npm install\` or \`npm run build\` in ${path.dirname(__dirname)}`,
  );
  process.exitCode = 1;
}
