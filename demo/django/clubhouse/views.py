from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.shortcuts import render


@login_required
def club(request):
    return render(request, "club.html", {"live_url": settings.LIVE_URL})
