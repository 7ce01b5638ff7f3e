import assert from "node:assert/strict";
import { test } from "node:test";
import { newPassphrase } from "../../../cli/backup-passphrase";

test("a variable gives the passphrase, and no other program gets it", async () => {
  const environment = { GROUNDPLANE_BACKUP_PASSPHRASE: "long", GROUNDPLANE_BACKUP_PASSPHRASE_FILE: "/nowhere" };
  assert.equal(await newPassphrase(environment), "long");
  assert.deepEqual(environment, { GROUNDPLANE_BACKUP_PASSPHRASE_FILE: "/nowhere" });
});

test("an empty passphrase is refused, and no message has a passphrase", async () => {
  await assert.rejects(newPassphrase({ GROUNDPLANE_BACKUP_PASSPHRASE: "" }), { id: "empty-passphrase" });
  await assert.rejects(newPassphrase({ GROUNDPLANE_BACKUP_PASSPHRASE_FILE: "/dev/null" }), { id: "empty-passphrase" });
  await assert.rejects(newPassphrase({ GROUNDPLANE_BACKUP_PASSPHRASE_FILE: "/nowhere" }), { id: "passphrase-file" });
});
