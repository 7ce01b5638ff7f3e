import { listFolder, readIfPresent } from "../../host/file-store";
import { runCommand } from "../../host/run-command";
import { type Archive, archives } from "../recipes/archives";

/** Lines for apt: the release with its updates and security fixes, from the host's own mirror. */
export async function packageSources(archive: Archive, suite: string): Promise<readonly string[]> {
  const { folder, components, securityFolder } = archive;
  const mirror = await mirrorFor(archive);
  const security = securityFolder ? mirror.replace(new RegExp(`/${folder}$`), `/${securityFolder}`) : mirror;
  return [
    `deb ${mirror} ${suite} ${components}`,
    `deb ${mirror} ${suite}-updates ${components}`,
    `deb ${security} ${suite}-security ${components}`,
  ];
}

export const debianMirror = (): Promise<string> => mirrorFor(archives.debian);

/** The mirror that the host itself uses when it is of the distribution, else the public one. */
async function mirrorFor({ folder, mirror }: Archive): Promise<string> {
  return mirrorOf(await hostSources(), folder) ?? mirror;
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
export async function aptFetchOptions(): Promise<readonly string[]> {
  const { stdout } = await runCommand(["apt-config", "dump"]);
  return stdout.split("\n").filter((line) => /^Acquire::(http|https|Check|Retries|ForceIPv)\S* "[^"]+";$/i.test(line));
}

async function hostSources(): Promise<string> {
  const folder = "/etc/apt/sources.list.d";
  const names = (await listFolder(folder)).filter((name) => /\.(list|sources)$/.test(name));
  const files = ["/etc/apt/sources.list", ...names.map((name) => `${folder}/${name}`)];
  return (await Promise.all(files.map((file) => readIfPresent(file)))).join("\n");
}
