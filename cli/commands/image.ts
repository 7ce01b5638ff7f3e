import { Command } from "commander";
import { interruptibly } from "../../host/interruption";
import { localHost } from "../../host/local-host";
import { addOnRecipesOf, ensureAddOns } from "../../image/build-add-ons";
import { ensureImages } from "../../image/build-images";
import { imageRecipesOf } from "../../image/checks";
import { driverFor } from "../driver";
import { type ReportOptions, reportCommand } from "../options";
import { print, printJson, sayNews } from "../print";
import { imageWishesOf, readConfiguration } from "../project";
import { listCommand } from "./image-list";
import { pushCommand } from "./image-push";
import { updateCommand } from "./image-update";

export function imageCommand(): Command {
  return new Command("image")
    .description("manage machine images and their packages")
    .addCommand(buildCommand())
    .addCommand(updateCommand())
    .addCommand(listCommand())
    .addCommand(pushCommand());
}

function buildCommand(): Command {
  return reportCommand("build", "build the stack's images where they are absent or damaged")
    .option("--verify", "compare the checksum of every file")
    .action(async ({ stack, verify, json }: ReportOptions & { readonly verify?: boolean }) => {
      const configuration = await readConfiguration(stack);
      const { driver } = await driverFor(configuration);
      const recipes = imageRecipesOf(driver, await imageWishesOf(configuration));
      const records = await interruptibly(stack, async (signal) => {
        const context = { verify, signal, progress: sayNews() };
        const images = await ensureImages(localHost, { recipes, ...context });
        await ensureAddOns(localHost, addOnRecipesOf(configuration), context);
        return images;
      });
      if (json) printJson(records);
      else print(records.map(({ name, digest }) => `${name}  ${digest}`).join("\n"));
    });
}
