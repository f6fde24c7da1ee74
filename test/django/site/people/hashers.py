from django.contrib.auth.hashers import (
    Argon2PasswordHasher,
    PBKDF2PasswordHasher,
    PBKDF2SHA1PasswordHasher,
)


class QuickArgon2PasswordHasher(Argon2PasswordHasher):
    time_cost = 1
    memory_cost = 1024
    parallelism = 2


class QuickPBKDF2PasswordHasher(PBKDF2PasswordHasher):
    iterations = 1000


class QuickPBKDF2SHA1PasswordHasher(PBKDF2SHA1PasswordHasher):
    iterations = 1000
