import assert from "node:assert/strict";
import { test } from "node:test";
import { renderImages } from "../../../cli/commands/image-list";
import { renderUpdate } from "../../../cli/commands/image-update";
import { imageChanges, lockChanges, refuseOlder } from "../../../cli/package-update";
import { UserError } from "../../../model/user-error";
import { smallLock } from "../../support/small-lock";

test("two locks differ by versions, and by files of the same version", () => {
  const [before, after] = [smallLock(), smallLock({ openssl: "1.0-2" })];
  assert.deepEqual(lockChanges(before, before), []);
  assert.deepEqual(lockChanges(before, after), [{ name: "openssl", from: "1.0-1", to: "1.0-2" }]);
  const tree = before.sections.tree?.map((each) => (each.name === "jq" ? { ...each, sha256: "0".repeat(64) } : each));
  const rebuilt = { ...before, sections: { ...before.sections, tree } };
  assert.deepEqual(lockChanges(before, rebuilt), [{ name: "jq", from: "1.0-1", to: "1.0-1" }]);
});

test("a mirror that is behind the lock is refused; new and removed packages are no step back", () => {
  const [present, older] = [smallLock({ openssl: "3.5.9-1~deb13u1" }), smallLock({ openssl: "3.5.7-1~deb13u3" })];
  assert.throws(
    () => refuseOlder("team", lockChanges(present, older)),
    (error) =>
      error instanceof UserError &&
      error.id === "mirror-behind" &&
      /openssl 3\.5\.7-1~deb13u3 instead of 3\.5\.9-1~deb13u1/.test(error.problem) &&
      error.hint.includes("stacks/package-lock.team.json"),
  );
  refuseOlder("team", lockChanges(older, present));
  refuseOlder("team", [
    { name: "a", from: "1" },
    { name: "b", to: "1" },
  ]);
});

test("images of system containers have no kernel, which is no change", () => {
  const lock = smallLock({ openssl: "2" });
  const built = Object.fromEntries((lock.sections.tree ?? []).map(({ name }) => [name, "1.0-1"]));
  assert.deepEqual(imageChanges(built, lock), [{ name: "openssl", from: "1.0-1", to: "2" }]);
});

const update = {
  file: "stacks/package-lock.lab.json",
  written: true,
  packages: 339,
  comparedWith: "package lock",
  changes: [
    { name: "openssl", from: "1", to: "2" },
    { name: "linux-image-6.12-amd64", to: "1" },
  ],
  images: [{ before: "kubernetes-aaaaaaaaaaaa", after: "kubernetes-bbbbbbbbbbbb" }],
} as const;

test("an update shows what differs, what was written, and the next step", () => {
  const text = renderUpdate(update, false);
  assert.match(text, /2 packages differ/);
  assert.match(text, /^openssl +1 +2$/m);
  assert.match(text, /^linux-image-6\.12-amd64 +- +1$/m);
  assert.match(text, /pins 339 packages/);
  assert.match(text, /the images are now kubernetes-bbbbbbbbbbbb\nnext: .*image build/);
  assert.match(renderUpdate({ ...update, written: false }, true), /was not written[\s\S]*would be kubernetes-b/);
  assert.match(renderUpdate({ ...update, changes: update.changes.slice(0, 1) }, false), /: 1 package differs$/m);
  const same = { ...update, written: false, changes: [], images: [{ before: "a", after: "a" }] };
  assert.match(renderUpdate(same, false), /no package differs[\s\S]*stays as it is[\s\S]*the images stay a$/);
});

test("the list says which lock an image has", () => {
  const image = { name: "kubernetes-aaaaaaaaaaaa", present: true, ofStack: true, packageLocks: [], usedBy: [] };
  const rows = renderImages([
    { ...image, lockedPackages: 3, packageLocks: ["stacks/package-lock.lab.json"], usedBy: ["the state of lab"] },
    { ...image, name: "b", ofStack: false, lockedPackages: 3 },
    { ...image, name: "c", ofStack: false },
    { ...image, name: "d", present: false, packageLocks: ["stacks/package-lock.lab.json"] },
  ]).split("\n");
  assert.match(rows[1] ?? "", /^kubernetes-a+ +of the stack +stacks\/package-lock\.lab\.json +the state of lab$/);
  assert.match(rows[2] ?? "", /^b +another lock, 3 packages$/);
  assert.match(rows[3] ?? "", /^c +no lock$/);
  assert.match(rows[4] ?? "", /^d +missing +stacks\/package-lock\.lab\.json$/);
});
