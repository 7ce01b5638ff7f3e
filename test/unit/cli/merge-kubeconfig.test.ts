import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "yaml";
import {
  hasCurrentContext,
  hasStacks,
  mergeKubeconfig,
  unmergeKubeconfig,
} from "../../../cli/kubeconfig/merge-kubeconfig";
import { renderKubeconfig } from "../../../components/kubeconfig";
import { UserError } from "../../../model/user-error";

const kubeconfigOf = (stack: string, server = "https://127.0.0.1:6443") =>
  renderKubeconfig({ stack, server, certificateAuthority: "ca", clientCertificate: "crt", clientKey: "key" });
const owner = { stack: "lab", data: "/data" };
const merge = (text: string, stack = "lab") => mergeKubeconfig(text, kubeconfigOf(stack), { ...owner, stack });

const others = `# mine
apiVersion: v1
clusters:
- cluster:
    server: https://one.example:6443   # do not touch
  name: one
- cluster: {server: 'https://two.example:6443'}
  name: two
contexts:
  - context:
      cluster: one
      user: me
    name: one
current-context: one
kind: Config
preferences: {}
users:
- name: me
  user:
    token: secret
`;

test("a merge adds lines and changes none", () => {
  const merged = merge(others);
  let left = merged;
  for (const line of others.split("\n")) {
    assert.ok(left.includes(line), line);
    left = left.slice(left.indexOf(line) + line.length);
  }
  const { clusters, users, contexts, ...config } = parse(merged);
  assert.equal(config["current-context"], "one", "the user's context stays the current one");
  assert.deepEqual(
    [clusters, users, contexts].map((list) => list.at(-1).name),
    ["groundplane-lab", "groundplane-lab", "groundplane-lab"],
  );
  assert.equal(clusters.at(-1).cluster.server, "https://127.0.0.1:6443");
  assert.deepEqual(
    { ...contexts.at(-1).context, extensions: undefined },
    { cluster: "groundplane-lab", user: "groundplane-lab", extensions: undefined },
  );
});

test("a merge is idempotent, follows the stack, and is undone byte for byte", () => {
  const merged = merge(others);
  assert.equal(merge(merged), merged);
  assert.equal(unmergeKubeconfig(merged, owner), others);
  assert.equal(unmergeKubeconfig(others, owner), others);
  const moved = mergeKubeconfig(merged, kubeconfigOf("lab", "https://127.0.0.1:7443"), owner);
  assert.equal(moved, merged.replace("https://127.0.0.1:6443", "https://127.0.0.1:7443"));
  const two = merge(merged, "pair");
  assert.equal(unmergeKubeconfig(two, owner), merge(others, "pair"));
});

test("comments of the user stay, also those between our entry and the next one, and those of an empty list", () => {
  const follows = "# careful: production\n\n- name: prod\n  cluster:\n    server: https://prod.example:6443\n";
  const last = merge("clusters:\n# all of them\nusers: [] # none\n# the contexts\ncontexts:\n");
  const between = merge("").replace(/^users:$/m, `${follows}users:`);
  for (const [text, comments] of [
    [between, ["# careful: production"]],
    [last, ["# all of them", "# none", "# the contexts"]],
  ] as const) {
    const moved = mergeKubeconfig(text, kubeconfigOf("lab", "https://127.0.0.1:7443"), owner);
    assert.equal(moved, text.replace("https://127.0.0.1:6443", "https://127.0.0.1:7443"));
    for (const comment of comments) assert.ok(unmergeKubeconfig(moved, owner).includes(comment), comment);
  }
  assert.ok(unmergeKubeconfig(between, owner).includes(follows));
  assert.equal(
    unmergeKubeconfig(last, owner).replace(/^current-context.*\n/m, ""),
    "clusters: []\n# all of them\nusers: [] # none\n# the contexts\ncontexts: []\n",
  );
});

test("where another file of kubectl has a current context, it stays the current one", () => {
  const merged = mergeKubeconfig("", kubeconfigOf("lab"), owner, true);
  assert.equal(parse(merged)["current-context"], undefined);
  assert.ok(!hasCurrentContext(merged) && hasCurrentContext(others) && hasCurrentContext("clusters: [\n"));
  assert.ok(hasStacks(merged) && !hasStacks(others));
});

test("the first context becomes the current one, and is not when it is removed", () => {
  for (const empty of ["", "\n", "apiVersion: v1\nkind: Config\nclusters: []\nusers:\ncontexts: null\n"]) {
    const merged = merge(empty);
    assert.equal(parse(merged)["current-context"], "groundplane-lab");
    assert.equal(merge(merged), merged);
    const left = unmergeKubeconfig(merged, owner);
    assert.deepEqual(
      { ...parse(left), "current-context": "" },
      { apiVersion: "v1", kind: "Config", clusters: [], users: [], contexts: [], "current-context": "" },
    );
    assert.equal(merge(left), merge(merge(left)));
  }
});

test("other forms of YAML are understood: JSON, no end of line, a dash on a line of its own, Windows", () => {
  const json = JSON.stringify(parse(others));
  const open = others.trimEnd().replace(/users:.*/s, "");
  const dashes = others.replaceAll("- name: me\n", "-\n  name: me\n");
  for (const text of [json, open.trimEnd(), dashes, others.replaceAll("\n", "\r\n"), `${others}...\n`]) {
    const merged = merge(text);
    assert.ok(parse(merged).clusters.some(({ name }: { name: string }) => name === "groundplane-lab"));
    assert.equal(merge(merged), merged);
    const left = parse(unmergeKubeconfig(merged, owner));
    assert.deepEqual({ users: [], ...parse(text) }, { ...left, users: left.users ?? [] });
  }
});

test("an entry of the same name that is not of this stack is refused", () => {
  const foreign = others.replaceAll("name: two", "name: groundplane-lab");
  const refused = (id: string) => (error: unknown) => error instanceof UserError && error.id === id;
  assert.throws(() => merge(foreign), refused("kubeconfig-name-taken"));
  assert.equal(unmergeKubeconfig(foreign, owner), foreign);
  const elsewhere = mergeKubeconfig(others, kubeconfigOf("lab"), { ...owner, data: "/other" });
  assert.throws(() => merge(elsewhere), refused("kubeconfig-name-taken"));
  assert.throws(() => merge("clusters: [\n"), refused("kubeconfig-unreadable"));
  assert.throws(() => merge("- a list\n"), refused("kubeconfig-unreadable"));
});
