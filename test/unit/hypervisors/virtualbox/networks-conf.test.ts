import assert from "node:assert/strict";
import { test } from "node:test";
import { isAllowed, parseNetworksConf, rangeProblem } from "../../../../hypervisors/virtualbox/networks-conf";

const allows = (text: string | undefined, cidr: string): boolean => isAllowed(parseNetworksConf(text), cidr);

test("without the file, only the default range is allowed", () => {
  assert.ok(allows(undefined, "192.168.56.0/21"));
  assert.ok(allows(undefined, "192.168.63.0/24"));
  assert.ok(!allows(undefined, "192.168.64.0/24"));
  assert.ok(!allows(undefined, "192.168.48.0/20"));
});

test("a file without a range allows nothing", () => {
  for (const text of ["", "\n", "# nothing\n", "  # nothing\r\n\r\n"])
    assert.ok(!allows(text, "192.168.56.0/24"), text);
});

test("ranges follow a star, one or more on a line, on one or more lines", () => {
  const text = "# ours\n* 192.168.0.0/16\n*\t10.0.0.0/8 2001:db8::/32\r\n";
  assert.deepEqual(parseNetworksConf(text), { ranges: ["192.168.0.0/16", "10.0.0.0/8"], wrongLines: [] });
  assert.ok(allows(text, "10.1.2.0/24"));
  assert.ok(allows(text, "192.168.254.0/24"));
  assert.ok(!allows(text, "172.16.0.0/24"));
});

test("a range with host bits means the complete range", () => {
  assert.ok(allows("* 192.168.56.1/21\n", "192.168.57.0/24"));
});

test("one invalid line makes the complete file invalid", () => {
  for (const line of [
    "*192.168.0.0/16",
    "192.168.0.0/16",
    "* 192.168.0.0/16 # ours",
    "*",
    "* 192.168.0.0/33",
    "* lan",
  ]) {
    const text = `* 192.168.56.0/21\n${line}\n`;
    assert.deepEqual(parseNetworksConf(text).wrongLines, [2], line);
    assert.ok(!allows(text, "192.168.56.0/24"), line);
  }
});

test("a missing range is reported with the line to add", () => {
  assert.equal(rangeProblem(undefined, "192.168.56.0/24"), undefined);
  const first = rangeProblem(undefined, "10.20.0.0/16");
  assert.match(first?.hint ?? "", /`\* 10\.20\.0\.0\/16`.*\/etc\/vbox\/networks\.conf/);
  assert.match(first?.hint ?? "", /list 192\.168\.56\.0\/21 too/);
  assert.match(rangeProblem("", "192.168.56.0/24")?.problem ?? "", /no range at all/);
  assert.match(rangeProblem("*10.0.0.0/8\n", "10.0.0.0/8")?.problem ?? "", /line 1 of/);
});
