// What Pulumi runs (package.json, `main`).
const { programBundle } = require("./program-bundle.cjs");

module.exports = require(programBundle());
