import assert from "node:assert/strict";
import { test } from "node:test";
import { describeOutage, outageOfRoll } from "../../../model/roll-outages";

test("the outage of a gateway, of an only balancer and of an only master is measured", () => {
  for (const role of ["gateway", "balancer", "master"] as const) {
    const { longestMs = 0, measuredBy = "", measuredAt = "" } = outageOfRoll(role);
    assert.ok(longestMs > 0 && measuredBy !== "" && measuredAt !== "", role);
  }
  assert.deepEqual(outageOfRoll("worker"), { what: "all workloads, until it is back" });
});

test("a preview names what is unavailable, and for how long", () => {
  assert.equal(describeOutage([]), "");
  assert.match(
    describeOutage(["gateway", "worker"]),
    /^traffic between segments, DNS, and access from the host, until it is back \(\d+ s when measured\); all workloads, until it is back$/,
  );
  assert.match(describeOutage(["etcd", "master"]), /^the API, until it is back \(\d+ s when measured\)$/);
});
