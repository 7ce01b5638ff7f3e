import type { DistributionName } from "../../model/distributions";

/** Where a distribution's packages come from, and the keys that verify them. */
export interface Archive {
  /** For messages. */
  readonly title: string;
  /** Used where the host has no mirror configured. */
  readonly mirror: string;
  /** Last word of a mirror's address, which identifies it among those of the host. */
  readonly folder: string;
  readonly components: string;
  /** Folder beside `folder` with security fixes; absent where both are in one folder. */
  readonly securityFolder?: string;
  /** The distribution's keys: a file of the host, or of image/. */
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
    // Not packaged by Debian: the archive's key of 2018, F6ECB3762474EDA9D21B7022871920D1991BC93C.
    keyring: "keys/ubuntu-archive-2018.asc",
  },
};
