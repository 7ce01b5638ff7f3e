/** The drivers that this version has. */
export const driverNames = ["virtualbox", "qemu", "nspawn", "fake"] as const;

export type DriverName = (typeof driverNames)[number];
