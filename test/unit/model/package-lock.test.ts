import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type PackageLock,
  packageChanges,
  packageLockFile,
  packageLockText,
  parsePackageLock,
  stackOfPackageLock,
} from "../../../model/package-lock";
import { UserError } from "../../../model/user-error";
import { lockedPackage, smallLock } from "../../support/small-lock";

const FILE = packageLockFile("lab");
const openssl = lockedPackage("openssl", "1:3.5.9-1~deb13u1");
const lock: PackageLock = { distribution: "debian", suite: "trixie", sections: { tree: [openssl] } };
const refused = (text: string, reason: RegExp): void =>
  assert.throws(
    () => parsePackageLock(text, FILE),
    (error) => error instanceof UserError && error.id === "package-lock" && reason.test(error.problem),
    text,
  );

test("a lock is read as it was written, with a line for each package", () => {
  for (const each of [lock, smallLock(), smallLock({}, "ubuntu")])
    assert.deepEqual(parsePackageLock(packageLockText(each), FILE), each);
  const lines = packageLockText(smallLock()).split("\n");
  assert.equal(lines.filter((line) => line.includes('"openssl"')).length, 1);
});

test("a file belongs to the stack that its name has", () => {
  assert.equal(stackOfPackageLock("package-lock.lab.json"), "lab");
  assert.equal(stackOfPackageLock("package-lock.team-1.json"), "team-1");
  for (const other of ["package-lock.json", "Pulumi.lab.yaml", "package-lock.lab.json.bak", "package-lock.../x.json"])
    assert.equal(stackOfPackageLock(other), undefined, other);
});

test("a text that is no lock is refused with the reason", () => {
  refused("", /not a JSON object/);
  refused("<<<<<<< HEAD\n{}", /unfinished merge/);
  refused("[1]", /no version/);
  refused("{}", /no version/);
  const written = JSON.parse(packageLockText(lock));
  const withOther = (change: object): string => JSON.stringify({ ...written, ...change });
  refused(withOther({ formatVersion: "1" }), /no version/);
  refused(withOther({ distribution: "arch" }), /no version or no distribution/);
  refused(withOther({ suite: "../x" }), /no release/);
  refused(withOther({ sections: {} }), /no packages of the root tree/);
  refused(withOther({ sections: { tree: [], kernel: [] } }), /unknown section "kernel"/);
  refused(withOther({ sections: { tree: {} } }), /not a list/);
  refused(withOther({ sections: { tree: [openssl, openssl] } }), /openssl twice/);
  const bad: Readonly<Record<string, unknown>> = {
    name: "-o=Dir::Etc",
    version: "1 --allow-downgrades",
    sha256: "0",
    bytes: 1.5,
    file: "debian/pool/../../etc/x.deb",
  };
  for (const [key, value] of Object.entries(bad)) {
    refused(withOther({ sections: { tree: [{ ...openssl, [key]: value }] } }), new RegExp(`no valid ${key}`));
    refused(withOther({ sections: { tree: [{ ...openssl, [key]: undefined }] } }), new RegExp(`no valid ${key}`));
  }
  refused(withOther({ sections: { tree: [null] } }), /no valid name/);
});

test("a lock of a later version is refused as newer", () => {
  const text = packageLockText(lock).replace('"formatVersion": 1', '"formatVersion": 2');
  assert.throws(
    () => parsePackageLock(text, FILE),
    (error) => error instanceof UserError && error.id === "newer-data",
  );
});

test("changes name what is new, gone or of another version", () => {
  assert.deepEqual(packageChanges({ a: "1", b: "1", c: "1" }, { b: "2", c: "1", d: "1" }), [
    { name: "a", from: "1" },
    { name: "b", from: "1", to: "2" },
    { name: "d", to: "1" },
  ]);
});
