import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { inputOfSlowdown } from "../../../../components/guest-connection";
import type { Guest } from "../../../../guests/guest";
import type { NodeFilesInputs } from "../../../../model/resource-types";
import { clusterObjectsResource } from "../../../../provider/resources/cluster-objects";
import { nodeFilesResource } from "../../../../provider/resources/node-files";
import type { Context } from "../../../../provider/rpc/resource-handler";

const context = { signal: new AbortController().signal, log: () => {} } as unknown as Context;
const guest = { readFiles: async () => [] } as unknown as Guest;

/** Reads of the resources whose state is only known by asking. */
const reads: Readonly<Record<string, (connection: object) => Promise<unknown> | undefined>> = {
  "files of a node": (connection) => {
    const inputs = { node: "worker-1", connection, files: [], generation: "1" } as unknown as NodeFilesInputs;
    return nodeFilesResource(async () => guest).read?.("files/worker-1", { inputs, outputs: inputs }, context);
  },
  "objects of the cluster": (connection) => {
    const server = { server: "https://127.0.0.1:1", ...connection };
    const inputs = { connection: server, objects: {}, initial: {} };
    return clusterObjectsResource().read?.("objects", { inputs, outputs: inputs } as never, context);
  },
};

for (const [what, read] of Object.entries(reads))
  test(`a slower node has more time for a read of the ${what}, so that it shows no change that does not exist`, async () => {
    const limitOf = async (slowdown: number): Promise<unknown> => {
      const timeout = mock.method(AbortSignal, "timeout", () => new AbortController().signal);
      try {
        await read(inputOfSlowdown(slowdown))?.catch(() => {});
        return timeout.mock.calls[0]?.arguments[0];
      } finally {
        timeout.mock.restore();
      }
    };
    const native = Number(await limitOf(1));
    assert.ok(native > 0);
    assert.equal(await limitOf(12), 12 * native);
  });
