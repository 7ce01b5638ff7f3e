import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { imageNames } from "../../image/recipes/image-names";
import { compareDebianVersions } from "../../model/debian-versions";
import { type LockedPackage, type PackageLock, packageLockText, parsePackageLock } from "../../model/package-lock";
import { defaultKubernetesVersion } from "../../model/releases";
import { smallLock } from "../support/small-lock";

const letters = (alphabet: string, min: number, max: number) =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength: min, maxLength: max });
const hex = letters("0123456789abcdef", 64, 64);
const version = fc
  .tuple(
    fc.constantFrom("", "1:", "2:"),
    letters("0123456789", 1, 3),
    letters("0123456789.+~abZ", 0, 6),
    letters("0123456789+~b", 1, 4),
  )
  .map(([epoch, first, more, revision]) => `${epoch}${first}${more}-${revision}`);
const name = fc.tuple(letters("abcxyz0189", 1, 1), letters("abcxyz0189+.-", 1, 8)).map((words) => words.join(""));
const locked: fc.Arbitrary<LockedPackage> = fc.record(
  {
    name,
    version,
    sha256: hex,
    bytes: fc.integer({ min: 1, max: 2 ** 40 }),
    file: letters("abc+_~", 1, 8).map((place) => `debian-security/pool/updates/main/a/${place}/${place}_1_amd64.deb`),
  },
  { noNullPrototype: true },
);
const packages = fc.uniqueArray(locked, { selector: (each) => each.name, maxLength: 6 });
const lock: fc.Arbitrary<PackageLock> = fc.record(
  {
    distribution: fc.constantFrom("debian" as const, "ubuntu" as const),
    suite: fc.constantFrom("trixie", "noble"),
    sections: fc.record(
      { tree: packages, docker: packages, disk: packages },
      { requiredKeys: ["tree"], noNullPrototype: true },
    ),
  },
  { noNullPrototype: true },
);

test("any lock is read as it was written", () => {
  fc.assert(fc.property(lock, (each) => assert.deepEqual(parsePackageLock(packageLockText(each), "file"), each)));
});

test("any text is a lock or refused, and never another error", () => {
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    lock.map((each) => packageLockText(each).replace(/[0-9a-f]{8}/, '"')),
  );
  fc.assert(
    fc.property(text, (each) => {
      try {
        parsePackageLock(each, "file");
      } catch (error) {
        assert.match((error as { id?: string }).id ?? "", /^(?:package-lock|newer-data)$/);
      }
    }),
  );
});

test("any other version or digest of any package is another image", () => {
  const namesWith = (tree: readonly LockedPackage[]) =>
    imageNames(defaultKubernetesVersion, "disk", "debian", "containerd", {
      ...whole,
      sections: { ...whole.sections, tree },
    });
  const whole = smallLock();
  const tree = whole.sections.tree ?? [];
  const before = namesWith(tree);
  fc.assert(
    fc.property(
      fc.nat(tree.length - 1),
      fc.constantFrom("version" as const, "sha256" as const),
      version,
      hex,
      (at, key, ...values) => {
        const value = values[key === "version" ? 0 : 1];
        const changed = tree.map((each, index) => (index === at ? { ...each, [key]: value } : each));
        assert.ok(namesWith(changed).every((found) => !before.includes(found)));
      },
    ),
    { numRuns: 30 },
  );
});

test("versions have one order", () => {
  fc.assert(
    fc.property(version, version, version, (one, two, three) => {
      assert.equal(compareDebianVersions(one, one), 0);
      assert.equal(Math.sign(compareDebianVersions(one, two)), -Math.sign(compareDebianVersions(two, one)) + 0);
      if (compareDebianVersions(one, two) <= 0 && compareDebianVersions(two, three) <= 0)
        assert.ok(compareDebianVersions(one, three) <= 0);
    }),
  );
});
