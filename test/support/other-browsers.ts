// Firefox and WebKit as Debian ships them. Playwright drives only builds of its own; here a page runs by itself, and its server asks it.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isExecutable, pathsOf } from './executables.js'

export interface OtherBrowser {
  readonly name: string
  /** How to get it, where this machine has none. */
  readonly skip: string | false
  /** Starts it with a profile of its own, at an address. */
  open(url: string): Promise<OpenBrowser>
}

export interface OpenBrowser {
  /** Kills it and all its processes, and removes its profile. */
  close(): Promise<void>
}

/** Nothing is looked up in the network, and nothing asks for a click. */
const FIREFOX_PREFERENCES = [
  'app.normandy.enabled',
  'app.update.auto',
  'browser.aboutwelcome.enabled',
  'browser.region.update.enabled',
  'browser.safebrowsing.malware.enabled',
  'browser.safebrowsing.phishing.enabled',
  'browser.search.update',
  'browser.shell.checkDefaultBrowser',
  'datareporting.policy.dataSubmissionEnabled',
  'extensions.update.enabled',
  'network.captive-portal-service.enabled',
  'network.connectivity-service.enabled',
  'services.settings.enabled',
]

export function listOtherBrowsers(): readonly OtherBrowser[] {
  const firefox =
    process.env['FIREFOX_PATH'] ?? pathsOf(['firefox-esr', 'firefox']).find(isExecutable)
  const xvfb = pathsOf(['Xvfb']).find(isExecutable)
  const webKit = listMiniBrowsers().find(isExecutable)
  return [
    {
      name: 'Firefox',
      skip:
        firefox === undefined && 'no Firefox: install it, or set FIREFOX_PATH to its executable',
      open: (url) => openFirefox(firefox ?? '', url),
    },
    {
      name: 'WebKit',
      skip:
        (webKit === undefined || xvfb === undefined) &&
        'no WebKit: install Debian’s webkit2gtk-driver and xvfb',
      open: (url) => openWebKit(webKit ?? '', xvfb ?? '', url),
    },
  ]
}

function openFirefox(path: string, url: string): Promise<OpenBrowser> {
  const profile = mkdtempSync(join(tmpdir(), 'perspective-firefox-'))
  const preferences = FIREFOX_PREFERENCES.map((name) => `user_pref("${name}", false);\n`)
  writeFileSync(join(profile, 'user.js'), preferences.join(''))
  const browser = start(path, ['--headless', '--no-remote', '--profile', profile, url])
  return Promise.resolve({
    async close() {
      await kill(browser)
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  })
}

async function openWebKit(path: string, xvfb: string, url: string): Promise<OpenBrowser> {
  const home = mkdtempSync(join(tmpdir(), 'perspective-webkit-'))
  const screen = spawn(xvfb, ['-displayfd', '3', '-nolisten', 'tcp'], {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  })
  const [display] = (await once(screen.stdio[3] as NodeJS.ReadableStream, 'data')) as [Buffer]
  const browser = start(path, ['--private', url], {
    DISPLAY: `:${display.toString().trim()}`,
    HOME: home,
    // A screen without a graphics card.
    LIBGL_ALWAYS_SOFTWARE: '1',
    WEBKIT_DISABLE_COMPOSITING_MODE: '1',
    WEBKIT_DISABLE_DMABUF_RENDERER: '1',
  })
  return {
    async close() {
      await kill(browser)
      await kill(screen)
      rmSync(home, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** In a process group of its own, so that its helpers can be ended with it. */
function start(path: string, args: string[], env: Record<string, string> = {}): ChildProcess {
  return spawn(path, args, { detached: true, stdio: 'ignore', env: { ...process.env, ...env } })
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null) return
  const exited = once(child, 'exit')
  process.kill(-child.pid, 'SIGKILL')
  await exited
}

/** WebKit's own small browser, which Debian keeps among the libraries. */
function listMiniBrowsers(): string[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/usr/lib').flatMap((machine) =>
    ['4.1', '4.0'].map((version) => `/usr/lib/${machine}/webkit2gtk-${version}/MiniBrowser`),
  )
}
