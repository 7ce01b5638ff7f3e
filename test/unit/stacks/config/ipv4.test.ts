import assert from "node:assert/strict";
import { test } from "node:test";
import {
  aligned,
  cidr,
  contains,
  formatAddress,
  formatCidr,
  isAligned,
  lastOf,
  netmaskOf,
  overlaps,
  parseAddress,
  parseCidr,
  sizeOf,
} from "../../../../stacks/config/ipv4";

test("addresses of the complete range are parsed and formatted", () => {
  for (const text of ["0.0.0.0", "10.0.2.15", "192.168.56.1", "255.255.255.255"]) {
    const value = parseAddress(text);
    assert.ok(value !== undefined && value >= 0, text);
    assert.equal(formatAddress(value), text);
  }
});

test("malformed addresses and ranges are refused", () => {
  for (const text of ["", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.4 ", "0x7f.0.0.1", "::1", "1.2.3.-4"]) {
    assert.equal(parseAddress(text), undefined, JSON.stringify(text));
  }
  for (const text of ["10.0.0.0", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08", "10.0.0.0/8/8", "/8"]) {
    assert.equal(parseCidr(text), undefined, JSON.stringify(text));
  }
});

test("a range has a size, a last address, a mask and a boundary", () => {
  const range = cidr("192.168.56.0/21");
  assert.equal(sizeOf(range), 2048);
  assert.equal(formatAddress(lastOf(range)), "192.168.63.255");
  assert.equal(netmaskOf(range), "255.255.248.0");
  assert.equal(netmaskOf(cidr("0.0.0.0/0")), "0.0.0.0");
  assert.equal(netmaskOf(cidr("10.0.0.1/32")), "255.255.255.255");
  assert.ok(isAligned(range));
  assert.ok(!isAligned(cidr("192.168.57.0/21")));
  assert.equal(formatCidr(aligned(cidr("192.168.57.9/21"))), "192.168.56.0/21");
});

test("ranges overlap if they share an address", () => {
  const range = cidr("10.0.2.0/24");
  assert.ok(contains(range, cidr("10.0.2.255/32").network));
  assert.ok(!contains(range, cidr("10.0.3.0/32").network));
  assert.ok(overlaps(range, cidr("10.0.0.0/8")));
  assert.ok(overlaps(cidr("10.0.0.0/8"), range));
  assert.ok(!overlaps(range, cidr("10.0.3.0/24")));
});
