import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  build: {
    emptyOutDir: true,
    // As the browsers of the last two years read it: light-dark() stays what it is.
    target: ['chrome124', 'firefox128', 'safari18'],
    // The server's content security policy takes no data: URLs, and the script comes in one piece.
    assetsInlineLimit: 0,
    modulePreload: false,
  },
})
