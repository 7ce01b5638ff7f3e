import { after } from "node:test";
import { localHost } from "../../host/local-host";
import { createQemuDriver } from "../../hypervisors/qemu/driver";
import { hypervisorContract } from "../contract/hypervisor-contract";
import { makeQemuHost, qemuSkipReason, qemuTracesOf } from "../support/qemu-host";

qemuSkipReason().then((skip) => {
  const host = skip ? undefined : makeQemuHost();
  after(() => host?.remove());
  hypervisorContract("qemu", {
    create: () => createQemuDriver(localHost),
    inOtherProcess: {
      file: require.resolve("../../hypervisors/qemu/driver"),
      expression: "createQemuDriver(localHost)",
    },
    image: async () => host?.image ?? "",
    absentImage: "boot-sector-0",
    traces: (stacks) => qemuTracesOf(host?.data ?? "", stacks),
    skip,
  });
});
