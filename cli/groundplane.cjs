#!/usr/bin/env node
// The commands are bundled into one file: it starts several times faster than the sources it is made of.
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
