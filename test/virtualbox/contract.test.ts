import { localHost } from "../../host/local-host";
import { createVirtualBoxDriver } from "../../hypervisors/virtualbox/driver";
import { hypervisorContract } from "../contract/hypervisor-contract";
import { onVirtualbox } from "../support/on-virtualbox";

const image = "infrastructure-0123456789ab";

onVirtualbox("the contract on the real VBoxManage", (host) => {
  host.addImage(image);
  hypervisorContract("virtualbox", {
    create: () => createVirtualBoxDriver(localHost),
    inOtherProcess: {
      file: require.resolve("../../hypervisors/virtualbox/driver"),
      expression: "createVirtualBoxDriver(localHost)",
    },
    image: async () => image,
    absentImage: "infrastructure-000000000000",
    traces: host.traces,
    // The tests' machines start without the kernel driver.
    knownProblems: ["hardware-virtualisation", "kernel-module"],
  });
});
