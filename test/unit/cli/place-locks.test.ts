import assert from "node:assert/strict";
import { test } from "node:test";
import { placeLocks } from "../../../cli/place-locks";
import { BUNDLE_FORMAT, parseBundleManifest } from "../../../image/parts/bundle-manifest";
import { packageLockText } from "../../../model/package-lock";
import { UserError } from "../../../model/user-error";
import { smallLock } from "../../support/small-lock";

const text = packageLockText(smallLock());
const manifestWith = (packageLocks: unknown) => JSON.stringify({ format: BUNDLE_FORMAT, parts: [], packageLocks });

test("a bundle's lock is written where the stack has none, and never over another one", async () => {
  for (const here of [undefined, text, packageLockText(smallLock({ openssl: "2-1" }))]) {
    const written: string[] = [];
    const files = {
      read: async () => here,
      write: async (stack: string, content: string) => void written.push(stack, content),
      writeCopy: async (file: string) => void written.push(file),
    };
    const told = await placeLocks({ packageLocks: { lab: text } }, "/data/bundle", files);
    const copy = "/data/bundle/package-lock.lab.json";
    assert.deepEqual(written, here === undefined ? [copy, "lab", text] : [copy]);
    const expected = here === undefined ? [/was written/] : here === text ? [] : [/stays and differs.*`cp \/data/];
    assert.equal(told.length, expected.length);
    for (const [index, pattern] of expected.entries()) assert.match(told[index] ?? "", pattern);
  }
  assert.deepEqual(await placeLocks({}, "/data/bundle"), []);
});

test("a manifest with locks is read; one that names another place, or has no valid lock, is refused", () => {
  assert.deepEqual(parseBundleManifest(manifestWith({ lab: text }), "file").packageLocks, { lab: text });
  assert.equal(parseBundleManifest(manifestWith(undefined), "file").packageLocks, undefined);
  for (const [locks, id] of [
    [{ "../../x": text }, "bundle-damaged"],
    [{ "": text }, "bundle-damaged"],
    [{ lab: "{}" }, "package-lock"],
  ] as const) {
    assert.throws(
      () => parseBundleManifest(manifestWith(locks), "file"),
      (error) => error instanceof UserError && error.id === id,
    );
  }
});
