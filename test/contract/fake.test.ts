import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after } from "node:test";
import { localHost } from "../../host/local-host";
import { createFakeDriver } from "../../hypervisors/fake/fake-driver";
import { machineFolder } from "../../hypervisors/fake/fake-store";
import { entriesBelow } from "../support/folder-contents";
import { hypervisorContract } from "./hypervisor-contract";

const data = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-test-"));
process.env.GROUNDPLANE_DATA = data; // inherited by the processes that the suite kills
after(() => fs.rmSync(data, { recursive: true, force: true }));

hypervisorContract("fake", {
  create: () => createFakeDriver(localHost),
  inOtherProcess: {
    file: require.resolve("../../hypervisors/fake/fake-driver"),
    expression: "createFakeDriver(localHost)",
  },
  image: async () => "infrastructure-1",
  absentImage: "absent-1",
  otherImage: async () => "infrastructure-2",
  systemFile: (stack, machine) => {
    const file = path.join(machineFolder(localHost, { stack, name: machine }), "node.json");
    return {
      write: (text) => localHost.files.writeAtomic(file, text),
      read: () => localHost.files.readText(file),
    };
  },
  traces: async (stacks) =>
    entriesBelow(data).filter((file) => stacks.some((stack) => file.split(path.sep).includes(stack))),
});
