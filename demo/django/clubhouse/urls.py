from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.urls import path

from . import views

urlpatterns = [
    path("", views.club, name="club"),
    path(
        "login/",
        # The admin's form, for everybody.
        auth_views.LoginView.as_view(
            template_name="admin/login.html",
            extra_context={"site_header": "The club", "title": "Log in"},
        ),
        name="login",
    ),
    path("logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("admin/", admin.site.urls),
]
