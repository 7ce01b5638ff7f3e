import assert from "node:assert/strict";
import { test } from "node:test";
import type { Finding, ReadAnswer } from "../../../../verify/health/findings";
import { readBricks, readHeals, readSplitBrain } from "../../../../verify/health/volume-answers";

const bricks = ["192.168.59.11", "192.168.59.12"].map((address) => `${address}:/data/brick/volume`);
const expected = `expected ${bricks.join(" ")}`;
const nameOf = (address: string): string => address.replace("192.168.59.1", "storage-");

function reading(reader: (names: typeof nameOf) => ReadAnswer, text: string, code = 0): string {
  const found = [reader(nameOf)("storage-1", { code, text })].flat() as readonly Finding[];
  return found.map(({ of, state, observed }) => `${of} ${state}: ${observed}`).join("\n");
}

const node = (address: string, status: number): string => `
          <node>
            <hostname>${address}</hostname>
            <path>/data/brick/volume</path>
            <peerid>5c1f</peerid>
            <status>${status}</status>
            <port>49152</port>
          </node>`;
const volume = (...nodes: readonly string[]): string => `${expected}
<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<cliOutput>
  <opRet>0</opRet>
  <opErrno>0</opErrno>
  <opErrstr/>
  <volStatus><volumes><volume>${nodes.join("")}</volume></volumes></volStatus>
</cliOutput>`;

test("every brick is served", () => {
  const seen = reading(readBricks, volume(node("192.168.59.11", 1), node("192.168.59.12", 1)));
  assert.match(
    seen,
    /^storage-1 healthy: .*\nstorage-2 healthy: the brick 192\.168\.59\.12:\/data\/brick\/volume is served$/,
  );
});

test("a brick that has ended, or whose machine is away, is named", () => {
  assert.match(
    reading(readBricks, volume(node("192.168.59.11", 1), node("192.168.59.12", 0))),
    /storage-2 unhealthy: .* is not served$/,
  );
  assert.match(reading(readBricks, volume(node("192.168.59.11", 1))), /storage-2 unhealthy: .* its machine is away$/);
  const failed = `${expected}\n<cliOutput><opRet>-1</opRet><opErrno>30806</opErrno><opErrstr>Volume data is not started</opErrstr></cliOutput>`;
  assert.match(reading(readBricks, failed, 1), /unhealthy: Volume data is not started/);
});

test("bricks of which Gluster says nothing are unknown", () => {
  assert.match(reading(readBricks, expected, 124), /^storage-1 unknown/);
  assert.match(reading(readHeals, expected, 124), /^storage-1 unknown/);
  assert.match(reading(readSplitBrain, "", 1), /^storage-1 unknown/);
});

const heals = (...numbers: readonly (readonly [string | number, string | number])[]): string =>
  [
    expected,
    ...numbers.map(
      ([total, split], index) => `Brick ${bricks[index]}
Status: ${total === "-" ? "Transport endpoint is not connected" : "Connected"}
Total Number of entries: ${total}
Number of entries in heal pending: ${total}
Number of entries in split-brain: ${split}
Number of entries possibly healing: 0
`,
    ),
  ].join("\n");

test("copies are complete, wait for heals, or do not respond", () => {
  assert.doesNotMatch(reading(readHeals, heals([0, 0], [0, 0])), /unhealthy|unknown/);
  assert.match(reading(readHeals, heals([0, 0], [7, 0])), /storage-2 unhealthy: 7 files wait to be healed/);
  assert.match(reading(readHeals, heals([0, 0], ["-", "-"])), /storage-2 unhealthy: its copy does not respond/);
});

test("a split-brain has its own row", () => {
  assert.doesNotMatch(reading(readSplitBrain, heals([3, 0], [0, 0])), /unhealthy|unknown/);
  assert.match(reading(readSplitBrain, heals([1, 1], [0, 0])), /storage-1 unhealthy: 1 files are in split-brain/);
  assert.match(reading(readSplitBrain, heals([0, 0], ["-", "-"])), /storage-2 unknown/);
  assert.match(reading(readSplitBrain, heals([0, 0])), /storage-2 unknown/, "a brick of which Gluster says nothing");
});
