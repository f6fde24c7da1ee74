from django.contrib.auth.backends import ModelBackend


class TokenBackend(ModelBackend):
    """Another way in, for the same users."""

    def authenticate(self, request, token=None):
        return None


class PaidBackend(ModelBackend):
    """Whose sessions end for a reason that only this class knows."""

    def user_can_authenticate(self, user):
        return super().user_can_authenticate(user) and user.username != "debtor"
