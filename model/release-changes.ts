import { fixed, type KeyChange, newStack, type Values } from "./key-changes";
import { isAtLeast, parseVersion } from "./versions";

/** Another release for a running stack. */
export const anotherRelease = {
  ...fixed("Running nodes cannot be upgraded to another release yet.", newStack),
  inFiles: "kubernetesVersion",
  effectOf: (...values: Values) => {
    const [before, after] = values.map((version) => parseVersion(version ?? ""));
    if (before === undefined || after === undefined) return undefined;
    if (!isAtLeast(after, before))
      return "Kubernetes and etcd have no downgrade: an older release cannot read what a newer one wrote.";
    const [[oldMajor, oldMinor = 0], [major, minor = 0]] = [before, after];
    if (major === oldMajor && minor - oldMinor <= 1) return undefined;
    return "Kubernetes is upgraded from one minor version to the next, without skipping any, and running nodes cannot be upgraded yet.";
  },
} satisfies KeyChange;
