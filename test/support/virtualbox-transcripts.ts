import * as path from "node:path";
import type { VirtualboxHost } from "./virtualbox-host";

const OURS = "6f1d3c1e-0000-4000-8000-0000000000";
const IMAGE = `${OURS}a0`;
const NODE = `${OURS}b0`;
const SPARE = `${OURS}b1`;

/** Output of VBoxManage that is hard to parse, by the name of its transcript. */
export async function recordTranscripts({ data, manage, addImage }: VirtualboxHost): Promise<Record<string, string>> {
  const said: Record<string, string> = {};
  const drawn = new Map<string, string>();
  // Replaces host-specific and random values, so that they are the same in every recording.
  const keep = (name: string, text: string) => {
    said[name] = text
      .replaceAll(path.dirname(data), "/host")
      .replace(/\b20\d\d-\d\d-\d\dT[\d:.]+Z?/g, "2026-01-01T00:00:00.000000000")
      .replace(/(?<=macaddress2=")[0-9A-F]{12}/, "080027000002")
      // The BIOS changes it some time after the start.
      .replace(/(?<=^VideoMode=).*/m, '"720,400,0"@0,0 1')
      .replace(/(?<=^Operating system version: ).*/m, "6.1.0")
      .replace(/(?<=^Memory (?:size|available): )\d+/gm, "16384")
      .replace(/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, (uuid) => {
        if (uuid.startsWith(OURS)) return uuid;
        if (!drawn.has(uuid)) drawn.set(uuid, `${OURS}d${drawn.size}`);
        return drawn.get(uuid) as string;
      });
  };
  const disk = (name: string) => path.join(data, `${name}.vdi`);
  addImage("transcript-1");
  keep("version", await manage("--version"));
  await manage("convertfromraw", path.join(data, "images/transcript-1/disk.raw"), disk("image"), "--uuid", IMAGE);
  await manage(
    "createvm",
    "--name",
    'with "quotes"',
    "--ostype",
    "Linux_64",
    "--basefolder",
    data,
    "--uuid",
    SPARE,
    "--register",
  );
  await manage("storagectl", SPARE, "--name", "SATA", "--add", "sata", "--portcount", "1");
  const slot = ["--storagectl", "SATA", "--port", "0", "--device", "0", "--type", "hdd", "--medium"];
  await manage("storageattach", SPARE, ...slot, disk("image"));
  await manage("storageattach", SPARE, ...slot, "none");
  await manage("modifymedium", "disk", IMAGE, "--type", "multiattach");
  await manage(
    "createvm",
    "--name",
    "dev-gateway",
    "--ostype",
    "Debian12_64",
    "--basefolder",
    data,
    "--groups",
    "/groundplane-dev",
    "--uuid",
    NODE,
    "--register",
  );
  await manage("modifyvm", NODE, ...settings(data));
  await manage("storagectl", NODE, "--name", "SATA", "--add", "sata", "--controller", "IntelAHCI", "--portcount", "4");
  await manage("createmedium", "disk", "--filename", disk("system"), "--diffparent", IMAGE);
  await manage("modifymedium", "disk", disk("system"), "--resizebyte", String(4 * 2 ** 30));
  await manage("storageattach", NODE, ...slot, disk("system"));
  await manage(
    "storageattach",
    NODE,
    "--storagectl",
    "SATA",
    "--port",
    "2",
    "--device",
    "0",
    "--type",
    "dvddrive",
    "--medium",
    "emptydrive",
  );
  await manage("setextradata", NODE, "groundplane/owner", "dev/gateway");
  keep("vm-list", await manage("list", "vms"));
  keep("vm-info-stopped", await manage("showvminfo", NODE, "--machinereadable"));
  await manage("startvm", NODE, "--type", "headless");
  await manage("snapshot", NODE, "take", "first", "--description", 'nic1="bridged"');
  keep("vm-info-running", await manage("showvminfo", NODE, "--machinereadable"));
  keep("running-vms", await manage("list", "runningvms"));
  await manage("controlvm", NODE, "poweroff");
  keep("hard-disks", await manage("list", "hdds"));
  keep("medium", await manage("showmediuminfo", "disk", IMAGE));
  keep("extra-data", await manage("getextradata", NODE, "enumerate"));
  keep("host-info", await manage("list", "hostinfo"));
  // Only the relevant ones of 150 systems.
  const systems = (await manage("list", "ostypes")).split("\n\n");
  keep("os-types", [...systems.slice(0, 2), ...systems.filter((text) => /Debian1[23]/.test(text)), ""].join("\n\n"));
  return said;
}

const settings = (data: string): readonly string[] => [
  ...["--description", 'a "quoted" \\ line\nnic5="bridged"\nForwarding(9)="no,tcp,,1,,1"\nlast'],
  ...["--memory", "512", "--cpus", "2", "--rtcuseutc", "on", "--bioslogodisplaytime", "0"],
  ...["--uart1", "0x3F8", "4", "--uartmode1", "file", path.join(data, "console.log")],
  ...["--nic1", "intnet", "--intnet1", 'a "b" \\ c', "--nictype1", "virtio", "--macaddress1", "080027000001"],
  ...["--nic2", "nat", "--natpf2", "ssh,tcp,127.0.0.1,23021,,22", "--natpf2", "api,tcp,127.0.0.1,23022,10.0.2.15,6443"],
  ...["--nic3", "nat", "--natpf3", "web,udp,,23023,,80", "--macaddress3", "080027000003"],
];
