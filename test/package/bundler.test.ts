// The package beside a bundler: the quick start compiles with `moduleResolution: bundler`, all declarations checked.
import { test } from 'node:test'
import { compileQuickStart } from './compile-quick-start.js'
import { installPackage } from './installed.js'

test('the package compiles without skipLibCheck: bundler', async (t) => {
  const project = await installPackage()
  t.after(() => project.remove())
  await compileQuickStart(project, 'bundler')
})
