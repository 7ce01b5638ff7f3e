/** Builds the small image in a process of its own, to be killed or starved: `build-small-image.ts BYTES [hang]`. */
import { ensureImages } from "../../image/build-images";
import { UserError } from "../../provider/host/user-error";
import { smallRecipe, smallSource } from "./small-image";

const [bytes, hang] = process.argv.slice(2);
const wait = async (): Promise<void> => {
  console.log("fetching");
  if (hang) await new Promise((resolve) => setTimeout(resolve, 60_000));
};

ensureImages({ recipes: [smallRecipe], sources: [smallSource(Number(bytes), wait)] }).then(
  ([record]) => console.log(`built ${record?.name}`),
  (error: unknown) => {
    console.log(`failed ${error instanceof UserError ? error.id : String(error)}`);
    process.exitCode = 1;
  },
);
