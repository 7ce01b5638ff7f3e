/**
 * Records the digests of everything that is downloaded ready to run, as its projects publish them today: run
 * `npx tsx test/support/record-digests.ts` on a machine that reaches their servers, and compare them with another origin
 * before the commit. From then on, a server cannot change a file and its checksum together.
 */
import { createHash } from "node:crypto";
import * as path from "node:path";
import { localHost } from "../../host/local-host";
import { manifestDigest } from "../../image/parts/registry-image";
import { isPublished, publicAddresses, upstreamFiles } from "../../image/parts/upstream-files";
import { imageKey, imageOf, publishedDigest } from "../../image/parts/upstream-source";
import { kubernetesRecipe } from "../../image/recipes/kubernetes";
import { downloadKey, pinnedDigests } from "../../model/pinned-downloads";
import { kubernetesVersions } from "../../model/releases";
import { publishedChecksums } from "../../toolchain/download-pulumi";
import { COMMAND_PLUGIN_VERSION, PULUMI_VERSION } from "../../toolchain/pulumi-tool";

async function record(): Promise<void> {
  const digests: Record<string, string> = {};
  for (const [key, digest] of Object.entries(pinnedDigests)) if (key.startsWith("go ")) digests[key] = digest;
  for (const platform of ["linux-amd64", "linux-arm64", "darwin-amd64", "darwin-arm64", "windows-amd64"]) {
    const file = `pulumi-resource-command-v${COMMAND_PLUGIN_VERSION}-${platform}.tar.gz`;
    const answer = await fetch(`https://get.pulumi.com/releases/plugins/${file}`);
    if (!answer.ok) throw new Error(`${file}: ${answer.status}`);
    const content = Buffer.from(await answer.arrayBuffer());
    const key = downloadKey("pulumi-resource-command", COMMAND_PLUGIN_VERSION, platform);
    digests[key] = createHash("sha256").update(content).digest("hex");
  }
  for (const recipe of kubernetesVersions
    .flatMap((version) => kubernetesRecipe(version, "docker").parts)
    .filter(isPublished)) {
    const files = upstreamFiles(recipe, publicAddresses);
    for (const file of files)
      digests[downloadKey(recipe.name, recipe.version, file.name)] = await publishedDigest(localHost, file, {});
    if (files.length === 0)
      digests[downloadKey(recipe.name, recipe.version, imageKey)] = await manifestDigest(
        localHost,
        imageOf(recipe, publicAddresses),
        {},
      );
  }
  for (const line of (await publishedChecksums()).split("\n")) {
    const [digest, file] = line.trim().split(/\s+/);
    if (digest && file && /^pulumi-v/.test(file)) digests[downloadKey("pulumi", PULUMI_VERSION, file)] = digest;
  }
  const sorted = Object.fromEntries(Object.entries(digests).sort(([a], [b]) => (a < b ? -1 : 1)));
  const file = path.join(__dirname, "..", "..", "model", "pinned-downloads.json");
  await localHost.files.writeAtomic(file, `${JSON.stringify(sorted, null, 2)}\n`);
}

void record();
