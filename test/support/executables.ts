import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Where commands of these names would be, in the order in which a shell looks for the first of them. */
export function pathsOf(
  names: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): readonly string[] {
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  return names.flatMap((name) => folders.map((folder) => join(folder, name)))
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
