import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfiguration } from "../../../../stacks/config/parse-configuration";

const parse = (authority: unknown) => parseConfiguration({ secrets: { authority } }, { stack: "lab" });

const cases: readonly (readonly [authority: unknown, path: string, rule: RegExp, fix: RegExp])[] = [
  ["./ca.crt", "secrets.authority", /must be a mapping/, /known keys: certificate, key/],
  [{ certificate: "./ca.crt" }, "secrets.authority.key", /is missing: it must be text/, /write `key: …`/],
  [{ certificate: " ", key: "./ca.key" }, "secrets.authority.certificate", /path of a file/, /\.\/ca\.crt/],
  [{ certificate: 1, key: "./ca.key" }, "secrets.authority.certificate", /must be text/, /quotes/],
  [
    { certificate: "./ca.crt", key: "./ca.key", chain: "./chain.crt" },
    "secrets.authority.chain",
    /unknown key/,
    /known here: certificate, key/,
  ],
];

test("a given authority has two files", () => {
  const files = { certificate: "./ca.crt", key: "./ca.key" };
  assert.deepEqual(parse(files).configuration?.secrets.authority, files);
  for (const [authority, path, rule, fix] of cases) {
    const [problem, ...others] = parse(authority).problems ?? assert.fail(path);
    assert.equal(problem?.path, path);
    assert.match(problem.rule, rule);
    assert.match(problem.fix, fix);
    assert.deepEqual(others, []);
  }
});
