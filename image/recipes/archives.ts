import type { DistributionName } from "../../model/distributions";

/** Where a distribution's packages come from, and by which keys they are known. */
export interface Archive {
  /** For people. */
  readonly title: string;
  /** Used where the host itself names no mirror. */
  readonly mirror: string;
  /** Last word of a mirror's address, by which it is found among the host's own. */
  readonly folder: string;
  readonly components: string;
  /** Folder beside `folder` with security fixes; absent where they lie in the same one. */
  readonly securityFolder?: string;
  /** The distribution's own keys, also where the host is another one: a file of the host, or of image/. */
  readonly keyring: string;
}

export const archives: Readonly<Record<DistributionName, Archive>> = {
  debian: {
    title: "Debian",
    mirror: "http://deb.debian.org/debian",
    folder: "debian",
    components: "main",
    securityFolder: "debian-security",
    keyring: "/usr/share/keyrings/debian-archive-keyring.gpg",
  },
  ubuntu: {
    title: "Ubuntu",
    mirror: "http://archive.ubuntu.com/ubuntu",
    folder: "ubuntu",
    components: "main universe",
    // Debian has no package with them: the archive's key of 2018, F6ECB3762474EDA9D21B7022871920D1991BC93C.
    keyring: "keys/ubuntu-archive-2018.asc",
  },
};
