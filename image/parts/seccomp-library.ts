import * as path from "node:path";
import type { Host } from "../../model/host";
import { UserError } from "../../model/user-error";
import { debianMirror } from "../build/package-sources";

/**
 * Debian's static libseccomp. The oldest supported release of Debian has it: an archive that was compiled with a newer C
 * library cannot be linked on hosts with an older one.
 */
const LIBRARY = {
  file: "pool/main/libs/libseccomp/libseccomp-dev_2.5.4-1+deb12u1_amd64.deb",
  sha256: "5fb305f3aeb293e2b78a4cfcb58c0f42179703c371a408d002c8454661e6b7b2",
};

/** Answers Go in place of pkg-config, which the host may not have. Without paths: Go's cache would keep those of this build. */
const PKG_CONFIG = '#!/bin/sh\ncase " $* " in *" --libs "*) echo -lseccomp ;; esac\n';

/** Fetches libseccomp and returns the environment in which Go compiles and links C code with it. */
export async function seccompEnvironment(
  host: Host,
  work: string,
  signal?: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  const folder = path.join(work, "libseccomp");
  const archive = path.join(work, "libseccomp.deb");
  const url = `${await debianMirror(host)}/${LIBRARY.file}`;
  // The mirror may be one without TLS: the checksum is pinned.
  await host.network.download(url, archive, { sha256: LIBRARY.sha256, allowHttp: true, signal });
  await host.run(["dpkg-deb", "--extract", archive, folder], { signal });
  const pkgConfig = path.join(folder, "pkg-config");
  await host.files.writeAtomic(pkgConfig, PKG_CONFIG, 0o755);
  return {
    CGO_ENABLED: "1",
    PKG_CONFIG: pkgConfig,
    CGO_CFLAGS: `-O2 -I${folder}/usr/include`,
    CGO_LDFLAGS: `-L${folder}/usr/lib/x86_64-linux-gnu`,
  };
}

/** @throws UserError `c-compiler-missing` */
export async function requireCompiler({ files, run }: Host): Promise<void> {
  const work = await files.makeTemporaryFolder("groundplane-compiler-");
  try {
    const program = "int main(void) { return 0; }\n";
    await run(["cc", "-x", "c", "-static", "-o", path.join(work, "program"), "-"], { stdin: program });
  } catch (cause) {
    throw new UserError(
      "c-compiler-missing",
      "building runc from source needs a C compiler and a static C library",
      "apt install gcc libc6-dev, or load a bundle made on another machine",
      { cause },
    );
  } finally {
    await files.remove(work);
  }
}
