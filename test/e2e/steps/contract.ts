import assert from "node:assert/strict";
import * as fs from "node:fs";
import { parseDocument } from "yaml";
import { assertOutages, verifyStack } from "../../support/verify-stack";
import { type Step, secondsSince } from "../lab-under-test";

/**
 * A machine that runs all tests is too busy for exact times, but no outage may be much longer than its target. Short targets need a
 * limit in absolute time: a process may wait for the processor for seconds.
 */
const PATIENCE = 5;
const SHORTEST_LIMIT_MS = 5_000;

/** The short form of the contract. The long form is a bench. */
export const contractIsKept: Step = async ({ cluster }, t) => {
  const started = performance.now();
  const faults = ["balancer-kill", "isolation", "partition", "master-kill", "storage-kill"];
  const results = await verifyStack(cluster, t, faults);
  t.diagnostic(`the contract took ${secondsSince(started)}`);
  assertOutages(results, ({ target = Number.POSITIVE_INFINITY }) => Math.max(target * PATIENCE, SHORTEST_LIMIT_MS));
};

/** Faults are not injected into a stack that its owner has marked as protected. */
export const protectedIsLeftAlone: Step = async ({ cluster }) => {
  const file = cluster.project.stackFile(cluster.stack);
  const before = fs.readFileSync(file, "utf8");
  const settings = parseDocument(before);
  settings.setIn(["config", "groundplane:dataCenter", "options"], { protected: true });
  fs.writeFileSync(file, settings.toString());
  try {
    const { exitCode, stderr } = await cluster.groundplane("verify", "--only", "balancer-kill");
    assert.equal(exitCode, 1);
    assert.match(stderr, /is protected/);
  } finally {
    fs.writeFileSync(file, before);
  }
};
