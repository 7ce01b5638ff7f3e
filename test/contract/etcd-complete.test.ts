// The question whether all members of etcd vote and are healthy, with a program in place of etcd's client.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, test } from "node:test";
import { commandFile } from "../../cloud-init/guest-command";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-complete-"));
after(() => fs.rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => path.join(folder, name);

for (const name of ["etcd-command", "etcd-complete"] as const)
  fs.writeFileSync(at(name), commandFile(`kubernetes/${name}`).content, { mode: 0o755 });
const etcdctl = `#!/bin/bash
case "$*" in
  *"member list"*) cat ${at("members")} ;;
  *"endpoint health"*) [[ "$*" != *"$(cat ${at("sick")})"* ]] ;;
esac
`;
fs.writeFileSync(at("etcdctl"), etcdctl, { mode: 0o755 });

const row = (index: number, { name = `master-${index}`, learner = false } = {}) => {
  const [status, client] = name === "" ? ["unstarted", ""] : ["started", `https://10.0.0.${index}:2379`];
  return `${index}a, ${status}, ${name}, https://10.0.0.${index}:2380, ${client}, ${learner}\n`;
};

function problem(rows: readonly string[], names: readonly string[], sick = "none"): string {
  fs.writeFileSync(at("members"), rows.join(""));
  fs.writeFileSync(at("sick"), sick);
  const env = { PATH: `${folder}:${process.env.PATH}` };
  const { status, stdout, stderr } = spawnSync("bash", [at("etcd-complete"), ...names], { env, encoding: "utf8" });
  assert.equal(stderr, "");
  assert.equal(status === 0, stdout === "", stdout);
  return stdout.trim();
}

const three = ["master-1", "master-2", "master-3"];

test("all members vote and are healthy", () => {
  assert.equal(problem([row(1), row(2), row(3)], three), "");
});

test("a member that is missing, learns, never started, or is not healthy is named", () => {
  assert.equal(problem([row(1), row(2)], three), "master-3 is not a voting member of etcd");
  const learner = row(3, { learner: true });
  assert.equal(problem([row(1), row(2), learner], three), "master-3 is not a voting member of etcd");
  const unstarted = row(3, { name: "" });
  assert.equal(
    problem([row(1), row(2), unstarted], ["master-1"]),
    "the member of etcd at https://10.0.0.3:2380 never started",
  );
  assert.equal(problem([row(1), row(2), row(3)], three, "10.0.0.2:2379"), "etcd on master-2 is not healthy");
});

test("what is left of a member that is away does not matter to the others", () => {
  const others = ["master-2", "master-3"];
  assert.equal(problem([row(1), row(2), row(3)], others, "10.0.0.1:2379"), "");
  assert.equal(problem([row(1, { name: "", learner: true }), row(2), row(3)], others), "");
});

test("etcd without a majority cannot answer", () => {
  fs.writeFileSync(at("etcdctl"), "#!/bin/bash\necho 'context deadline exceeded' >&2\nexit 1\n", { mode: 0o755 });
  assert.equal(problem([], three), "etcd cannot decide anything now: context deadline exceeded");
});
