import { fixed, type KeyChange, newStack } from "./key-changes";
import { kubernetesVersions } from "./releases";
import { isAtLeast, parseVersion, type Version } from "./versions";

/** `undefined` where one of them is absent or no version. */
function between<T>(
  before: string | undefined,
  after: string | undefined,
  judge: (before: Version, after: Version) => T,
): T | undefined {
  const [old, now] = [before, after].map((version) => parseVersion(version ?? ""));
  return old === undefined || now === undefined ? undefined : judge(old, now);
}

const isOlder = (before: Version, after: Version): boolean => !isAtLeast(after, before);

const skips = ([oldMajor, oldMinor = 0]: Version, [major, minor = 0]: Version): boolean =>
  major !== oldMajor || minor - oldMinor > 1;

/** Whether what a cluster of one version wrote is read by the other: it is the same, or newer by at most a minor version. */
export const followsRelease = (before: string, after: string): boolean =>
  between(before, after, (old, now) => !isOlder(old, now) && !skips(old, now)) ?? false;

/** The newest release of the next minor version. */
const releaseAfter = (before: string | undefined): string | undefined =>
  kubernetesVersions.find(
    (version) => between(before, version, (old, now) => now[1] !== old[1]) && followsRelease(before ?? "", version),
  );

/** The newest release that a running stack can move to. */
export const newestAfter = (before: string): string | undefined =>
  kubernetesVersions.find((version) => version !== before && followsRelease(before, version));

const rule = "a running stack moves to the same or the next minor version, and never back.";

/** Another release for a running stack. Whether all of its nodes can follow is another question, see upgrades.ts. */
export const anotherRelease = {
  class: "rolling",
  effect:
    "Nodes get the image of the release one after the other, the control plane first; add-ons follow the last node.",
  inFiles: "kubernetesVersion",
  cases: [
    {
      ...{ when: "older", holds: (before, after) => between(before, after, isOlder) ?? false },
      ...fixed(
        "Kubernetes and etcd have no downgrade: an older release cannot read what a newer one wrote. An upgrade that was " +
          "interrupted goes on with the newer release.",
        newStack,
      ),
      rule,
    },
    {
      ...{ when: "skips a minor version", holds: (before, after) => between(before, after, skips) ?? false },
      ...fixed("Kubernetes is upgraded from one minor version to the next, without skipping any.", newStack),
      rule,
      effectOf: (before) => {
        const next = releaseAfter(before);
        if (next === undefined) return undefined;
        return `Kubernetes is upgraded from one minor version to the next, without skipping any: the next one is ${next}.`;
      },
    },
  ],
} satisfies KeyChange;
