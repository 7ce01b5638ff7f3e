import { after, describe, test } from "node:test";
import { makeVirtualboxHost, type VirtualboxHost } from "./virtualbox-host";
import { obtainVirtualboxRoot } from "./virtualbox-root";

/** Registers tests on a private VirtualBox, or a single test that is skipped with the reason. */
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
