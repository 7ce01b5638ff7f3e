import assert from "node:assert/strict";
import { test } from "node:test";
import { FileRefusedError, type Guest, type GuestFile } from "../../../../guests/guest";
import type { NodeFilesInputs } from "../../../../model/resource-types";
import { UserError } from "../../../../model/user-error";
import { rollFiles } from "../../../../provider/resources/roll-files";
import type { Context } from "../../../../provider/rpc/resource-handler";

const file = (path: string, content: string, reload = "reload"): GuestFile & { reload: string } => ({
  ...{ path, mode: "0644", content, reload },
});

const settings = "/etc/groundplane/node.env";

interface Node {
  readonly disk: readonly GuestFile[];
  /** Whether the node works, depending on the files on its disk. */
  readonly works?: (content: (path: string) => string | undefined) => boolean;
  readonly refuses?: string;
  readonly reloadFails?: (content: (path: string) => string | undefined) => boolean;
}

/** The commands that the guest ran, and the files on its disk afterwards. */
async function roll(
  wanted: readonly (GuestFile & { reload: string })[],
  node: Node,
  before?: NodeFilesInputs["files"],
) {
  const disk = new Map(node.disk.map((each) => [each.path, each]));
  const content = (path: string) => disk.get(path)?.content;
  const told: string[] = [];
  const guest: Guest = {
    async run([program = "", ...args]) {
      const done = (code: number, stdout = "") => ({ code, stdout, stderr: "" });
      if (program.endsWith("node-ready")) return (node.works ?? (() => true))(content) ? done(0) : done(1, "is down");
      if (program === "kubeadm") return done(0, "v1.2.3\n");
      told.push([program, ...args].join(" "));
      if (args[1]?.includes("change-balancing")) told.push(`settings: ${content(settings)?.split("\n")[0]}`);
      if (program === "rm") for (const path of args) disk.delete(path);
      return node.reloadFails?.(content) ? done(1, "no such directive") : done(0);
    },
    readFiles: async (paths) => paths.map((path) => disk.get(path)),
    async writeFiles(files) {
      if (node.refuses !== undefined && files.some(({ path }) => path === node.refuses))
        throw new FileRefusedError(node.refuses, "line 3: what?");
      for (const each of files) disk.set(each.path, each);
    },
  };
  const log = (severity: string, message: string) => severity === "warning" && told.push(`warning: ${message}`);
  // The engine's limit bounds every wait, so it has the shortest value.
  const context = { signal: new AbortController().signal, log, timeoutSeconds: 6 } as unknown as Context;
  const inputs = { node: "balancer-1", connection: {}, files: wanted, generation: "g" } as unknown as NodeFilesInputs;
  const error = await rollFiles({ connect: async () => guest, isNew: false, before }, inputs, context).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error !== undefined && !(error instanceof UserError)) throw error;
  return { told, error, content };
}

test("unchanged files run no command", async () => {
  const { told, error } = await roll([file("/a", "one")], { disk: [file("/a", "one")] });
  assert.deepEqual([told, error], [[], undefined]);
});

test("a command that several files need runs once, after all files are written", async () => {
  const wanted = [file("/a", "two"), file("/b", "two"), file("/c", "two", "")];
  const { told, content } = await roll(wanted, { disk: [file("/a", "one")] });
  assert.deepEqual(told, ["sh -c reload"]);
  assert.deepEqual(["/a", "/b", "/c"].map(content), ["two", "two", "two"]);
});

test("a file of another release than that of the node's image is not written: it comes with the next image", async () => {
  const wanted = [
    { ...file("/a", "two", "reload a"), release: "1.3.0" },
    { ...file("/b", "two", "reload b"), release: "1.2.3" },
    file("/c", "two", "reload c"),
  ];
  const { told, content } = await roll(wanted, { disk: [file("/a", "one")] });
  assert.deepEqual(told, ["sh -c reload b", "sh -c reload c"]);
  assert.deepEqual(["/a", "/b", "/c"].map(content), ["one", "two", "two"]);
  const alone = await roll(wanted.slice(0, 1), { disk: [file("/a", "one")] });
  assert.deepEqual([alone.told, alone.content("/a")], [[], "one"]);
});

test("what comes with a file is written when the file changes, and not compared", async () => {
  const key = { path: "/key", mode: "0400", content: "the key" };
  const wanted = [
    { ...file("/a", "two"), alongside: [key] },
    { ...file("/b", "one"), alongside: [{ ...key, path: "/c" }] },
  ];
  const { content } = await roll(wanted, { disk: [file("/a", "one"), file("/b", "one")] });
  assert.deepEqual(["/a", "/key", "/c"].map(content), ["two", "the key", undefined]);
  const again = await roll(wanted, { disk: [file("/a", "two"), file("/b", "one")] });
  assert.deepEqual([again.told, again.content("/key")], [[], undefined]);
});

