import { after } from "node:test";
import { localHost } from "../../host/local-host";
import { createQemuDriver } from "../../hypervisors/qemu/driver";
import { hypervisorContract } from "../contract/hypervisor-contract";
import { qemuGuestDisk } from "../support/qemu-guest-disk";
import { makeQemuHost, qemuSkipReason, qemuTracesOf, sealDiskImage } from "../support/qemu-host";

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
    otherImage: async () => sealDiskImage("boot-sector-2", Buffer.concat([qemuGuestDisk(), Buffer.alloc(1 << 20)])),
    traces: (stacks) => qemuTracesOf(host?.data ?? "", stacks),
    skip,
  });
});
