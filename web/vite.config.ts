// One configuration for the three builds of scripts/build.ts; each gives its inputs and its folder.

import { fileURLToPath } from 'node:url';
import type { InlineConfig } from 'vite';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export type Part = 'id' | 'phone' | 'sign-in' | 'worker';

const inputs: Record<Part, Record<string, string>> = {
  id: {
    start: here('pages/start/index.html'),
    enrol: here('pages/enrol/index.html'),
    help: here('pages/help/index.html'),
  },
  phone: { app: here('phone/index.html') },
  'sign-in': { 'sign-in': here('sign-in/main.ts') },
  worker: { sw: here('phone/sw.ts') },
};

export function configuration(part: Part, outDir: string, define: Record<string, string> = {}): InlineConfig {
  const fixed = part === 'sign-in' || part === 'worker';
  return {
    root: here('.'),
    configFile: false,
    publicDir: false,
    logLevel: 'warn',
    define,
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      outDir,
      emptyOutDir: false,
      assetsInlineLimit: 0,
      target: 'es2022',
      // light-dark() and clip-path stay as they are written.
      cssTarget: ['chrome123', 'firefox121', 'safari17.5'],
      modulePreload: { polyfill: false },
      rolldownOptions: {
        input: inputs[part],
        output: fixed
          ? {
              entryFileNames: 'assets/[name].js',
              assetFileNames: 'assets/[name][extname]',
              format: part === 'worker' ? 'iife' : 'es',
            }
          : {
              entryFileNames: 'assets/[name]-[hash].js',
              chunkFileNames: 'assets/[name]-[hash].js',
              assetFileNames: 'assets/[name]-[hash][extname]',
            },
      },
    },
  };
}
