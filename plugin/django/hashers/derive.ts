/** Derives keys; blocks the thread it runs in, and loads what Node lacks at the first need. */
import * as crypto from 'node:crypto'
import type { Argon2Recipe, BcryptRecipe, HasherName, Pbkdf2Recipe, Recipe } from './hasher.js'
import { SCRYPT_MEMORY_BYTES } from './scrypt.js'

/** The optional dependencies. */
export type HasherPackage = '@node-rs/argon2' | 'bcryptjs'

/** Says that an optional dependency is not installed. */
export class PackageMissing extends Error {
  readonly packageName: HasherPackage

  constructor(packageName: HasherPackage) {
    super(`expected the package ${packageName}, got none`)
    this.packageName = packageName
  }
}

/** The first package that one of these hashers needs on this Node and that is not installed; null: all are there. */
export function findMissingPackage(names: readonly HasherName[]): HasherPackage | null {
  const needed: HasherPackage[] = []
  if (names.includes('argon2') && readNodeArgon2() === null) needed.push('@node-rs/argon2')
  if (names.includes('bcrypt') || names.includes('bcrypt_sha256')) needed.push('bcryptjs')
  return needed.find((name) => !isInstalled(name)) ?? null
}

function isInstalled(name: HasherPackage): boolean {
  try {
    import.meta.resolve(name)
    return true
  } catch {
    return false
  }
}

/**
 * Derives the key of one recipe.
 * @throws PackageMissing
 */
export async function deriveKey(recipe: Recipe, password: string): Promise<Uint8Array> {
  switch (recipe.kind) {
    case 'pbkdf2':
      return derivePbkdf2(recipe, password)
    case 'scrypt':
      return crypto.scryptSync(password, recipe.salt, 64, {
        N: recipe.workFactor,
        r: recipe.blockSize,
        p: recipe.parallelism,
        maxmem: SCRYPT_MEMORY_BYTES,
      })
    case 'argon2':
      return deriveArgon2(recipe, password)
    case 'bcrypt':
      return deriveBcrypt(recipe, password)
    case 'digest':
      return crypto
        .createHash(recipe.digest)
        .update(recipe.salt + password)
        .digest()
  }
}

function derivePbkdf2({ digest, inner, salt, iterations }: Pbkdf2Recipe, password: string): Buffer {
  const secret =
    inner === null
      ? password
      : crypto
          .createHash(inner)
          .update(salt + password)
          .digest('hex')
  // Django's key is as long as its digest.
  return crypto.pbkdf2Sync(secret, salt, iterations, digest === 'sha256' ? 32 : 20, digest)
}

// Node has it since 24.7, which our types are older than.
type NodeArgon2 = (
  type: Argon2Recipe['type'],
  parameters: {
    readonly message: string
    readonly nonce: Uint8Array
    readonly parallelism: number
    readonly tagLength: number
    readonly memory: number
    readonly passes: number
  },
) => Uint8Array

function readNodeArgon2(): NodeArgon2 | null {
  const derive: unknown = Reflect.get(crypto, 'argon2Sync')
  return typeof derive === 'function' ? (derive as NodeArgon2) : null
}

async function deriveArgon2(recipe: Argon2Recipe, password: string): Promise<Uint8Array> {
  const { type, version, timeCost, memoryCost, parallelism, salt, length } = recipe
  const derive = readNodeArgon2()
  // Node's own follows RFC 9106, which knows version 19 only.
  if (version === 19 && derive !== null) {
    try {
      return derive(type, {
        message: password,
        nonce: salt,
        parallelism,
        tagLength: length,
        memory: memoryCost,
        passes: timeCost,
      })
    } catch (error) {
      // A Node that is linked with an OpenSSL before 3.2 has the function and not the algorithm.
      if (codeOf(error) !== 'ERR_CRYPTO_ARGON2_NOT_SUPPORTED') throw error
    }
  }
  const { hashRawSync } = await load('@node-rs/argon2', () => import('@node-rs/argon2'))
  const options = {
    algorithm: ['argon2d', 'argon2i', 'argon2id'].indexOf(type),
    version: version === 19 ? 1 : 0,
    timeCost,
    memoryCost,
    parallelism,
    salt,
    outputLen: length,
  }
  return hashRawSync(password, options)
}

async function deriveBcrypt(recipe: BcryptRecipe, password: string): Promise<Uint8Array> {
  const { hashSync } = await load('bcryptjs', () => import('bcryptjs'))
  const secret = recipe.isDigested
    ? crypto.createHash('sha256').update(password).digest('hex')
    : password
  let text = ''
  for (let run = 0; run < recipe.runs; run++) text = hashSync(secret, recipe.salt)
  return new TextEncoder().encode(text)
}

async function load<Module>(
  packageName: HasherPackage,
  start: () => Promise<Module>,
): Promise<Module> {
  try {
    return await start()
  } catch (error) {
    throw codeOf(error) === 'ERR_MODULE_NOT_FOUND' ? new PackageMissing(packageName) : error
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error ? Reflect.get(error, 'code') : undefined
}
