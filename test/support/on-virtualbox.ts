import { after, describe, test } from "node:test";
import { makeVirtualboxHost, type VirtualboxHost } from "./virtualbox-host";
import { obtainVirtualboxRoot } from "./virtualbox-root";

/** Registers tests on a VirtualBox of their own, or in their place one that is skipped and says why. */
export function onVirtualbox(name: string, register: (host: VirtualboxHost) => void): void {
  obtainVirtualboxRoot().then(
    (root) => {
      if (typeof root === "string") return test(name, { skip: root }, () => {});
      const host = makeVirtualboxHost(root);
      after(() => host.close());
      return describe(name, () => register(host));
    },
    (error) => test(name, () => Promise.reject(error)),
  );
}
