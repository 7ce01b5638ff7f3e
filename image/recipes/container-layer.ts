import digests from "./layer-digests.json";
import type { LayerRecipe } from "./recipe";

/** Would affect the kernel that the container shares with its host: devices, modules, clock, file systems. */
const hostKernel = [
  "systemd-udevd.service",
  "systemd-udevd-control.socket",
  "systemd-udevd-kernel.socket",
  "systemd-udev-trigger.service",
  "systemd-udev-settle.service",
  "systemd-binfmt.service",
  "proc-sys-fs-binfmt_misc.automount",
  "systemd-modules-load.service",
  "modprobe@.service",
  "kmod-static-nodes.service",
  "systemd-timesyncd.service",
  "chrony.service",
  "systemd-random-seed.service",
  "systemd-pstore.service",
  "systemd-rfkill.socket",
  "sys-kernel-config.mount",
  "sys-kernel-debug.mount",
  "sys-kernel-tracing.mount",
  "sys-fs-fuse-connections.mount",
  "dev-hugepages.mount",
  "dev-mqueue.mount",
  "systemd-tmpfiles-setup-dev.service",
  "systemd-tmpfiles-setup-dev-early.service",
  "fstrim.timer",
];

/** Disks and their checks: a container has folders of its host instead. */
const disks = [
  "blk-availability.service",
  "dm-event.socket",
  "lvm2-lvmpolld.socket",
  "lvm2-monitor.service",
  "systemd-fsck-root.service",
  "systemd-growfs-root.service",
  "systemd-quotacheck-root.service",
  "systemd-remount-fs.service",
  "systemd-pcrlock.socket",
  "systemd-pcrextend.socket",
];

/** A container has neither console nor seats. */
const consoles = [
  "systemd-logind.service",
  "dbus-org.freedesktop.login1.service",
  "console-getty.service",
  "getty@.service",
  "getty.target",
  "serial-getty@.service",
];

/** Each costs boot time, and eleven machines boot at once on few cores. The sealed tree contains their results. */
const chores = [
  "ldconfig.service",
  "systemd-hwdb-update.service",
  "systemd-journal-catalog-update.service",
  "systemd-journal-flush.service",
  "systemd-update-done.service",
  "systemd-firstboot.service",
  "systemd-hibernate-clear.service",
  "systemd-networkd-wait-online.service",
  "systemd-network-generator.service",
  "systemd-networkd-persistent-storage.service",
  "systemd-sysext.service",
  "systemd-sysext.socket",
  "systemd-tpm2-setup.service",
  "systemd-tpm2-setup-early.service",
  "systemd-creds.socket",
  "systemd-machine-id-commit.service",
];

export const containerLayer: LayerRecipe = {
  folder: "container",
  files: digests.container,
  maskedUnits: [...hostKernel, ...disks, ...consoles, ...chores],
  disabledUnits: [],
  enabledUnits: {
    "groundplane-writable-cgroups.service": "sysinit.target",
    "groundplane-kernel-shield.service": "sysinit.target",
  },
};
