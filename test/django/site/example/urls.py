from django.contrib.auth import views
from django.http import JsonResponse
from django.urls import path


def who(request):
    return JsonResponse({"id": str(request.user.pk) if request.user.is_authenticated else None})


urlpatterns = [
    path("login/", views.LoginView.as_view(next_page="/who/")),
    path("logout/", views.LogoutView.as_view(next_page="/who/")),
    path("password/", views.PasswordChangeView.as_view(success_url="/who/")),
    path("who/", who),
]
