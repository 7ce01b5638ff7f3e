// A push of an image from an archive over HTTPS. The real registry passes the same contract: test/nightly/real-registry.test.ts.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { test } from "node:test";
import { imageRegistry } from "../../guests/image-registry";
import { localHost } from "../../host/local-host";
import { pushImage } from "../../image/push/push-image";
import { readArchive } from "../../image/push/read-archive";
import { registryName } from "../../model/releases";
import { makeClusterKeys } from "../../provider/resources/cluster-keys";
import { serverKeys } from "../../provider/resources/server-keys";
import { FakeRegistry } from "../support/fake-registry";
import { dockerEntries, tarOf } from "../support/image-archives";
import { registryContract } from "./registry-contract";

registryContract("fake", (keys) => new FakeRegistry().start(keys));

test("a registry that is away for a moment is asked again, and gets only what it lacks", async (t) => {
  const keys = await makeClusterKeys();
  const own = await serverKeys(keys, { registry: [registryName] });
  const registry = new FakeRegistry();
  await registry.start({ certificate: own["registry.crt"] ?? "", key: own["registry.key"] ?? "" });
  t.after(() => registry.stop());
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-push-"));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const file = path.join(folder, "app.tar");
  fs.writeFileSync(file, await tarOf(dockerEntries([Buffer.from("one"), Buffer.from("two")], "app:1")));
  const client = imageRegistry({ port: registry.port, certificateAuthority: keys["kubernetes-ca.crt"] ?? "" });
  t.after(() => client.close());
  registry.cut.push("HEAD", "PATCH", "PUT /v2/app/manifests");
  const said: string[] = [];
  const host = { trees: localHost.trees, clock: { ...localHost.clock, sleep: async () => {} } };
  const image = await readArchive(host, file);
  const done = await pushImage(host, { file, image }, { repository: "app", tag: "1" }, client, {
    progress: ({ message }) => void said.push(message),
  });
  assert.equal(done.sent, 3);
  assert.equal(registry.cut.length, 0);
  assert.equal(said.filter((line) => /does not respond.*trying again/.test(line)).length, 3, said.join("\n"));
  const uploads = registry.requests.filter((line) => line.startsWith("PUT") && line.includes("digest="));
  assert.equal(uploads.length, 3, "no blob is sent twice");
});
