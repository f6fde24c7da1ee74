/** The fields that an app adds to {@link User}, by declaration merging; `UserModel.columns` must then name their columns. */
export interface CustomUserFields {}

/** One row of Django's user table, as a frozen object; the password hash is not in it. */
export interface DjangoUser {
  /** `str(pk)`: integer, uuid and text keys alike. */
  readonly id: string
  /** `USERNAME_FIELD`, as it is stored. */
  readonly username: string
  /** Who is not cannot log in, and has no permission. */
  readonly isActive: boolean
  /** May enter Django's admin; gives no permission by itself. */
  readonly isStaff: boolean
  /** Has every permission. */
  readonly isSuperuser: boolean
  /** Null: never. */
  readonly lastLogin: Date | null
}

/** A user's row, with the fields that the app has added. */
export type User = DjangoUser & Readonly<CustomUserFields>

/** A user and the text of the password column. Keep it out of logs: the second half is the hash. */
export interface DjangoAccount {
  /** Frozen, without the hash. */
  readonly user: User
  /** As it is stored: `algorithm$…`. */
  readonly password: string
}

type HasNoCustomFields = keyof CustomUserFields extends never ? true : false

/**
 * Names what differs from `django.contrib.auth.models.User`. A column given as null: the table has none, and every user
 * is active, none is staff, none a superuser, none has logged in.
 */
export type UserModel = {
  /**
   * `table` or `schema.table`; default `auth_user`. The tables of groups and permissions are looked for in the same
   * schema, those of `django.contrib.auth` too unless `authSchema` says otherwise.
   */
  readonly table?: string
  /**
   * Schema of `auth_group`, `auth_permission`, `auth_group_permissions` and `django_content_type`. Null: they are found by the
   * connection's `search_path`, as Django finds them where `db_table` of the user model names a schema. Default: that of `table`.
   */
  readonly authSchema?: string | null
  /** Default `id`. Of any type: integer, bigint, uuid, text. */
  readonly idColumn?: string
  /** Column of `USERNAME_FIELD`; default `username`. */
  readonly usernameColumn?: string
  /**
   * `max_length` of `USERNAME_FIELD`, in characters; default 150. A longer name is looked up as it is, without NFKC, as
   * Django's form does.
   */
  readonly usernameMaxLength?: number
  /**
   * Compares usernames as `username__iexact` does, for a site whose manager or backend does so: `UPPER` on both sides.
   * A name that more than one row then has is nobody's. Default false: as the column compares. Set it for a `citext`
   * column too: it also counts guesses at `ada` and `ADA` together.
   */
  readonly iexact?: boolean
  /** Default `password`. */
  readonly passwordColumn?: string
  /**
   * Default `is_active`. Null also for a site that lets inactive users in (`AllowAllUsersModelBackend`); Django would
   * still give them no permissions.
   */
  readonly isActiveColumn?: string | null
  /** Default `is_staff`. */
  readonly isStaffColumn?: string | null
  /** Default `is_superuser`. */
  readonly isSuperuserColumn?: string | null
  /** Default `last_login`. */
  readonly lastLoginColumn?: string | null
  /**
   * SQL that a row must also satisfy, such as `deleted_at IS NULL`, for a site whose manager filters. It becomes part of
   * the statement as it is: never build it from what somebody sent.
   */
  readonly where?: string
  /** Table of `user.groups`; default `<table>_groups`. Null: the model is no `PermissionsMixin`. */
  readonly groupsTable?: string | null
  /** Table of `user.user_permissions`; default `<table>_user_permissions`. Null as above. */
  readonly permissionsTable?: string | null
  /** Column of both that holds the user's key; default the lower-case model name and `_id`: `member_id`. */
  readonly ownerColumn?: string
} & (HasNoCustomFields extends true
  ? { readonly columns?: undefined }
  : {
      /** Column of each field of {@link CustomUserFields}. */
      readonly columns: { readonly [Field in keyof CustomUserFields]: string }
    })

/** The option `users`: it must be given where there are custom fields, whose columns it names. */
export type UserModelOption = HasNoCustomFields extends true
  ? { readonly users?: UserModel | undefined }
  : { readonly users: UserModel }
