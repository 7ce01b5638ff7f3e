import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as https from "node:https";
import * as os from "node:os";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { imageRegistry } from "../../guests/image-registry";
import { localHost } from "../../host/local-host";
import { pushImage } from "../../image/push/push-image";
import { readArchive } from "../../image/push/read-archive";
import type { ImageTarget } from "../../model/image-registry";
import { registryName } from "../../model/releases";
import { makeClusterKeys } from "../../provider/resources/cluster-keys";
import { serverKeys } from "../../provider/resources/server-keys";
import type { RegistryUnderTest, ServerKeys } from "../support/fake-registry";
import { digestOf, dockerEntries, layoutEntries, tarOf } from "../support/image-archives";

/** What a push does with a registry on loopback: the real one, and the one that tests use in its place. */
export function registryContract(name: string, start: (keys: ServerKeys) => Promise<RegistryUnderTest>): void {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-push-"));
  const target: ImageTarget = { repository: "team/app", tag: "1" };
  let registry: RegistryUnderTest;
  let [authority, foreign] = ["", ""];

  before(async () => {
    const [own, other] = [await makeClusterKeys(), await makeClusterKeys()];
    const made = await serverKeys(own, { registry: [registryName, "127.0.0.1", "localhost"] });
    [authority, foreign] = [own["kubernetes-ca.crt"] ?? "", other["kubernetes-ca.crt"] ?? ""];
    registry = await start({ certificate: made["registry.crt"] ?? "", key: made["registry.key"] ?? "" });
  });
  after(async () => {
    await registry?.stop();
    fs.rmSync(folder, { recursive: true });
  });

  const connect = (certificateAuthority = authority) => imageRegistry({ port: registry.port, certificateAuthority });
  const write = async (file: string, entries: Parameters<typeof tarOf>[0]): Promise<string> => {
    const at = path.join(folder, file);
    fs.writeFileSync(at, await tarOf(entries));
    return at;
  };
  const push = async (file: string, to = target, certificateAuthority = authority) => {
    const client = connect(certificateAuthority);
    const image = await readArchive(localHost, file);
    return pushImage(localHost, { file, image }, to, client).finally(() => client.close());
  };
  const get = (at: string): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const headers = { accept: "application/vnd.oci.image.manifest.v1+json" };
      const options = { host: "127.0.0.1", port: registry.port, path: at, ca: authority, headers };
      https
        .get(options, (answer) => {
          const parts: Buffer[] = [];
          answer.on("data", (part: Buffer) => parts.push(part)).on("end", () => resolve(Buffer.concat(parts)));
        })
        .on("error", reject);
    });

  test(`${name}: a large image arrives in chunks, and a second push sends nothing`, async () => {
    const layer = randomBytes(20 * 2 ** 20 + 1);
    const file = await write("large.tar", dockerEntries([layer, Buffer.from("small"), layer], "app:1"));
    const first = await push(file);
    assert.deepEqual([first.sent, first.isPresent], [3, false]);
    const manifest = await get("/v2/team/app/manifests/1");
    assert.equal(digestOf(manifest), first.digest);
    assert.ok((await get(`/v2/team/app/blobs/${digestOf(layer)}`)).equals(layer));
    assert.deepEqual(await push(file), { digest: first.digest, sent: 0, isPresent: true });
    const elsewhere = await push(file, { ...target, tag: "2" });
    assert.deepEqual(elsewhere, { digest: first.digest, sent: 0, isPresent: false }, "its blobs are there");
  });

  test(`${name}: an OCI layout keeps its digest`, async () => {
    const file = await write("layout.tar", layoutEntries([Buffer.from("one"), Buffer.from("two")]));
    const { digest, sent } = await push(file, { repository: "layout", tag: "1" });
    assert.equal(sent, 3);
    assert.equal(digestOf(await get("/v2/layout/manifests/1")), digest);
  });

  test(`${name}: what does not have the digest that was announced is refused`, async () => {
    const client = connect();
    const [sent, announced] = [Buffer.from("sent"), digestOf(Buffer.from("announced"))];
    const chunks = (async function* () {
      yield sent;
    })();
    await assert.rejects(client.upload("team/app", announced, chunks), {
      ...{ id: "registry-refused", message: /DIGEST_INVALID/ },
    });
    assert.equal(await client.hasBlob("team/app", announced), false);
    client.close();
  });

  test(`${name}: a certificate of another authority is refused before anything is sent`, async () => {
    const file = await write("foreign.tar", dockerEntries([Buffer.from("secret")], "app:1"));
    const to = { repository: "foreign", tag: "1" };
    await assert.rejects(push(file, to, foreign), { id: "registry-certificate" });
    const client = connect();
    assert.equal(await client.manifestDigest("foreign", "1"), undefined);
    client.close();
  });
}
