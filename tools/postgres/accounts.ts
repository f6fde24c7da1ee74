// Made by make-fixture.py with Django 5.2.19; do not edit.

export interface Account {
  readonly username: string
  /** Null where no password fits. */
  readonly password: string | null
  readonly note: string
}

/** The users of accounts.sql; those named `fast` have hashes of 1,000 iterations, the others of 1,000,000. */
export const ACCOUNTS: readonly Account[] = [
  {
    username: 'ada',
    password: 'difference engine',
    note: 'superuser',
  },
  {
    username: 'grace',
    password: 'nanoseconds of wire',
    note: 'moderator: chat.delete_line',
  },
  {
    username: 'linus',
    password: 'just for fun',
    note: 'plain user',
  },
  {
    username: 'mallory',
    password: 'man in the middle',
    note: 'deactivated: cannot log in',
  },
  {
    username: 'nopass',
    password: null,
    note: 'unusable password: cannot log in',
  },
  {
    username: 'fast1',
    password: 'fast password 1',
    note: 'plain user with a cheap hash, for tests',
  },
  {
    username: 'fast2',
    password: 'fast password 2',
    note: 'plain user with a cheap hash, for tests',
  },
  {
    username: 'fast3',
    password: 'fast password 3',
    note: 'plain user with a cheap hash, for tests',
  },
]
