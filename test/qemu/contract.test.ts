import { after } from "node:test";
import { createQemuDriver } from "../../provider/drivers/qemu/driver";
import { hypervisorContract } from "../contract/hypervisor-contract";
import { makeQemuHost, qemuSkipReason, qemuTracesOf } from "../support/qemu-host";

qemuSkipReason().then((skip) => {
  const host = skip ? undefined : makeQemuHost();
  after(() => host?.remove());
  hypervisorContract("qemu", {
    create: createQemuDriver,
    inOtherProcess: {
      file: require.resolve("../../provider/drivers/qemu/driver"),
      expression: "createQemuDriver()",
    },
    image: async () => host?.image ?? "",
    absentImage: "boot-sector-0",
    traces: (stacks) => qemuTracesOf(host?.data ?? "", stacks),
    skip,
  });
});
