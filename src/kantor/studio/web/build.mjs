// Builds the page into the folder named on the command line: the studio itself, the piano roll as one file that needs
// nothing else (kantor-roll.js, for notebooks and other pages), and the files of Swagger UI for /docs.
import { cpSync, copyFileSync, mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? join(root, "../static"));
const common = { root, configFile: false, logLevel: "warn" };

await build({
  ...common,
  base: "./",
  build: {
    outDir: out,
    emptyOutDir: true,
    target: "es2023",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // the page's content security policy knows no data: addresses
    chunkSizeWarningLimit: 1000,
  },
});
await build({
  ...common,
  publicDir: false,
  build: {
    outDir: out,
    emptyOutDir: false,
    target: "es2023",
    lib: { entry: join(root, "src/element.ts"), formats: ["es"], fileName: () => "kantor-roll.js" },
  },
});

const from = (name) => join(root, "node_modules", name);
mkdirSync(join(out, "licenses"), { recursive: true });
mkdirSync(join(out, "swagger"), { recursive: true });
for (const file of ["swagger-ui-bundle.js", "swagger-ui.css"])
  copyFileSync(from(`swagger-ui-dist/${file}`), join(out, "swagger", file));
copyFileSync(from("swagger-ui-dist/favicon-32x32.png"), join(out, "favicon.ico")); // what browsers ask for beside /docs
copyFileSync(from("swagger-ui-dist/LICENSE"), join(out, "licenses/swagger-ui-dist.txt"));
cpSync(from("swagger-ui-dist/swagger-ui-bundle.js.LICENSE.txt"), join(out, "licenses/swagger-ui-bundle.txt"));
copyFileSync(from("spessasynth_lib/LICENSE"), join(out, "licenses/spessasynth_lib.txt"));
