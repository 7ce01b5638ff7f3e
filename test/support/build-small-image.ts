/** Builds a small image in a process that tests kill or run on a full disk: `build-small-image.ts BYTES [hang|disk]`. */
import { localHost } from "../../host/local-host";
import { ensureImages } from "../../image/build-images";
import { UserError } from "../../model/user-error";
import { smallDiskRecipe, smallRecipe, smallSource } from "./small-image";

const [bytes, how] = process.argv.slice(2);
const wait = async (): Promise<void> => {
  console.log("fetching");
  if (how === "hang") await new Promise((resolve) => setTimeout(resolve, 60_000));
};

ensureImages(localHost, {
  recipes: [how === "disk" ? smallDiskRecipe : smallRecipe],
  sources: [smallSource(Number(bytes), wait)],
}).then(
  ([record]) => console.log(`built ${record?.name}`),
  (error: unknown) => {
    console.log(`failed ${error instanceof UserError ? error.id : String(error)}`);
    process.exitCode = 1;
  },
);
