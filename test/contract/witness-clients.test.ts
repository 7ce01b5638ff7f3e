// The programs that a master runs while the gateway is away, with a stand-in for curl.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { test } from "node:test";
import { clientsOf, judgeClient } from "../../verify/faults/witness";
import { examplePlan } from "../support/example-plans";

const curl = `#!/bin/bash
last=\${!#}
for word; do [[ "$word" != "{"* ]] || jq --raw-output .metadata.name <<<"$word" >>"$ASKED"; done
if [[ "$*" == *v-master-1-1* ]]; then sleep 100; fi
[[ "$last" == https://*/api/v1/namespaces/groundplane-verify* ]]
`;

test("reads and writes are repeated and told with their times, and none waits for one without a response", (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "witness-"));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  fs.writeFileSync(path.join(folder, "curl"), curl, { mode: 0o755 });
  const asked = path.join(folder, "asked");
  const env = { ...process.env, PATH: `${folder}:${process.env.PATH}`, ASKED: asked };
  const run = (program: string, seconds: number) =>
    `${spawnSync("timeout", [String(seconds), "bash", "-c", `exec ${program}`], { env, encoding: "utf8" }).stdout}${Date.now() / 1_000} ended\n`;
  const [client] = clientsOf(examplePlan("pair"), "v");
  assert.ok(client);
  const judged = (seconds: number) => {
    fs.writeFileSync(asked, "");
    return judgeClient(client.name, run(client.reads, seconds), run(client.writes, seconds));
  };
  const { acknowledged, readGap, writeGap } = firstOf([2, 15, 60], judged);
  // They may end in another order.
  assert.ok(acknowledged.includes("v-master-1-0"));
  assert.ok(acknowledged.length > 2 && !acknowledged.includes("v-master-1-1"), acknowledged.join());
  const written = fs.readFileSync(asked, "utf8").trim().split("\n");
  assert.equal(new Set(written).size, written.length, "each write has its own name");
  assert.ok(acknowledged.every((name) => written.includes(name)));
  for (const gap of [readGap, writeGap]) assert.ok(gap > 50, String(gap));
  for (const text of [client.reads, client.writes]) assert.doesNotMatch(text, /\$\{|^[^']*'[^']*'[^']*'/);
});

/** On a busy machine, the first request takes seconds. */
function firstOf<T>(durations: readonly number[], judged: (seconds: number) => T): T {
  const [seconds = 0, ...longer] = durations;
  try {
    return judged(seconds);
  } catch (error) {
    if (longer.length === 0) throw error;
    return firstOf(longer, judged);
  }
}
