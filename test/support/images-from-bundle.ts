/** Loads a bundle and makes all images, in a process without a network; prints their records: `images-from-bundle.ts FILE`. */
import { ensureImages } from "../../image/build-images";
import { loadBundle } from "../../image/parts/load-bundle";

loadBundle(process.argv[2] ?? "")
  .then(() => ensureImages())
  .then((records) => console.log(JSON.stringify(records)));
