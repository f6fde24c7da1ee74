// What the compiler cannot say: promises that nobody awaits, and imports that cross the rooms.

import eslint from '@eslint/js'
import { defineConfig } from 'eslint/config'
import tseslint from 'typescript-eslint'

const bareSpecifier = '^(?!\\.\\.?/)'

export default defineConfig(
  {
    ignores: [
      '**/dist/',
      'coverage/',
      'test/docs/.examples/',
      'test/docs/.observing/',
      '**/*.d.ts',
    ],
  },
  {
    files: ['**/*.{js,mjs}'],
    extends: [eslint.configs.recommended],
    languageOptions: {
      globals: {
        console: 'readonly',
        performance: 'readonly',
        process: 'readonly',
        URL: 'readonly',
      },
    },
  },
  {
    files: ['**/*.{ts,tsx}'],
    extends: [eslint.configs.recommended, tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: {
        project: [
          'broker/tsconfig.json',
          'client/tsconfig.json',
          'command/tsconfig.json',
          'plugin/tsconfig.json',
          'plugin/django/tsconfig.json',
          'tsconfig.test.json',
        ],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      // A Fastify handler, a realm, a remote method is async by contract, with or without an await.
      '@typescript-eslint/require-await': 'off',
      // node:test reports what its promises reject with, nobody needs to await them.
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            {
              from: 'package',
              package: 'node:test',
              name: ['describe', 'it', 'suite', 'test', 'before', 'after'],
            },
          ],
        },
      ],
      // `() => socket.close()` is how a listener is written; a void in a value's place stays an error.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // A number or a boolean in a message reads as it should; objects, null and arrays stay errors.
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      // It argues with a field read again after a call that may have changed it, and with checks of
      // what a caller in JavaScript or a hostile peer may pass against the types.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      // A class can be a mark with an initialiser, and nothing else.
      '@typescript-eslint/no-extraneous-class': 'off',
      // An interface without members is how a user's declarations are merged in.
      '@typescript-eslint/no-empty-object-type': ['error', { allowInterfaces: 'always' }],
      // Comparing two types for equality needs a parameter that is named once.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      // What somebody else threw is passed on as it is; our own errors stay Errors.
      '@typescript-eslint/prefer-promise-reject-errors': ['error', { allowThrowingUnknown: true }],
      '@typescript-eslint/only-throw-error': ['error', { allowThrowingUnknown: true }],
      // A parameter that an interface asks for and this implementation does not need is `_name`.
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', destructuredArrayIgnorePattern: '^_' },
      ],
    },
  },
  restrictImports('broker/**/*.ts', [
    { regex: bareSpecifier, message: 'broker/ depends on nothing: no package, no node: module.' },
    { regex: '\\.\\./(client|plugin)/', message: 'broker/ knows neither of the two sides.' },
  ]),
  restrictImports('client/**/*.ts', [
    { regex: bareSpecifier, message: 'client/ loads in a page as it is: import broker/ only.' },
    {
      regex: '\\.\\./plugin/',
      message: 'client/ never imports plugin/: it would ship it to pages.',
    },
  ]),
  restrictImports('plugin/**/*.ts', [
    {
      regex: '^(?!\\.\\.?/|node:|fastify(-plugin)?$|@fastify/|jose(/|$)|pg-promise$)',
      message:
        'plugin/ may import node:, fastify, fastify-plugin, @fastify/*, jose and pg-promise.',
    },
    { regex: '\\.\\./client/', message: 'plugin/ never imports client/: share through broker/.' },
  ]),
  restrictImports('plugin/django/**/*.ts', [
    {
      regex: '^(?!\\.\\.?/|node:|pg-promise$)',
      message: 'plugin/django/ works without Fastify: it may import node: and pg-promise.',
    },
    { regex: '^\\.\\./', message: 'plugin/django/ knows nothing of the rest of the plugin.' },
  ]),
  restrictImports('command/**/*.ts', [
    {
      regex: '^(?!\\.\\.?/|node:)|\\.\\./(broker|client)/|\\.\\./plugin/(?!django/index)',
      message: 'command/ may import node: and the entry of plugin/django/.',
    },
  ]),
  restrictImports('demo/**/*.{ts,tsx}', [
    {
      regex: '^(\\.\\./)+(broker|client|plugin|dist)/',
      message: 'demo/ imports fastify-perspective by its name, as a user would.',
    },
  ]),
  restrictImports('test/**/*.ts', [
    {
      regex: '^(\\.\\./){2,}(broker|client|plugin)/',
      message: 'Tests import the built package: by its name, or internals from dist/.',
    },
  ]),
  {
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      // In a test a value that is not there is a failure, and says where.
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    // Type tests are never run: tstyche reads what their expressions are, promises and voids alike.
    files: ['test/types/**/*.tst.ts'],
    extends: [tseslint.configs.disableTypeChecked],
    rules: {
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-invalid-void-type': 'off',
    },
  },
)

function restrictImports(files, patterns) {
  return {
    files: [files],
    rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns }] },
  }
}
