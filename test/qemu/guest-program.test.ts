// Two machines of the product's own components on the real engine: created, unchanged, grown and troubled while they run.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { script } from "../../cloud-init/scripts/read-script";
import { BaseImage } from "../../components/base-image";
import type { Foundation } from "../../components/foundation";
import { Gateway } from "../../components/gateway";
import { guardedMembers } from "../../components/guarded-members";
import { poolMachines, rollFiles } from "../../components/machine-pool";
import { Network } from "../../components/network";
import { Guard } from "../../components/resources";
import { Secrets } from "../../components/secrets";
import { closeGuests, type GuestAddress } from "../../guests/guest-ssh";
import { imagesFolder } from "../../host/data-folder";
import { localHost } from "../../host/local-host";
import { createQemuDriver } from "../../hypervisors/qemu/driver";
import { ensureImages } from "../../image/build-images";
import { imageFor } from "../../image/recipes/image-names";
import { defaultKubernetesVersion } from "../../model/releases";
import { type DataCenterPlan, nodesOf } from "../../stacks/plan/data-center-plan";
import { planDataCenter } from "../../stacks/plan/plan-data-center";
import type { ReadAnswer } from "../../verify/health/findings";
import { readClock, readClockSource } from "../../verify/health/machine-answers";
import { AnswerReader } from "../../verify/health/questions";
import { eventually, patienceMs } from "../support/cluster-under-test";
import { exampleConfiguration } from "../support/example-stacks";
import { freePort } from "../support/host-observations";
import { type ProviderProject, providerProject } from "../support/provider-project";
import { qemuGuestDisk } from "../support/qemu-guest-disk";
import {
  borrowImage,
  GUEST_BOOT_MS,
  guestImage,
  guestSkipReason,
  mustRunInGuest,
  planned,
} from "../support/qemu-guests";
import { qemuTracesOf, sealDiskImage } from "../support/qemu-host";

const stack = `program-${process.pid.toString(36)}`;
const names = ["gateway", "storage-1"] as const;
type Name = (typeof names)[number];

/** The gateway and the storage machine of a data centre. Its other machines are not created. */
function guestProgram(plan: DataCenterPlan) {
  return async () => {
    const driver = "qemu";
    const secrets = new Secrets("secrets", { stack: plan.stack, version: 1, rotations: {} });
    const baseImage = new BaseImage("base-image", { driver, kubernetesVersion: plan.kubernetes.version });
    const guard = new Guard("guard", guardedMembers(plan, driver));
    const network = new Network("network", { stack: plan.stack, driver, segments: plan.segments, guard });
    // Two machines boot at the same time, beside other tests.
    const foundation: Foundation = { plan, driver, slowdown: 4, secrets, baseImage, guard, network };
    const gateway = new Gateway("gateway", foundation);
    const pool = { ...foundation, gateway };
    const storage = poolMachines(nodesOf(plan, "storage"), pool, gateway);
    rollFiles(storage, pool);
    return {
      generations: [gateway.machine, ...storage].map(({ machine }) => machine.generation),
      privateKey: secrets.get("ssh-user-key"),
      hostKeys: Object.fromEntries(names.map((name) => [name, secrets.hostKeyOf(name)])),
    };
  };
}

/** Sizes in GiB. */
interface Sizes {
  readonly disk: number;
  readonly var?: number;
  readonly brick: number;
}

