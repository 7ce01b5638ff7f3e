/**
 * Builds all images in a separate process, which may have no network: `make-images.ts [BUNDLE]`. Prints their
 * records, or the id and the message of the error.
 */
import { localHost } from "../../host/local-host";
import { ensureImages } from "../../image/build-images";
import { loadBundle } from "../../image/parts/load-bundle";
import { UserError } from "../../model/user-error";

async function make(bundle: string | undefined): Promise<unknown> {
  if (bundle) await loadBundle(localHost, bundle);
  return ensureImages(localHost);
}

make(process.argv[2]).then(
  (records) => console.log(JSON.stringify(records)),
  (error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    console.log(JSON.stringify({ id: error.id, message: error.message }));
  },
);
