// The package beside a bundler: the quick start compiles with `moduleResolution: bundler`, all declarations checked. With
// the compiler and Node's types that npm gives somebody who names no version.
import { test } from 'node:test'
import { compileQuickStart } from './compile-quick-start.js'
import { installPackage } from './installed.js'

test('the package compiles without skipLibCheck: bundler', async (t) => {
  const project = await installPackage({ typescript: '7.0.2', '@types/node': '26.6.7' })
  t.after(() => project.remove())
  await compileQuickStart(project, 'bundler')
})
