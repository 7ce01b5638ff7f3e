import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfiguration } from "../../../../stacks/config/parse-configuration";
import { planDataCenter } from "../../../../stacks/plan/plan-data-center";

const parse = (written: object) => parseConfiguration(written, { stack: "lab" });
const attached = (...attachments: object[]) => ({ driver: "virtualbox", virtualbox: { attachments } });
const rulesOf = (written: object) => parse(written).problems?.map(({ path, rule }) => `${path}: ${rule}`);

test("by default, no segment is attached to a network of the host", () => {
  const { configuration } = parse({});
  assert.ok(configuration);
  assert.ok(planDataCenter(configuration).segments.every(({ attachment }) => attachment === undefined));
});

test("the host's planned address in a segment follows the gateway's address", () => {
  const { configuration } = parse(
    attached({ segment: "dmz", to: "host" }, { segment: "workers", to: "adapter", adapter: "eth0" }),
  );
  assert.ok(configuration);
  const segments = planDataCenter(configuration).segments.map(({ name, attachment }) => [name, attachment]);
  assert.deepEqual(Object.fromEntries(segments), {
    dmz: { kind: "host", address: "192.168.56.2/24" },
    masters: undefined,
    workers: { kind: "adapter", adapter: "eth0" },
    storage: undefined,
  });
});

test("all mistakes are reported at once", () => {
  const written = attached(
    { segment: "dmz", to: "host", adapter: "eth0" },
    { segment: "dmz", to: "adapter" },
    { segment: "nowhere", to: "host" },
  );
  assert.deepEqual(rulesOf({ ...written, floatingIp: "192.168.56.2" })?.length, 1, "a misshapen list is told first");
  assert.deepEqual(
    rulesOf({ ...attached(...written.virtualbox.attachments.slice(0, 2)), floatingIp: "192.168.56.2" }),
    [
      "virtualbox.attachments[0]: must not name an adapter for `to: host`",
      "virtualbox.attachments[1]: must name dmz only once",
      "virtualbox.attachments[1]: must name the host's adapter",
      "floatingIp: must not be 192.168.56.2, which the host has in the dmz",
    ],
  );
});

test("attachments are refused for other drivers", () => {
  const written = { ...attached({ segment: "dmz", to: "host" }), driver: "nspawn" };
  assert.deepEqual(rulesOf(written), ["virtualbox.attachments: is for VirtualBox, not for nspawn"]);
});
