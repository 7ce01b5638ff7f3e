import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { test } from "node:test";
import * as x509 from "@peculiar/x509";
import { script } from "../../../../cloud-init/scripts/read-script";
import type { Guest } from "../../../../guests/guest";
import { guestCommand, guestPaths } from "../../../../model/guest-paths";
import { renewalDays } from "../../../../model/health-check";
import type { NodeFilesInputs } from "../../../../model/resource-types";
import { nodeFilesResource } from "../../../../provider/resources/node-files";
import { renewedCertificates } from "../../../../provider/resources/overdue-certificates";
import type { Context } from "../../../../provider/rpc/resource-handler";

const DAY_MS = 86_400_000;
const etcdServer = `${guestPaths.etcdPki}/server.crt`;

async function certificateFor(days: number): Promise<string> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const notAfter = new Date(Date.now() + days * DAY_MS);
  const options = { name: "CN=etcd", notBefore: new Date(0), notAfter, signingAlgorithm: algorithm, keys };
  return (await x509.X509CertificateGenerator.createSelfSigned(options, webcrypto as never)).toString("pem");
}

/** A node with a command that succeeds or not, and what was done there. */
function nodeWith(content: string, code = 0) {
  const done: string[] = [];
  const guest = {
    run: async ([program = "", ...args]: readonly string[]) => {
      if (!/node-ready/.test(program)) done.push([program, ...args].join(" "));
      return { code: /renew/.test(program) ? code : 0, stdout: "", stderr: "no authority" };
    },
    readFiles: async (paths: readonly string[]) =>
      paths.map((path) =>
        path.endsWith(".crt")
          ? path === etcdServer
            ? { path, mode: "0644", content }
            : undefined
          : { path, mode: "0755", content: "text" },
      ),
    writeFiles: async () => undefined,
  } as unknown as Guest;
  const log = (_severity: string, message: string, ephemeral?: boolean) => {
    if (!ephemeral) done.push(message);
  };
  const context = { signal: new AbortController().signal, log, timeoutSeconds: 6 } as unknown as Context;
  return { done, context, files: nodeFilesResource(async () => guest) };
}

const inputsOf = (...paths: readonly string[]): NodeFilesInputs =>
  ({
    ...{ node: "master-1", connection: {}, generation: "g" },
    files: paths.map((path) => ({ path, mode: "0755", content: "text", reload: "" })),
  }) as unknown as NodeFilesInputs;
const master = inputsOf(guestCommand("renew-certificates"));

const seenBy = async (node: ReturnType<typeof nodeWith>, inputs = master) =>
  (await node.files.read?.("files", { inputs, outputs: inputs }, node.context)) ?? assert.fail("no state");

test("a certificate that its timer has not renewed is a difference, and up renews it", async () => {
  const node = nodeWith(await certificateFor(renewalDays - 2));
  const seen = await seenBy(node);
  assert.deepEqual(seen.inputs, { ...master, overdue: [etcdServer] });
  await node.files.update("files", master, seen, true, node.context);
  assert.deepEqual(node.done, [`master-1 renews its certificates: ${etcdServer} should have been renewed already`]);
  node.done.length = 0;
  const outputs = await node.files.update("files", master, seen, false, node.context);
  assert.deepEqual([node.done, outputs], [[guestCommand("renew-certificates")], { node: "master-1", generation: "g" }]);
});

test("a certificate that is renewed in time, one that cannot be read, and a node that renews none are no difference", async () => {
  for (const content of [
    await certificateFor(renewalDays + 1),
    await certificateFor(renewalDays - 0.5),
    "no certificate",
  ])
    assert.deepEqual((await seenBy(nodeWith(content), { ...master, overdue: [etcdServer] })).inputs, master);
  const worker = inputsOf(guestCommand("node-ready"));
  assert.deepEqual((await seenBy(nodeWith(await certificateFor(1)), worker)).inputs, worker);
});

test("what is read are the certificates that masters and machines of etcd renew", () => {
  const renewedBy = (command: string, etcd: RegExp): readonly string[] => {
    const text = script(command);
    const names = (pattern: RegExp) => pattern.exec(text)?.[1]?.split(/[ ,]/) ?? assert.fail(`${command}: ${pattern}`);
    return names(etcd).map((name) => `${guestPaths.etcdPki}/${name}.crt`);
  };
  const others = /"\$pki"\/\{([a-z,-]+)\}\.crt/.exec(script("kubernetes/renew-certificates"))?.[1]?.split(",") ?? [];
  const ofEtcd = renewedBy("kubernetes/renew-certificates", /"\$pki"\/etcd\/\{([a-z,-]+)\}\.crt/);
  assert.deepEqual(renewedBy("etcd/renew-certificates", /for name in ([a-z -]+); do/), ofEtcd);
  assert.deepEqual(renewedCertificates(master), [...others.map((name) => `${guestPaths.pki}/${name}.crt`), ...ofEtcd]);
});

test("a renewal that fails ends the roll with its reason", async () => {
  const node = nodeWith(await certificateFor(-1), 1);
  const renewed = node.files.update("files", master, await seenBy(node), false, node.context);
  await assert.rejects(Promise.resolve(renewed), /master-1 could not renew its certificates: no authority/);
});
