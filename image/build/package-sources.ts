import type { Host } from "../../model/host";
import { type Archive, archives } from "../recipes/archives";

/** Lines for apt: the release with its updates and security fixes, from the host's own mirror. */
export async function packageSources(host: Host, archive: Archive, suite: string): Promise<readonly string[]> {
  const { folder, components, securityFolder } = archive;
  const mirror = await mirrorFor(host, archive);
  const security = securityFolder ? mirror.replace(new RegExp(`/${folder}$`), `/${securityFolder}`) : mirror;
  return [
    `deb ${mirror} ${suite} ${components}`,
    `deb ${mirror} ${suite}-updates ${components}`,
    `deb ${security} ${suite}-security ${components}`,
  ];
}

export const debianMirror = (host: Host): Promise<string> => mirrorFor(host, archives.debian);

/** The mirror that the host itself uses when it is of the distribution, else the public one. */
async function mirrorFor(host: Host, { folder, mirror }: Archive): Promise<string> {
  return mirrorOf(await hostSources(host), folder) ?? mirror;
}

/** The first mirror of a main archive in apt's source files, one-line or deb822, by the last word of its address. */
export function mirrorOf(sources: string, folder = "debian"): string | undefined {
  const uris = sources
    .split("\n")
    .filter((line) => /^(deb |URIs:)/.test(line))
    .flatMap((line) => line.split(/\s+/));
  return uris.find((word) => new RegExp(`^https?://\\S+/${folder}/?$`).test(word))?.replace(/\/$/, "");
}

/** The host's own settings about fetching (proxies, retries, clocks), which its mirror may need. */
export async function aptFetchOptions({ run }: Host): Promise<readonly string[]> {
  const { stdout } = await run(["apt-config", "dump"]);
  return stdout.split("\n").filter((line) => /^Acquire::(http|https|Check|Retries|ForceIPv)\S* "[^"]+";$/i.test(line));
}

async function hostSources({ files }: Host): Promise<string> {
  const folder = "/etc/apt/sources.list.d";
  const lists = (await files.list(folder)).filter((name) => /\.(list|sources)$/.test(name));
  const all = ["/etc/apt/sources.list", ...lists.map((name) => `${folder}/${name}`)];
  return (await Promise.all(all.map((file) => files.readText(file)))).join("\n");
}
