import { defineConfig } from "vite";

declare const process: { env: Record<string, string | undefined> };

// The web process of a development machine; the dev server shows its API and its admin as its own.
const WEB = process.env["WEB"] ?? "http://127.0.0.1:8000";

// Names without a hash: the bundle is committed, and whoever serves it in production names it by its contents.
export default defineConfig({
  base: "./",
  server: {
    proxy: {
      "/api": { target: WEB, ws: true },
      "/admin": WEB,
      "/static": WEB,
      "/slo": WEB,
      "/flower": { target: WEB, ws: true },
    },
  },
  build: {
    outDir: process.env["OUT"] ?? "../static/moondev/dashboard",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    cssCodeSplit: false,
    rollupOptions: {
      input: "src/main.tsx",
      output: {
        entryFileNames: "dashboard.js",
        assetFileNames: "dashboard[extname]",
      },
    },
  },
});