guestSkipReason().then((skip) => {
  describe("guests through Pulumi", { skip, timeout: 2 * GUEST_BOOT_MS }, () => {
    let project: ProviderProject;
    let hostPorts: { api: number; ssh: number };
    let guests: Readonly<Record<Name, GuestAddress>>;
    let generations: readonly string[];

    const planOf = (sizes: Sizes): DataCenterPlan => {
      const { pools, ...rest } = exampleConfiguration("small");
      const { storage } = exampleConfiguration("lab").pools;
      const small = { cpus: 1, memoryMiB: 512 };
      const volumes: Record<string, number> = sizes.var === undefined ? {} : { "/var": sizes.var };
      return planDataCenter({
        ...rest,
        name: stack,
        options: { ...rest.options, keepDataDisks: false },
        hostPorts: { ...hostPorts, nodePorts: [], services: [] },
        pools: {
          ...pools,
          gateway: { ...pools.gateway, ...small, diskGiB: sizes.disk, volumes },
          storage: { ...storage, ...small, count: 1, diskGiB: 5, disks: [{ name: "brick", sizeGiB: sizes.brick }] },
        },
      });
    };
    const begin: Sizes = { disk: 5, var: 1, brick: 2 };
    const grown: Sizes = { disk: 7, var: 3, brick: 4 };
    const stackOf = (plan: DataCenterPlan) => project.program(guestProgram(plan));
    const run = (name: Name, script: string): Promise<string> => mustRunInGuest(guests[name], script);

    const volumesInGuest = async (): Promise<Record<string, number>> => {
      const command = "lvs --noheadings --nosuffix --units m --options lv_name,lv_size --separator =";
      const lines = (await run("gateway", command)).split("\n");
      return Object.fromEntries(lines.map((line) => [line.trim().split("=")[0], Number(line.split("=")[1])]));
    };
    const volumesAsPlanned = (sizes: Sizes): Record<string, number> =>
      Object.fromEntries(
        planned(planOf(sizes), "gateway").volumes.map(({ mountPoint, sizeMiB }) => [
          mountPoint.slice(1) || "root",
          sizeMiB,
        ]),
      );
    /** Of the data disk: its file system, its size in bytes, and what is free on it in MiB. */
    const brickInGuest = async (): Promise<{ type: string; bytes: number; freeMiB: number }> => {
      const [disk] = planned(planOf(begin), "storage-1").dataDisks;
      const column = (name: string) => `$(findmnt --noheadings --output ${name} --mountpoint ${disk?.mountPoint})`;
      const size = `$(lsblk --noheadings --nodeps --bytes --output SIZE ${column("SOURCE")})`;
      const free = `$(df --block-size=1M --output=avail ${disk?.mountPoint} | tail -n 1)`;
      const [type = "", bytes, freeMiB] = (await run("storage-1", `echo ${column("FSTYPE")} ${size} ${free}`)).split(
        " ",
      );
      return { type, bytes: Number(bytes), freeMiB: Number(freeMiB) };
    };

    before(async () => {
      await ensureImages(localHost, { names: [guestImage()], progress: () => {} });
      const images = imagesFolder();
      project = await providerProject({ inPlace: true });
      process.env.GROUNDPLANE_DATA = project.dataFolder;
      borrowImage(images, guestImage());
      // No machine here uses the other image.
      const kubernetes = imageFor("kubernetes", defaultKubernetesVersion, "disk");
      sealDiskImage(kubernetes, qemuGuestDisk());
      hostPorts = { api: await freePort(), ssh: await freePort() };
    });

    after(async () => {
      await closeGuests();
      await (await stackOf(planOf(begin))).destroy();
      assert.deepEqual(await qemuTracesOf(project.dataFolder, [stack]), []);
      project.remove();
    });

    test("up creates the machines, and their volumes and disks match the plan", async () => {
      const plan = planOf(begin);
      const { outputs } = await (await stackOf(plan)).up();
      generations = outputs.generations?.value;
      const hostKeys: Record<Name, string> = outputs.hostKeys?.value;
      const address = (name: Name): GuestAddress => ({
        ...{ bastionPort: hostPorts.ssh, bastionHostKey: hostKeys.gateway, address: planned(plan, name).address },
        ...{ hostKey: hostKeys[name], privateKey: outputs.privateKey?.value },
      });
      guests = { gateway: address("gateway"), "storage-1": address("storage-1") };
      for (const name of names) {
        const status = JSON.parse(await run(name, "cloud-init status --wait --format json"));
        assert.deepEqual([status.status, status.errors, status.recoverable_errors], ["done", [], {}], name);
        assert.equal(await run(name, "systemctl --failed --no-legend --plain"), "", name);
      }
      assert.deepEqual(await volumesInGuest(), volumesAsPlanned(begin));
      const { type, bytes } = await brickInGuest();
      assert.deepEqual([type, bytes], ["xfs", begin.brick * 1024 ** 3]);
      await (await stackOf(plan)).up({ expectNoChanges: true });
    });

    test("a preview shows that disks and /var grow, and up grows them online", async () => {
      const stack = await stackOf(planOf(grown));
      const preview = await stack.preview({ color: "never" });
      assert.match(preview.stdout, /gateway grows: disk from 5 to 7 GiB, .*\/var from 1024 to 3072 MiB/);
      assert.equal(preview.changeSummary.replace, undefined);
      const boot = () => Promise.all(names.map((name) => run(name, "cat /proc/sys/kernel/random/boot_id")));
      const sizeOfVar = async () =>
        Number.parseInt(await run("gateway", "df --block-size=M --output=size /var | tail -n 1"), 10);
      const [bootBefore, varBefore] = [await boot(), await sizeOfVar()];
      const { outputs } = await stack.up();
      assert.deepEqual(
        [outputs.generations?.value, await boot()],
        [generations, bootBefore],
        "the same machines, not restarted",
      );
      const varAfter = await sizeOfVar();
      assert.ok(varAfter > varBefore + 1900, `${varBefore} -> ${varAfter}`);
      assert.deepEqual(await volumesInGuest(), volumesAsPlanned(grown));
      const { bytes, freeMiB } = await brickInGuest();
      assert.equal(bytes, grown.brick * 1024 ** 3);
      assert.ok(freeMiB > (grown.brick - 1) * 1024, `${freeMiB} MiB are free`);
      await (await stackOf(planOf(grown))).up({ expectNoChanges: true });
    });

    test("a preview refuses a smaller disk or volume with the reason", async () => {
      const smaller = await stackOf(planOf({ ...grown, disk: 6 }));
      await assert.rejects(
        smaller.preview(),
        /disk of gateway has 7 GiB and cannot shrink to 6 GiB.*set diskGiB to 7 again/s,
      );
      const less = await stackOf(planOf({ ...grown, var: 2 }));
      await assert.rejects(less.preview(), /\/var of gateway has 3072 MiB and cannot shrink to 2048 MiB/);
      assert.deepEqual(await volumesInGuest(), volumesAsPlanned(grown));
    });

    test("a clock that is apart from the host's, and one without a source, are named by the rows clock and clock-source", async () => {
      const rows = async () => {
        const reader = new AnswerReader(Date.now());
        const command = `bash -s -- clock <<'EOF'\n${script("health/answer")}\nEOF`;
        for (const line of (await run("storage-1", command)).split("\n")) reader.read(line);
        const answer = reader.answers.get("clock") ?? assert.fail("no answer");
        const shown = (read: ReadAnswer): string =>
          [read("storage-1", answer)].flat().map(({ state, observed }) => `${state}: ${observed}`)[0] ?? "";
        return { clock: shown(readClock), source: shown(readClockSource) };
      };
      const becomes = (what: string, right: (shown: Awaited<ReturnType<typeof rows>>) => boolean) =>
        eventually(what, patienceMs, rows, right);
      // The gateway serves time also without a source of its own.
      await becomes("the clock follows the gateway", ({ source }) => /^healthy: synchronised with /.test(source));
      assert.match((await rows()).clock, /^healthy/);
      const address = planOf(grown).segments.find(({ name }) => name === "storage")?.gateway;
      await run("storage-1", `chronyc minpoll ${address} 0 && chronyc maxpoll ${address} 1`);
      // Neither from the gateway nor, through it, from the distribution's servers.
      for (const chain of ["input", "forward"])
        await run("gateway", `nft insert rule inet groundplane ${chain} udp dport 123 drop`);
      try {
        await becomes("its sources are lost", ({ source }) => /^unhealthy: no source responds/.test(source));
        assert.match(
          await run("storage-1", "chronyc tracking"),
          /^Leap status *: Normal$/m,
          "chrony itself is content",
        );
        await run("storage-1", "systemctl restart chrony && date --set '+1 hour'");
        await becomes(
          "both are named",
          ({ clock, source }) =>
            /^unhealthy: differs from this host's by 3[56]\d\d\.\d s$/.test(clock) &&
            source === "unhealthy: not synchronised: no source responds",
        );
      } finally {
        await run("gateway", "systemctl reload nftables");
      }
      await run("storage-1", "systemctl restart chrony && chronyc -n waitsync 120 0 0 1 && chronyc makestep");
      await becomes("both are repaired", ({ clock, source }) => /^healthy/.test(clock) && /^healthy/.test(source));
    });

    test("guests reach the outside by NAT, and the host's loopback only where a test allows it", async () => {
      const server = createServer((_request, response) => response.end("loopback\n"));
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const port = (server.address() as { port: number }).port;
      const fetch = `curl --silent --max-time 8 http://${planOf(grown).uplink.router}:${port}/ || true`;
      try {
        // The gateway's firewall refuses private addresses; here the network of the driver is asked.
        await run("gateway", `nft add element inet groundplane reachable '{ ${planOf(grown).uplink.router} }'`);
        assert.equal(await run("storage-1", fetch), "");
        assert.equal(await run("gateway", fetch), "");
        await createQemuDriver(localHost, { hostLoopback: true }).startMachine({ stack, name: "gateway" });
        await sleep(2_000);
        assert.equal(await run("storage-1", fetch), "loopback");
        await createQemuDriver(localHost).startMachine({ stack, name: "gateway" });
        await sleep(2_000);
        assert.equal(await run("storage-1", fetch), "");
      } finally {
        server.close();
      }
    });

    test("a guest shuts down cleanly when its power button is pressed", async () => {
      const driver = createQemuDriver(localHost);
      await driver.stopMachine({ stack, name: "storage-1" }, GUEST_BOOT_MS);
      assert.equal((await driver.inspectMachine({ stack, name: "storage-1" }))?.power, "stopped");
    });
  });
});
