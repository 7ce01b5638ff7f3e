import * as fs from "node:fs/promises";
import * as path from "node:path";
import { after } from "node:test";
import { localHost } from "../../host/local-host";
import { diskDataFolder } from "../../hypervisors/nspawn/disks";
import { createNspawnDriver } from "../../hypervisors/nspawn/driver";
import { machineFiles } from "../../hypervisors/nspawn/folders";
import { makeNspawnHost, nspawnSkipReason, tracesOf } from "../support/nspawn-host";
import { hypervisorContract } from "./hypervisor-contract";

const skip = nspawnSkipReason();
const host = skip ? undefined : makeNspawnHost();
after(() => host?.remove());

hypervisorContract("nspawn", {
  create: () => createNspawnDriver(localHost),
  inOtherProcess: {
    file: require.resolve("../../hypervisors/nspawn/driver"),
    expression: "createNspawnDriver(localHost)",
  },
  image: async () => host?.image("infrastructure") ?? "",
  absentImage: "infrastructure-000000000000",
  otherImage: async () => host?.copyOfImage("infrastructure", "infrastructure-ffffffffffff") ?? "",
  systemFile: (stack, name) => {
    const file = path.join(machineFiles(localHost, { stack, name }).upper, "of-the-guest");
    return {
      write: (text) => fs.writeFile(file, text),
      read: () => fs.readFile(file, "utf8").catch(() => undefined),
    };
  },
  traces: (stacks) => tracesOf(host?.data ?? "", stacks),
  diskFile: (stack, name) => {
    const file = path.join(diskDataFolder(localHost, { stack, name }), "kept");
    return {
      write: (text) => fs.writeFile(file, text),
      read: () => fs.readFile(file, "utf8").catch(() => undefined),
    };
  },
  skip,
});
