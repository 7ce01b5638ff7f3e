import { listFolder, readIfPresent } from "../../provider/host/file-store";
import { runCommand } from "../../provider/host/run-command";

const PUBLIC_MIRROR = "http://deb.debian.org/debian";
/** Debian's own keys, also where the host is another distribution. */
export const DEBIAN_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** Lines for apt: the release with its updates and security fixes, from the host's own mirror. */
export async function debianSources(suite: string): Promise<readonly string[]> {
  const mirror = await debianMirror();
  const security = mirror.replace(/\/debian\/?$/, "/debian-security");
  return [
    `deb ${mirror} ${suite} main`,
    `deb ${mirror} ${suite}-updates main`,
    ...(security === mirror ? [] : [`deb ${security} ${suite}-security main`]),
  ];
}

/** The mirror of Debian's main archive that the host itself uses when it is a Debian, else the public one. */
export async function debianMirror(): Promise<string> {
  return mirrorOf(await hostSources()) ?? PUBLIC_MIRROR;
}

/** The first mirror of Debian's main archive in apt's source files, one-line or deb822. */
export function mirrorOf(sources: string): string | undefined {
  const uris = sources
    .split("\n")
    .filter((line) => /^(deb |URIs:)/.test(line))
    .flatMap((line) => line.split(/\s+/));
  return uris.find((word) => /^https?:\/\/\S+\/debian\/?$/.test(word))?.replace(/\/$/, "");
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
