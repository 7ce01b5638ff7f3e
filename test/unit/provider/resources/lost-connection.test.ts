import assert from "node:assert/strict";
import * as path from "node:path";
import { test } from "node:test";
import type { Guest, NewGuestFile } from "../../../../guests/guest";
import { LateError, UnreachableError } from "../../../../guests/guest-ssh";
import type { BootstrapInputs, MembershipInputs, NodeFilesInputs } from "../../../../model/resource-types";
import { bootstrapResource } from "../../../../provider/resources/bootstrap";
import { membershipResource } from "../../../../provider/resources/membership";
import { nodeFilesResource } from "../../../../provider/resources/node-files";
import { rollFiles } from "../../../../provider/resources/roll-files";
import type { Context } from "../../../../provider/rpc/resource-handler";
import { ownDataFolder } from "../../../support/own-data-folder";

ownDataFolder();

/** The gateway's firewall interrupts connections that existed before it started, also during a request. */

const waiting = { order: "none", phase: "waiting", etcdData: false, step: "", error: "" };
const answers: Readonly<Record<string, string>> = { "cluster-status": JSON.stringify(waiting), "cluster-id": "uid-1" };

/** The first attempt of every query is lost. */
class CutOff {
  readonly asked: string[] = [];
  readonly written: string[] = [];

  readonly guest: Guest = {
    run: async ([program = "", ...words]) => {
      const name = path.basename(program);
      this.ask([name, ...words.filter((word) => !/^\d+$/.test(word))].join(" "));
      return { code: 0, stdout: answers[name] ?? "", stderr: "" };
    },
    readFiles: async (paths) => {
      this.ask("read");
      return paths.map(() => undefined);
    },
    writeFiles: async (files: readonly NewGuestFile[]) => {
      this.ask("write");
      this.written.push(...files.map((file) => file.path));
    },
  };

  times(question: string): number {
    return this.asked.filter((each) => each === question).length;
  }

  private ask(question: string): void {
    this.asked.push(question);
    if (this.times(question) > 1) return;
    // A loss may be noticed only by the time limit.
    if (question === "cluster-status" || question === "node-ready") throw new LateError(30_000);
    throw new UnreachableError("the connection was lost while a command ran");
  }
}

const context = { signal: new AbortController().signal, log: () => {}, timeoutSeconds: 30 } as unknown as Context;
const member = (name: string) => ({ name, address: "192.168.57.11", connection: {} });

test("a bootstrap continues over a new connection", async () => {
  const cutOff = new CutOff();
  const inputs = { stack: "lab", members: [member("master-1")], rebootstrap: false } as unknown as BootstrapInputs;
  const { outputs } = await bootstrapResource(async () => cutOff.guest).create(inputs, false, context);
  assert.deepEqual([outputs.bootstrappedWith, outputs.clusterId], [["master-1"], "uid-1"]);
  assert.equal(cutOff.times("bootstrap-cluster first master-1=https://192.168.57.11:2380"), 2);
});

test("a node joins over a new connection", async () => {
  const [node, master] = [new CutOff(), new CutOff()];
  const inputs = {
    ...{ driver: "fake", stack: "lab", node: "worker-1", roles: ["worker"], connection: { address: "node" } },
    ...{ masters: [{ ...member("master-1"), connection: { address: "master" } }] },
  } as unknown as MembershipInputs;
  const connect = async ({ address }: { address: string }) => (address === "node" ? node : master).guest;
  const never = () => {
    throw new Error("no driver is asked");
  };
  const resource = membershipResource(connect as never, never as never);
  const { outputs } = await resource.create(inputs, false, context);
  assert.equal(outputs.clusterId, "uid-1");
  assert.deepEqual([node.times("cluster-status"), node.times("join-cluster")], [2, 2]);
  assert.equal(master.times("renew-token"), 2);
  const deleted = master.asked.filter((question) =>
    /^kubectl .*delete secret bootstrap-token-[a-z0-9]{6} /.test(question),
  );
  assert.equal(deleted.length, 2, "the token is deleted over a new connection, too");
});

test("files are read and written over a new connection", async () => {
  const cutOff = new CutOff();
  const file = { path: "/etc/a", mode: "0644", content: "a", reload: "" };
  const inputs = { node: "balancer-1", connection: {}, files: [file], generation: "g" } as unknown as NodeFilesInputs;
  await nodeFilesResource(async () => cutOff.guest).create(inputs, false, context);
  assert.deepEqual([cutOff.times("read"), cutOff.times("write"), cutOff.written], [2, 2, ["/etc/a"]]);
});

/** A guest that has the former file, so that a roll reloads it. */
function rolling(change: (guest: Guest) => Guest) {
  const cutOff = new CutOff();
  const former = { path: "/etc/a", mode: "0644", content: "former" };
  const readFiles = async () => {
    await cutOff.guest.readFiles([former.path]);
    return [former];
  };
  const guest = change({ ...cutOff.guest, readFiles });
  const file = { ...former, content: "new", reload: "reload" };
  const inputs = { node: "balancer-1", connection: {}, files: [file] } as unknown as NodeFilesInputs;
  return { cutOff, roll: () => rollFiles({ connect: async () => guest, isNew: false }, inputs, context) };
}

test("changed files are activated over a new connection", async () => {
  const { cutOff, roll } = rolling((guest) => guest);
  await roll();
  assert.equal(cutOff.times("sh -c reload"), 2);
});

test("former files come back over a new connection", async () => {
  let content = "former";
  const lost = new Set<string>();
  const { roll } = rolling((guest) => ({
    ...guest,
    async run(argv, options) {
      const result = await guest.run(argv, options);
      return argv[2] === "reload" && content === "new" ? { ...result, code: 1 } : result;
    },
    async writeFiles([file]) {
      const wanted = file?.content ?? "";
      if (!lost.has(wanted)) {
        lost.add(wanted);
        throw new UnreachableError("the connection was lost");
      }
      content = wanted;
    },
  }));
  await assert.rejects(roll(), /it has its former files again/);
  assert.deepEqual([[...lost], content], [["new", "former"], "former"]);
});
