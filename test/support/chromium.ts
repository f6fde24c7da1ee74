// Finds the Chromium of this machine and starts it without anything that phones home.

import { join } from 'node:path'
import { chromium, type Browser, type LaunchOptions } from 'playwright-core'
import { isExecutable, pathsOf } from './executables.js'

const howToGet = 'no Chromium: install Chromium (or Chrome), or set CHROMIUM_PATH to its executable'

/**
 * Finds an executable Chromium: `CHROMIUM_PATH`, else where the system puts it.
 *
 * @returns Its path, or `undefined` where this machine has none.
 * @throws Error - `CHROMIUM_PATH` is set to something that cannot be executed.
 */
export function findChromium(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string | undefined {
  const chosen = env['CHROMIUM_PATH']
  if (chosen === undefined || chosen === '') return listUsualPaths(env, platform).find(isExecutable)
  if (isExecutable(chosen)) return chosen
  throw new Error(`CHROMIUM_PATH: expected the path of an executable Chromium, got ${chosen}`)
}

/** Gives the options of a `describe` or `test` that needs a browser: without one, skipped with the cure. */
export function needsChromium(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): { skip: string | false } {
  return { skip: findChromium(env, platform) === undefined ? howToGet : false }
}

/**
 * Starts a headless Chromium; the caller closes it.
 *
 * @param options - Of Playwright's own, beside ours.
 * @throws Error - this machine has no Chromium.
 */
export async function launchChromium(options: LaunchOptions = {}): Promise<Browser> {
  const executablePath = findChromium()
  if (executablePath === undefined) throw new Error(howToGet)
  // Chromium refuses its sandbox to root, as in a container.
  const isRoot = process.getuid?.() === 0
  return await chromium.launch({
    ...options,
    executablePath,
    args: [
      ...(options.args ?? []),
      ...(isRoot ? ['--no-sandbox'] : []),
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-gpu',
      '--disable-quic',
      '--disable-sync',
      '--no-first-run',
    ],
  })
}

function listUsualPaths(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string[] {
  if (platform === 'win32') {
    return ['PROGRAMFILES', 'PROGRAMFILES(X86)', 'LOCALAPPDATA'].flatMap((name) => {
      const folder = env[name]
      if (folder === undefined) return []
      return ['Chromium', 'Google\\Chrome'].map((app) =>
        join(folder, app, 'Application', 'chrome.exe'),
      )
    })
  }
  if (platform === 'darwin') {
    return ['Chromium', 'Google Chrome'].map(
      (app) => `/Applications/${app}.app/Contents/MacOS/${app}`,
    )
  }
  return [
    ...pathsOf(['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'], env),
  ]
}