test("the public host key is written after sshd has read the private one, so that a kill before leaves it for the next roll", async () => {
  const key = { path: "/etc/ssh/ssh_host_ed25519_key", mode: "0600", content: "the key" };
  const mark = "/etc/groundplane/ssh-host-key.pub";
  const seen: (string | undefined)[] = [];
  const reloadFails = (text: (path: string) => string | undefined): boolean => {
    seen.push(text(key.path), text("/a"), text(mark));
    return false;
  };
  const wanted = [{ ...file(mark, "new"), alongside: [key] }, file("/a", "two")];
  const { told, content, error } = await roll(wanted, { disk: [file(mark, "former"), file("/a", "one")], reloadFails });
  assert.deepEqual([told, error, content(mark)], [["sh -c reload"], undefined, "new"]);
  assert.deepEqual(seen, ["the key", "two", "former"]);
});

test("a refused file changes nothing on the node and ends the roll", async () => {
  const { told, error, content } = await roll([file("/a", "two")], { disk: [file("/a", "one")], refuses: "/a" });
  assert.deepEqual([told, content("/a"), error?.id], [[], "one", "file-refused"]);
  assert.match(String(error?.problem), /neither balancer-1 nor any node after it was changed: its \/a .*line 3: what/);
});

test("a failed reload restores the previous files and removes new files", async () => {
  const { told, error, content } = await roll([file("/a", "two"), file("/b", "two")], {
    disk: [file("/a", "one")],
    reloadFails: (text) => text("/a") === "two",
  });
  assert.deepEqual(told, ["sh -c reload", "rm -f /b", "sh -c reload"]);
  assert.deepEqual([content("/a"), content("/b"), error?.id], ["one", undefined, "reload-failed"]);
  assert.match(String(error?.problem), /it has its former files again; no node after it.*no such directive/);
});

test("a node that is unhealthy with new files gets its previous files again", async () => {
  const { error, content } = await roll([file("/a", "two")], {
    disk: [file("/a", "one")],
    works: (text) => text("/a") === "one",
  });
  assert.deepEqual([content("/a"), error?.id], ["one", "reload-failed"]);
  assert.match(String(error?.problem), /is down/);
});

test("a failed restore is reported", async () => {
  const { error } = await roll([file("/a", "two")], { disk: [file("/a", "one")], reloadFails: () => true });
  assert.match(String(error?.problem), /restoring them failed as well: no such directive/);
});

test("new files repair a node that its current files have broken", async () => {
  const { told, error, content } = await roll([file("/a", "two")], {
    disk: [file("/a", "broken by hand")],
    works: (text) => text("/a") === "two",
  });
  assert.deepEqual([told.at(-1), content("/a"), error], ["sh -c reload", "two", undefined]);
  assert.match(String(told[0]), /^warning: balancer-1 is unhealthy/);
});

const mover = (name: string, role = "balancer") => file(settings, `FLOATING_IP_BY="${name}"\nNODE_ROLE="${role}"`, "");
const change = (mover: string): readonly string[] => {
  const command = "/usr/local/lib/groundplane/change-balancing";
  return [`sh -c [ ! -x ${command} ] || '${command}' 'FLOATING_IP_BY=${mover}' 'BALANCER=haproxy'`];
};

test("another program for the floating IP starts before the settings say so, although the node is not ready alone", async () => {
  const { told, error, content } = await roll(
    [mover("keepalived"), file("/target", "new")],
    { disk: [mover("pacemaker"), file("/target", "old")], works: (text) => text("/target") === "new" },
    [mover("pacemaker"), file("/target", "old")],
  );
  assert.deepEqual(told, [...change("keepalived"), 'settings: FLOATING_IP_BY="pacemaker"', "sh -c reload"]);
  assert.deepEqual([error, content(settings)], [undefined, mover("keepalived").content]);
});

test("the gateway is ready again when a balancer has the same program, and nothing waits for it", async () => {
  const before = [mover("keepalived", "gateway")];
  const { told, error } = await roll([mover("pacemaker", "gateway")], { disk: before, works: () => false }, before);
  assert.deepEqual([told, error], [[...change("pacemaker"), 'settings: FLOATING_IP_BY="keepalived"'], undefined]);
});

test("a balancer that fails with the other program gets the former one back, while the command is still there", async () => {
  const before = [mover("pacemaker"), file("/old", "old")];
  const { told, error, content } = await roll(
    [mover("keepalived"), file("/new", "new")],
    { disk: before, reloadFails: (text) => text(settings) === mover("keepalived").content },
    before,
  );
  assert.deepEqual(told.slice(-4), [
    ...change("pacemaker"),
    'settings: FLOATING_IP_BY="pacemaker"',
    "rm -f /new",
    "sh -c reload",
  ]);
  assert.deepEqual([content(settings), error?.id], [mover("pacemaker").content, "reload-failed"]);
});
