import assert from "node:assert/strict";
import { test } from "node:test";
import { explainRefusal } from "../../../host/namespaces";

/** Messages of util-linux 2.38 and of the kernels of Debian and Ubuntu. */
const refusals: readonly (readonly [said: string, problem: RegExp, hint: RegExp])[] = [
  ["unshare cannot be started (spawn unshare ENOENT)", /unshare .* is not installed/, /util-linux/],
  ["unshare: unrecognized option '--map-auto'", /2\.38 or later/, /util-linux/],
  ["unshare: failed to execute newuidmap: No such file or directory", /newuidmap/, /apt-get install uidmap/],
  ["unshare: failed to execute newuidmap: Permission denied", /newuidmap/, /apt-get install uidmap/],
  ['unshare: no line matching user "ann" in /etc/subuid', /ann has no subordinate ids/, /usermod .* ann$/],
  ["unshare: unshare failed: No space left on device", /no user namespaces/, /max_user_namespaces/],
  ["unshare: unshare failed: Operation not permitted", /ordinary users/, /unprivileged_userns_clone=1/],
  ["unshare: cannot change root filesystem propagation: Permission denied", /ordinary users/, /apparmor/],
  ["mount: /mnt: permission denied.", /ordinary users/, /apparmor/],
  ["unshare: something new", /something new/, /message/],
];

for (const [said, problem, hint] of refusals) {
  test(`the refusal of a user namespace is explained with a next step: ${said}`, () => {
    const found = explainRefusal(said, "ann");
    assert.match(found.problem, problem);
    assert.match(found.hint, hint);
  });
}
