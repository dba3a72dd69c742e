// One static page per face; every asset's name carries its content's hash. Nothing inline: the content
// security policy of the pages allows scripts and styles from this origin alone.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
export const FACES = ['signin', 'desk', 'wall', 'customers', 'calls', 'figures', 'plan', 'people'] as const

export default defineConfig({
  root: here('.'),
  plugins: [svelte()],
  resolve: { alias: { '@': here('src/lib') } },
  build: {
    outDir: here('../app/assets/web'),
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 300,
    rollupOptions: {
      checks: { pluginTimings: false },
      input: Object.fromEntries(
        FACES.map((face) => [face, here(`${face}.html`)]).filter(([, page]) => existsSync(page as string)),
      ),
    },
  },
  server: {
    proxy: { '/api': 'http://127.0.0.1:8080', '/ws': { target: 'ws://127.0.0.1:8080', ws: true } },
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
} as Parameters<typeof defineConfig>[0])
