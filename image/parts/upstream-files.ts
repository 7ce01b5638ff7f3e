import type { ProgramsName, ProgramsRecipe } from "../recipes/recipe";

/** Where projects publish what they build. Overridable, for mirrors and tests; without a slash at the end. */
export interface UpstreamAddresses {
  readonly kubernetes: string;
  readonly github: string;
  readonly githubApi: string;
  readonly registry: string;
}

export const publicAddresses: UpstreamAddresses = {
  kubernetes: "https://dl.k8s.io/release",
  github: "https://github.com",
  githubApi: "https://api.github.com",
  registry: "https://registry.k8s.io",
};

/** How a project says what a file's sha256 is. */
export type PublishedChecksum =
  /** A file that begins with the checksum, or has a line `<checksum>  <name>`. */
  | { readonly kind: "file"; readonly url: string }
  /** The release's description by GitHub, which lists each file with its digest. */
  | { readonly kind: "release"; readonly url: string };

export interface UpstreamFile {
  readonly url: string;
  /** The name that checksums and releases call it by. */
  readonly name: string;
  readonly checksum: PublishedChecksum;
  /** Programs in it: member of the archive to program. Absent: the file is the only program itself. */
  readonly members?: Readonly<Record<string, string>>;
  /** The program it is, when it is no archive. */
  readonly program?: string;
}

/**
 * Whether its project publishes the part in a form that can be used. Some publish for one registry of images only, two
 * parts are built with changes, and the releases of the container runtime have no checksum that is pinned here yet.
 */
const isPublishedBy: Readonly<Record<ProgramsName, boolean>> = {
  kubernetes: true,
  etcd: true,
  etcdutl: true,
  coredns: true,
  containerd: false,
  runc: false,
  crictl: false,
  "cri-dockerd": true,
  flannel: true,
  "kube-network-policies": false,
  "local-path-provisioner": false,
  "metrics-server": false,
  metallb: false,
  registry: false,
  pause: true,
};
export const isPublished = ({ name }: ProgramsRecipe): boolean => isPublishedBy[name];

/** The files a part is made from; none for a part that is published as a container image only. */
export function upstreamFiles(
  { name, version, programs }: ProgramsRecipe,
  at: UpstreamAddresses,
): readonly UpstreamFile[] {
  switch (name) {
    case "kubernetes":
      return programs.map((program) => {
        const url = `${at.kubernetes}/v${version}/bin/linux/amd64/${program}`;
        return { url, name: program, program, checksum: { kind: "file", url: `${url}.sha256` } };
      });
    case "etcd":
    case "etcdutl": {
      const release = `${at.github}/etcd-io/etcd/releases/download/v${version}`;
      const folder = `etcd-v${version}-linux-amd64`;
      const members = Object.fromEntries(programs.map((program) => [`${folder}/${program}`, program]));
      return [archive(release, `${folder}.tar.gz`, { kind: "file", url: `${release}/SHA256SUMS` }, members)];
    }
    case "coredns": {
      const release = `${at.github}/coredns/coredns/releases/download/v${version}`;
      const file = `coredns_${version}_linux_amd64.tgz`;
      return [archive(release, file, { kind: "file", url: `${release}/${file}.sha256` }, { coredns: "coredns" })];
    }
    case "flannel": {
      const file = "flanneld-amd64";
      const url = `${at.github}/flannel-io/flannel/releases/download/v${version}/${file}`;
      const release = `${at.githubApi}/repos/flannel-io/flannel/releases/tags/v${version}`;
      return [{ url, name: file, program: "flanneld", checksum: { kind: "release", url: release } }];
    }
    case "cri-dockerd": {
      const release = `${at.github}/Mirantis/cri-dockerd/releases/download/v${version}`;
      const checksum = {
        kind: "release",
        url: `${at.githubApi}/repos/Mirantis/cri-dockerd/releases/tags/v${version}`,
      } as const;
      return [
        archive(release, `cri-dockerd-${version}.amd64.tgz`, checksum, { "cri-dockerd/cri-dockerd": "cri-dockerd" }),
      ];
    }
    case "containerd":
    case "runc":
    case "crictl":
    case "kube-network-policies":
    case "local-path-provisioner":
    case "metrics-server":
    case "metallb":
    case "registry":
    case "pause":
      return [];
  }
}

function archive(
  release: string,
  name: string,
  checksum: PublishedChecksum,
  members: Readonly<Record<string, string>>,
): UpstreamFile {
  return { url: `${release}/${name}`, name, checksum, members };
}

/** @returns the sha256 that a published text gives for a file, lower case hex; undefined when it gives none */
export function checksumIn(text: string, kind: PublishedChecksum["kind"], name: string): string | undefined {
  return kind === "release" ? digestInRelease(text, name) : digestInList(text, name);
}

function digestInList(text: string, name: string): string | undefined {
  const lines = text.split("\n").map((line) => line.trim().split(/\s+\*?/));
  const named = lines.find(([, file]) => file === name || file?.endsWith(`/${name}`));
  const alone = lines.find(([digest, file]) => digest !== undefined && digest !== "" && file === undefined);
  return asSha256((named ?? alone)?.[0]);
}

function digestInRelease(text: string, name: string): string | undefined {
  const { assets = [] } = JSON.parse(text) as { assets?: readonly { name: string; digest?: string | null }[] };
  return asSha256(assets.find((asset) => asset.name === name)?.digest?.replace(/^sha256:/, ""));
}

function asSha256(text: string | undefined): string | undefined {
  return text && /^[0-9a-f]{64}$/i.test(text) ? text.toLowerCase() : undefined;
}
