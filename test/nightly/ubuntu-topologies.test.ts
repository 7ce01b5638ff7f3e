// The small stacks of the tier `topologies`, and etcd on machines of its own, with Ubuntu instead of Debian. They take
// more than half an hour, and the first run builds the images from Ubuntu's archive.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { nspawnSkipReason } from "../support/nspawn-host";

const root = path.join(__dirname, "..", "..");
const files = [
  ...fs.readdirSync(path.join(root, "test/topologies")).map((name) => `test/topologies/${name}`),
  "test/e2e/external-etcd.test.ts",
].sort();

for (const file of files) {
  test(`${file} on Ubuntu`, { skip: nspawnSkipReason(), timeout: 60 * 60_000 }, async (t) => {
    // The runner is no subtest of this one.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const child = spawn(process.execPath, ["test/run.cjs", file], {
      cwd: root,
      env: { ...env, GROUNDPLANE_TEST_DISTRIBUTION: "ubuntu" },
      stdio: ["ignore", "pipe", "inherit"],
      signal: t.signal,
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
    t.diagnostic(output);
    assert.equal(code, 0, output);
  });
}
